"""A fleet in numbers: how many, how many on, and what they cost, by what people ask about."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from paperspace_mcp.contract.shapes import Machine
from paperspace_mcp.rules import power, pricing
from paperspace_mcp.rules.naming import region

OTHERS = "(others)"
_FIRST_WORD = re.compile(r"[^\W\d_]+")


@dataclass(slots=True)
class Count:
    """machines: of all states; on: those that cost; usd_per_hour: of those on whose price is known."""

    machines: int = 0
    on: int = 0
    usd_per_hour: float = 0.0
    unpriced: int = 0

    def take(self, usd: float | None, *, on: bool) -> None:
        self.machines += 1
        self.on += on
        self.usd_per_hour += (usd or 0.0) if on else 0.0
        self.unpriced += on and usd is None

    def add(self, other: "Count") -> None:
        self.machines += other.machines
        self.on += other.on
        self.usd_per_hour += other.usd_per_hour
        self.unpriced += other.unpriced


@dataclass(slots=True)
class Census:
    """Counts of a fleet, machine by machine. A machine that is not off or stopping costs."""

    prices: pricing.Prices
    all: Count = field(default_factory=Count)
    states: Counter[str] = field(default_factory=Counter)
    regions: dict[str, Count] = field(default_factory=dict)
    types: dict[str, Count] = field(default_factory=dict)
    prefixes: dict[str, Count] = field(default_factory=dict)

    def take(self, machine: Machine) -> None:
        on, usd = power.group(machine.state) != "off", pricing.rate(machine, self.prices)
        self.states[machine.state] += 1
        groups = (
            (self.regions, region(machine.region) or machine.region),
            (self.types, machine.machine_type),
            (self.prefixes, prefix(machine.name)),
        )
        self.all.take(usd, on=on)
        for group, key in groups:
            group.setdefault(key, Count()).take(usd, on=on)


def prefix(name: str) -> str:
    """The first word of a name (`train` of `train-07`), by which people group their machines; empty where none."""
    found = _FIRST_WORD.match(name)
    return found[0].casefold() if found else ""


def largest(counts: dict[str, Count], most: int) -> list[tuple[str, Count]]:
    """The groups that cost most, then the largest; what is beyond `most`, or has no name, is one group of others."""
    ranked = sorted(counts.items(), key=lambda one: (-one[1].usd_per_hour, -one[1].machines, one[0]))
    named = [one for one in ranked if one[0]]
    kept = named[:most] if len(named) > most else named
    rest = _together(count for key, count in ranked if (key, count) not in kept)
    return [*kept, (OTHERS, rest)] if rest.machines else kept


def _together(counts: Iterable[Count]) -> Count:
    total = Count()
    for count in counts:
        total.add(count)
    return total
