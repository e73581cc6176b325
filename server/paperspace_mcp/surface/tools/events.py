"""Machine events: list, get, wait."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.errors import CallerError
from paperspace_mcp.contract.requests import EventsQuery
from paperspace_mcp.contract.shapes import Event, Machine
from paperspace_mcp.rules import diagnosing, moments, naming, power, vocabulary
from paperspace_mcp.rules.guard.cleaning import quoted
from paperspace_mcp.rules.waiting import Verdict
from paperspace_mcp.surface import views
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.paging import part_of
from paperspace_mcp.surface.render import Answer
from paperspace_mcp.surface.tool import Tool
from paperspace_mcp.surface.tools import params
from paperspace_mcp.surface.tools.filters import hint
from paperspace_mcp.surface.tools.pending import codes_in, decided
from paperspace_mcp.surface.tools.watching import watched_view
from paperspace_mcp.surface.wording import EVENT_IDS
from paperspace_mcp.watch import Watched

DEFAULT_WAIT_S = 45
LONGEST_WAIT_S = 300
"""Only where the client asked for progress: without it many clients give up after 60 s."""

ERROR_TOLD = 200
"""Characters of an error in a sentence; the row has the rest."""
UNKNOWN = "unknown_event"
NOBODYS = frozenset({"not_found", "bad_request"})
"""What the provider answers for an id that is no event's: it has none, or cannot read it."""

EventId = Annotated[str, Field(description="From the answer that made it, or list_machine_events.", max_length=64)]
EventIds = Annotated[
    list[Annotated[str, Field(max_length=64)]],
    Field(description="1-50, or the code of an approval.", min_length=1, max_length=50),
]


class EventRow(views.EventView):
    took_s: float | None = Field(default=None, description="From its making to its end.")


class EventList(views.Envelope):
    machine_id: str | None = None
    machine_name: str | None = None
    events: list[EventRow] | None = None
    total: int | None = None
    returned: int = 0
    complete: bool = False
    next_cursor: str | None = None


class OneEvent(views.Envelope):
    event: views.EventView | None = None


class Waited(views.Envelope):
    overall: str | None = Field(default=None, description="done, failed, pending or unknown_event")
    events: list[views.WatchedView] | None = None


async def list_machine_events(
    desk: Desk,
    machine: Annotated[params.Reference, Field(description="Id or exact name; empty: all machines.")] = "",
    states: Annotated[params.States, Field(description="Of: new, in progress, done, error, cancelled.")] = [],  # noqa: B006
    names: Annotated[params.EventNames, Field(description=f"Of: {', '.join(vocabulary.EVENT_NAMES)}.")] = [],  # noqa: B006
    since: Annotated[str, Field(description="ISO 8601, or 24h, 7d, today, yesterday.", max_length=40)] = "",
    order: params.Order = "desc",
    limit: params.Limit = 25,
    cursor: params.Cursor = "",
    response_format: params.Format = "concise",
) -> Answer:
    """List machine events, newest first, of one machine or of all: what happened and why it failed, not who did it."""
    moment = _moment(desk, since)
    met = (Counter[str](), Counter[str]())
    owner = await desk.machine(machine) if machine.strip() else None
    machine_id = owner.id if owner else None
    query = EventsQuery(machine_id=machine_id, order=order) if machine_id else EventsQuery(order=order)
    filters = {"machine": machine_id, "states": sorted(states), "names": sorted(names), "since": since, "order": order}

    def keep(event: Event) -> bool:
        if not _since(event, moment):
            return False
        met[0][event.state] += 1
        met[1][event.name] += 1
        return (not states or event.state in states) and (not names or event.name in names)

    def beyond(event: Event) -> bool:
        return order == "desc" and not _since(event, moment)

    part = await part_of(
        desk.conduct,
        catalogue.LIST_MACHINE_EVENTS,
        query,
        limit=limit,
        cursor=cursor,
        filters=filters,
        keep=keep,
        beyond=beyond,
    )
    shown = _whole if response_format == "detailed" else _row
    return Answer(
        f"{part.counted('event')}{f' Machine {quoted(owner.name)} ({views.text(owner.id)}).' if owner else ''}",
        {**_owner(owner), "events": [shown(event, owner) for event in part.items], **part.facts},
        next=" ".join(filter(None, (_hint(states, names, met), part.advice("name a machine")))),
        rows="events",
        cursor_after=part.cursor_after,
    )


def _owner(machine: Machine | None) -> dict[str, str | None]:
    return {"machine_id": views.text(machine.id), "machine_name": views.text(machine.name)} if machine else {}


def _whole(event: Event, _owner: Machine | None) -> EventRow:
    return EventRow(**views.event_fields(event))


def _row(event: Event, owner: Machine | None) -> EventRow:
    """A duration costs a sixth of a date in tokens, and the one machine of a list is told once."""
    left_out = dict.fromkeys(("started_at", "finished_at", *(("machine_id",) if owner else ())))
    return EventRow(**views.event_fields(event) | left_out, took_s=diagnosing.took_s(event))


def _hint(states: list[str], names: list[str], met: tuple[Counter[str], Counter[str]]) -> str:
    """What to say of words that no event here answers to."""
    odd = vocabulary.strange(states, met[0], power.EVENT_STATES)
    odd_names = vocabulary.strange(names, met[1], vocabulary.EVENT_NAMES)
    told = (
        hint("states", odd, met[0], power.EVENT_STATES, vocabulary.SPOKEN_EVENT_STATES),
        hint("names", odd_names, met[1], vocabulary.EVENT_NAMES, vocabulary.SPOKEN_EVENT_NAMES),
    )
    return " ".join(filter(None, told))


