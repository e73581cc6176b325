"""Machines: list, get, create, update, delete."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from paperspace_mcp.conduct import Outcome, fingerprinted
from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.errors import CallerError, Refusal
from paperspace_mcp.contract.shapes import Machine
from paperspace_mcp.rules import pricing
from paperspace_mcp.rules.guard.cleaning import quoted
from paperspace_mcp.rules.guard.plans import Plan, Step
from paperspace_mcp.surface import views
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.render import Answer
from paperspace_mcp.surface.tool import Arguments, Tool
from paperspace_mcp.surface.tools import filters, moving, params
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
    name_contains: params.NameContains = "",
    region: params.RegionFilter = "any",
    states: Annotated[
        params.States,
        Field(description="Of: off, starting, stopping, restarting, serviceready, ready, upgrading, provisioning."),
    ] = [],  # noqa: B006 - never changed; it is the schema's default
    machine_type: params.TypeFilter = "any",
    agent_type: params.AgentFilter = "any",
    order_by: Annotated[Literal["dtCreated", "name", "state"], Field(description="Sort key.")] = "dtCreated",
    order: params.Order = "desc",
    limit: params.Limit = 25,
    cursor: params.Cursor = "",
    response_format: params.Format = "concise",
) -> Answer:
    """List machines with type, region, state and price; filters combine. Returns 25 rows and the total."""
    wanted = filters.Wanted(name_contains.strip(), region, states, machine_type, agent_type)
    part, how = await filters.part(desk, wanted, {"order_by": order_by, "order": order}, limit, cursor)
    shown = views.machine_view if response_format == "detailed" else views.listed_row
    told = (wanted.hint(), how, part.advice("narrow the filters, count with fleet_summary"))
    return Answer(
        part.counted("machine"),
        {"machines": [shown(machine, desk.prices) for machine in part.items], **part.facts},
        next=" ".join(filter(None, told)),
        rows="machines",
        cursor_after=part.cursor_after,
    )


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
    where = f" in {place}" if (place := views.place(machine.region)) else ""
    what = f"{kind}{where}, {price}"
    named = f"{quoted(machine.name)} ({views.text(machine.id)})"
    if machine.dt_deleted is not None:
        return f"{named} was deleted; it was {state} then: {what}."
    return f"{named} is {state}{at}: {what}."


async def delete_machine(desk: Desk, machine: params.MachineRef) -> Plan | Answer:
    """Delete a machine that is off, for good, with its disk and snapshots. A person confirms. Refused while it runs."""
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
