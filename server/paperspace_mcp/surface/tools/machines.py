"""Machines: list, get, create, update, delete."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import Field

from paperspace_mcp.conduct import Outcome, fingerprinted
from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.errors import CallerError, Refusal
from paperspace_mcp.contract.requests import MachinesQuery
from paperspace_mcp.contract.shapes import Machine
from paperspace_mcp.rules import power, pricing
from paperspace_mcp.rules.guard.cleaning import quoted
from paperspace_mcp.rules.guard.plans import Plan, Step
from paperspace_mcp.surface import views
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.paging import Part, part_of, place_of
from paperspace_mcp.surface.render import Answer
from paperspace_mcp.surface.tool import Arguments, Tool
from paperspace_mcp.surface.tools import moving, params
from paperspace_mcp.surface.tools.creating import CREATE
from paperspace_mcp.surface.tools.reporting import MachineDone, failed, machine_done
from paperspace_mcp.surface.tools.updating import UPDATE


class MachineList(views.Envelope):
    machines: list[views.MachineView] | None = None
    total: int | None = None
    returned: int = 0
    complete: bool = False
    next_cursor: str | None = None


class OneMachine(views.Envelope):
    machine: views.MachineView | None = None


async def list_machines(
    desk: Desk,
    name_contains: Annotated[str, Field(max_length=params.TEXT_CAP)] = "",
    region: params.RegionFilter = "any",
    states: Annotated[
        params.States,
        Field(description="Of: off, starting, stopping, restarting, serviceready, ready, upgrading, provisioning."),
    ] = [],  # noqa: B006 - never changed; it is the schema's default
    machine_type: Annotated[str, Field(description="E.g. A4000.", max_length=40)] = "any",
    agent_type: Annotated[str, Field(description="E.g. LinuxHeadless.", max_length=40)] = "any",
    order_by: Literal["dtCreated", "name", "state"] = "dtCreated",
    order: params.Order = "desc",
    limit: params.Limit = 25,
    cursor: params.Cursor = "",
    response_format: params.Format = "concise",
) -> Answer:
    """List machines with type, region, state and price; filters combine. Returns 25 rows and the total."""
    params.check_states(states, power.MACHINE_STATES)
    given = {"name": name_contains, "region": region, "machine_type": machine_type, "agent_type": agent_type}
    wanted = {name: value for name, value in given.items() if value not in {"", "any"}}
    query = MachinesQuery(**wanted, order_by=order_by, order=order)
    filters = {**wanted, "states": sorted(states), "order_by": order_by, "order": order}

    def keep(machine: Machine) -> bool:
        return machine.dt_deleted is None and (not states or machine.state in states)

    part, by_whom = await _part(desk, query, filters, keep, limit=limit, cursor=cursor)
    shown = views.machine_view if response_format == "detailed" else views.listed_row
    return Answer(
        part.counted("machine"),
        {"machines": [shown(machine, desk.prices) for machine in part.items], **part.facts},
        next=" ".join(filter(None, (part.advice("narrow the filters, count with fleet_summary"), by_whom))),
        rows="machines",
        cursor_after=part.cursor_after,
    )


async def _part(
    desk: Desk,
    query: MachinesQuery,
    filters: Mapping[str, Any],
    keep: Callable[[Machine], bool],
    *,
    limit: int,
    cursor: str,
) -> tuple[Part[Machine], str]:
    """The part of the list that is asked for, and what is to be said of its filters.

    Whether the provider's `name` finds the middle of a name, and whether its filters fold case, is documented nowhere.
    So names and types are filtered here, unless the list is longer than one call looks at.
    """
    part = partial(part_of, desk.conduct, catalogue.LIST_MACHINES, limit=limit, cursor=cursor, filters=filters)
    if not (query.name or query.machine_type):
        return await part(query, keep=keep), ""
    if not place_of(cursor, filters).window:
        whole = query.model_copy(update={"name": None, "machine_type": None})
        found = await part(whole, keep=lambda machine: keep(machine) and _fits(machine, query))
        if found.found.complete:
            return found, ""
    return await part(query, keep=keep), _BY_THE_PROVIDER


_BY_THE_PROVIDER = "In a list this long the provider compares names and types, by its own rule."


def _fits(machine: Machine, query: MachinesQuery) -> bool:
    """In any case: a name that has the text in it, and a type that is the text."""
    name, kind = (query.name or "").casefold(), (query.machine_type or machine.machine_type).casefold()
    return name in machine.name.casefold() and kind == machine.machine_type.casefold()


async def get_machine(desk: Desk, machine: params.MachineRef, response_format: params.Format = "concise") -> Answer:
    """One machine: state, type, region, price, address; `detailed` gives every documented field."""
    found = await desk.machine(machine)
    shown = views.machine_view if response_format == "detailed" else views.machine_row
    return Answer(describe(desk, found), {"machine": shown(found, desk.prices)})


def describe(desk: Desk, machine: Machine) -> str:
    """A machine in one sentence."""
    at = f" at {views.text(machine.public_ip, 64)}" if machine.public_ip else ""
    price = pricing.words(pricing.rate(machine, desk.prices))
    kind, state = views.text(machine.machine_type, 40), views.text(machine.state, 40)
    what = f"{kind} in {views.place(machine.region)}, {price}"
    named = f"{quoted(machine.name)} ({views.text(machine.id)})"
    if machine.dt_deleted is not None:
        return f"{named} was deleted; it was {state} then: {what}."
    return f"{named} is {state}{at}: {what}."


async def delete_machine(desk: Desk, machine: params.MachineRef) -> Plan | Answer:
    """Delete a machine for good, with its disk and snapshots. It must be off: stop_machine first. A person confirms."""
    found = await desk.machine(machine)
    if found.dt_deleted is not None:
        return Answer(f"{quoted(found.name)} is deleted already.", {"status": "unchanged", "changed": False})
    if found.state != "off":
        if desk.protected(found):
            raise Refusal("protected")  # the way to a delete that is refused must not be advised
        await moving.check_free(desk, found)
        remedy = "stop_machine, wait until it is off, then call again."
        raise CallerError("machine_not_off", facts={"state": views.text(found.state, 40), "remedy": remedy})
    target = await desk.target(found, fingerprinted(Effect.DESTROY), Effect.DESTROY)
    arguments = {"path": {"id": found.id}}
    return Plan(
        tool="delete_machine",
        arguments={"machine": found.id},
        verb="delete",
        steps=(Step(catalogue.DELETE_MACHINE.name, arguments, Effect.DESTROY, target),),
        lines=(f"DELETE this machine. {catalogue.DELETE_MACHINE.consequence}", *_billed(found)),
    )


def _billed(machine: Machine) -> tuple[str, ...]:
    """A static address outlives its machine and is charged until it is released (seen by other clients)."""
    if machine.public_ip_type != "static":
        return ()
    return ("Its static public IP stays and is billed until it is released in the console.",)


async def report_delete(desk: Desk, plan: Plan, outcomes: Sequence[Outcome], _arguments: Arguments) -> Answer:
    if broken := failed(outcomes):
        return broken
    answer = machine_done(outcomes[-1], "Delete accepted for", desk, plan.targets[0])
    stays = " ".join(plan.lines[1:])
    answer.summary = f"{answer.summary} {stays}".strip()
    return answer


MACHINES: tuple[Tool, ...] = (
    Tool(list_machines, "List machines", MachineList, catalogue.LIST_MACHINES),
    Tool(get_machine, "Get a machine", OneMachine, catalogue.GET_MACHINE),
    CREATE,
    UPDATE,
    Tool(delete_machine, "Delete a machine", MachineDone, catalogue.DELETE_MACHINE, report_delete, Effect.DESTROY),
)  # fmt: skip
