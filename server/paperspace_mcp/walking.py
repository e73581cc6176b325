"""Lists, walked page by page: bounded, without doubles, and out of the provider's loops."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel

from paperspace_mcp.contract.operation import Operation
from paperspace_mcp.contract.requests import PageQuery
from paperspace_mcp.contract.shapes import Page, Shape

Item = TypeVar("Item", bound=Shape)
Gives = TypeVar("Gives", bound=BaseModel)

WALK_ROWS = 500
"""The most rows that one list call looks at."""


class Reads(Protocol):
    """Whatever reads: the wire, or the corridor."""

    async def read(
        self, operation: Operation[Gives], path: Mapping[str, str] = ..., query: Shape | None = None
    ) -> Gives: ...


@dataclass(slots=True)
class Walk(Generic[Item]):
    """What a walk over pages saw. `complete`: it reached the end. `scanned` counts rows before filtering.

    cursor: where the provider's list goes on, for one that was broken off; `looped`: it leads back to where we were.
    """

    items: list[Item] = field(default_factory=list)
    complete: bool = False
    scanned: int = 0
    calls: int = 0
    cursor: str | None = None
    looped: bool = False


def identity(item: Shape) -> str:
    """What tells two rows apart; an accessor is known by its person."""
    return str(getattr(item, "id", None) or getattr(getattr(item, "user", None), "id", ""))


async def walk(
    reads: Reads,
    operation: Operation[Page[Item]],
    query: PageQuery,
    *,
    rows: int = WALK_ROWS,
    path: Mapping[str, str] | None = None,
    keep: Callable[[Item], bool] = lambda _item: True,
    beyond: Callable[[Item], bool] = lambda _item: False,
) -> Walk[Item]:
    """Page after page up to `rows` rows. A cursor seen before ends it: the provider was seen to loop and to repeat.

    keep: which rows are wanted. beyond: true of a row after which, in the order of the list, none can be.
    """
    found, seen, cursors = Walk[Item](), set[str](), set[str]()
    cursor: str | None = query.after
    while found.scanned < rows:
        page = await reads.read(operation, path or {}, _page_of(query, cursor, rows - found.scanned))
        fresh = list({identity(item): item for item in page.items if identity(item) not in seen}.values())
        seen.update(map(identity, fresh))
        found.items += filter(keep, fresh)
        found.scanned += len(fresh)
        found.calls += 1
        cursor = page.cursor
        over = cursor is None or bool(fresh and beyond(fresh[-1]))
        if cursor is None or over or cursor in cursors or not fresh:
            found.complete, found.looped = over, not over
            return found
        cursors.add(cursor)
    found.cursor = cursor
    return found


def _page_of(query: PageQuery, cursor: str | None, left: int) -> PageQuery:
    """The query of the next page, never for more rows than are left to look at."""
    limit = min(query.limit, left) if query.limit else None
    given = {"after": cursor, "limit": limit}
    return query.model_copy(update={name: value for name, value in given.items() if value})
