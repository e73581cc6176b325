"""Accessors: who may use a machine, as full admin."""

from collections.abc import Sequence

from paperspace_mcp.conduct import Outcome, fingerprinted
from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.errors import CallerError
from paperspace_mcp.contract.requests import PAGE_LIMIT, AccessorsQuery
from paperspace_mcp.contract.shapes import Accessor, Machine
from paperspace_mcp.rules.guard.cleaning import quoted
from paperspace_mcp.rules.guard.plans import Plan, Step
from paperspace_mcp.surface import views
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.paging import part_of
from paperspace_mcp.surface.render import Answer
from paperspace_mcp.surface.tool import Arguments, Tool
from paperspace_mcp.surface.tools import params
from paperspace_mcp.surface.tools.people import Person, person
from paperspace_mcp.surface.tools.reporting import Guarded, failed, traced
from paperspace_mcp.walking import Walk, walk

KEYS_STAY = "SSH keys that were put on the machine stay on it."
ADMINS = "Team admins may have access all the same: only explicit access is known here."
ACCESSOR_ROWS = 10_000
"""How many people with access to one machine are looked at."""


class AccessorList(views.Envelope):
    machine_id: str | None = None
    machine_name: str | None = None
    accessors: list[views.AccessorView] | None = None
    total: int | None = None
    returned: int = 0
    complete: bool = False
    next_cursor: str | None = None


class OneAccessor(Guarded):
    machine_id: str | None = None
    machine_name: str | None = None
    explicit_access: bool | None = None
    accessor: views.AccessorView | None = None


async def list_machine_accessors(
    desk: Desk,
    machine: params.MachineRef,
    order: params.Order = "desc",
    limit: params.Limit = 25,
    cursor: params.Cursor = "",
) -> Answer:
    """List people with explicit access to a machine; team admins need not be among them. Removed people are marked."""
    found = await desk.machine(machine)
    filters = {"machine": found.id, "order": order}
    part = await part_of(
        desk.conduct,
        catalogue.LIST_MACHINE_ACCESSORS,
        AccessorsQuery(order_by="id", order=order),
        limit=limit,
        cursor=cursor,
        filters=filters,
        path={"id": found.id},
    )
    have = sum(1 for item in part.found.items if item.dt_deleted is None)
    return Answer(
        f"{have} with explicit access to {quoted(found.name)} ({views.text(found.id)}).",
        {
            **_machine(found),
            "accessors": [views.accessor_view(item) for item in part.items],
            **part.facts,
        },
        next=part.advice("ask for one person"),
        rows="accessors",
        cursor_after=part.cursor_after,
    )


def _machine(machine: Machine) -> dict[str, str | None]:
    return {"machine_id": views.text(machine.id), "machine_name": views.text(machine.name)}


async def get_machine_accessor(desk: Desk, machine: params.MachineRef, user: params.UserRef) -> Answer:
    """Whether one person has explicit access to a machine."""
    found = await desk.machine(machine)
    who, _ = await _who(desk, found, user)
    accessor = await _read(desk, found, who)
    if accessor is None:
        return Answer(_without(found, who), {**_machine(found), "explicit_access": False}, next=ADMINS)
    has = {"explicit_access": accessor.dt_deleted is None}
    return Answer(_said(found, accessor), {**_machine(found), **has, "accessor": views.accessor_view(accessor)})


def _said(machine: Machine, accessor: Accessor) -> str:
    has = "no longer has" if accessor.dt_deleted else "has"
    return f"{quoted(accessor.user.email or accessor.user.id, 254)} {has} access to {quoted(machine.name)}."


def _without(machine: Machine, who: Person) -> str:
    return f"{quoted(who.typed, 254)} has no explicit access to {quoted(machine.name)}."


async def _read(desk: Desk, machine: Machine, who: Person) -> Accessor | None:
    """A person's access as the provider has it; None where there is none, which is an answer and no error."""
    try:
        return await desk.conduct.read(catalogue.GET_MACHINE_ACCESSOR, {"id": machine.id, "userId": who.id})
    except CallerError as failure:
        if failure.code != "not_found":
            raise
        return None


async def _who(desk: Desk, machine: Machine, user: str) -> tuple[Person, Walk[Accessor]]:
    """The person meant, and who has access. Those are looked at first: the team may not be readable."""
    query, path = AccessorsQuery(limit=PAGE_LIMIT), {"id": machine.id}
    explicit = await walk(desk.conduct, catalogue.LIST_MACHINE_ACCESSORS, query, rows=ACCESSOR_ROWS, path=path)
    return await person(desk, user, [item.user for item in explicit.items]), explicit


