"""Where answers differ from the reference: fields that are missing or new, other types, values that it does not list.

Pure. What comes of an account never gets out of here: of a value there is its type, of a listed one the word.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from paperspace_mcp.checkup.readings import forms
from paperspace_mcp.checkup.readings.answers import Answers, Record
from paperspace_mcp.checkup.readings.gets import GETS
from paperspace_mcp.checkup.readings.reference import SHAPES, Field
from paperspace_mcp.wire.probing import Seen

COUNTED = {
    "machines": "machine", "events": "event", "templates": "template",
    "accessors_1": "accessor", "accessors_2": "accessor", "accessors_3": "accessor",
}  # fmt: skip
"""The lists whose rows are looked at; the others mostly have the same ones."""
LISTS = {
    **COUNTED,
    **dict.fromkeys(("events_default", "oldest_event"), "event"),
    **dict.fromkeys((get.name for get in GETS if get.name.startswith(("name_", "region_", "type_"))), "machine"),
    **dict.fromkeys(("machines_default", "first_page", "next_page", "other_order"), "machine"),
    **dict.fromkeys(("unknown_cursor", "unknown_query", "long_limit", "wrong_order"), "machine"),
}
SINGLE = {
    "desktop_headless": "desktop", "desktop_off": "desktop", "desktop_on": "desktop",
    "deleted_machine": "machine", "removed_accessor": "accessor",
}  # fmt: skip
_ELSEWHERE = frozenset({"repeated_query", "description"})
"""Rows that other lists have too, and a document that has nothing of an account."""
INSIDE = {
    ("machine", "accelerators"): "accelerator",
    ("machine", "reservation"): "reservation",
    ("accessor", "user"): "user",
    ("desktop", "vnc"): "vnc",
    ("desktop", "windows"): "windows",
    ("template", "availableMachineTypes"): "template machine type",
}
_ERRORS, _ENVELOPES = range(400, 500), frozenset({"page", "error"})


@dataclass(slots=True)
class Drift:
    """How the objects of one shape differ. Each counter says in how many of those that were looked at."""

    shape: str
    looked_at: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    beyond: Counter[str] = field(default_factory=Counter)
    types: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By field and the type that came."""
    values: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By field and the value that the reference does not list."""

    @property
    def any(self) -> bool:
        return bool(self.missing or self.beyond or self.types or self.values)


def drifts(answers: Answers) -> list[Drift]:
    """One for each shape of the reference, in its order."""
    found, private = {shape: Drift(shape) for shape in SHAPES}, _private(answers)
    for name, shape, record in _records(answers):
        if name in COUNTED or name in SINGLE or shape in _ENVELOPES:
            _compare(found[shape], record, private)
    return list(found.values())


def _records(answers: Answers) -> Iterator[tuple[str, str, Record]]:
    """Every object that has a shape, and those inside it: the name of its GET, its shape, and itself."""
    for name, seen in answers.all.items():
        for shape, record in _of_answer(name, seen):
            yield name, shape, record
            for (outer, inside), inner in INSIDE.items():
                if outer == shape:
                    yield from ((name, inner, one) for one in _objects(record.get(inside)))


def _of_answer(name: str, seen: Seen) -> Iterator[tuple[str, Record]]:
    body = seen.body
    if not isinstance(body, dict):
        return
    if seen.status in _ERRORS:
        yield "error", body
    elif seen.good and isinstance(body.get("items"), list):
        yield "page", body
        yield from ((LISTS[name], row) for row in _objects(body["items"]) if name in LISTS)
    elif seen.good and name in SINGLE:
        yield SINGLE[name], body


def _objects(value: Any) -> list[Record]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]


def _compare(drift: Drift, record: Record, private: frozenset[str]) -> None:
    fields = SHAPES[drift.shape]
    drift.looked_at += 1
    drift.missing.update(name for name, known in fields.items() if known.required and name not in record)
    drift.beyond.update(forms.field(name, private) for name in record.keys() - fields.keys())
    for name in fields.keys() & record.keys():
        _value(drift, name, record[name], private)


def _value(drift: Drift, name: str, value: Any, private: frozenset[str]) -> None:
    known = SHAPES[drift.shape][name]
    kind = kind_of(value, known)
    if kind not in known.kinds:
        drift.types[name, kind] += 1
    elif known.known and isinstance(value, str) and value not in known.known:
        drift.values[name, forms.word(value, private)] += 1


def kind_of(value: Any, known: Field) -> str:
    """The JSON type of a value, as near to what is documented as it is."""
    if isinstance(value, str):
        return "date" if "date" in known.kinds and _is_date(value) else "digits" if _digits(value, known) else "string"
    if isinstance(value, bool) or value is None:
        return "null" if value is None else "boolean"
    if isinstance(value, int):
        return "number" if "number" in known.kinds else "integer"
    return {float: "number", list: "array", dict: "object"}[type(value)]


def _digits(value: str, known: Field) -> bool:
    return "integer" in known.kinds and value.isascii() and value.isdecimal()


def _is_date(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _private(answers: Answers) -> frozenset[str]:
    """Every text of the answers that does not stand where the reference lists values: none of it may be shown."""
    own = [value for _, shape, record in _records(answers) for name, value in record.items() if not _lists(shape, name)]
    known = {*LISTS, *SINGLE, *_ELSEWHERE}
    others = [seen.body for name, seen in answers.all.items() if name not in known]
    return frozenset(_texts([*(value for value in own if isinstance(value, str)), *others]))


def _lists(shape: str, name: str) -> bool:
    return name in SHAPES[shape] and bool(SHAPES[shape][name].known)


def _texts(values: Iterable[Any]) -> Iterator[str]:
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict | list):
            waiting += value.values() if isinstance(value, dict) else value
