"""When a wait for a machine event is over, and how long to rest until the next look.

A `Sighting` is all that was seen of one event so far; `next` turns it into what to do. Nothing here awaits or reads a
clock. Seconds since the epoch are the provider's time line: a replica that never saw the event judges its age by them.
Sources are those of the API facts (META Metaphysic-ai/terraform-provider-paperspace, SKY skypilot, CPAD cloudypad,
GCLI gradient-cli, NODE paperspace-node, DO-states the provider's page on machine states).
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from paperspace_mcp.contract.errors import Failure, UpstreamError
from paperspace_mcp.contract.shapes import Event, Machine

FIRST_REST_S = 1.0
LONGEST_REST_S = 5.0
"""Every public client polls at 5 s or slower (SKY, CPAD, AARN, META)."""
FAILED_REST_S = 5.0
LONGEST_FAILED_REST_S = 30.0
SECOND_OPINION_S = 2.0
"""`state: error` with `error: null` is sometimes transient (META's long comment): it is believed at the second look."""
LAG_S = 10.0
"""How long a machine may show a state that contradicts its finished event: state lags events (CPAD, SKY)."""
ADDRESS_LOOKS = 4
"""How often a ready machine is looked at for its dynamic address, which comes some time after it is ready (RUST)."""
READY_WITHIN_S = 1800.0
"""META waits up to 30 minutes for `ready` after the create event is done. Later is another story than this event's."""
OVERDUE_S = 600.0
"""An event that runs longer is abnormal (DO-states on provisioning); only then is the machine looked at meanwhile."""
BELIEVED_AFTER_S = 30.0
"""A textless error that finished so long ago is no passing one; a single look settles it."""

NOT_READY = "event_done_machine_not_ready"
NOT_OFF = "event_done_machine_not_off"
NO_ADDRESS = "no_public_ip_yet"
MACHINE_OFF = "machine_off"
MACHINE_DELETED = "machine_deleted"
MACHINE_UNKNOWN = "machine_unknown"
CAPACITY = "capacity"
START_FAILED = "start_failed"
ERROR_WITHOUT_TEXT = "error_without_text"
VANISHED = "vanished"
UNREAD = "unread"

# NODE: "Uh oh. This machine type can't start due to insufficient capacity or higher than normal demand."
_CAPACITY_TEXTS = ("insufficient capacity", "higher than normal demand", "out of capacity")

TYPICAL_S: dict[str, float] = {
    "create": 15.8,  # GCLI, events of 2019, as the next three
    "start": 14.9,
    "restart": 2.0,  # the event only: the machine restarts after it
    "snapshot-create": 3.5,
    "stop": 60.0,  # DO-states: "about a minute" until the machine is off; GCLI's event was done in 5.2
}
"""Seconds that an event of this name usually takes. Names without a public source are absent."""


class Verdict(StrEnum):
    """How one event stands."""

    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PENDING = "pending"
    VANISHED = "vanished"
    MACHINE_GONE = "machine_gone"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Sleep:
    """Look again after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Settled:
    """The wait for this event is over."""

    verdict: Verdict
    note: str = ""

    @property
    def lasts(self) -> bool:
        """Whether a look a few seconds later can only say the same: a broken key or a textless error may be mended."""
        final = self.verdict in {Verdict.DONE, Verdict.FAILED, Verdict.CANCELLED}
        return final and self.note != ERROR_WITHOUT_TEXT


@dataclass(frozen=True, slots=True)
class Pending:
    """The time is up and the event runs on: a normal answer; any replica can continue."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class _Goal:
    """Where the machine is when what the event began has come to its end."""

    ends: str
    against: frozenset[str]
    """States that lead away from the end: a lag just after the event, later the deed of another."""
    note: str


_AWAY_FROM_READY = frozenset({"off", "stopping"})
_AWAY_FROM_OFF = frozenset({"ready", "serviceready", "starting", "restarting", "provisioning", "upgrading"})
_GOALS = {
    "create": _Goal("ready", _AWAY_FROM_READY, NOT_READY),
    "start": _Goal("ready", _AWAY_FROM_READY, NOT_READY),
    "restart": _Goal("ready", _AWAY_FROM_READY, NOT_READY),
    "stop": _Goal("off", _AWAY_FROM_OFF, NOT_OFF),
}
_DELETION = "deactivate"  # the docs' word for it


@dataclass(frozen=True, slots=True)
class Sighting:
    """All that was seen of one event. Times are seconds since the epoch.

    event, machine: as last read. event_missing, machine_missing: the last read said 404.
    start: the start that a create began by itself; start_known: whether it was looked for.
    failure: the last look's; `failures` counts those in a row.
    looks: how often it was looked at. ended_at: when it was first seen ended, watched: whether it was seen before that.
    bare_looks, bare_since: looks in a row at an error without text, and the first of them.
    addressless_looks: looks in a row at a ready machine whose dynamic address has not come.
    time_left_s: until the asker must have an answer.
    """

    event: Event | None = None
    machine: Machine | None = None
    event_missing: bool = False
    machine_missing: bool = False
    start: Event | None = None
    start_known: bool = False
    failure: Failure | None = None
    failures: int = 0
    looks: int = 0
    ended_at: float | None = None
    watched: bool = False
    bare_looks: int = 0
    bare_since: float | None = None
    addressless_looks: int = 0
    time_left_s: float = float("inf")

    def with_event(self, event: Event, now: float) -> "Sighting":
        """After a look that showed the event. An error that passed over is forgotten."""
        bare, ended = _is_bare_error(event), event.state in {"done", "error", "cancelled"}
        return replace(
            self,
            event=event,
            event_missing=False,
            failure=None,
            failures=self.failures if ended else 0,  # an ended event's look goes on with its machine
            looks=self.looks + 1,
            ended_at=(self.ended_at or now) if ended else None,
            watched=self.watched or not ended,
            bare_looks=self.bare_looks + 1 if bare else 0,
            bare_since=(self.bare_since or now) if bare else None,
        )

    def with_failure(self, failure: Failure) -> "Sighting":
        """After a look at the event that failed. One that was seen before and is not found any more has vanished."""
        if failure.code == "not_found" and self.event is not None:
            return replace(self, event_missing=True, failure=None, failures=0, looks=self.looks + 1)
        return replace(self, failure=failure, failures=self.failures + 1, looks=self.looks + 1)

    def with_machine(self, machine: Machine) -> "Sighting":
        looks = self.addressless_looks + 1 if _addressless(machine) else 0
        return replace(self, machine=machine, machine_missing=False, failures=0, addressless_looks=looks)

    def with_machine_failure(self, failure: Failure) -> "Sighting":
        """After a look at the machine that failed; a 404 is an answer."""
        if failure.code == "not_found":
            return replace(self, machine_missing=True)
        return replace(self, failure=failure, failures=self.failures + 1)

    def with_machine_events(self, events: list[Event]) -> "Sighting":
        """After a look for the start that a create began by itself."""
        return self if self.event is None else replace(self, start=own_start(self.event, events), start_known=True)

    @property
    def machine_gone(self) -> bool:
        """A deleted machine's record "stays readable, then GET -> 404" (META, CPAD)."""
        return self.machine_missing or (self.machine is not None and self.machine.dt_deleted is not None)

    @property
    def created_but_off(self) -> bool:
        """A created machine that is off: it was not to start, or its own start failed. Only that start tells which."""
        done = self.event is not None and self.event.name == "create" and self.event.state == "done"
        return done and self.machine is not None and self.machine.state == "off"


def machine_to_read(state: Sighting, now: float) -> str | None:
    """The id of the machine that has to be read to judge this event; None where the event speaks for itself."""
    event = state.event
    if event is None or not event.machine_id:
        return None
    ends_elsewhere = event.state == "done" and (event.name in _GOALS or event.name == _DELETION)
    ran_too_long = event.state not in {"done", "error", "cancelled"} and (elapsed_s(state, now) or 0) > OVERDUE_S
    return event.machine_id if ends_elsewhere or ran_too_long or state.event_missing else None


def own_start(create: Event, events: list[Event]) -> Event | None:
    """The start that a create began by itself: made while the create ran (GCLI: 5 ms before it was done)."""
    starts = (event for event in events if event.name == "start" and _within(event, create))
    return min(starts, key=lambda event: seconds_of(event.dt_created) or 0.0, default=None)


def next(state: Sighting, now: float) -> Sleep | Settled | Pending:  # noqa: A001 - the rule's name in the plan
    """What to do after a look: rest, answer for good, or (no time left) answer that it runs on."""
    if settled := _settled(state, now):
        return settled
    if state.time_left_s <= 0:
        return Pending(_note(state))
    return Sleep(min(_rest_s(state), state.time_left_s))


def elapsed_s(state: Sighting, now: float) -> float | None:
    """Seconds from the making of the event to its end, or to now while it runs.

    None where nobody can know: an event that had ended before the first look, with `dtFinished: null` (NODE).
    """
    event = state.event
    begun = None if event is None else seconds_of(event.dt_created) or seconds_of(event.dt_started)
    until = now if state.ended_at is None else _finished_at(state)
    return None if begun is None or until is None else max(0.0, round(until - begun, 3))


def seconds_of(date: str | None) -> float | None:
    """Seconds since the epoch of an ISO 8601 date; None for what is absent or no date."""
    try:
        moment = datetime.fromisoformat(date or "")
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def is_capacity(text: str | None) -> bool:
    """Whether an event's error says that the provider had no room. It arrives in the event, not in the HTTP answer."""
    folded = (text or "").casefold()
    return any(words in folded for words in _CAPACITY_TEXTS)


def _settled(state: Sighting, now: float) -> Settled | None:
    if state.failure is not None:
        return _after_failure(state.failure)
    if state.event is None:
        return None
    if state.machine_gone:
        return Settled(Verdict.DONE if state.event.name == _DELETION else Verdict.MACHINE_GONE, MACHINE_DELETED)
    if state.event_missing:
        return Settled(Verdict.VANISHED, VANISHED)
    return _after_event(state, state.event, now)


def _after_failure(failure: Failure) -> Settled | None:
    """What the provider or the way to it did wrong passes; what a caller or an operator did wrong does not."""
    return None if isinstance(failure, UpstreamError) else Settled(Verdict.UNREADABLE, failure.code)


def _after_event(state: Sighting, event: Event, now: float) -> Settled | None:
    """A state that is none of the documented ones is waited out: the provider may add some."""
    if event.state == "done":
        return _after_done(state, event, now)
    if event.state == "cancelled":
        return Settled(Verdict.CANCELLED)
    if event.state == "error":
        return _after_error(state, event, now)
    return None


def _after_error(state: Sighting, event: Event, now: float) -> Settled | None:
    if not _is_bare_error(event):
        return Settled(Verdict.FAILED, CAPACITY if is_capacity(event.error) else "")
    old = now - (seconds_of(event.dt_finished) or now) >= BELIEVED_AFTER_S
    # A tenth less, since a sleep may end a little early and the two clocks are not the same.
    twice = state.bare_looks > 1 and now - (state.bare_since or now) >= SECOND_OPINION_S - 0.1
    return Settled(Verdict.FAILED, ERROR_WITHOUT_TEXT) if old or twice else None


def _after_done(state: Sighting, event: Event, now: float) -> Settled | None:
    """An event `done` is not a machine `ready`: META waits for both."""
    goal = _GOALS.get(event.name)
    if event.name == _DELETION:
        return Settled(Verdict.DONE) if _since_end(state, now) >= LAG_S or not event.machine_id else None
    if goal is None or not event.machine_id:
        return Settled(Verdict.DONE, MACHINE_UNKNOWN if goal else "")
    if state.machine is None:
        return None
    return _after_machine(state, goal, state.machine.state, now)


def _after_machine(state: Sighting, goal: _Goal, machine_state: str, now: float) -> Settled | None:
    since = _since_end(state, now)
    if machine_state == goal.ends:
        return None if _not_yet_restarting(state, now) else _with_address(state, since)
    if state.created_but_off and state.start_known:
        return _after_own_start(state.start, goal, since)
    if since < (LAG_S if machine_state in goal.against else READY_WITHIN_S):
        return None
    return Settled(Verdict.DONE, MACHINE_OFF if state.created_but_off else goal.note)


def _not_yet_restarting(state: Sighting, now: float) -> bool:
    """A restarted machine "stays ready for a few seconds" (CPAD), and GCLI saw the event done after 2.0 s."""
    if state.event is None or state.event.name != "restart" or _since_end(state, now) >= LAG_S:
        return False
    made = seconds_of(state.event.dt_created)
    return made is not None and now - made < LAG_S


def _with_address(state: Sighting, since: float) -> Settled | None:
    """The address is what most wait for: ssh needs it. A wait that is up is over without it: the machine is ready."""
    if not state.addressless_looks:
        return Settled(Verdict.DONE)
    waits = state.addressless_looks < ADDRESS_LOOKS and state.time_left_s > 0 and since < READY_WITHIN_S
    return None if waits else Settled(Verdict.DONE, NO_ADDRESS)


def _addressless(machine: Machine) -> bool:
    return machine.state == "ready" and machine.public_ip_type == "dynamic" and not machine.public_ip


def _after_own_start(start: Event | None, goal: _Goal, since: float) -> Settled | None:
    """The created machine is off: it was not to start, or its start failed, or its state lags."""
    if start is None:
        return Settled(Verdict.DONE, MACHINE_OFF)
    if start.state == "error" and start.error:
        return Settled(Verdict.FAILED, CAPACITY if is_capacity(start.error) else START_FAILED)
    still = start.state not in {"done", "error", "cancelled"}
    return None if since < (READY_WITHIN_S if still else LAG_S) else Settled(Verdict.DONE, goal.note)


def _note(state: Sighting) -> str:
    if state.event is None:
        return "" if state.failure else UNREAD
    if _is_bare_error(state.event):
        return ERROR_WITHOUT_TEXT
    goal = _GOALS.get(state.event.name)
    return goal.note if goal and state.event.state == "done" else ""


def _rest_s(state: Sighting) -> float:
    if state.failure is not None:
        slower = min(FAILED_REST_S * 2.0 ** min(state.failures - 1, 8), LONGEST_FAILED_REST_S)
        return max(slower, _retry_after_s(state.failure))
    if state.bare_looks == 1:
        return SECOND_OPINION_S
    return min(FIRST_REST_S * 1.5 ** min(max(state.looks - 1, 0), 8), LONGEST_REST_S)


def _retry_after_s(failure: Failure) -> float:
    seconds = failure.facts.get("retry_after_s")
    return float(seconds) if isinstance(seconds, int | float) else 0.0


def _finished_at(state: Sighting) -> float | None:
    finished = seconds_of(state.event.dt_finished) if state.event else None
    return finished if finished is not None or not state.watched else state.ended_at


def _since_end(state: Sighting, now: float) -> float:
    """Seconds since the event ended, or was first seen so: `dtFinished` may be null, and our clock may be behind."""
    finished = seconds_of(state.event.dt_finished) if state.event else None
    seen = state.ended_at or now
    return now - min(seen, finished or seen)


def _is_bare_error(event: Event) -> bool:
    return event.state == "error" and not (event.error or "").strip()


def _within(start: Event, create: Event) -> bool:
    made, begun, ended = (seconds_of(date) for date in (start.dt_created, create.dt_created, create.dt_finished))
    return made is not None and (begun or made) <= made <= (ended or made) + 1.0
