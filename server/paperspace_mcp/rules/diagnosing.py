"""One machine's state and events, folded into one diagnosis. What the provider leaves open is a doubt, not a guess."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from paperspace_mcp.contract.shapes import Event, Machine
from paperspace_mcp.rules.waiting import LAG_S, OVERDUE_S, TYPICAL_S, is_capacity, seconds_of

ENDED = frozenset({"done", "error", "cancelled"})
_TO_ON, _TO_OFF = frozenset({"create", "start", "restart"}), frozenset({"stop", "vm-shutdown-force"})
_TURNS = _TO_ON | _TO_OFF
_DELETION = "deactivate"
_BESIDE = ("bill-", "snapshot-")
"""Events that come beside a machine's own story: billing, and snapshots."""
_STATES_ON, _MOVING = (
    frozenset({"ready", "serviceready"}),
    frozenset({"starting", "stopping", "restarting", "provisioning", "upgrading"}),
)


class Case(StrEnum):
    """What is the matter."""

    ON = "on"
    OFF = "off"
    RUNNING = "event_running"
    STUCK = "stuck"
    NO_CAPACITY = "no_capacity"
    FAILED = "failed"
    DELETED = "deleted"
    UNKNOWN = "unknown"


class Doubt(StrEnum):
    """What the provider leaves open, or says besides."""

    UNFINISHED = "unfinished"
    """The event is done and has no end."""
    TEXTLESS = "textless"
    """The event failed and has no error."""
    TIMER = "timer"
    """The auto-shutdown timer is on, so the machine may have stopped by itself."""
    UNTOLD = "untold"
    """No event tells how the machine came to its state."""
    UPDATES = "updates"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """event: what the diagnosis rests on. since: when that ended, or where it did not, began; seconds since the epoch.

    elapsed_s, typical_s: of an event that runs, or of a state that outlasts its event.
    """

    case: Case
    event: Event | None = None
    since: float | None = None
    elapsed_s: float | None = None
    typical_s: float | None = None
    doubts: frozenset[Doubt] = frozenset()


def diagnose(machine: Machine | None, events: Iterable[Event], now: float) -> Diagnosis:
    """The diagnosis of a machine; None is one that the provider knows no longer."""
    story = newest_first(event for event in events if tells(event))
    last = story[0] if story else None
    if machine is None or machine.dt_deleted or (last and last.name == _DELETION and last.state == "done"):
        return _deleted(machine, story)
    return _doubted(_alive(machine, [event for event in story if event.state != "cancelled"], now), machine)


def newest_first(events: Iterable[Event]) -> list[Event]:
    return sorted(events, key=lambda event: seconds_of(event.dt_created) or 0.0, reverse=True)


def tells(event: Event) -> bool:
    """Whether an event is a part of the machine's own story."""
    return not event.name.startswith(_BESIDE)


def ended(event: Event) -> float | None:
    """When an event ended; where that is not told, when it was made."""
    return seconds_of(event.dt_finished) or seconds_of(event.dt_created)


def took_s(event: Event) -> float | None:
    """Seconds from an event's making to its end; None where the provider does not tell."""
    begun, until = seconds_of(event.dt_created), seconds_of(event.dt_finished)
    return None if begun is None or until is None else max(0.0, round(until - begun, 1))


def _deleted(machine: Machine | None, story: Sequence[Event]) -> Diagnosis:
    event = next((event for event in story if event.name == _DELETION), None)
    since = seconds_of(machine.dt_deleted) if machine else None
    return Diagnosis(Case.DELETED, event, since or (ended(event) if event else None))


def _alive(machine: Machine, story: Sequence[Event], now: float) -> Diagnosis:
    last = story[0] if story else None
    if last and last.state not in ENDED:
        return _under_way(last, seconds_of(last.dt_created), now)
    if last and last.state == "error" and not _arrived(machine, last):
        return _failed(last)
    if machine.state in _MOVING or (last and _lags(machine, last, now)):
        return _under_way(last, ended(last) if last else None, now)
    return _settled(machine, story)


def _under_way(event: Event | None, begun: float | None, now: float) -> Diagnosis:
    """An event that runs, or a state on its way whose event has ended: stuck after ten minutes."""
    elapsed = None if begun is None else max(0.0, round(now - begun, 1))
    case = Case.STUCK if (elapsed or 0.0) > OVERDUE_S else Case.RUNNING
    return Diagnosis(case, event, begun, elapsed, TYPICAL_S.get(event.name) if event else None)


def _arrived(machine: Machine, failed: Event) -> bool:
    """Whether the machine is where the failed event led all the same: a textless error is sometimes a passing one."""
    if failed.name in {"create", "start"}:
        return machine.state in _STATES_ON
    return failed.name in _TO_OFF and machine.state == "off"


def _failed(event: Event) -> Diagnosis:
    case = Case.NO_CAPACITY if is_capacity(event.error) else Case.FAILED
    return Diagnosis(case, event, ended(event))


def _lags(machine: Machine, last: Event, now: float) -> bool:
    """State lags events: just after its stop a machine may still say that it is ready."""
    against = machine.state in _STATES_ON if last.name in _TO_OFF else machine.state == "off" and last.name == "start"
    return against and now - (ended(last) or 0.0) < LAG_S


def _settled(machine: Machine, story: Sequence[Event]) -> Diagnosis:
    if machine.state != "off" and machine.state not in _STATES_ON:
        return Diagnosis(Case.UNKNOWN, story[0] if story else None)
    case, fits = (Case.OFF, _TO_OFF | {"create"}) if machine.state == "off" else (Case.ON, _TO_ON)
    turn = next((event for event in story if event.name in _TURNS and _turned(machine, event)), None)
    if turn is None or turn.name not in fits:
        return Diagnosis(case, turn, doubts=frozenset({Doubt.UNTOLD}))
    return Diagnosis(case, turn, ended(turn))


def _turned(machine: Machine, event: Event) -> bool:
    return event.state == "done" or (event.state == "error" and _arrived(machine, event))


def _doubted(found: Diagnosis, machine: Machine) -> Diagnosis:
    event, doubts = found.event, set(found.doubts)
    if event and event.state == "done" and seconds_of(event.dt_finished) is None:
        doubts.add(Doubt.UNFINISHED)
    if event and event.state == "error" and not (event.error or "").strip():
        doubts.add(Doubt.TEXTLESS)
    if found.case is Case.OFF and machine.auto_shutdown_enabled and not (event and event.name == "create"):
        doubts.add(Doubt.TIMER)
    if machine.updates_pending:
        doubts.add(Doubt.UPDATES)
    return replace(found, doubts=frozenset(doubts))
