"""What each API operation does to the world and answers. Nothing here knows HTTP beyond Refusal's status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from paperspace_mcp.simulator import catalog, lifecycle, paging, validation
from paperspace_mcp.simulator.model import Machine, accessor_json, desktop_json, event_json, machine_json, user_json
from paperspace_mcp.simulator.validation import Refusal, not_found

if TYPE_CHECKING:
    from collections.abc import Callable

    from paperspace_mcp.simulator.faults import Fault
    from paperspace_mcp.simulator.model import Event
    from paperspace_mcp.simulator.variant import Variant
    from paperspace_mcp.simulator.world import World

T = TypeVar("T")


@dataclass
class Call:
    """One validated request on its way into the world. `ids` are the decoded path parameters."""

    world: World
    now: float
    ids: list[str]
    query: dict[str, str]
    body: Any
    fault: Fault | None = None
    known_key: bool = True
    applied: bool = False

    def machine(self) -> Machine:
        found = self.world.find(self.ids[0])
        if found is None:
            raise Refusal(404, "Machine not found") if self.world.variant.not_found_text != "same" else not_found()
        return found

    def changed(self) -> None:
        self.applied = True
        self.world.moves += 1

    def answer(self, machine: Machine, event: Event | None) -> dict[str, Any]:
        """`{data, event}`; a settings-only PUT has no `event` key at all."""
        self.changed()
        data = {"data": machine_json(machine, self.world.variant)}
        return data if event is None else {**data, "event": event_json(event)}


# -- reading ----------------------------------------------------------------------------------------------------------


def list_machines(call: Call) -> Any:
    world = call.world
    asked = validation.page(call.query, ("dtCreated", "name", "state"), world.variant)
    rows, key = world.sorted_machines(asked.order_by), world.shelves[asked.order_by].key
    after = _cursor(asked.after, lambda found: world.machines.get(found) or world.removed.get(found))
    rows = _from(asked, rows, after, world)
    walked = paging.walk(rows, key, after, descending=asked.descending)
    found = (machine for machine in walked if _wanted(machine, call.query, world))
    return paging.envelope(found, asked.limit, lambda m: machine_json(m, world.variant), lambda m: m.id, world.variant)


def _cursor(after: str | None, find: Callable[[str], Any]) -> Any:
    return find(after) if after else None


def _from(asked: validation.Page, rows: list[T], after: T | None, world: World) -> list[T]:
    """The rows of a list, where its cursor may be none that was ever given."""
    if not asked.after or after is not None or world.variant.unknown_cursor == "first page":
        return rows
    if world.variant.unknown_cursor == "refused":
        raise Refusal(400, "Invalid cursor")
    return []


def _named(machine: Machine, text: str, variant: Variant) -> bool:
    name, text = (machine.name.casefold(), text.casefold()) if variant.name_filter_folds else (machine.name, text)
    how = variant.name_filter
    return not text or (
        text in name if how == "contains" else name.startswith(text) if how == "prefix" else text == name
    )


def _wanted(machine: Machine, query: dict[str, str], world: World) -> bool:
    """`name` is no equality: clients find `openllm-ci-<time>` by `openllm-ci`."""
    kind = query.get("machineType", machine.machineType)
    if world.variant.fold_machine_type:
        kind = machine.machineType if kind.casefold() == machine.machineType.casefold() else kind
    region = query.get("region", machine.region)
    return (
        _named(machine, query.get("name", ""), world.variant)
        and (catalog.region_code(region) if world.variant.long_region_filter else region) == machine.region
        and query.get("agentType", machine.agentType) == machine.agentType
        and kind == machine.machineType
    )


def get_machine(call: Call) -> Any:
    removed = call.world.removed.get(call.ids[0]) if call.world.variant.deleted_machines != "gone" else None
    return machine_json(removed or call.machine(), call.world.variant)


def list_machine_events(call: Call) -> Any:
    world = call.world
    asked = validation.page(call.query, ("dtCreated",), world.variant)
    rows = world.sorted_events(call.query.get("machineId"))
    after = _cursor(asked.after, world.events.get)
    rows = _from(asked, rows, after, world)
    walked = paging.walk(rows, world.event_shelf.key, after, descending=asked.descending)
    found = (event for event in walked if not event.vanished)
    return paging.envelope(found, asked.limit, event_json, lambda event: event.id, world.variant)


def get_machine_event(call: Call) -> Any:
    event = call.world.events.get(call.ids[0])
    if event is None or event.vanished:
        raise not_found()
    return event_json(event)


def get_machine_desktop(call: Call) -> Any:
    shown = desktop_json(call.machine(), call.world.variant)
    if not shown and call.world.variant.headless_desktop == "404":
        raise not_found()
    return shown


# -- accessors --------------------------------------------------------------------------------------------------------


def list_machine_accessors(call: Call) -> Any:
    variant = call.world.variant
    asked = validation.page(call.query, ("id",), variant)
    held = call.machine().accessors
    rows = sorted(user for user, removed in held.items() if removed is None or variant.tombstones_listed)
    walked = paging.walk(rows, str, asked.after, descending=asked.descending)
    return paging.envelope(walked, asked.limit, lambda user: accessor_json(user, held[user]), str, variant)


def get_machine_accessor(call: Call) -> Any:
    held, user = call.machine().accessors, call.ids[1]
    if user not in held or (held[user] is not None and not call.world.variant.tombstones_listed):
        raise not_found()
    return accessor_json(user, held[user])


def add_machine_accessor(call: Call) -> Any:
    machine = call.machine()
    user = validation.body(call.body, validation.ACCESSOR, ("userId",), call.world.variant)["userId"]
    if user not in catalog.USERS:
        raise not_found()  # only team members can be added
    if machine.accessors.get(user, 0) is not None:
        machine.accessors[user] = None
        call.changed()
    return accessor_json(user, None)


def remove_machine_accessor(call: Call) -> Any:
    machine, user = call.machine(), call.ids[1]
    if machine.accessors.get(user, 0) is not None:
        raise not_found()
    machine.accessors[user] = call.now  # a soft delete: the answer carries dtDeleted
    call.changed()
    return accessor_json(user, call.now)


# -- neighbours -------------------------------------------------------------------------------------------------------


def _template_json(row: catalog.Template) -> dict[str, Any]:
    types = [{"machineTypeLabel": label, "isAvailable": label in row.types} for label in catalog.TYPES]
    return {
        "id": row.id,
        "name": row.name,
        "agentType": row.agent_type,
        "operatingSystemLabel": row.system,
        "defaultSizeGb": row.default_size,
        "availableMachineTypes": types,
        "dtCreated": row.created,
    }


def list_templates(call: Call) -> Any:
    variant, templates = call.world.variant, catalog.TEMPLATES
    asked = validation.page(call.query, ("name",), variant, default_order="asc")
    rows = sorted(templates.values(), key=lambda row: (row.name, row.id))
    after = _cursor(asked.after, templates.get)
    walked = paging.walk(rows, lambda row: (row.name, row.id), after, descending=asked.descending)
    found = (row for row in walked if call.query.get("name", "") in row.name)
    return paging.envelope(found, asked.limit, _template_json, lambda row: row.id, variant)


def machine_availability(call: Call) -> Any:
    label, region = validation.required(call.query, "machineType", "region")
    code, kind = catalog.region_code(region), catalog.machine_type(label)
    sold = kind is not None and code in kind.regions
    return {"available": bool(sold and kind and (kind.label, code) not in call.world.unavailable)}


def auth_session(call: Call) -> Any:
    """200 with `null` when the key is missing or wrong."""
    if not call.known_key:
        if call.world.variant.session_without_key == "401":
            raise Refusal(401, validation.UNAUTHORIZED)
        return None
    team = {"id": catalog.TEAM_ID, "namespace": catalog.TEAM_NAMESPACE, "isPrivate": False, "maxMachines": 25}
    member = {"isAdmin": True, "isOwner": True, "team": team}
    return {"user": {**user_json(catalog.USERS[catalog.OWNER]), "teamMemberships": [member]}, "team": team}


def openapi_document(call: Call) -> Any:
    """The provider's own description, as far as anybody here reads it."""
    sizes: list[dict[str, Any]] = [{"type": "number", "enum": [size]} for size in sorted(catalog.DISK_SIZES)]
    sizes += [{"type": "number", "exclusiveMinimum": 0}] if call.world.variant.open_disk_size else []
    body = {"type": "object", "properties": {"diskSize": {"anyOf": sizes}, "name": {"type": "string"}}}
    create = {"requestBody": {"content": {"application/json": {"schema": body}}}}
    return {"openapi": "3.0.3", "info": {"version": "1.0.0"}, "paths": {"/machines": {"post": create}}}


