"""What the GETs brought: each answer by the name of its GET, or why there is none. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from paperspace_mcp.wire.probing import Seen

Record = dict[str, Any]
"""A JSON object of an answer."""
MISSING = object()
"""A field that is not there, which is not the same as null."""
FOUND, NOT_FOUND, REFUSED = 200, 404, frozenset({400, 412, 422})


class Unsettled(Exception):
    """A question stays open, or a GET cannot be asked. Its text says why, in words of ours."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list; `cursor` is MISSING where it has no `nextPage`."""

    rows: list[Record]
    more: bool
    cursor: Any


class Answers:
    """All that came. `now` is when, for ages."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.sent = 0
        """How many requests went out, also those that were given up."""
        self._seen = dict[str, Seen]()
        self._unasked = dict[str, str]()

    def take(self, name: str, seen: Seen) -> None:
        self._seen[name] = seen

    def leave(self, name: str, why: str) -> None:
        self._unasked[name] = why

    def came(self, names: Iterable[str]) -> bool:
        """Whether each of these was asked, or left for a reason of its own."""
        return all(name in self._seen or name in self._unasked for name in names)

    @property
    def all(self) -> Mapping[str, Seen]:
        """Every answer that came, also those that are no success."""
        return {name: seen for name, seen in self._seen.items() if not seen.trouble}

    @property
    def asked(self) -> list[Seen]:
        """All that was sent, whatever came of it."""
        return list(self._seen.values())

    def answered(self, name: str) -> Seen:
        """An answer of any status. Raises Unsettled where none came."""
        if name not in self._seen:
            raise Unsettled(self._unasked.get(name, "it was not asked"))
        if trouble := self._seen[name].trouble:
            raise Unsettled(f"no answer came ({trouble})")
        return self._seen[name]

    def good(self, name: str) -> bool:
        return name in self._seen and self._seen[name].good

    def body(self, name: str) -> Any:
        """The JSON of a success. Raises Unsettled for everything else."""
        seen = self.answered(name)
        if not seen.good:
            raise Unsettled(f"HTTP {seen.status} came{'' if seen.json else ', and no JSON'}")
        return seen.body

    def record(self, name: str) -> Record:
        """The object that a success is. Raises Unsettled."""
        body = self.body(name)
        if not isinstance(body, dict):
            raise Unsettled("the answer is no object")
        return body

    def page(self, name: str) -> Page:
        """The page that a success is; what is no object in it is left out. Raises Unsettled."""
        body = self.body(name)
        if not isinstance(body, dict) or not isinstance(body.get("items"), list):
            raise Unsettled("the answer is no page of a list")
        rows = [row for row in body["items"] if isinstance(row, dict)]
        return Page(rows, body.get("hasMore") is True, body.get("nextPage", MISSING))

    def rows(self, name: str) -> list[Record]:
        return self.page(name).rows

    def pages(self, *names: str) -> Iterator[tuple[str, Page]]:
        """Those of these pages that came."""
        for name in names:
            try:
                yield name, self.page(name)
            except Unsettled:
                continue


def text(record: Record, name: str) -> str:
    """A text of a record; empty where there is none."""
    value = record.get(name)
    return value if isinstance(value, str) else ""


def number(record: Record, name: str) -> float | None:
    """A number of a record, also where it is digits in a string."""
    value = record.get(name)
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        return float(value)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
