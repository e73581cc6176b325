"""The fleet as resources: a summary, a paged list, a template for one machine and one for its events.

Nothing needed lives only here: several clients never read resources. Without a key or an upstream the list answers
its static entries, because a client that opens a connection must not fail on it.
"""

import json
from collections.abc import Container, Mapping
from typing import Any

from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS, ListResourcesResult, Resource, ResourceTemplate

from paperspace_mcp.conduct import Conduct
from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.errors import CallerError, Failure
from paperspace_mcp.contract.requests import EventsQuery, MachinesQuery
from paperspace_mcp.contract.shapes import Machine
from paperspace_mcp.rules import naming
from paperspace_mcp.rules.guard.cleaning import clean
from paperspace_mcp.surface import views, wording
from paperspace_mcp.surface.paging import Place, cursor_of, page_query, place_of
from paperspace_mcp.surface.render import SIZE_CAP, plain
from paperspace_mcp.surface.tools.summary import summarized
from paperspace_mcp.walking import walk

PAGE = 50
TTL_MS = 5000
JSON = "application/json"
MACHINES, SUMMARY = "paperspace://machines", "paperspace://fleet/summary"
_BOUND = {"list": "resources"}
_STATIC = (
    Resource(uri=MACHINES, name="machines", title="All machines", description="The fleet, concise.", mime_type=JSON),
    Resource(
        uri=SUMMARY,
        name="fleet_summary",
        title="The fleet in numbers",
        description="Counts and USD per hour by region, type, state and name prefix.",
        mime_type=JSON,
    ),
)
MACHINE, EVENTS = f"{MACHINES}/{{id}}", f"{MACHINES}/{{id}}/events"
_TEMPLATES = (
    ResourceTemplate(uri_template=MACHINE, name="machine", title="One machine", mime_type=JSON),
    ResourceTemplate(uri_template=EVENTS, name="events", title="A machine's events", mime_type=JSON),
)
TOOL_OF = {
    MACHINES: "list_machines",
    SUMMARY: "fleet_summary",
    MACHINE: "get_machine",
    EVENTS: "list_machine_events",
}
"""The tool that tells the same. Where the policy shuts it, the resource is shut, too."""


def templates(listed: Container[str]) -> list[ResourceTemplate]:
    """The templates whose tools are open."""
    return [one for one in _TEMPLATES if TOOL_OF[one.uri_template] in listed]


async def page_of_machines(conduct: Conduct, listed: Container[str], cursor: str | None) -> ListResourcesResult:
    """One page of `resources/list`: the static entries first, then the machines, by the provider's own cursor.

    listed: the tools that are open. Machines are listed where `list_machines` and `get_machine` are.

    Raises:
        MCPError: -32602 for a cursor that is not ours.
    """
    after = _position(cursor)
    query = MachinesQuery(limit=PAGE, after=after) if after else MachinesQuery(limit=PAGE)
    head = [] if after else [one for one in _STATIC if TOOL_OF[one.uri] in listed]
    if TOOL_OF[MACHINES] not in listed or TOOL_OF[MACHINE] not in listed:
        return _page(head, None)
    try:
        page = await conduct.read(catalogue.LIST_MACHINES, {}, query)
    except Failure:
        return _page(head, None)
    machines = [_entry(machine) for machine in page.items if machine.dt_deleted is None and naming.is_id(machine.id)]
    following = cursor_of(Place(page.cursor), _BOUND) if page.cursor and page.cursor != after else None
    return _page([*head, *machines], following)


def _position(cursor: str | None) -> str:
    try:
        return place_of(cursor or "", _BOUND).window
    except CallerError:
        raise MCPError(INVALID_PARAMS, "Invalid cursor") from None


def _page(resources: list[Resource], following: str | None) -> ListResourcesResult:
    return ListResourcesResult(resources=resources, next_cursor=following, ttl_ms=TTL_MS, cache_scope="private")


def _entry(machine: Machine) -> Resource:
    """A machine in the list. Its name is data of a stranger: cleaned and capped, and never in the description."""
    name = clean(machine.name).text or machine.id
    about = " ".join(filter(None, (views.text(machine.machine_type, 40), views.place(machine.region))))
    return Resource(uri=f"{MACHINES}/{machine.id}", name=name, description=about, mime_type=JSON)


async def read(conduct: Conduct, listed: Container[str], uri: str, *, demo: bool = False) -> str:
    """The JSON text of one resource, marked where it is of a simulated fleet.

    Raises:
        MCPError: -32602 for what is no resource of ours or is shut by the policy, -32603 with words where it cannot be
            read.
    """
    kind, machine_id = _understood(uri)
    if TOOL_OF[kind] not in listed:
        raise MCPError(INVALID_PARAMS, "This server's policy shuts the tool that tells what that resource does.")
    try:
        return _text({**await _content(conduct, kind, machine_id), **({"demo": True} if demo else {})})
    except Failure as failure:
        gone = failure.code == "not_found"
        raise MCPError(INVALID_PARAMS if gone else INTERNAL_ERROR, wording.explain(failure)[0]) from None


def _understood(uri: str) -> tuple[str, str]:
    """Which of our resources it is, and the id in it. What it must not hold is refused before anything is decoded."""
    if uri in {MACHINES, SUMMARY}:
        return uri, ""
    machine_id, _, rest = uri.removeprefix(f"{MACHINES}/").partition("/")
    if not uri.startswith(f"{MACHINES}/") or not naming.is_id(machine_id) or rest not in {"", "events"}:
        raise MCPError(
            INVALID_PARAMS,
            f"No such resource. There are {SUMMARY}, {MACHINES}, and {MACHINE} and {EVENTS} with the id as listed.",
        )
    return EVENTS if rest else MACHINE, machine_id


async def _content(conduct: Conduct, kind: str, machine_id: str) -> Mapping[str, Any]:
    if kind == MACHINES:
        return await _fleet(conduct)
    if kind == SUMMARY:
        return await _summary(conduct)
    machine = await conduct.read(catalogue.GET_MACHINE, {"id": machine_id})
    if kind == EVENTS:
        return await _events(conduct, machine)
    return {"machine": plain(views.machine_view(machine, conduct.policy.prices))}


async def _fleet(conduct: Conduct) -> Mapping[str, Any]:
    found = await walk(conduct, catalogue.LIST_MACHINES, page_query(MachinesQuery()))
    rows = [
        plain(views.machine_row(machine, conduct.policy.prices))
        for machine in found.items
        if machine.dt_deleted is None
    ]
    return {"complete": found.complete, "machines": rows}


async def _summary(conduct: Conduct) -> Mapping[str, Any]:
    """As `fleet_summary` answers it; the client that reads it asked for a walk through the whole fleet."""
    answer = await summarized(conduct)
    facts: dict[str, Any] = plain(answer.data)
    return {"summary": answer.summary, **facts}


async def _events(conduct: Conduct, machine: Machine) -> Mapping[str, Any]:
    page = await conduct.read(catalogue.LIST_MACHINE_EVENTS, {}, EventsQuery(machine_id=machine.id, limit=PAGE))
    return {"complete": page.cursor is None, "events": [plain(views.event_view(event)) for event in page.items]}


def _text(content: Mapping[str, Any]) -> str:
    """JSON under the size cap: rows are dropped from the end, and that is said."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    rows = next((name for name, value in content.items() if isinstance(value, list)), None)
    if rows is None or len(text.encode()) <= SIZE_CAP:
        return text
    return _text({**content, "complete": False, rows: content[rows][: len(content[rows]) * 3 // 4]})
