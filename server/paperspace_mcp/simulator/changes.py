"""Creating and updating machines: the two operations with a body of many fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paperspace_mcp.simulator import catalog, lifecycle, validation
from paperspace_mcp.simulator.fleet import readdress
from paperspace_mcp.simulator.model import Machine
from paperspace_mcp.simulator.operations import idle
from paperspace_mcp.simulator.validation import Refusal, not_found

if TYPE_CHECKING:
    from paperspace_mcp.simulator.model import Event
    from paperspace_mcp.simulator.operations import Call
    from paperspace_mcp.simulator.world import World

_SETTINGS = frozenset(validation.UPDATE) - {"diskSize", "machineType", "networkId"}


def _sold(world: World, label: str) -> catalog.MachineType:
    kind = catalog.machine_type(label, fold=world.variant.fold_machine_type)
    if kind is None:
        raise Refusal(400, "Invalid machine type.")
    return kind


# -- create -----------------------------------------------------------------------------------------------------------


def create_machine(call: Call) -> Any:
    world = call.world
    asked = validation.body(call.body, validation.CREATE, validation.CREATE_REQUIRED, world.variant)
    template, kind, region = _orderable(world, asked)
    machine = _build(call, asked, template, kind, region)
    world.add(machine)
    start_after = asked.get("startOnCreate", world.variant.start_on_create)
    event = lifecycle.create(world, machine, call.now, call.fault, start_after=start_after)
    if asked.get("takeInitialSnapshot"):
        lifecycle.snapshot(world, machine, call.now)
    return call.answer(machine, event)


def _orderable(world: World, asked: dict[str, Any]) -> tuple[catalog.Template, catalog.MachineType, str]:
    """The template, type and region, if they go together. Error texts here are ours: no source quotes them."""
    template, region = catalog.TEMPLATES.get(asked["templateId"]), catalog.region_code(asked["region"])
    if template is None or _names_strangers(world, asked, region):
        raise not_found()
    if region not in catalog.REGIONS:
        raise Refusal(400, "Invalid region.")
    kind = _sold(world, asked["machineType"])
    if kind.label not in template.types or region not in kind.regions:
        raise Refusal(400, "This machine type is not available for this template and region.")
    return template, kind, region


def _names_strangers(world: World, asked: dict[str, Any], region: str) -> bool:
    """Whether the order names a user, network or startup script (the account has none) that is not there."""
    users = set(asked.get("accessorIds", ()))
    network = "networkId" in asked and not world.network_exists(asked["networkId"], region)
    return network or "startupScriptId" in asked or not users <= catalog.USERS.keys()


def _build(
    call: Call, asked: dict[str, Any], template: catalog.Template, kind: catalog.MachineType, region: str
) -> Machine:
    world, ip_type = call.world, asked.get("publicIpType", call.world.variant.public_ip_type)
    machine = Machine(world.new_id("ps", 9), asked["name"], call.now, call.now, state="provisioning")
    for name in _SETTINGS & asked.keys():
        setattr(machine, name, asked[name])
    machine.machineType, machine.region, machine.diskSize = kind.label, region, asked["diskSize"]
    machine.templateId, machine.os, machine.agentType = template.id, template.system, template.agent_type
    machine.networkId = asked.get("networkId", catalog.DEFAULT_NETWORKS[region])
    machine.publicIpType, machine.privateIp = ip_type, world.private_ip()
    machine.publicIp = world.public_ip() if ip_type == "static" else None  # a static address is in the create answer
    machine.storageUsed = 9 * catalog.GIB
    machine.accessors = dict.fromkeys(asked.get("accessorIds", ()))
    return machine


# -- update -----------------------------------------------------------------------------------------------------------


def update_machine(call: Call) -> Any:
    """A partial update. Settings take at once and make no event; size and network make one and take at its end."""
    machine = call.machine()
    asked = validation.body(call.body, validation.UPDATE, (), call.world.variant)
    resize = _resize(call.world, machine, asked)
    network = _network(call.world, machine, asked)
    if resize or network:
        _may_resize(call.world, machine) if resize else idle(machine)
    _set(call.world, machine, {name: asked[name] for name in _SETTINGS & asked.keys()})
    machine.dtModified = call.now
    answer = call.answer(machine, _move(call, machine, resize, network))
    call.applied = bool(asked)
    return answer


def _move(call: Call, machine: Machine, resize: dict[str, object], network: str | None) -> Event | None:
    if resize:
        more: dict[str, object] = {"networkId": network} if network else {}
        return lifecycle.resize(call.world, machine, {**resize, **more}, call.now, call.fault)
    return lifecycle.migrate(call.world, machine, network, call.now, call.fault) if network else None


def _may_resize(world: World, machine: Machine) -> None:
    if idle(machine).state != "off":
        raise Refusal(world.variant.resize_refusal, "This machine must be off to be upgraded.")


def _resize(world: World, machine: Machine, asked: dict[str, Any]) -> dict[str, object]:
    """The size changes that are real ones: a disk only grows, a type stays in its group and region."""
    wanted: dict[str, object] = {}
    size = asked.get("diskSize", machine.diskSize)
    if size < machine.diskSize:
        raise Refusal(400, "The disk size cannot be decreased.")
    if size != machine.diskSize:
        wanted["diskSize"] = size
    kind = _sold(world, asked.get("machineType", machine.machineType))
    if kind.group != machine.kind.group or machine.region not in kind.regions:
        raise Refusal(400, "This machine cannot be changed to that machine type.")
    return wanted if kind.label == machine.machineType else {**wanted, "machineType": kind.label}


def _network(world: World, machine: Machine, asked: dict[str, Any]) -> str | None:
    network = asked.get("networkId")
    if network is None or network == machine.networkId != catalog.DEFAULT_NETWORKS.get(machine.region):
        return None
    if not world.network_exists(network, machine.region):
        raise not_found()
    return str(network)


def _set(world: World, machine: Machine, settings: dict[str, Any]) -> None:
    stays_on = machine.autoShutdownEnabled and settings.get("autoShutdownEnabled", True)
    if world.variant.auto_shutdown_bug and stays_on:
        # Metaphysic-ai's docs: disable auto-shutdown, then enable it with the new value.
        settings = {k: v for k, v in settings.items() if k not in {"autoShutdownTimeout", "autoShutdownForce"}}
    for name, value in settings.items():
        setattr(machine, name, value)
    if "publicIpType" in settings:
        readdress(world, machine)
