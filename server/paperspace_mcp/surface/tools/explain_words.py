"""A diagnosis in words: what is the matter, through whom, and what can be done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from paperspace_mcp.conduct import Deed, History
from paperspace_mcp.contract.shapes import Event, Machine
from paperspace_mcp.rules.diagnosing import ENDED, Case, Diagnosis, Doubt
from paperspace_mcp.rules.guard.cleaning import quoted
from paperspace_mcp.rules.power import MACHINE_STATES
from paperspace_mcp.rules.waiting import own_start, seconds_of
from paperspace_mcp.surface import views

US, NOT_US, NOBODY_KNOWS = "this server", "not through this server", "unknown"
_ERROR_CAP = 200


@dataclass(frozen=True, slots=True)
class Story:
    """What is known of one machine."""

    machine_id: str
    machine: Machine | None
    events: Sequence[Event]
    history: History
    found: Diagnosis

    def by(self, event: Event) -> str:
        """Through whom an event came: from our audit, since the provider knows no actor."""
        if deed := self._deed(event):
            return f"{US}, {allowed(deed)}, asked by {who(deed.principal)}"
        made_at = seconds_of(event.dt_created)
        if made_at is None or made_at < self.history.reaches:
            return NOBODY_KNOWS
        if lost := self.history.perhaps(made_at):
            return f"perhaps {US}: approval {lost.code}, whose answer was lost"
        return NOT_US

    def _deed(self, event: Event) -> Deed | None:
        """A create starts its machine by an event that no answer named."""
        creates = [one for one in self.events if one.name == "create"]
        first = next((one for one in creates if own_start(one, list(self.events)) == event), None)
        return self.history.made(event.id) or (self.history.made(first.id) if first else None)


def allowed(deed: Deed) -> str:
    """How a call was let through."""
    code = f"approval {views.text(deed.code, 16)}"
    if deed.channel == "rule":
        return f"{code} without a question ({views.text(deed.approver, 64)})"
    if deed.channel == "client":
        return f"{code}, confirmed in the client"
    return f"{code}, approved by {views.text(deed.approver, 64)}"


def who(principal: str) -> str:
    """A principal without the account behind it."""
    return views.text(principal.rpartition(":")[0] or principal, 64) or "unknown"


def span(seconds: float) -> str:
    """A length of time in its two largest units."""
    minutes, hours, days = (int(seconds // unit) for unit in (60, 3600, 86400))
    if days > 1:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{seconds:.0f} s"


def diagnosed(story: Story, now: float) -> str:
    """The diagnosis, one or a few sentences."""
    name = quoted(story.machine.name) if story.machine and story.machine.name else "The machine"
    told = _TOLD[story.found.case](story, now)
    return " ".join([f"{name} ({views.text(story.machine_id)}) {told}", *_doubts(story)])


def _on(story: Story, now: float) -> str:
    found = story.found
    if Doubt.UNTOLD in found.doubts:
        newest = f" (its newest power event is a {_name(found.event)})" if found.event else ""
        return f"is {_state(story)}; no event tells since when{newest}."
    restarted = found.event is not None and found.event.name == "restart"
    how = "on, restarted at" if restarted else "on since"
    return f"is {how} {_when(found, now)} by a {_name(found.event)} ({_by(story)})."


def _off(story: Story, now: float) -> str:
    found, event = story.found, story.found.event
    if Doubt.UNTOLD in found.doubts or event is None:
        newest = f" after its {_name(event)} at {views.utc(event.dt_created)}" if event else ""
        return f"is off; no event tells since when{newest}, nor how it went off."
    if event.name == "create":
        return f"is off since its creation at {_when(found, now)} ({_by(story)}); it was never started."
    return f"is off since {_when(found, now)} by a {_name(event)} ({_by(story)})."


def _running(story: Story, now: float) -> str:
    found, event = story.found, story.found.event
    if event is None or found.elapsed_s is None:
        return f"is {_state(story)}; no event tells since when."
    if event.state in ENDED:
        return f"is still {_state(story)}, {span(found.elapsed_s)} after its {_name(event)} ended; state lags events."
    return f"is {_state(story)}: its {_name(event)} has been running for {_elapsed(found)} ({_by(story)})."


def _stuck(story: Story, now: float) -> str:
    found, event = story.found, story.found.event
    if event is not None and event.state in ENDED:
        lasting = span(found.elapsed_s or 0.0)
        return f"is stuck: it is still {_state(story)}, {lasting} after its {_name(event)} ended ({_by(story)})."
    running = f"its {_name(event)} has been running for {_elapsed(found)}"
    return f"is stuck: {running} ({_by(story)}); the machine is {_state(story)}."


def _failed(story: Story, now: float) -> str:
    found, event = story.found, story.found.event
    why = f"with the error {quoted(event.error, _ERROR_CAP)}" if event and event.error else "without a reason given"
    return f"is {_state(story)}: its {_name(event)} of {_when(found, now)} failed {why} ({_by(story)})."


def _no_capacity(story: Story, now: float) -> str:
    found, event = story.found, story.found.event
    said = quoted(event.error or "", _ERROR_CAP) if event else ""
    lacking = f"its {_name(event)} of {_when(found, now)} failed for lack of capacity at the provider"
    return f"is {_state(story)}: {lacking}, {said} ({_by(story)})."


def _deleted(story: Story, now: float) -> str:
    found = story.found
    when = f" at {_when(found, now)}" if found.since else ""
    return f"was deleted{when} ({_by(story)})."


def _unknown(story: Story, now: float) -> str:
    return f"is {_state(story)}, a state that the API's reference does not have."


_TOLD: dict[Case, Callable[[Story, float], str]] = {
    Case.ON: _on,
    Case.OFF: _off,
    Case.RUNNING: _running,
    Case.STUCK: _stuck,
    Case.NO_CAPACITY: _no_capacity,
    Case.FAILED: _failed,
    Case.DELETED: _deleted,
    Case.UNKNOWN: _unknown,
}


def _state(story: Story) -> str:
    """A state is the provider's word; one that is not among the known is quoted."""
    state = story.machine.state if story.machine else "unknown"
    return state if state in MACHINE_STATES else quoted(state, 40)


