"""Machines that cost without a sign of use, as far as settings and power events tell: a load is never known."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from paperspace_mcp.contract.shapes import Event, Machine
from paperspace_mcp.rules.power import MACHINE_STATES
from paperspace_mcp.rules.pricing import NO_PRICES, Prices, rate, reserved
from paperspace_mcp.rules.waiting import seconds_of

HOUR_S, DAY_S = 3600.0, 86400.0
ROWS = 25
FEWEST_OFF = 5
"""What is off is cheap, so a large fleet's rows would all be of what is on: so many of them are shown all the same."""

_ON = frozenset({"create", "start", "restart"})
_OFF = frozenset({"create", "stop", "vm-shutdown-force"})
"""A created machine need not start. The forced stop's name is the public clients'."""
_TURNS = _ON | _OFF


class Signal(StrEnum):
    """Why a machine is shown."""

    ON = "on_no_timer"
    OFF = "off_disk"
    OFF_STATIC = "off_disk_static_ip"
    STATIC = "off_static_ip"


@dataclass(frozen=True, slots=True)
class Windows:
    """Since when a machine must have been on, or off, to be shown. Seconds since the epoch."""

    on: float
    off: float

    @classmethod
    def of(cls, now: float, on_hours: float, off_days: float) -> "Windows":
        return cls(now - on_hours * HOUR_S, now - off_days * DAY_S)

    @property
    def earliest(self) -> float:
        return min(self.on, self.off)

    def begins(self, signal: Signal) -> float:
        return self.on if signal is Signal.ON else self.off


@dataclass(slots=True)
class Turns:
    """When each machine was last turned on or off, from the account's events, newest first."""

    newest: dict[str, float] = field(default_factory=dict)
    seen: int = 0
    _reached: float = float("inf")
    _ordered: bool = True

    @property
    def horizon(self) -> float:
        """All events made since then were seen. Infinite where none was, or where they came in another order."""
        return self._reached if self._ordered else float("inf")

    def take(self, event: Event) -> bool:
        """Take note of one. False: nothing is to be kept of it."""
        self.seen += 1
        at = seconds_of(event.dt_created)
        if at is not None:
            self._ordered, self._reached = self._ordered and at <= self._reached, at
        if event.machine_id and turned(event):
            last = self.newest.get(event.machine_id, 0.0)
            self.newest[event.machine_id] = max(last, float("inf") if at is None else at)  # no date: perhaps just now
        return False


def turned(event: Event) -> bool:
    """Whether an event turned its machine on or off. A textless error may pass, so it counts as if it had."""
    failed = event.state == "cancelled" or (event.state == "error" and bool((event.error or "").strip()))
    return event.name in _TURNS and not failed


def signal(machine: Machine, windows: Windows) -> Signal | None:
    """What settings and dates alone say: a machine that was created inside its window cannot be older."""
    found = _signal(machine)
    created = seconds_of(machine.dt_created)
    young = found is not None and created is not None and created > windows.begins(found)
    return None if young else found


def _signal(machine: Machine) -> Signal | None:
    if machine.state not in MACHINE_STATES:
        return None
    if machine.state != "off":  # the only state without the hourly fee
        return Signal.ON if machine.auto_shutdown_enabled is False else None
    static = machine.public_ip_type == "static"
    if machine.storage_total:
        return Signal.OFF_STATIC if static else Signal.OFF
    return Signal.STATIC if static else None


def lasts(machine: Machine, found: Signal, windows: Windows, turns: Turns) -> bool | None:
    """Whether the machine was as it is all through its window; None where events do not reach back so far."""
    begins = windows.begins(found)
    if turns.newest.get(machine.id, 0.0) > begins:
        return False
    return True if turns.horizon <= begins else None


class Since(NamedTuple):
    """holds: False where a machine's own events say otherwise. at: when it was turned as it is, where they tell."""

    holds: bool
    at: float | None = None


def since(events: Iterable[Event], found: Signal, windows: Windows) -> Since:
    """What a machine's own events, newest first, say: also a start after which it went off by itself, nobody knows
    when."""
    last = next(filter(turned, events), None)
    if last is None:
        return Since(holds=True)
    at = seconds_of(last.dt_finished) or seconds_of(last.dt_created)
    fits = last.name in (_ON if found is Signal.ON else _OFF)
    return Since(fits and (at or 0.0) <= windows.begins(found), at)


@dataclass(frozen=True, slots=True)
class Waste:
    """One machine that is shown. usd_per_hour: what stopping it saves; None where unknown, or where it is off."""

    machine: Machine
    signal: Signal
    usd_per_hour: float | None = None

    @property
    def on(self) -> bool:
        return self.signal is Signal.ON

    @property
    def reserved(self) -> bool:
        """Whether what stopping it saves cannot be known."""
        return reserved(self.machine)

    @property
    def static(self) -> bool:
        return self.signal in {Signal.OFF_STATIC, Signal.STATIC}


def waste(machine: Machine, found: Signal, own: Prices = NO_PRICES) -> Waste:
    return Waste(machine, found, rate(machine, own) if found is Signal.ON else None)


def ranked(found: Iterable[Waste]) -> list[Waste]:
    """Dearest first; then what has no known price; then what is off, the largest disk first."""
    return sorted(found, key=_rank)


def _rank(one: Waste) -> tuple[bool, float, int, str, str]:
    return not one.on, -(one.usd_per_hour or 0.0), -(one.machine.storage_total or 0), one.machine.name, one.machine.id


def shown(found: Sequence[Waste], most: int = ROWS) -> list[Waste]:
    """The rows of an answer, of ranked ones: the first, and some of those that are off."""
    on, off = [one for one in found if one.on], [one for one in found if not one.on]
    first = on[: most - min(len(off), FEWEST_OFF)]
    return [*first, *off[: most - len(first)]]


@dataclass(slots=True)
class Totals:
    """What was found, in numbers. usd_per_hour: of those on, with a known price and without a reservation."""

    on: int = 0
    off: int = 0
    usd_per_hour: float = 0.0
    unpriced: int = 0
    reserved: int = 0
    disk_bytes: int = 0
    static_ips: int = 0

    def take(self, one: Waste) -> None:
        self.on += one.on
        self.off += not one.on
        self.reserved += one.on and one.reserved
        self.unpriced += one.on and not one.reserved and one.usd_per_hour is None
        self.usd_per_hour += 0.0 if one.reserved else one.usd_per_hour or 0.0
        self.disk_bytes += 0 if one.on else one.machine.storage_total or 0
        self.static_ips += one.static


def totals(found: Iterable[Waste]) -> Totals:
    together = Totals()
    for one in found:
        together.take(one)
    return together
