"""The simulator as tests and the demo hold it: an app, a wire log, faults, and hands on the world."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any, Literal

from paperspace_mcp.simulator import default_fleet
from paperspace_mcp.simulator import fleet as fleets
from paperspace_mcp.simulator.asgi import App
from paperspace_mcp.simulator.clock import Clock
from paperspace_mcp.simulator.faults import Faults
from paperspace_mcp.simulator.variant import Variant
from paperspace_mcp.simulator.wire import Request
from paperspace_mcp.simulator.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from paperspace_mcp.simulator.model import Event, Machine


class Simulator:
    """A Paperspace account in memory.

    fleet: "default" (some twenty machines), "empty", or a number of generated machines.
    time_scale: simulated seconds per real second. clock: gives real seconds. Safe to use from several threads.
    """

    def __init__(
        self,
        fleet: Literal["default", "empty"] | int = "default",
        *,
        keys: Iterable[str] = ("demo-key",),
        time_scale: float = 1.0,
        clock: Callable[[], float] | None = None,
        seed: int = 7,
        variant: Variant | None = None,
    ) -> None:
        self.keys = set(keys)
        self.variant = variant or Variant()
        self.clock = Clock(clock, time_scale)
        self.world = World(self.clock, self.variant, seed)
        self.faults = Faults()
        self.wire: list[Request] = []
        self._arrivals = count(1)
        _fill(self.world, fleet)
        self.app = App(self)

    # -- looking ----------------------------------------------------------------------------------------------------

    def log(self, *fields: Any) -> Request:
        """Enter an arrived request in the wire log."""
        with self.world.lock:
            request = Request(next(self._arrivals), *fields)
            self.wire.append(request)
        return request

    def mutations(self) -> list[Request]:
        """The wire entries whose method is not GET."""
        return [request for request in list(self.wire) if request.method != "GET"]

    @property
    def machines(self) -> dict[str, Machine]:
        """The machines that exist now, by id."""
        with self.world.lock:
            self.world.settle()
            return dict(self.world.machines)

    @property
    def events(self) -> dict[str, Event]:
        """All machine events, by id."""
        with self.world.lock:
            self.world.settle()
            return dict(self.world.events)

    def machine(self, name: str) -> Machine:
        """The machine of that id or name (the first of that name). Raises KeyError."""
        with self.world.lock:
            self.world.settle()
            machines = self.world.machines
            found = machines.get(name) or next((m for m in machines.values() if m.name == name), None)
        if found is None:
            raise KeyError(name)
        return found

    @property
    def durations(self) -> dict[str, float]:
        """Simulated seconds by event name; change them freely."""
        return self.world.durations

    @property
    def unavailable(self) -> set[tuple[str, str]]:
        """(machine type, region) pairs without capacity; change them freely."""
        return self.world.unavailable

    def now(self) -> datetime:
        """The simulated wall clock."""
        return datetime.fromtimestamp(self.clock.now(), UTC)

    # -- time -------------------------------------------------------------------------------------------------------

    def advance(self, seconds: float) -> None:
        """Move simulated time on at once."""
        with self.world.lock:
            self.clock.advance(seconds)
            self.world.settle()

    @property
    def time_scale(self) -> float:
        return self.clock.scale

    @time_scale.setter
    def time_scale(self, value: float) -> None:
        with self.world.lock:
            self.world.settle()
            self.clock.scale = value

    def _settle(self) -> float:
        with self.world.lock:
            return self.world.settle()

    # -- behind the client's back -----------------------------------------------------------------------------------

    def change(self, machine: str, **fields: Any) -> Machine:
        """Set wire fields of a machine (id or name) directly; setting `state` ends what was in flight on it.

        Raises KeyError for an unknown machine, ValueError for an unknown machine type.
        """
        with self.world.lock:
            found, now = self.machine(machine), self._settle()
            _set(self.world, found, fields, now)
            self.world.moves += 1
            self.world.members += "dtCreated" in fields
        return found

    def delete_behind(self, machine: str) -> None:
        """Remove a machine at once, as a colleague in the console would have done a while ago."""
        with self.world.lock:
            found, now = self.machine(machine), self._settle()
            _end_current(found, now)
            self.world.event("deactivate", found, now, dtStarted=now, dtFinished=now, state="done")
            self.world.remove(found, now)

    def add_machine(self, **fields: Any) -> Machine:
        """A new machine; any field may be given, among them `id`."""
        with self.world.lock:
            return fleets.add(self.world, self._settle(), **fields)

    def grant_behind(self, machine: str, user_id: str) -> None:
        """Give a team member access. Raises KeyError for an unknown machine or user."""
        with self.world.lock:
            found = self.machine(machine)
            found.accessors[fleets.known_user(user_id)] = None


def _fill(world: World, fleet: str | int) -> None:
    if isinstance(fleet, int):
        fleets.generate(world, fleet)
    elif fleet == "default":
        default_fleet.fill(world, world.clock.now())
    elif fleet != "empty":
        raise ValueError(f"no such fleet: {fleet!r}")


def _end_current(machine: Machine, now: float) -> None:
    if machine.current is not None:
        machine.current.halted = True
        machine.current.finish(now)
        machine.current = None


def _set(world: World, machine: Machine, fields: dict[str, Any], now: float) -> None:
    fleets.known_type(fields.get("machineType", machine.machineType))
    machine.dtModified = now
    for name, value in fields.items():
        if name in machine.__dataclass_fields__:
            setattr(machine, name, value)
        else:
            machine.overrides[fleets.wire_name(name)] = value
    if "state" in fields:
        _end_current(machine, now)
        if "publicIp" not in fields:
            fleets.readdress(world, machine)