def _name(event: Event | None) -> str:
    return quoted(event.name, 64) if event else "event"


def _when(found: Diagnosis, now: float) -> str:
    if found.since is None:
        return "an unknown time"
    return f"{at(found.since)} ({span(max(0.0, now - found.since))})"


def at(seconds: float) -> str:
    """Seconds since the epoch as an answer's time."""
    return views.utc(datetime.fromtimestamp(seconds, UTC).isoformat()) or ""


def _elapsed(found: Diagnosis) -> str:
    typical = f", where {found.typical_s:g} s are typical" if found.typical_s else ""
    return f"{span(found.elapsed_s or 0.0)}{typical}"


def _by(story: Story) -> str:
    """Through whom the event of the diagnosis came, as it stands in a sentence."""
    by = story.by(story.found.event) if story.found.event else NOBODY_KNOWS
    if by == NOBODY_KNOWS:
        return "whether through this server is unknown"
    return by.replace(US, f"through {US}") if by != NOT_US else by


def _doubts(story: Story) -> list[str]:
    found = story.found
    told = {doubt: words for doubt, words in _DOUBTS.items() if doubt in found.doubts}
    if Doubt.TIMER in told:
        told[Doubt.TIMER] = _timer(story)
    return [words for words in told.values() if words]


_DOUBTS = {
    Doubt.UNFINISHED: "The event is done and the provider gives no end, so its beginning is told.",
    Doubt.TEXTLESS: "An error without text is sometimes a passing one.",
    Doubt.TIMER: "",
    Doubt.UPDATES: "Updates are pending: a restart may take longer than usual.",
}


def _timer(story: Story) -> str:
    """Nobody can know, unless the stop came through this server."""
    event = story.found.event
    if event and story.by(event).startswith(US):
        return ""
    hours = story.machine.auto_shutdown_timeout if story.machine else None
    after = f" after {hours:g} h" if hours else ""
    return f"Its auto-shutdown timer{after} is on, so it may have stopped by itself; the provider does not tell."


def possible(story: Story) -> str:
    """What can be done with which tool, as facts."""
    event = story.found.event
    if story.found.case in {Case.RUNNING, Case.STUCK} and event and event.state not in ENDED:
        return f"{_POSSIBLE[story.found.case]} wait_for_event with {views.text(event.id)} waits for its end."
    return _POSSIBLE[story.found.case]


_POSSIBLE = {
    Case.ON: "stop_machine stops it, restart_machine restarts it.",
    Case.OFF: "start_machine starts it.",
    Case.RUNNING: "get_machine reads it again.",
    Case.STUCK: "No operation of the API ends an event or a state; a person asks the provider's support.",
    Case.NO_CAPACITY: "start_machine tries again; update_machine gives it another machine type while it is off.",
    Case.FAILED: "The same operation may be called again; get_machine reads how the machine stands.",
    Case.DELETED: "Nothing brings it back; create_machine makes a new one. A static address may still be billed.",
    Case.UNKNOWN: "get_machine reads it again; list_machine_events lists all its events.",
}
