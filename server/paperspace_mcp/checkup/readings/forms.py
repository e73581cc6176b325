"""The form of a text instead of the text: what a report may show of ids, dates and cursors. Pure."""

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_BASE36, _URL_SAFE = re.compile(r"[0-9a-z]+"), re.compile(r"[A-Za-z0-9_-]+")
_DATES = {
    "milliseconds": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
    "seconds": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
    "offset": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d"),
    "without a zone": re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?"),
}
_WORD = re.compile(r"[A-Za-z][A-Za-z -]{0,23}\d{0,2}")
_FIELD, _HEADER = re.compile(r"[a-z][A-Za-z]{0,39}"), re.compile(r"[a-z][a-z0-9-]{0,39}")
_FEW = 3
"""Of fewer ids a common beginning may be chance, and so a part of an id."""
_TELLING = 4
"""A text of fewer characters says nobody's name."""


def of(texts: Sequence[str]) -> str:
    """The form that all of these texts have: `ps+7-10 base36`, `uuid`, `26 characters`."""
    if all(map(_UUID.fullmatch, texts)):
        return "uuid"
    if all(map(_BASE36.fullmatch, texts)):
        begin = _common(texts)
        return (
            f"{begin}+{_span(len(one) - len(begin) for one in texts)} base36"
            if begin
            else f"{_span(map(len, texts))} base36"
        )
    if all(map(_URL_SAFE.fullmatch, texts)):
        return f"{_span(map(len, texts))} of A-Z a-z 0-9 _ -"
    return f"{_span(map(len, texts))} characters"


def _common(texts: Sequence[str]) -> str:
    """At most three letters that all of several ids begin with."""
    beginnings = ({one[:length] for one in texts} for length in (3, 2, 1))
    found = next((found.pop() for found in beginnings if len(found) == 1), "")
    return found if found.isalpha() and len(set(texts)) >= _FEW else ""


def _span(lengths: Iterable[int]) -> str:
    found = sorted(lengths)
    return str(found[0]) if found[0] == found[-1] else f"{found[0]}-{found[-1]}"


def date(value: str) -> str:
    """How a date is written; `other` where it is none of the known ways."""
    return next((name for name, pattern in _DATES.items() if pattern.fullmatch(value)), "other")


def word(value: str, private: Collection[str]) -> str:
    """A word of the provider's own, such as a state, as it is; anything that could be somebody's text by its form."""
    return value if _WORD.fullmatch(value) and not _told(value, private) else of([value])


def field(name: str, private: Collection[str]) -> str:
    """The name of a field as it is; one that could be somebody's text by its form."""
    return name if _FIELD.fullmatch(name) and not _told(name, private) else of([name])


def header(name: str) -> bool:
    """Whether a header's name can be shown."""
    return _HEADER.fullmatch(name) is not None


def _told(value: str, private: Collection[str]) -> bool:
    """Whether a text of the account is in it."""
    folded = value.casefold()
    return any(len(one) >= _TELLING and one.casefold() in folded for one in private)


def days(value: str, now: datetime) -> int | None:
    """How many whole days ago a date is; None for what is no date."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (now - aware).days