def list_team_users(call: Call) -> Any:
    if call.ids[0] != catalog.TEAM_ID:
        raise not_found()
    asked = validation.page(call.query, ("id",), call.world.variant)
    walked = paging.walk(sorted(catalog.USERS), str, asked.after, descending=asked.descending)
    role = call.query.get("role")
    found = (catalog.USERS[user] for user in walked if _has_role(catalog.USERS[user], role))
    return paging.envelope(found, asked.limit, _member_json, lambda user: user.id, call.world.variant)


def _has_role(user: catalog.User, role: str | None) -> bool:
    return role is None or {"owner": user.is_owner, "admin": user.is_admin}.get(role, not user.is_admin)


def _member_json(user: catalog.User) -> dict[str, Any]:
    return {"isAdmin": user.is_admin, "isOwner": user.is_owner, "user": user_json(user), "dtCreated": user.created}


# -- starting, stopping -----------------------------------------------------------------------------------------------

_BUSY = {
    "create": "provisioning",
    "start": "starting",
    "stop": "stopping",
    "restart": "restarting",
    "vm-upgrade": "upgrading",
    "vm-migrate": "migrating",
    "deactivate": "being deleted",
}


def idle(machine: Machine) -> Machine:
    """Refuse while an event is in flight: "This machine is currently starting." (SkyPilot), the others by analogy."""
    if machine.current is not None:
        raise Refusal(400, f"This machine is currently {_BUSY[machine.current.name]}.")
    if machine.state not in {"off", "ready", "serviceready"}:
        raise Refusal(400, f"This machine is currently {machine.state}.")
    return machine


def start_machine(call: Call) -> Any:
    machine = idle(call.machine())
    if machine.running:
        raise Refusal(400, "This machine is already running.")
    event = lifecycle.start(call.world, machine, call.now, call.fault)
    return call.answer(machine, event)


def stop_machine(call: Call) -> Any:
    machine = idle(call.machine())
    if not machine.running:
        raise Refusal(400, "This machine is already off.")
    event = lifecycle.stop(call.world, machine, call.now, call.fault)
    return call.answer(machine, event)


def restart_machine(call: Call) -> Any:
    machine = idle(call.machine())
    if not machine.running:
        raise Refusal(400, "This machine is off.")
    event = lifecycle.restart(call.world, machine, call.now, call.fault)
    return call.answer(machine, event)


def delete_machine(call: Call) -> Any:
    """By default in any state, as a public client does; a second delete while one runs is refused."""
    machine = call.machine()
    if machine.current is not None and machine.current.name == "deactivate":
        raise Refusal(400, "This machine is currently being deleted.")
    if call.world.variant.delete_needs_off and idle(machine).state != "off":
        raise Refusal(400, "This machine must be off to be deleted.")
    return call.answer(machine, lifecycle.delete(call.world, machine, call.now, call.fault))
