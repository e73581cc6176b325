"""Machines and events as the provider keeps them, and how they look on the wire.

Attribute names are the provider's own (camelCase), so that a test speaks of `machine.machineType`. Dates are seconds
since the epoch, memory and storage bytes, regions the short code; the wire forms are made in `machine_json`.
"""
# ruff: noqa: N815 - the provider's own names

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from paperspace_mcp.simulator import catalog
from paperspace_mcp.simulator.clock import iso

if TYPE_CHECKING:
    from paperspace_mcp.simulator.variant import Variant

_HOURS = 730.0
"""In a month."""
RUNNING = frozenset({"ready", "serviceready"})


@dataclass
class Event:
    """A machine event. `halted` stops what it had still planned; `vanished` makes it answer 404."""

    id: str
    name: str
    machineId: str
    dtCreated: float
    state: str = "new"
    dtStarted: float | None = None
    dtFinished: float | None = None
    error: str | None = None
    halted: bool = False
    vanished: bool = False

    def finish(self, at: float, state: str = "done", error: str | None = None) -> None:
        self.state, self.error, self.dtFinished = state, error, at


@dataclass
class Reservation:
    """A reservation of capacity for a machine."""

    id: str
    name: str
    dtStarted: float
    dtFinished: float
    isActive: bool = True


@dataclass
class Machine:
    """A machine. `current` is the event in flight: it, not `state`, decides what is allowed (state lags events)."""

    id: str
    name: str
    dtCreated: float
    dtModified: float
    state: str = "off"
    machineType: str = "A4000"
    region: str = "ny2"
    os: str = "Ubuntu 22.04 Server"
    agentType: str = "LinuxHeadless"
    diskSize: float = 50
    storageUsed: int = 0
    networkId: str | None = None
    privateIp: str | None = None
    publicIp: str | None = None
    publicIpType: str = "dynamic"
    autoShutdownEnabled: bool = False
    autoShutdownForce: bool | None = None
    autoShutdownTimeout: float | None = None
    autoSnapshotEnabled: bool = False
    autoSnapshotFrequency: str | None = None
    autoSnapshotSaveCount: float | None = None
    restorePointEnabled: bool = False
    restorePointFrequency: str | None = None
    restorePointSnapshotId: str | None = None
    reservation: Reservation | None = None
    updatesPending: bool = False
    dtDeleted: float | None = None
    templateId: str = catalog.DEFAULT_TEMPLATE
    password: str = "not-a-real-secret"  # noqa: S105 - a simulated desktop password
    accessors: dict[str, float | None] = field(default_factory=dict)
    """User id to the date of removal (None while the user has access)."""
    current: Event | None = None
    overrides: dict[str, Any] = field(default_factory=dict)
    """Wire fields set from outside that have no attribute (`usageRate`, `ram`, ...)."""

    @property
    def kind(self) -> catalog.MachineType:
        return catalog.TYPES[self.machineType]

    @property
    def gone(self) -> bool:
        return self.dtDeleted is not None

    @property
    def running(self) -> bool:
        return self.state in RUNNING


def _digits(value: float, variant: Variant) -> int | str:
    """int64 is a JSON string of digits on the wire (Metaphysic-ai's provider decodes strings, Nov 2024)."""
    return str(int(value)) if variant.digits_as_strings else int(value)


def _date(moment: float | None) -> str | None:
    return None if moment is None else iso(moment)


def event_json(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "name": event.name,
        "state": event.state,
        "machineId": event.machineId,
        "error": event.error,
        "dtCreated": iso(event.dtCreated),
        "dtStarted": _date(event.dtStarted),
        "dtFinished": _date(event.dtFinished),
    }


def _storage_rate(machine: Machine, variant: Variant) -> float:
    month = catalog.storage_rate(machine.diskSize)
    return month if variant.storage_rate == "month" else round(month / _HOURS, 6)


def _accelerators(machine: Machine, variant: Variant) -> list[dict[str, Any]] | None:
    kind = machine.kind
    if kind.gpu is None:
        return None
    return [{"name": kind.gpu, "memory": _digits(kind.gpu_memory * catalog.GIB, variant), "count": kind.gpu_count}]


def _hardware(machine: Machine, variant: Variant) -> dict[str, Any]:
    kind = machine.kind
    return {
        "os": machine.os,
        "agentType": machine.agentType,
        "machineType": machine.machineType,
        "cpus": kind.cpus,
        "ram": _digits(kind.ram * catalog.GIB, variant),
        "storageTotal": _digits(machine.diskSize * catalog.GIB, variant),
        "storageUsed": _digits(machine.storageUsed, variant),
        "accelerators": _accelerators(machine, variant),
        "usageRate": 0 if variant.free_when_off and machine.state == "off" else kind.price,
        "storageRate": _storage_rate(machine, variant),
    }


_PLAIN = (
    "networkId",
    "privateIp",
    "publicIp",
    "publicIpType",
    "autoShutdownEnabled",
    "autoShutdownTimeout",
    "autoShutdownForce",
    "autoSnapshotEnabled",
    "autoSnapshotFrequency",
    "autoSnapshotSaveCount",
    "restorePointEnabled",
    "restorePointFrequency",
    "restorePointSnapshotId",
    "updatesPending",
)


def _reservation(machine: Machine) -> dict[str, Any] | None:
    held = machine.reservation
    if held is None:
        return None
    dates = {"dtStarted": iso(held.dtStarted), "dtFinished": iso(held.dtFinished)}
    return {"id": held.id, "name": held.name, **dates, "isActive": held.isActive}


def _dates(machine: Machine) -> dict[str, Any]:
    return {
        "dtCreated": iso(machine.dtCreated),
        "dtModified": iso(machine.dtModified),
        "dtDeleted": _date(machine.dtDeleted),
    }


def machine_json(machine: Machine, variant: Variant) -> dict[str, Any]:
    """The machine as the wire carries it: all 31 required fields and accelerators."""
    region = catalog.REGIONS.get(machine.region, machine.region) if variant.long_regions else machine.region
    answer = {
        "id": machine.id,
        "name": machine.name,
        "state": machine.state,
        **_hardware(machine, variant),
        "region": region,
        **{name: getattr(machine, name) for name in _PLAIN},
        "reservation": _reservation(machine),
        **_dates(machine),
        **machine.overrides,
    }
    if variant.omit_null_accelerators and answer["accelerators"] is None:
        del answer["accelerators"]
    return answer


def user_json(user: catalog.User) -> dict[str, Any]:
    names = {"firstName": user.firstName, "lastName": user.lastName}
    return {"id": user.id, "email": user.email, **names, "publicProfileImageUrl": None}


def accessor_json(user_id: str, removed: float | None) -> dict[str, Any]:
    return {"dtDeleted": _date(removed), "user": user_json(catalog.USERS[user_id])}


def desktop_json(machine: Machine, variant: Variant) -> dict[str, Any]:
    """vnc for a Linux desktop, windows for a Windows one, `{}` for a headless machine."""
    if not (machine.running or variant.desktop_when_off):
        return {}
    host = f"{machine.id}.{machine.region}.desktop.example.com"
    if machine.agentType == "LinuxDesktop":
        return {"vnc": {"hostname": host, "port": 5901, "password": machine.password}}
    if machine.agentType == "WindowsDesktop":
        address = {"publicIp": machine.publicIp} if machine.publicIp else {}
        return {"windows": {"hostname": host, "port": 8443, **address}}
    return {}
