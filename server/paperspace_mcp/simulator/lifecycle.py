"""The asynchronous operations: which event each makes, and when the machine follows.

An event runs `new` -> `in progress` -> `done`. The machine's state lags it at both ends: it moves a little after the
answer (cloudypad: a restarted machine "stays ready for a few seconds") and settles a little after the event is done
(Metaphysic-ai waits for the event and then again for `ready`). A duration counts to the settled machine.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from paperspace_mcp.simulator.faults import Fault
    from paperspace_mcp.simulator.model import Event, Machine
    from paperspace_mcp.simulator.world import World

NO_CAPACITY = (
    "Uh oh. This machine type can't start due to insufficient capacity or higher than normal demand. "
    "Please try again later."
)
# Real waits, as parts of the duration where a test makes it short.
_BEGIN, _MOVE, _RESTART_MOVE, _SETTLE, _ADDRESS = 0.5, 2.0, 4.0, 3.0, 4.0
_MOVES = {"create": "provisioning", "start": "starting", "stop": "stopping", "restart": "restarting"}


class Run:
    """One operation on one machine: lays the steps of its event into the plan."""

    def __init__(self, world: World, machine: Machine, name: str, now: float, fault: Fault | None) -> None:
        self.world, self.machine, self.now = world, machine, now
        self.name, self.fault = name, fault
        self.kind = fault.kind if fault else None
        self.duration = world.durations[name]
        self.event = world.event(name, machine, now)
        self.before = machine.state

    def lay(self, moving: str | None, settled: Callable[[float], None], finished: Callable[[float], None]) -> Event:
        """moving: the state on the way; finished: when the event is done; settled: when the machine has followed."""
        self.machine.current = self.event
        self._at(min(_BEGIN, self.duration * 0.02), self._begin)
        if moving is not None and moving != self.machine.state:
            lag = _RESTART_MOVE if moving == "restarting" else _MOVE
            self._at(min(lag, self.duration * 0.1), partial(self._move, moving))
        if self.kind == "stuck":
            return self.event
        if self._fails():
            self._at(min(15.0, self.duration * 0.4), self._fail)
            return self.event
        return self._lay_end(settled, finished)

    def _lay_end(self, settled: Callable[[float], None], finished: Callable[[float], None]) -> Event:
        if self.kind == "event_error_null":
            self._at(self.duration * 0.5, self._show_error)
        if self.kind == "event_vanish":
            self._at(self.duration * 0.5, self._vanish)
        self._at(self.duration - min(_SETTLE, self.duration * 0.1), partial(self._finish, finished))
        self._at(self.duration, partial(self._settle, settled))
        return self.event

    def _at(self, delay: float, step: Callable[[float], None]) -> None:
        self.world.at(self.now + delay, self.event, step)

    def _fails(self) -> bool:
        if self.kind == "event_error_null":
            return not (self.fault and self.fault.params.get("transient"))
        starts = self.name in {"create", "start"}
        return self.kind == "capacity" or (starts and self.world.lacks_capacity(self.machine))

    # -- steps ------------------------------------------------------------------------------------------------------

    def _begin(self, at: float) -> None:
        self.event.state, self.event.dtStarted = "in progress", at

    def _move(self, state: str, at: float) -> None:
        self.machine.state, self.machine.dtModified = state, at

    def _fail(self, at: float) -> None:
        """A failed start leaves the machine off; anything else leaves it as it was."""
        if self.kind == "event_error_null":
            self._show_error(at)
        else:
            self.event.finish(at, "error", NO_CAPACITY)
        self._release("off" if self.name in {"create", "start"} or self.kind == "capacity" else self.before, at)

    def _show_error(self, at: float) -> None:
        """`state: error` with `error: null`, with or without dtFinished, sometimes transient (Metaphysic-ai)."""
        finished = at if self.fault is None or self.fault.params.get("finished", True) else None
        self.event.state, self.event.error, self.event.dtFinished = "error", None, finished

    def _vanish(self, _at: float) -> None:
        self.event.vanished = True

    def _finish(self, finished: Callable[[float], None], at: float) -> None:
        finished(at)
        self.event.finish(at)
        if self.kind == "done_unfinished":
            self.event.dtFinished = None  # `done` with `dtFinished: null`, as the old API's own sample has it

    def _settle(self, settled: Callable[[float], None], at: float) -> None:
        if self.machine.current is self.event:
            self.machine.current = None
        self.machine.dtModified = at
        settled(at)

    def _release(self, state: str, at: float) -> None:
        self.machine.state, self.machine.dtModified = state, at
        if self.machine.current is self.event:
            self.machine.current = None


def nothing(_at: float) -> None:
    """For a run that has no more to do at that point."""


# -- operations -----------------------------------------------------------------------------------------------------


def _become_ready(world: World, machine: Machine, event: Event, at: float) -> None:
    machine.state = "ready"
    if machine.publicIpType == "dynamic" and machine.publicIp is None:
        world.at(at + _ADDRESS, event, partial(_give_address, world, machine))


def _give_address(world: World, machine: Machine, _at: float) -> None:
    """A dynamic address is null until some time after the start (the Rust client polls for it)."""
    if machine.running and machine.publicIp is None and machine.publicIpType == "dynamic":
        machine.publicIp = world.public_ip()


def _become_off(machine: Machine, _at: float) -> None:
    machine.state = "off"
    if machine.publicIpType == "dynamic":
        machine.publicIp = None


def start(world: World, machine: Machine, now: float, fault: Fault | None, *, moving: str = "starting") -> Event:
    run = Run(world, machine, "start", now, fault)
    if moving == "starting":
        world.at(now + run.duration * 0.8, run.event, partial(_service_ready, run))
    return run.lay(moving, partial(_become_ready, world, machine, run.event), nothing)


def _service_ready(run: Run, _at: float) -> None:
    """serviceready: the services run, the agent is not yet up. A failed or stuck start never comes here."""
    if run.machine.current is run.event and run.kind != "stuck":
        run.machine.state = "serviceready"


def stop(world: World, machine: Machine, now: float, fault: Fault | None) -> Event:
    return Run(world, machine, "stop", now, fault).lay("stopping", partial(_become_off, machine), nothing)


def restart(world: World, machine: Machine, now: float, fault: Fault | None) -> Event:
    run = Run(world, machine, "restart", now, fault)
    return run.lay("restarting", partial(_become_ready, world, machine, run.event), nothing)


def create(world: World, machine: Machine, now: float, fault: Fault | None, *, start_after: bool) -> Event:
    """A `create` event, then with startOnCreate a `start` event made 5 ms before `create` is done (gradient-cli)."""
    run = Run(world, machine, "create", now, fault)
    if not start_after:
        return run.lay(None, partial(_become_off, machine), nothing)
    return run.lay(None, nothing, lambda at: _start_created(world, machine, at - 0.005))


def _start_created(world: World, machine: Machine, at: float) -> None:
    start(world, machine, at, None, moving="provisioning")


def delete(world: World, machine: Machine, now: float, fault: Fault | None) -> Event:
    """Deletion is called `deactivate`. What was under way is cancelled; the record stays readable until it is done."""
    if machine.current is not None:
        machine.current.halted = True
        machine.current.finish(now, "cancelled")
    run = Run(world, machine, "deactivate", now, fault)
    return run.lay(None if machine.state == "off" else "stopping", nothing, lambda at: world.remove(machine, at))


def resize(world: World, machine: Machine, changes: dict[str, object], now: float, fault: Fault | None) -> Event:
    """`vm-upgrade` and a `bill-upgrade` nobody asked for; off -> upgrading -> off."""
    run = Run(world, machine, "vm-upgrade", now, fault)
    bill = world.event("bill-upgrade", machine, now)
    event = run.lay("upgrading", partial(_become_off, machine), partial(_take, machine, changes))
    world.at(now + run.duration, bill, partial(_finish_plain, bill))
    return event


def migrate(world: World, machine: Machine, network_id: str, now: float, fault: Fault | None) -> Event:
    run = Run(world, machine, "vm-migrate", now, fault)
    return run.lay(None, nothing, partial(_take, machine, {"networkId": network_id}))


def snapshot(world: World, machine: Machine, now: float) -> Event:
    """The initial snapshot: an event of its own beside `create`."""
    event = world.event("snapshot-create", machine, now)
    world.at(now + world.durations["snapshot-create"], event, partial(_finish_plain, event))
    return event


def _take(machine: Machine, changes: dict[str, object], _at: float) -> None:
    for name, value in changes.items():
        setattr(machine, name, value)


def _finish_plain(event: Event, at: float) -> None:
    event.dtStarted = event.dtStarted or event.dtCreated
    event.finish(at)
