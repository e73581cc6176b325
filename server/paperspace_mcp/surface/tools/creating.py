"""Create a machine: the question says what it costs, whether the type is free now, and that nothing shuts it down."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from paperspace_mcp.conduct import Outcome
from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.errors import CallerError
from paperspace_mcp.contract.requests import MachineCreate, MachinesQuery
from paperspace_mcp.contract.shapes import Machine
from paperspace_mcp.rules import classing, console, naming, pricing
from paperspace_mcp.rules.guard.cleaning import quoted
from paperspace_mcp.rules.guard.demands import TYPED_CAP
from paperspace_mcp.rules.guard.plans import Plan, Step
from paperspace_mcp.surface import views
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.paging import page_query
from paperspace_mcp.surface.render import Answer
from paperspace_mcp.surface.tool import Arguments, Tool
from paperspace_mcp.surface.tools import fields, offering, params
from paperspace_mcp.surface.tools.capacity import available
from paperspace_mcp.surface.tools.people import people
from paperspace_mcp.surface.tools.reporting import MachineDone, failed, machine_done
from paperspace_mcp.walking import walk

People = Annotated[list[Annotated[str, Field(max_length=254)]], Field(max_length=50)] | SkipJsonSchema[None]


async def create_machine(
    desk: Desk,
    name: Annotated[fields.Name, Field(description="Need not be unique.")],
    machine_type: Annotated[fields.MachineType, Field(description="E.g. A4000; see list_templates.")],
    template_id: Annotated[str, Field(description="From list_templates.", min_length=1, max_length=params.ID_CAP)],
    region: params.Region,
    disk_size_gb: Annotated[fields.Size, Field(description="50, 100, 250, 500, 1000, 2000 or more.")],
    accessor_ids: Annotated[People, Field(description="Ids or e-mails of who gets full admin.")] = None,
    auto_shutdown_enabled: fields.Shutdown = None,
    auto_shutdown_timeout_hours: fields.ShutdownHours = None,
    auto_shutdown_force: fields.ShutdownForce = None,
    auto_snapshot_enabled: fields.Snapshots = None,
    auto_snapshot_frequency: fields.SnapshotFrequency = None,
    auto_snapshot_save_count: fields.SnapshotCount = None,
    email_password: Annotated[fields.OptBool, Field(description="Default true: it is mailed.")] = None,
    enable_nvlink: Annotated[fields.OptBool, Field(description="NVLink between GPUs.")] = None,
    network_id: Annotated[fields.OptId, Field(description="A private network of the region.")] = None,
    public_ip_type: fields.IpType = None,
    restore_point_enabled: Annotated[fields.OptBool, Field(description="Its initial snapshot as one.")] = None,
    restore_point_frequency: fields.RestoreFrequency = None,
    start_on_create: Annotated[fields.OptBool, Field(description="false leaves it off.")] = None,
    startup_script_id: Annotated[fields.OptId, Field(description="A script of the account.")] = None,
    take_initial_snapshot: Annotated[fields.OptBool, Field(description="As soon as it is made.")] = None,
) -> Plan | Answer:
    """Create a machine; it costs money from the first hour on, so a person confirms. Returns an event."""
    offering.check(template_id.strip())
    namesake = await _namesake(desk, name)
    label, doubts = await _offered(desk, template_id.strip(), machine_type, disk_size_gb)
    accessors = await people(desk, accessor_ids or [], "accessor_ids")
    typed = ", ".join(dict.fromkeys(one.typed for one in accessors))
    if len(typed) > TYPED_CAP:
        raise CallerError("too_many_people")
    body = {
        "name": name,
        "machine_type": label,
        "template_id": template_id.strip(),
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
    return await _plan(desk, MachineCreate(**given), typed, [namesake, *doubts])


async def _offered(desk: Desk, template_id: str, machine_type: str, disk_size_gb: float) -> tuple[str, list[str]]:
    """The type as the provider writes it, and what is doubtful. Raises a `CallerError` for what its lists rule out."""
    offered = await offering.offer(desk)
    template, unlisted = offering.template(template_id, offered)
    label, doubt = offering.kind(machine_type, offered)
    if template is None:
        return label, [unlisted, doubt]
    offering.offers(template, label)
    least = template.default_size_gb or 0
    return label, [doubt, f"The template's own disk is {least:g} GB." if disk_size_gb < least else ""]


async def _namesake(desk: Desk, name: str) -> str:
    """The answer to an earlier create may have been lost, and a second machine is billed as the first."""
    query = page_query(MachinesQuery(name=name))
    found = naming.exact((await walk(desk.conduct, catalogue.LIST_MACHINES, query)).items, name)
    ids = ", ".join(views.text(one.id) or "" for one in found[:2])
    return f"There is a machine of this name already ({ids}{', ...' if found[2:] else ''})." if found else ""


async def _plan(desk: Desk, body: MachineCreate, people: str, doubts: Sequence[str]) -> Plan:
    """One step, and no target yet. What is doubtful is told to the person now, and to the model with the outcome."""
    values: dict[str, Any] = body.model_dump(by_alias=True, exclude_unset=True)
    call, hidden = {"path": {}, "body": values}, classing.hidden_in_create(values)
    step = Step(catalogue.CREATE_MACHINE.name, call, classing.of_create(values), also=hidden)
    usd = pricing.usd_per_hour(body.machine_type, desk.prices)
    free = await available(desk, body.machine_type, body.region)
    remarks = [*filter(None, doubts), *console.remarks(values, {"autoShutdownEnabled": False, **values})]
    lines = (_headline(body, usd), *remarks, free, _unattended(body), _rest(values), *_granted(people))
    asked = tuple(filter(None, lines))
    facts = {"remarks": remarks, "price_source": pricing.source(body.machine_type, desk.prices)}
    return Plan("create_machine", values, "create", (step,), asked, people, usd, facts=facts, adds_usd_per_hour=usd)


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
    answer.next = " ".join([answer.next, *plan.facts.get("remarks", ())]).strip()
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
