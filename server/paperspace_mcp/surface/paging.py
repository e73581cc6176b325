"""Parts of lists, and cursors that are ours.

A list looks at a window of the provider's rows and answers a part of it. A cursor tells the window, so that going on
costs the same at the end of a large fleet as at its beginning, and the rows shown last, so that the list goes on at
the right place while machines come and go.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from paperspace_mcp.contract.errors import CallerError
from paperspace_mcp.contract.operation import Operation
from paperspace_mcp.contract.requests import PAGE_LIMIT, PageQuery
from paperspace_mcp.contract.shapes import Page, Shape
from paperspace_mcp.walking import Reads, Walk, identity, walk

Item = TypeVar("Item", bound=Shape)

_CURSOR_CAP = 1024
_VERSION = 3
_REMEMBERED = 5
"""How many of the rows shown last a cursor knows: the list goes on after the first of them that is still there."""
_BOUND, _MARK = 6, 5
"""Bytes for the filters and for a row. A model reads and repeats every cursor; of ids it would cost five times as
much. Among 500 rows two have the same mark once in ten million lists."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a list goes on. window: the provider's cursor at which it begins, empty for the beginning of all.

    rows: marks of the rows shown last, the last one first.
    """

    window: str = ""
    rows: tuple[bytes, ...] = ()


def mark(row: Shape) -> bytes:
    """What a cursor knows a row by."""
    return hashlib.sha256(identity(row).encode()).digest()[:_MARK]


def bound(filters: Mapping[str, Any]) -> bytes:
    """What a cursor is bound to: the filters and the order of its list."""
    return hashlib.sha256(json.dumps(filters, sort_keys=True).encode()).digest()[:_BOUND]


def cursor_of(place: Place, filters: Mapping[str, Any]) -> str:
    """An opaque cursor for a place: version and number of rows, what it is bound to, the rows, the window."""
    raw = bytes([_VERSION, len(place.rows)]) + bound(filters) + b"".join(place.rows) + place.window.encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def place_of(cursor: str, filters: Mapping[str, Any]) -> Place:
    """The place that a cursor stands for; an empty cursor is the beginning.

    Raises:
        CallerError: bad_cursor, for one that is not ours or was given for other filters.
    """
    if not cursor:
        return Place()
    try:
        raw = base64.b64decode(cursor[:_CURSOR_CAP] + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        window = raw[_end(raw) :].decode()
    except (ValueError, IndexError):
        raise CallerError("bad_cursor") from None
    if raw[0] != _VERSION or raw[2 : 2 + _BOUND] != bound(filters) or len(raw) < _end(raw):
        raise CallerError("bad_cursor")
    return Place(window, tuple(raw[at : at + _MARK] for at in range(2 + _BOUND, _end(raw), _MARK)))


def _end(raw: bytes) -> int:
    """Where the rows of a cursor end and its window begins. Raises an IndexError for what is too short."""
    return 2 + _BOUND + raw[1] * _MARK


@dataclass(frozen=True, slots=True)
class Part(Generic[Item]):
    """The rows of one answer, and what is known of the rest of the list."""

    items: list[Item]
    found: Walk[Item]
    start: int
    place: Place
    filters: Mapping[str, Any]

    @property
    def total(self) -> int | None:
        """All rows of the list; None where it is longer than one call looks at."""
        return len(self.found.items) if self.found.complete and not self.place.window else None

    def cursor_after(self, shown: int) -> str | None:
        """The cursor that goes on after so many of these rows; None at the end of the list."""
        after = self.start + shown
        if after < len(self.found.items):
            rows = [mark(item) for item in self.found.items[max(after - _REMEMBERED, 0) : after]]
            return cursor_of(Place(self.place.window, tuple(reversed(rows))), self.filters)
        return cursor_of(Place(self.found.cursor), self.filters) if self.found.cursor else None

    @property
    def facts(self) -> dict[str, Any]:
        """What every list says of itself."""
        cursor = self.cursor_after(len(self.items))
        return {
            "total": self.total,
            "returned": len(self.items),
            "complete": cursor is None and self.found.complete,
            "next_cursor": cursor,
        }

    def counted(self, noun: str) -> str:
        """`25 of 61 machines.`, or what can be said of a list without a known end."""
        if self.total is not None:
            return f"{len(self.items)} of {self.total} {noun}{'' if self.total == 1 else 's'}."
        return f"{len(self.items)} {noun}{'' if len(self.items) == 1 else 's'} of a longer list."

    def advice(self, narrow: str) -> str:
        """How to go on where the end of the list was not seen."""
        if self.found.looped:
            return "The provider's pages lead back to earlier ones: what comes after these rows cannot be read."
        if self.found.cursor is None:
            return ""
        return f"{self.found.scanned} were looked at, and there are more: {narrow}, or go on with next_cursor."


async def part_of(
    reads: Reads,
    operation: Operation[Page[Item]],
    query: PageQuery,
    *,
    limit: int,
    cursor: str,
    filters: Mapping[str, Any],
    path: Mapping[str, str] | None = None,
    keep: Callable[[Item], bool] = lambda _item: True,
    beyond: Callable[[Item], bool] = lambda _item: False,
) -> Part[Item]:
    """The part of a list that a cursor asks for (`keep`, `beyond`: see `walk`). Raises `bad_cursor`, and what reading
    raises."""
    place = place_of(cursor, filters)
    asked = page_query(query, place.window)
    found = await walk(reads, operation, asked, path=path, keep=keep, beyond=beyond)
    start = _start(found.items, place.rows)
    return Part(found.items[start : start + limit], found, start, place, filters)


def _start(items: Sequence[Shape], rows: Sequence[bytes]) -> int:
    """The index after the last row shown that is still there; where all are gone, begin anew rather than skip any."""
    index = {mark(item): number for number, item in enumerate(items)} if rows else {}
    return next((index[row] + 1 for row in rows if row in index), 0)


def page_query(query: PageQuery, after: str = "") -> PageQuery:
    """The query with the provider's largest page."""
    return query.model_copy(update={"limit": PAGE_LIMIT, **({"after": after} if after else {})})
