"""What things cost, as far as anybody outside the provider can know.

A running machine's own `usageRate` comes first. The table is for machines that are off or do not exist yet; its
prices were quoted from the provider's pricing page on 2026-09-20, the two marked ones from a 2024 catalogue.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from paperspace_mcp.contract.shapes import Machine
from paperspace_mcp.rules import machine_types

Prices = Mapping[str, float]
NO_PRICES: Prices = {}
"""An operator's own prices, by machine type, come before the table and before the provider's `usageRate`."""

SOURCE, OLDER = "the provider's pricing page of 2026-09-20", "a catalogue of 2024"
OWN, METERED = "this server's policy", "the machine's own rate"
"""Where a price is from, as it is told wherever one is told in detail."""
_OLDER = frozenset({"V100-32G", "A100-80G"})
HOURS_PER_MONTH = 730.0

USD_PER_HOUR: dict[str, float] = {
    "C1": 0.0045,
    "C10": 1.60,
    "GPU+": 0.45,
    "P4000": 0.51,
    "P5000": 0.78,
    "P6000": 1.10,
    "RTX4000": 0.56,
    "RTX5000": 0.82,
    "A4000": 0.76,
    "A5000": 1.38,
    "A6000": 1.89,
    "V100": 2.30,
    "V100-32G": 2.30,  # 2024 catalogue
    "A100": 3.09,
    "A100-80G": 3.18,  # 2024 catalogue; 1.15 is a commitment price
    "H100": 3.09,
}


def usd_per_hour(machine_type: str, own: Prices = NO_PRICES) -> float | None:
    """The listed price of a type; None where none is known, as for C2-C9. `A100x4` is four of an `A100`."""
    if (mine := _found(own, machine_type)) is not None:
        return mine
    label, count = machine_types.parts(machine_type)
    price = _found(USD_PER_HOUR, label)
    return None if price is None else round(price * count, 4)


def _found(prices: Prices, label: str) -> float | None:
    return {machine_types.folded(name): price for name, price in prices.items()}.get(machine_types.folded(label))


def rate(machine: Machine, own: Prices = NO_PRICES) -> float | None:
    """USD per hour while the machine runs: its own rate, else the table's; None where nobody knows."""
    if (mine := _found(own, machine.machine_type)) is not None:
        return mine
    return machine.usage_rate or usd_per_hour(machine.machine_type)


def reserved(machine: Machine) -> bool:
    """Whether its capacity is paid for by a reservation: nobody can know what stopping it saves."""
    return machine.reservation is not None and machine.reservation.is_active


def source(machine_type: str, own: Prices = NO_PRICES, *, metered: float | None = None) -> str:
    """Where the price of a type is from; of a machine, with its `usageRate`. Empty where there is none."""
    if _found(own, machine_type) is not None:
        return OWN
    if metered:
        return METERED
    if usd_per_hour(machine_type) is None:
        return ""
    return OLDER if machine_types.parts(machine_type)[0] in _OLDER else SOURCE


def source_of(machine: Machine, own: Prices = NO_PRICES) -> str:
    """Where `rate` of a machine is from; empty where it has none."""
    return source(machine.machine_type, own, metered=machine.usage_rate)


def per_month(usd: float | None) -> float | None:
    """The same for a month of 730 hours."""
    return None if usd is None else round(usd * HOURS_PER_MONTH, 2)


def words(usd: float | None) -> str:
    """A price as a person reads it, with the month beside the hour."""
    return "price unknown" if usd is None else f"{usd:g} USD/h (about {usd * HOURS_PER_MONTH:,.0f} USD/month)"


@dataclass(frozen=True, slots=True)
class Total:
    """What several machines cost together. `usd`: of those with a known price; `unpriced`: how many have none."""

    usd: float
    unpriced: int = 0

    @property
    def usd_per_hour(self) -> float | None:
        """The whole sum; None where a part of it is not known."""
        return None if self.unpriced else self.usd

    @property
    def words(self) -> str:
        """The sum as a person reads it, and what it leaves out."""
        if not self.unpriced:
            return words(self.usd)
        unknown = f"the price of {self.unpriced} unknown"
        return f"at least {words(self.usd)}, {unknown}" if self.usd else unknown


def total(rates: Iterable[float | None]) -> Total:
    """The sum of rates, of which some may be unknown."""
    given = list(rates)
    return Total(round(sum(rate for rate in given if rate is not None), 6), given.count(None))
