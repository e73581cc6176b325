"""Create a machine: the question says what it costs, whether the type is free now, and that nothing shuts it down."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from paperspace_mcp.conduct import Outcome
from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.errors import CallerError
from paperspace_mcp.contract.requests import MachineCreate
from paperspace_mcp.contract.shapes import Machine
from paperspace_mcp.rules import classing, naming, pricing
from paperspace_mcp.rules.guard.cleaning import quoted
from paperspace_mcp.rules.guard.demands import TYPED_CAP
from paperspace_mcp.rules.guard.plans import Plan, Step
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.render import Answer
from paperspace_mcp.surface.tool import Arguments, Tool
from paperspace_mcp.surface.tools import params
from paperspace_mcp.surface.tools.capacity import available
from paperspace_mcp.surface.tools.people import people
from paperspace_mcp.surface.tools.reporting import MachineDone, failed, machine_done

People = Annotated[list[Annotated[str, Field(max_length=254)]], Field(max_length=50)] | SkipJsonSchema[None]


async def create_machine(
    desk: Desk,
    name: Annotated[str, Field(min_length=1, max_length=params.NAME_CAP)],
    machine_type: Annotated[str, Field(description="E.g. A4000; see list_templates.", min_length=1, max_length=40)],
    template_id: Annotated[str, Field(description="From list_templates.", min_length=1, max_length=64)],
    region: params.Region,
    disk_size_gb: Annotated[float, Field(description="E.g. 50, 100, 250, 500, 1000, 2000.", gt=0, le=1_000_000)],
    accessor_ids: People = None,
    auto_shutdown_enabled: params.OptBool = None,
    auto_shutdown_timeout_hours: params.OptHours = None,
    auto_shutdown_force: params.OptBool = None,
    auto_snapshot_enabled: params.OptBool = None,
    auto_snapshot_frequency: params.OptFrequency = None,
    auto_snapshot_save_count: params.OptCount = None,
    email_password: params.OptBool = None,
    enable_nvlink: params.OptBool = None,
    network_id: params.OptText = None,
    public_ip_type: params.OptIpType = None,
    restore_point_enabled: params.OptBool = None,
    restore_point_frequency: params.OptRestore = None,
    start_on_create: params.OptBool = None,
    startup_script_id: params.OptText = None,
    take_initial_snapshot: params.OptBool = None,
) -> Plan | Answer:
    """Create a machine; it costs money from the first hour on, so a person confirms. Returns an event."""
    if not naming.is_id(template_id):
        raise CallerError("bad_id", facts={"argument": "template_id"})
    accessors = await people(desk, accessor_ids or [], "accessor_ids")
    typed = ", ".join(dict.fromkeys(one.typed for one in accessors))
    if len(typed) > TYPED_CAP:
        raise CallerError("too_many_people")
    body = {
        "name": name,
        "machine_type": machine_type,
        "template_id": template_id,
        "region": region,
        "disk_size": disk_size_gb,
        "accessor_ids": sorted({one.id for one in accessors}) or None,
        "auto_shutdown_enabled": auto_shutdown_enabled,
        "auto_shutdown_timeout": auto_shutdown_timeout_hours,
        "auto_shutdown_force": auto_shutdown_force,
        "auto_snapshot_enabled": auto_snapshot_enabled,
        "auto_snapshot_frequency": auto_snapshot_frequency,
        "auto_snapshot_save_count": auto_snapshot_save_count,
        "email_password": email_password,
        "enable_nvlink": enable_nvlink,
        "network_id": network_id,
        "public_ip_type": public_ip_type,
        "restore_point_enabled": restore_point_enabled,
        "restore_point_frequency": restore_point_frequency,
        "start_on_create": start_on_create,
        "startup_script_id": startup_script_id,
        "take_initial_snapshot": take_initial_snapshot,
    }
    given = {field: value for field, value in body.items() if value is not None}
    return await _plan(desk, MachineCreate(**given), typed)


async def _plan(desk: Desk, body: MachineCreate, people: str) -> Plan:
    """One step, and no target yet."""
    values: dict[str, Any] = body.model_dump(by_alias=True, exclude_unset=True)
    call, hidden = {"path": {}, "body": values}, classing.hidden_in_create(values)
    step = Step(catalogue.CREATE_MACHINE.name, call, classing.of_create(values), also=hidden)
    usd = pricing.usd_per_hour(body.machine_type, desk.prices)
    free = await available(desk, body.machine_type, body.region)
    lines = (_headline(body, usd), free, _unattended(body), _rest(values), *_granted(people))
    asked = tuple(filter(None, lines))
    facts = {"price_source": pricing.source(body.machine_type, desk.prices)}
    return Plan("create_machine", values, "create", (step,), asked, people, usd, adds_usd_per_hour=usd, facts=facts)


def _headline(body: MachineCreate, usd: float | None) -> str:
    what = f"{body.machine_type} in {body.region}, {body.disk_size:g} GB disk"
    return f"CREATE {quoted(body.name)}: {quoted(what)}, {pricing.words(usd)}; the disk is billed on or off."


def _unattended(body: MachineCreate) -> str:
    return "" if body.auto_shutdown_enabled else "Nothing shuts it down by itself."


_TOLD = frozenset({"name", "machineType", "region", "diskSize", "accessorIds"})


def _rest(values: dict[str, Any]) -> str:
    """Every other field that was given: a script or a network can matter more than the price."""
    told = [f"{name} {quoted(str(value), 64)}" for name, value in values.items() if name not in _TOLD]
    return f"With {', '.join(told)}." if told else ""


def _granted(people: str) -> tuple[str, ...]:
    return (f"Full admin on it for {people}.",) if people else ()


async def report_create(desk: Desk, plan: Plan, outcomes: Sequence[Outcome], _arguments: Arguments) -> Answer:
    if broken := failed(outcomes):
        return broken
    answer = machine_done(outcomes[-1], "Create accepted for", desk)
    made = Machine.model_validate(outcomes[-1].answer.get("data", {}))
    usd = pricing.rate(made, desk.prices) or plan.usd_per_hour
    source = pricing.source_of(made, desk.prices) or plan.facts.get("price_source") or None
    money = {"usd_per_hour": usd, "usd_per_month": pricing.per_month(usd), "price_source": source}
    answer.data = {**answer.data, **money}
    return answer


CREATE = Tool(
    create_machine,
    "Create a machine",
    MachineDone,
    catalogue.CREATE_MACHINE,
    report_create,
    Effect.GRANT,
    idempotent=False,
)
