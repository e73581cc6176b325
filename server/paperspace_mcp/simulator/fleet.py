"""Making machines with believable values, one or ten thousand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paperspace_mcp.simulator import catalog
from paperspace_mcp.simulator.model import Machine

if TYPE_CHECKING:
    from paperspace_mcp.simulator.world import World

_HOUR = 3600.0


def known_user(user_id: str) -> str:
    """The id itself. Raises KeyError for nobody of the team."""
    return catalog.USERS[user_id].id


def known_type(label: str) -> str:
    """The label itself. Raises ValueError for one that is not sold."""
    if label not in catalog.TYPES:
        raise ValueError(f"no such machine type: {label}")
    return label


def wire_name(name: str) -> str:
    """A field name of the wire, known or yet to come. Raises TypeError for a Python spelling of one."""
    if "_" in name:
        raise TypeError(f"the provider spells no field like {name}")
    return name


def readdress(world: World, machine: Machine) -> None:
    """A static address is kept, a dynamic one only while the machine runs (it is dropped at stop)."""
    kind = machine.publicIpType
    keeps = kind == "static" or (kind == "dynamic" and machine.state not in {"off", "provisioning"})
    machine.publicIp = (machine.publicIp or world.public_ip()) if keeps else None


def add(world: World, now: float, **fields: Any) -> Machine:
    """A machine with believable values wherever nothing is said. Raises TypeError for an unknown field."""
    own = {name: fields[name] for name in fields.keys() & Machine.__dataclass_fields__.keys()}
    own = {"id": world.new_id("ps", 9), "name": "machine", "dtCreated": now, "dtModified": now, **own}
    machine = Machine(**own)
    machine.overrides.update({wire_name(name): value for name, value in fields.items() if name not in own})
    known_type(machine.machineType)
    _complete(world, machine)
    return world.add(machine)


def _complete(world: World, machine: Machine) -> None:
    machine.networkId = machine.networkId or catalog.DEFAULT_NETWORKS.get(machine.region)
    machine.privateIp = machine.privateIp or world.private_ip()
    machine.storageUsed = machine.storageUsed or int(machine.diskSize * catalog.GIB * world.random.uniform(0.2, 0.7))
    readdress(world, machine)


def past(world: World, machine: Machine, name: str, at: float, **fields: Any) -> None:
    """An event of the past: done after its usual duration unless something else is said."""
    end = at + world.durations.get(name, 3.0)
    told = {"state": "done", "dtStarted": at + 0.4, "dtFinished": end, **fields}
    world.event(name, machine, at, **told)


_TYPES = ("A4000", "P4000", "C5", "RTX4000", "P5000", "C7")
_STATES = ("ready", "off", "off", "ready", "ready")


def generate(world: World, count: int) -> None:
    """`count` machines with two events each."""
    now = world.clock.now()
    for index in range(count):
        created = now - (count - index) * 61.0 - _HOUR
        fields = {"machineType": _TYPES[index % 6], "region": ("ny2", "ca1", "ams1")[index % 3]}
        state, name = _STATES[index % 5], f"node-{index:05d}"
        machine = add(world, now, id=f"ps{index:07d}", name=name, state=state, dtCreated=created, **fields)
        machine.dtModified = created + 150
        past(world, machine, "create", created)
        past(world, machine, "start" if machine.running else "stop", created + 95)
