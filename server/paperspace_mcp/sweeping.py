"""The whole of the fleet, from both ends of its list at once: a chain of cursors is as slow as it is long."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import anyio

from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.errors import Failure
from paperspace_mcp.contract.requests import PAGE_LIMIT, MachinesQuery
from paperspace_mcp.contract.shapes import Machine
from paperspace_mcp.walking import Reads

FLEET_ROWS = 100_000
"""Beyond this a fleet is not counted: 834 pages are a minute and more of the provider's time."""

End = Literal["asc", "desc"]


@dataclass(slots=True)
class Sweep:
    """What a sweep saw. `complete`: each machine that was there all the time was given to `see`, once."""

    machines: int = 0
    calls: int = 0
    complete: bool = False


@dataclass(slots=True)
class _Edge:
    """How far one end has come. key: when its last row was created; None where that cannot be read."""

    end: End
    key: datetime | None = None
    cursor: str | None = None
    sorted: bool = True
    ended: bool = False
    been: set[str] = field(default_factory=set)

    def advance(self, machines: list[Machine], cursor: str | None) -> bool:
        """Take note of a page; whether its cursor leads on."""
        self._compare(machines)
        self.cursor, self.ended = cursor, cursor is None
        leads = bool(machines) and cursor is not None and cursor not in self.been
        self.been.add(cursor or "")
        return leads

    def _compare(self, machines: list[Machine]) -> None:
        for machine in machines:
            key = _created(machine)
            if key is None or (self.key is not None and _before(key, self.key, self.end)):
                self.sorted = False
            self.key = key


@dataclass(slots=True)
class _Run:
    """One sweep under way."""

    reads: Reads
    see: Callable[[Machine], None]
    asked: MachinesQuery
    found: Sweep = field(default_factory=Sweep)
    ids: set[str] = field(default_factory=set)
    edges: tuple[_Edge, _Edge] = field(default_factory=lambda: (_Edge("desc"), _Edge("asc")))

    @property
    def over(self) -> bool:
        """Whether all was seen: an end came to the other's beginning, or the two have strictly passed each other.

        Machines that were created in the same moment may come in any order, so having met is not enough.
        """
        newest, oldest = self.edges
        passed = newest.key is not None and oldest.key is not None and oldest.key > newest.key
        return newest.ended or oldest.ended or (passed and newest.sorted and oldest.sorted)

    async def chain(self, edge: _Edge) -> None:
        """Pages from one end until all was seen, or this end leads nowhere."""
        while await self.step(edge):
            pass

    async def step(self, edge: _Edge) -> bool:
        """One page from one end; whether it is worth another."""
        given = {"after": edge.cursor} if edge.cursor else {}
        page_of = {"order_by": "dtCreated", "order": edge.end, "limit": PAGE_LIMIT, **given}
        query = self.asked.model_copy(update=page_of)
        page = await self.reads.read(catalogue.LIST_MACHINES, {}, query)
        self.found.calls += 1
        self._take(page.items)
        leads = edge.advance(page.items, page.cursor)
        return leads and not self.over and self.found.machines < FLEET_ROWS

    def _take(self, machines: list[Machine]) -> None:
        for machine in machines:
            if machine.id not in self.ids:
                self.ids.add(machine.id)
                self.found.machines += machine.dt_deleted is None
                if machine.dt_deleted is None:
                    self.see(machine)


async def sweep(reads: Reads, see: Callable[[Machine], None], asked: MachinesQuery | None = None) -> Sweep:
    """Show `see` every living machine of the account, in no order. Raises what reading raises.

    asked: filters of the provider, where only the machines that pass them are wanted.
    """
    run = _Run(reads, see, asked or MachinesQuery())
    newest, oldest = run.edges
    if await run.step(newest):
        await _both(run, newest, oldest)
    run.found.complete = run.over
    return run.found


async def _both(run: _Run, *edges: _Edge) -> None:
    failures = list[Failure]()

    async def one(edge: _Edge, scope: anyio.CancelScope) -> None:
        try:
            await run.chain(edge)
        except Failure as failure:
            failures.append(failure)
        if failures or run.over:
            scope.cancel()

    async with anyio.create_task_group() as tasks:
        for edge in edges:
            tasks.start_soon(one, edge, tasks.cancel_scope)
    if failures and not run.over:
        raise failures[0]


def _created(machine: Machine) -> datetime | None:
    try:
        moment = datetime.fromisoformat(machine.dt_created or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _before(key: datetime, last: datetime, end: End) -> bool:
    return key < last if end == "asc" else key > last