def _moment(desk: Desk, since: str) -> datetime | None:
    if not since.strip():
        return None
    found = moments.moment(since, desk.conduct.rooms.now())
    if found is None:
        raise CallerError("bad_argument", facts={"problems": f"since: {moments.FORMS}"})
    return found


def _since(event: Event, moment: datetime | None) -> bool:
    """An event whose date cannot be read is kept: better one too many than one lost."""
    made = views.utc(event.dt_created)
    try:
        return moment is None or made is None or datetime.fromisoformat(made) >= moment
    except (ValueError, TypeError):
        return True


async def get_machine_event(desk: Desk, event_id: EventId) -> Answer:
    """One machine event: its state and error now. wait_for_event waits for it instead."""
    event = await _read(desk, _checked(event_id, "event_id"))
    return Answer(
        f"Event {views.text(event.name, 64)} is {views.text(event.state, 40)}.", {"event": views.event_view(event)}
    )


async def _read(desk: Desk, event_id: str) -> Event:
    """Raises `unknown_event` where there is none: an id that is none of an event's is refused, or not found."""
    try:
        return await desk.conduct.read(catalogue.GET_MACHINE_EVENT, {"id": event_id})
    except CallerError as failure:
        raise CallerError("unknown_event") if failure.code in NOBODYS else failure from None


def _checked(event_id: str, argument: str) -> str:
    """Raises a `CallerError` for what may not stand in a path."""
    if not naming.is_id(event_id.strip()):
        raise CallerError("bad_id", facts={"argument": argument, "cause": "event"})
    return event_id.strip()


async def wait_for_event(
    desk: Desk,
    event_ids: EventIds,
    timeout_seconds: Annotated[
        int, Field(description="At most 50, or 300 with progress.", ge=0), params.Seconds
    ] = DEFAULT_WAIT_S,
    until: Annotated[Literal["all", "any"], Field(description="any: the first that is done.")] = "all",
) -> Answer:
    """Wait until events end and machines are ready. `pending` is a normal answer: call again with the same ids."""
    ids = [_checked(event_id, "event_ids") for event_id in event_ids]
    most = LONGEST_WAIT_S if desk.long_waits else desk.max_wait_s
    seconds = min(timeout_seconds, most)

    async def progress(elapsed: float, watched: Sequence[Watched]) -> None:
        await desk.report(elapsed, seconds, _counted([one.verdict.value for one in watched]))

    codes = await codes_in(desk, ids)
    events = [one for one in dict.fromkeys(ids) if one not in codes]
    if codes and not events:
        rows = [await decided(desk, code, seconds) for code in codes]
    else:
        watched = await desk.watch.wait(events, timeout_s=seconds, until=until, progress=progress)
        rows = [*map(_stands, watched), *[await decided(desk, code, 0.0) for code in codes]]
    return _waited(rows, until, capped=f" (capped at {most:g} s)" if timeout_seconds > most else "")


def _stands(watched: Watched) -> views.WatchedView:
    """As it stands. An id that the provider knows nothing of is no event that failed."""
    view, failure = watched_view(watched), watched.failure
    unknown = watched.verdict is Verdict.UNREADABLE and failure is not None and failure.code in NOBODYS
    return view.model_copy(update={"verdict": UNKNOWN, "note": None}) if unknown else view


def _waited(events: Sequence[views.WatchedView], until: str, capped: str) -> Answer:
    verdicts = [view.verdict for view in events]
    overall = _overall(verdicts, until)
    told = "; ".join(_told(view) for view in events[:3])
    more = {"pending": "Call wait_for_event again with the same ids.", UNKNOWN: EVENT_IDS}.get(overall, "")
    late = capped if overall == "pending" else ""
    summary = f"{overall}{late}: {_counted(verdicts)}. {told}."
    data = {"overall": overall, "events": list(events)}
    return Answer(summary, data, next=more, rows="events", narrow="wait for fewer at a time")


def _overall(verdicts: Sequence[str], until: str) -> str:
    """`done` needs all, or any, done; a failure decides as soon as nothing that is pending could outvote it.

    An id that is no event's has neither failed nor ended: it is said where nothing worse is.
    """
    if until == "any" and "done" in verdicts:
        return "done"
    if "pending" in verdicts:
        return "pending"
    if set(verdicts) <= {"done", UNKNOWN}:
        return UNKNOWN if UNKNOWN in verdicts else "done"
    return "failed"


def _counted(verdicts: Sequence[str]) -> str:
    return ", ".join(f"{number} {verdict}" for verdict, number in Counter(verdicts).items())


def _told(view: views.WatchedView) -> str:
    """One event in words: what, how it ended, and how its machine is now."""
    machine = f", machine {view.machine_state}" if view.machine_state else ""
    address = f" at {view.public_ip}" if view.public_ip else ""
    note = f" ({view.note})" if view.note else ""
    error = f", error {quoted(view.error, ERROR_TOLD)}" if view.error else ""
    return f"{view.name or 'event'} {view.id} {view.verdict}{note}{machine}{address}{error}"


EVENTS: tuple[Tool, ...] = (
    Tool(list_machine_events, "List machine events", EventList, catalogue.LIST_MACHINE_EVENTS),
    Tool(get_machine_event, "Get a machine event", OneEvent, catalogue.GET_MACHINE_EVENT),
    Tool(wait_for_event, "Wait for events", Waited),
)
