"""One machine's story: what is the matter with it, who did what through this server, and what can be done."""

from pydantic import Field

from paperspace_mcp.conduct import Deed, History, history, once_named
from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.errors import CallerError
from paperspace_mcp.contract.requests import PAGE_LIMIT, EventsQuery
from paperspace_mcp.contract.shapes import Event, Machine
from paperspace_mcp.rules import diagnosing, naming
from paperspace_mcp.rules.wasting import DAY_S
from paperspace_mcp.surface import views
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.render import Answer
from paperspace_mcp.surface.tool import Tool
from paperspace_mcp.surface.tools import params
from paperspace_mcp.surface.tools.explain_words import Story, at, diagnosed, possible, who

TIMELINE = 10
UNDONE, UNDONE_S = 5, 7 * DAY_S
"""How many calls that did nothing are told, and how old they may be."""
_ERROR_CAP = 200


class TimelineRow(views.View):
    name: str
    state: str
    created_at: str | None = None
    took_s: float | None = None
    error: str | None = None
    by: str


class UndoneRow(views.View):
    at: str
    tool: str
    what: str = Field(
        description="asked (no answer yet), declined, mistyped, expired, refused, failed, changed, unknown."
    )
    why: str | None = None
    approval: str | None = None
    asked_by: str | None = None


class Explanation(views.Envelope):
    diagnosis: str | None = None
    machine: views.MachineRow | None = None
    event_id: str | None = None
    since: str | None = None
    elapsed_s: float | None = None
    typical_s: float | None = None
    by: str | None = None
    timeline: list[TimelineRow] | None = None
    not_done: list[UndoneRow] | None = None
    audit: str | None = None


async def explain_machine(desk: Desk, machine: params.MachineRef) -> Answer:
    """Explain how one machine came to its state: a diagnosis, its newest events, which of them came through this server
    and by whose approval, and calls that did nothing. The provider knows no actor and no load."""
    now = desk.conduct.rooms.now()
    found, machine_id, events = await _read(desk, machine)
    past = await history(desk.conduct, machine_id, {event.id for event in events})
    return _answer(desk, Story(machine_id, found, events, past, diagnosing.diagnose(found, events, now)), now)


async def _read(desk: Desk, reference: str) -> tuple[Machine | None, str, list[Event]]:
    """The machine, its id and its newest events; no machine where it was deleted and its events are still listed.

    Raises:
        CallerError: unknown_machine or ambiguous_machine, with candidates.
    """
    try:
        machine = await desk.machine(reference)
    except CallerError as failure:
        if failure.code not in {"unknown_machine", "fleet_incomplete"}:
            raise
        return await _gone(desk, reference, failure)
    return machine, machine.id, await _events(desk, machine.id)


async def _gone(desk: Desk, reference: str, failure: CallerError) -> tuple[Machine | None, str, list[Event]]:
    """By its id a deleted machine may still have events; by its name only our audit knows it."""
    machine_id = await once_named(desk.conduct, reference) or reference
    if not naming.is_id(machine_id):
        raise failure
    try:
        machine = await _renamed(desk, machine_id) if machine_id != reference else None
        events = await _events(desk, machine_id)
    except CallerError:
        raise failure from None
    if machine is None and not events:
        raise failure
    return machine, machine_id, events


async def _renamed(desk: Desk, machine_id: str) -> Machine | None:
    try:
        return await desk.conduct.read(catalogue.GET_MACHINE, {"id": machine_id})
    except CallerError:
        return None


async def _events(desk: Desk, machine_id: str) -> list[Event]:
    query = EventsQuery(machine_id=machine_id, order="desc", limit=PAGE_LIMIT)
    page = await desk.conduct.read(catalogue.LIST_MACHINE_EVENTS, {}, query)
    return diagnosing.newest_first(page.items)


def _answer(desk: Desk, story: Story, now: float) -> Answer:
    found, undone = story.found, story.history.undone(now - UNDONE_S)[:UNDONE]
    data = {
        "diagnosis": found.case.value,
        "machine": views.machine_row(story.machine, desk.prices) if story.machine else None,
        "event_id": views.text(found.event.id) if found.event else None,
        "since": None if found.since is None else at(found.since),
        "elapsed_s": found.elapsed_s,
        "typical_s": found.typical_s,
        "by": story.by(found.event) if found.event else None,
        "timeline": [_row(story, event) for event in story.events[:TIMELINE]],
        "not_done": [_undone(deed) for deed in undone] or None,
        "audit": _audit(story.history),
    }
    return Answer(diagnosed(story, now), data, next=possible(story), rows="timeline")


def _row(story: Story, event: Event) -> TimelineRow:
    return TimelineRow(
        name=views.text(event.name, 64) or "",
        state=views.text(event.state, 40) or "",
        created_at=views.utc(event.dt_created),
        took_s=diagnosing.took_s(event),
        error=views.text(event.error, _ERROR_CAP),
        by=story.by(event),
    )


def _undone(deed: Deed) -> UndoneRow:
    return UndoneRow(
        at=at(deed.at),
        tool=views.text(deed.tool, 64) or "",
        what=views.text(deed.outcome if deed.phase == "outcome" else deed.phase, 40) or "",
        why=views.text(deed.reason, 64) or None,
        approval=views.text(deed.code, 16) or None,
        asked_by=who(deed.principal),
    )


def _audit(past: History) -> str | None:
    """How much of the audit was to be had, where that is not all of it."""
    if past.reaches == float("inf"):
        return "cannot be read as it was written: who did what is not known"
    return f"read back to {at(past.reaches)}" if past.reaches else None


EXPLAIN: tuple[Tool, ...] = (Tool(explain_machine, "Explain a machine", Explanation),)