async def _has(desk: Desk, machine: Machine, who: Person, explicit: Walk[Accessor]) -> bool:
    """Whether a person has access now. Who is not in a list without its end is asked for alone."""
    if any(item.user.id == who.id and item.dt_deleted is None for item in explicit.items):
        return True
    held = None if explicit.complete else await _read(desk, machine, who)
    return held is not None and held.dt_deleted is None


async def add_machine_accessor(desk: Desk, machine: params.MachineRef, user: params.UserRef) -> Plan | Answer:
    """Give a team member access to a machine: full admin, with their SSH keys. A person confirms."""
    found = await desk.machine(machine)
    who, explicit = await _who(desk, found, user)
    if await _has(desk, found, who, explicit):
        told = f"{quoted(who.typed, 254)} has access to {quoted(found.name)} already."
        return _unchanged(found, told, has=True)
    target = await desk.target(found, fingerprinted(Effect.GRANT), Effect.GRANT)
    arguments = {"path": {"id": found.id}, "body": {"userId": who.id}}
    step = Step(catalogue.ADD_MACHINE_ACCESSOR.name, arguments, Effect.GRANT, target)
    line = f"GRANT full admin on this machine to {quoted(who.typed, 254)} (user {who.id})."
    call = {"machine": found.id, "user": who.id}
    return Plan("add_machine_accessor", call, "grant", (step,), (line,), who.typed)


async def remove_machine_accessor(desk: Desk, machine: params.MachineRef, user: params.UserRef) -> Plan | Answer:
    """Take a person's access to a machine away; their SSH keys stay on it. A person confirms."""
    found = await desk.machine(machine)
    who, explicit = await _who(desk, found, user)
    if not await _has(desk, found, who, explicit):
        return _unchanged(found, _without(found, who), has=False)
    target = await desk.target(found, fingerprinted(Effect.GRANT), Effect.DISRUPT)
    arguments = {"path": {"id": found.id, "userId": who.id}}
    step = Step(catalogue.REMOVE_MACHINE_ACCESSOR.name, arguments, Effect.DISRUPT, target)
    line = f"REMOVE the access of {quoted(who.typed, 254)} (user {who.id}) to this machine. {KEYS_STAY}"
    call = {"machine": found.id, "user": who.id}
    return Plan("remove_machine_accessor", call, "remove", (step,), (line,), who.typed)


def _unchanged(machine: Machine, why: str, *, has: bool) -> Answer:
    """Nothing is to be done, so nobody is asked."""
    data = {"status": "unchanged", "changed": False, "executed": False, **_machine(machine), "explicit_access": has}
    return Answer(f"{why} Nothing was changed.", data, next="" if has else ADMINS)


async def report(_desk: Desk, plan: Plan, outcomes: Sequence[Outcome], _arguments: Arguments) -> Answer:
    if broken := failed(outcomes):
        return broken
    accessor, target = Accessor.model_validate(outcomes[-1].answer), plan.targets[0]
    given = plan.verb == "grant"
    summary = f"{quoted(plan.person, 254)} {'now has' if given else 'no longer has'} access to {quoted(target.name)}."
    data = {"changed": True, "executed": True, "machine_id": target.id, "machine_name": views.text(target.name)}
    data |= {"explicit_access": given}
    data |= traced(outcomes[-1])
    stay = "" if given else f" {KEYS_STAY}"
    return Answer(summary + stay, {**data, "accessor": views.accessor_view(accessor)})


ACCESSORS: tuple[Tool, ...] = (
    Tool(list_machine_accessors, "List accessors", AccessorList, catalogue.LIST_MACHINE_ACCESSORS),
    Tool(get_machine_accessor, "Get an accessor", OneAccessor, catalogue.GET_MACHINE_ACCESSOR),
    Tool(add_machine_accessor, "Add an accessor", OneAccessor, catalogue.ADD_MACHINE_ACCESSOR, report, Effect.GRANT),
    Tool(
        remove_machine_accessor,
        "Remove an accessor",
        OneAccessor,
        catalogue.REMOVE_MACHINE_ACCESSOR,
        report,
        Effect.DISRUPT,
    ),
)
