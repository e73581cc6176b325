"""Cursor pages over sorted rows: a page costs a binary search, not a sort."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from paperspace_mcp.simulator.variant import Variant

T = TypeVar("T")


class Shelf(Generic[T]):
    """Rows kept in ascending order of `key`; sorted again only when `version` has moved."""

    def __init__(self, key: Callable[[T], Any]) -> None:
        self.key = key
        self._rows: list[T] = []
        self._version = (-1, -1)

    def rows(self, version: tuple[int, int], source: Callable[[], list[T]]) -> list[T]:
        if version != self._version:
            self._rows, self._version = sorted(source(), key=self.key), version
        return self._rows


def walk(rows: Sequence[T], key: Callable[[T], Any], after: T | None, *, descending: bool) -> Iterator[T]:
    """The rows after `after` in the asked order; `after` need not be among them any more."""
    if not descending:
        start = 0 if after is None else bisect_right(rows, key(after), key=key)
        return (rows[index] for index in range(start, len(rows)))
    start = len(rows) if after is None else bisect_left(rows, key(after), key=key)
    return (rows[index] for index in range(start - 1, -1, -1))


def envelope(
    found: Iterator[T], limit: int, show: Callable[[T], Any], cursor: Callable[[T], str], variant: Variant
) -> Any:
    """`{hasMore, items, nextPage}`; the cursor is the id of the last item shown ("nextPage": "tbt2el0a")."""
    rows = list(islice(found, limit + 1))
    shown, more = rows[:limit], len(rows) > limit
    answer: dict[str, Any] = {"hasMore": more, "items": [show(row) for row in shown]}
    if more:
        last = cursor(shown[-1])
        return {**answer, "nextPage": last if variant.cursors == "last id" else f"c_{last.encode().hex()}"}
    if variant.next_page_on_last == "absent":
        return answer
    return {**answer, "nextPage": None if variant.next_page_on_last == "null" else ""}
