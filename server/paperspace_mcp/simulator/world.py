"""The simulated world: machines, their events, and the plan of what happens when.

Nothing runs in the background. Each request first settles the plan up to the present moment, so the world is a
function of the clock and hand-driven clocks work.
"""

from __future__ import annotations

import heapq
import random
import threading
import uuid
from typing import TYPE_CHECKING, Any

from paperspace_mcp.simulator import catalog
from paperspace_mcp.simulator.model import Event, Machine
from paperspace_mcp.simulator.paging import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable

    from paperspace_mcp.simulator.clock import Clock
    from paperspace_mcp.simulator.variant import Variant

DURATIONS = {
    "create": 95.0,
    "start": 55.0,
    "stop": 30.0,
    "restart": 40.0,
    "vm-upgrade": 60.0,
    "vm-migrate": 60.0,
    "deactivate": 20.0,
    "snapshot-create": 45.0,
}
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_NETWORKS, _HOSTS = ("192.0.2", "198.51.100", "203.0.113"), 254


class World:
    """Machines, events and the plan. Hold `lock` around any use."""

    def __init__(self, clock: Clock, variant: Variant, seed: int) -> None:
        self.clock, self.variant = clock, variant
        self.lock = threading.RLock()
        self.random = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self.durations = dict(DURATIONS)
        self.unavailable: set[tuple[str, str]] = {("H100x8", "ny2")}
        """(machine type, region) pairs without capacity: their starts fail inside the event."""
        self.machines: dict[str, Machine] = {}
        self.removed: dict[str, Machine] = {}
        self.events: dict[str, Event] = {}
        self.machine_events: dict[str, list[Event]] = {}
        self.members = self.moves = self.recorded = 0
        """Versions of what the sorted views depend on: which machines, their states and names, which events."""
        self.shelves: dict[str, Shelf[Machine]] = {
            name: Shelf(lambda m, name=name: (getattr(m, name), m.dtCreated, m.id))  # type: ignore[misc]
            for name in ("dtCreated", "name", "state")
        }
        self.event_shelf: Shelf[Event] = Shelf(lambda event: (event.dtCreated, event.id))
        self._plan: list[tuple[float, int, Event, Callable[[float], None]]] = []
        self._steps = 0
        self._addresses = set[str]()

    # -- time -------------------------------------------------------------------------------------------------------

    def settle(self) -> float:
        """Apply all that is due by now; returns now."""
        now = self.clock.now()
        while self._plan and self._plan[0][0] <= now:
            at, _, event, step = heapq.heappop(self._plan)
            if not event.halted:
                step(at)
                self.moves += 1
        return now

    def at(self, moment: float, event: Event, step: Callable[[float], None]) -> None:
        """Plan a step of an event; a halted event's steps fall away."""
        self._steps += 1
        heapq.heappush(self._plan, (moment, self._steps, event, step))

    # -- things -----------------------------------------------------------------------------------------------------

    def add(self, machine: Machine) -> Machine:
        self.machines[machine.id] = machine
        self.machine_events.setdefault(machine.id, [])
        self.members += 1
        return machine

    def remove(self, machine: Machine, at: float) -> None:
        machine.dtDeleted, machine.current = at, None
        self.machines.pop(machine.id, None)
        self.removed[machine.id] = machine
        self.members += 1

    def event(self, name: str, machine: Machine, at: float, **fields: Any) -> Event:
        made = Event(self.new_uuid(), name, machine.id, at, **fields)
        self.events[made.id] = made
        self.machine_events.setdefault(machine.id, []).append(made)
        self.recorded += 1
        return made

    # -- identities -------------------------------------------------------------------------------------------------

    def new_uuid(self) -> str:
        if self.variant.event_ids == "short":
            return self.new_id("e", 10)
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def new_id(self, prefix: str, length: int) -> str:
        return prefix + "".join(self.random.choices(_BASE36, k=length))

    def public_ip(self) -> str:
        """From the documentation networks, so that nobody's address is ever shown; no two alike while they last."""
        if len(self._addresses) == len(_NETWORKS) * _HOSTS:
            self._addresses.clear()
        while (address := f"{self.random.choice(_NETWORKS)}.{self.random.randint(1, _HOSTS)}") in self._addresses:
            pass
        self._addresses.add(address)
        return address

    def private_ip(self) -> str:
        return f"10.{self.random.randint(0, 254)}.{self.random.randint(0, 254)}.{self.random.randint(2, 254)}"

    # -- sorted views -----------------------------------------------------------------------------------------------

    def sorted_machines(self, order_by: str) -> list[Machine]:
        listed = self.variant.deleted_machines == "listed"  # also chosen while the simulator runs
        version = (2 * self.members + listed, 0 if order_by == "dtCreated" else self.moves)
        removed = list(self.removed.values()) if listed else []
        return self.shelves[order_by].rows(version, lambda: [*self.machines.values(), *removed])

    def sorted_events(self, machine_id: str | None) -> list[Event]:
        if machine_id is not None:
            return sorted(self.machine_events.get(machine_id, ()), key=self.event_shelf.key)
        return self.event_shelf.rows((self.recorded, 0), lambda: list(self.events.values()))

    def find(self, machine_id: str) -> Machine | None:
        return self.machines.get(machine_id)

    def lacks_capacity(self, machine: Machine) -> bool:
        return (machine.machineType, machine.region) in self.unavailable

    def network_exists(self, network_id: str, region: str) -> bool:
        """The id of the *default* network answers 404 (Metaphysic-ai's note), as an unknown one does."""
        return catalog.PRIVATE_NETWORKS.get(network_id) == region
