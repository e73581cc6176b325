"""What a tool function is given: reads, the caller, and ways to find what a person named."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from paperspace_mcp.conduct import Caller, Conduct
from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.errors import CallerError, Refusal
from paperspace_mcp.contract.requests import MachinesQuery
from paperspace_mcp.contract.shapes import Machine
from paperspace_mcp.rules import naming
from paperspace_mcp.rules.guard.cleaning import clean, plain
from paperspace_mcp.rules.guard.demands import TABLE, Ask
from paperspace_mcp.rules.guard.plans import Target
from paperspace_mcp.rules.guard.protection import matching
from paperspace_mcp.rules.policy import Strictness, permitted
from paperspace_mcp.rules.power import fingerprint
from paperspace_mcp.rules.pricing import Prices, rate
from paperspace_mcp.surface.views import place
from paperspace_mcp.sweeping import sweep
from paperspace_mcp.watch import Watch

Report = Callable[[float, float, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Desk:
    """One call's view of the server.

    report: progress, elapsed and total seconds and a message; does nothing where the client did not ask for it.
    hold_s: how long a call waits for a person who decides out of band.
    long_waits: whether the client asked for progress, and so keeps a long call alive.
    """

    conduct: Conduct
    watch: Watch
    caller: Caller
    max_wait_s: float
    hold_s: float
    report: Report
    toolset_of: Callable[[str], str]
    long_waits: bool = False

    def permit(self, tool: str, effect: Effect) -> None:
        """Raises a `Refusal` for a tool that the policy shuts, however it came to be called."""
        if refused := permitted(self.conduct.policy, tool, self.toolset_of(tool), effect):
            raise Refusal(refused)

    async def machine(self, reference: str) -> Machine:
        """The one machine that an id, an exact name, a name in another case or a public address means.

        Space round a name is a slip; round an id it makes another text, which is looked for as a name only.

        Raises:
            CallerError: unknown_machine, ambiguous_machine or fleet_incomplete, with up to five candidates.
        """
        return await self._by_id(reference) or await self._by_name(reference) or await self._otherwise(reference)

    async def _by_id(self, reference: str) -> Machine | None:
        if not naming.is_id(reference):
            return None
        try:
            return await self.conduct.read(catalogue.GET_MACHINE, {"id": reference})
        except CallerError as failure:
            if failure.code in {"not_found", "bad_request"}:
                return None
            raise

    async def _by_name(self, name: str) -> Machine | None:
        """By its exact name, as far as the provider's filter is sure to find all that have it."""
        search = await self._filtered(name)
        return _one(search.named) if search.complete else None

    async def _filtered(self, name: str) -> naming.Search:
        """The machines of exactly this name; not complete where the filter may leave one out, or leads nowhere.

        It finds parts of names, so there may be any number of rows: all are looked at, and only those that fit kept.
        """
        search = naming.Search(name)
        if naming.filterable(name):
            swept = await sweep(self.conduct, search.see, MachinesQuery(name=name))
            search.complete = swept.complete
        return search

    async def _otherwise(self, reference: str) -> Machine:
        """By looking at the whole fleet, so that what is said of it is so."""
        search, similar = naming.Search(reference), naming.Similar(reference)

        def see(machine: Machine) -> None:
            search.see(machine)
            if not search.found:
                similar.see(machine)

        swept = await sweep(self.conduct, see)
        if not swept.complete:
            seen = tuple(map(naming.candidate, search.meant[: naming.CANDIDATES])) or similar.candidates
            raise CallerError("fleet_incomplete", facts={"cause": "name"}, candidates=seen)
        if machine := _one(search.meant):
            return machine
        raise CallerError("unknown_machine", facts={"count": swept.machines}, candidates=similar.candidates)

    async def target(self, machine: Machine, fields: frozenset[str], *effects: Effect) -> Target:
        """The machine as a plan's target, for what the plan does to it.

        A name that cannot be typed, or is not known to be the only one, is confirmed by id. To know that takes a read,
        so it is looked up only where the table or the operator wants a name typed, or a standing approval goes by it.

        Raises:
            CallerError: machine_deleted, where the provider still shows one that is gone.
        """
        if machine.dt_deleted is not None:
            raise CallerError("machine_deleted")
        protected = self.protected(machine)
        typed = any(self._wants_name(effect, protected=protected) for effect in effects)
        unsure = (typed or await self._selected(machine.name)) and not await self._alone(machine.name)
        values = fingerprint(machine, fields)
        if "accessors" in fields:
            values["accessors"] = await self.conduct.accessors(machine.id)
        return Target(machine.id, machine.name, self.label(machine), values, protected, unsure)

    async def _selected(self, name: str) -> bool:
        """Whether something that is allowed in advance goes by this name."""
        return any(matching(one.names, name) for one in await self.conduct.standing(self.caller))

    async def _alone(self, name: str) -> bool:
        """Whether a name can be typed, and one machine is known to have it and no other."""
        if not plain(name):
            return False
        search = await self._filtered(name)
        return search.complete and len(search.named) == 1

    def _wants_name(self, effect: Effect, *, protected: bool) -> bool:
        return TABLE[effect, protected].ask is Ask.NAME or self.conduct.policy.strictness(effect) is Strictness.NAME

    @property
    def prices(self) -> Prices:
        """The operator's own prices."""
        return self.conduct.policy.prices

    def label(self, machine: Machine) -> str:
        """What tells a machine from another, for a question."""
        usd = rate(machine, self.prices)
        price = "price unknown" if usd is None else f"{usd:g} USD/h"
        words = (place(machine.region), clean(machine.machine_type, 40).text, clean(machine.state, 40).text)
        return " · ".join([*words, price])

    def protected(self, machine: Machine) -> bool:
        return self.conduct.protects(machine.id, machine.name)


def _one(machines: Sequence[Machine]) -> Machine | None:
    if len(machines) > 1:
        raise CallerError("ambiguous_machine", candidates=tuple(map(naming.candidate, machines[: naming.CANDIDATES])))
    return machines[0] if machines else None
