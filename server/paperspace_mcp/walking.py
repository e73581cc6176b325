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
    """What a walk over pages saw. `complete`: it reached the end. `scanned` counts rows before filtering."""

    items: list[Item] = field(default_factory=list)
    complete: bool = False
    scanned: int = 0
    calls: int = 0


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
) -> Walk[Item]:
    """Page after page up to `rows` rows. A cursor seen before ends it: the provider was seen to loop and to repeat."""
    found, seen, cursors = Walk[Item](), set[str](), set[str]()
    cursor: str | None = query.after
    while found.scanned < rows:
        page = await reads.read(operation, path or {}, query.model_copy(update={"after": cursor}) if cursor else query)
        fresh = list({identity(item): item for item in page.items if identity(item) not in seen}.values())
        seen.update(map(identity, fresh))
        found.items += filter(keep, fresh)
        found.scanned += len(fresh)
        found.calls += 1
        cursor = page.cursor
        if cursor is None or cursor in cursors or not page.items:
            found.complete = cursor is None
            return found
        cursors.add(cursor)
    return found
