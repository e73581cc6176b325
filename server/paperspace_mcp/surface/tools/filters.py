"""What a list of machines is narrowed by: at the provider where that loses nothing, and here always."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.errors import CallerError
from paperspace_mcp.contract.requests import MachinesQuery
from paperspace_mcp.contract.shapes import Machine
from paperspace_mcp.rules import machine_types, power, vocabulary
from paperspace_mcp.surface import views
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.paging import Part, part_of, place_of

NONE: Mapping[str, str] = {}
BY_THE_PROVIDER = "In a list this long the provider compares names and types, by its own rule."


@dataclass(slots=True)
class Wanted:
    """The filters of a call, and the words that were met on the way. "any" and empty do not filter."""

    name: str
    region: str
    states: list[str]
    machine_type: str
    agent_type: str
    met: tuple[Counter[str], Counter[str], Counter[str]] = field(
        default_factory=lambda: (Counter(), Counter(), Counter())
    )

    @property
    def bound(self) -> Mapping[str, Any]:
        """What a cursor is bound to."""
        kind, agent = machine_types.folded(self.machine_type), _folded(self.agent_type)
        named = self.name.casefold()
        return {"name": named, "region": self.region, "states": sorted(self.states), "type": kind, "agent": agent}

    @property
    def narrowing(self) -> dict[str, str]:
        """What the provider may compare otherwise than we do: names and types."""
        kind = {} if self.machine_type == "any" else {"machine_type": self.machine_type}
        return {**kind, **({"name": self.name} if self.name else {})}

    @property
    def surely(self) -> dict[str, str]:
        """What the provider compares as we do: its own words, for equality."""
        agent = next((one for one in vocabulary.AGENT_TYPES if _folded(one) == _folded(self.agent_type)), "any")
        given = {"region": self.region, "agent_type": agent}
        return {name: value for name, value in given.items() if value != "any"}

    def keep(self, machine: Machine) -> bool:
        """Whether a machine is wanted. What it is called is kept for the hint."""
        if machine.dt_deleted is not None:
            return False
        words = (machine.state.casefold(), machine.machine_type, machine.agent_type or "")
        for counter, word in zip(self.met, words, strict=True):
            counter[word] += 1
        named = self.name.casefold() in machine.name.casefold()
        return named and self._so(words[0]) and self._typed(words[1]) and self._made_for(words[2])

    def _so(self, state: str) -> bool:
        return not self.states or state in self.states

    def _typed(self, label: str) -> bool:
        return self.machine_type == "any" or machine_types.folded(label) == machine_types.folded(self.machine_type)

    def _made_for(self, agent: str) -> bool:
        """`windows` and `linux` are parts of the provider's words."""
        return self.agent_type == "any" or _folded(self.agent_type) in _folded(agent)

    def hint(self) -> str:
        """What to say of words that nothing answers to; empty where every word is known or was met."""
        states, kinds, agents = self.met
        odd = vocabulary.strange(self.states, states, power.MACHINE_STATES)
        kind = [] if any(map(self._typed, (*kinds, *machine_types.KNOWN))) else [self.machine_type]
        agent = [] if any(map(self._made_for, (*agents, *vocabulary.AGENT_TYPES))) else [self.agent_type]
        told = (
            hint("states", odd, states, power.MACHINE_STATES, vocabulary.SPOKEN_STATES, vocabulary.NO_STATE),
            hint("machine_type", kind, kinds, machine_types.KNOWN),
            hint("agent_type", agent, agents, vocabulary.AGENT_TYPES),
        )
        return " ".join(filter(None, told))


def _folded(words: str) -> str:
    return "".join(words.casefold().split())


def hint(
    argument: str,
    words: Sequence[str],
    met: Counter[str],
    known: Sequence[str],
    spoken: Mapping[str, str] = NONE,
    never: Mapping[str, str] = NONE,
) -> str:
    """As `vocabulary.hint`, of words that the provider wrote."""
    seen = {views.text(word, 40) or "none": count for word, count in met.items()}
    return vocabulary.hint(argument, words, seen, known, spoken, never)


async def part(
    desk: Desk, wanted: Wanted, order: Mapping[str, Any], limit: int, cursor: str
) -> tuple[Part[Machine], str]:
    """The part of the list that is asked for, and what is to be said of its filters.

    Whether the provider's `name` finds the middle of a name, and whether its filters fold case, is documented nowhere.
    So names and types are filtered here, and by the provider where the list is longer than one call looks at.
    """
    bound, narrowing = {**wanted.bound, **order}, wanted.narrowing

    async def read(**more: str) -> Part[Machine]:
        for counter in wanted.met:
            counter.clear()
        query = MachinesQuery(**{**wanted.surely, **order, **more})
        return await part_of(
            desk.conduct, catalogue.LIST_MACHINES, query, limit=limit, cursor=cursor, filters=bound, keep=wanted.keep
        )

    if not narrowing:
        return await read(), ""
    if not place_of(cursor, bound).window:
        found = await read()
        if found.found.cursor is None:
            return found, ""
    return await read(**narrowing), BY_THE_PROVIDER


def known(fleet: Iterable[Machine], states: Sequence[str], machine_type: str) -> None:
    """Whether the filters of a choice mean anything in the fleet.

    Raises:
        CallerError: bad_argument, with the words that are there: what is to change something must not guess.
    """
    wanted = Wanted("", "any", list(states), machine_type, "any")
    for machine in fleet:
        wanted.keep(machine)
    if told := wanted.hint():
        raise CallerError("bad_argument", facts={"problems": told})
