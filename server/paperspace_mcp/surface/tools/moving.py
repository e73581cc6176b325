"""What is under way on a machine, by its newest events: states lag them, so a state alone does not tell."""

from collections.abc import Mapping, Sequence

from paperspace_mcp.conduct import Outcome
from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.errors import CallerError, Failure
from paperspace_mcp.contract.requests import PAGE_LIMIT, EventsQuery
from paperspace_mcp.contract.shapes import Event, Machine
from paperspace_mcp.rules import power
from paperspace_mcp.surface import views
from paperspace_mcp.surface.desk import Desk

NEWEST = 20
"""Events of one machine that are looked at: snapshots and bills stand between those that move it."""
REFUSALS = frozenset({"bad_request", "conflict", "precondition_failed"})
"""How the provider may say that something is in the way: of the status only 400 was seen, and no body of it."""


async def newest(desk: Desk, machine_id: str) -> Sequence[Event]:
    """The machine's newest events, newest first; none where they cannot be read."""
    query = EventsQuery(machine_id=machine_id, order="desc", limit=NEWEST)
    try:
        return (await desk.conduct.read(catalogue.LIST_MACHINE_EVENTS, {}, query)).items
    except Failure:
        return ()


async def of_all(desk: Desk) -> Mapping[str, Sequence[Event]]:
    """The newest events of the account in one look, by machine; none where they cannot be read."""
    found = dict[str, list[Event]]()
    try:
        page = await desk.conduct.read(catalogue.LIST_MACHINE_EVENTS, {}, EventsQuery(order="desc", limit=PAGE_LIMIT))
    except Failure:
        return found
    for event in page.items:
        found.setdefault(event.machine_id or "", []).append(event)
    return found


async def read(desk: Desk, machine_id: str) -> Machine | None:
    """The machine as it is now; None where it cannot be read."""
    try:
        return await desk.conduct.read(catalogue.GET_MACHINE, {"id": machine_id})
    except Failure:
        return None


def in_the_way(outcome: Outcome) -> bool:
    """Whether a refusal of the provider's may mean that it is so already, or that something else is under way."""
    return outcome.status == "failed" and outcome.code in REFUSALS


async def check_free(desk: Desk, machine: Machine) -> None:
    """Raises a `CallerError` where something is under way on the machine: that must end first, before a stop too."""
    events = await newest(desk, machine.id)
    live = power.moving(machine.state, events, desk.conduct.rooms.now())
    if live is not None or machine.state in power.PASSING:
        raise busy(machine, live or power.behind(events))


def busy(machine: Machine, event: Event | None) -> CallerError:
    """What is under way must end first; its event can be waited for."""
    facts = {"state": views.text(machine.state, 40)}
    if event is not None:
        facts |= {"cause": "event", "doing": views.text(event.name, 64), "event": views.text(event.id)}
    return CallerError("machine_busy", facts=facts)
