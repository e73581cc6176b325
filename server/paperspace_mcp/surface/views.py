"""What we answer. Units stand in the names, times are ISO 8601 UTC, a stranger's text is cleaned and capped.

Only `summary` is required in an envelope: an error must fit the same output schema, or a TypeScript client throws.
"""

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from paperspace_mcp.contract import shapes
from paperspace_mcp.contract.errors import Candidate
from paperspace_mcp.rules import pricing
from paperspace_mcp.rules.guard.cleaning import ERROR_CAP, NAME_CAP, clean
from paperspace_mcp.rules.naming import region

GIB = 2**30
ACCELERATORS = 16
"""Kinds of them that are shown; a machine has one."""


class View(BaseModel):
    """A part of an answer; built when first used."""

    model_config = ConfigDict(defer_build=True, extra="forbid", json_schema_serialization_defaults_required=False)


class ErrorView(View):
    code: str
    message: str
    retryable: bool
    changed: str = Field(description="Whether anything in the account changed: no, yes or unknown.")
    candidates: list[dict[str, Any]] | None = None
    next: str | None = None
    status: int | None = None
    provider_code: str | None = None


class Envelope(View):
    """What every answer may carry."""

    summary: str
    next: str | None = None
    error: ErrorView | None = None
    demo: bool | None = Field(default=None, description="True where the fleet is simulated.")


class MachineRow(View):
    id: str
    name: str
    state: str
    machine_type: str
    region: str
    usd_per_hour: float | None = Field(default=None, description="While it runs. Absent: unknown.")
    public_ip: str | None = None
    removed: int | None = Field(default=None, description="Invisible characters dropped from the name.")


class MachineView(MachineRow):
    """Every documented field."""

    usd_per_month: float | None = None
    price_source: str | None = None
    agent_type: str | None = None
    os: str | None = None
    cpus: float | None = None
    ram_gib: float | None = None
    accelerators: list[dict[str, Any]] | None = None
    disk_size_gb: float | None = None
    disk_used_gb: float | None = None
    usage_rate: float | None = None
    storage_rate: float | None = Field(default=None, description="unit: unknown")
    network_id: str | None = None
    private_ip: str | None = None
    public_ip_type: str | None = None
    auto_shutdown_enabled: bool | None = None
    auto_shutdown_timeout_hours: float | None = None
    auto_shutdown_force: bool | None = None
    auto_snapshot_enabled: bool | None = None
    auto_snapshot_frequency: str | None = None
    auto_snapshot_save_count: float | None = None
    restore_point_enabled: bool | None = None
    restore_point_frequency: str | None = None
    restore_point_snapshot_id: str | None = None
    reservation: dict[str, Any] | None = None
    updates_pending: bool | None = None
    created_at: str | None = None
    modified_at: str | None = None
    deleted_at: str | None = None


class EventView(View):
    id: str
    name: str
    state: str
    machine_id: str | None = None
    error: str | None = None
    created_at: str | None = None
    started_at: str | None = None
    finished_at: str | None = None


class WatchedView(EventView):
    verdict: str = Field(
        description="done, failed, cancelled, pending, vanished, machine_gone, unreadable or unknown_event."
    )
    elapsed_s: float | None = None
    typical_s: float | None = None
    note: str | None = None
    machine_name: str | None = None
    machine_state: str | None = None
    public_ip: str | None = None


class AccessorView(View):
    user_id: str
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    removed: bool = False
    removed_at: str | None = None


class DesktopView(View):
    kind: str = Field(description="vnc, windows or none")
    hostname: str | None = None
    port: int | None = None
    password: str | None = Field(default=None, description="Always masked.")
    public_ip: str | None = None


class TemplateView(View):
    id: str
    name: str
    os: str | None = None
    agent_type: str | None = None
    default_size_gb: float | None = None
    machine_types: list[str] | None = None


def text(value: str | None, cap: int = NAME_CAP) -> str | None:
    """A stranger's text, cleaned; None stays None."""
    return None if value is None else clean(value, cap).text


def place(value: str) -> str:
    """A region by its short name; the provider was seen to answer `East Coast (NY2)` for the `ny2` it was sent."""
    return region(value) or clean(value, 40).text


def utc(value: str | None) -> str | None:
    """A time as ISO 8601 UTC; one that is no time is cleaned and passed on."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return text(value, 40)
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.isoformat(timespec="seconds").replace("+00:00", "Z")


def gib(size: int | None) -> float | None:
    """Bytes as GiB. The provider's 50 GB disk is 50 x 2^30 bytes, so this is also its GB."""
    return None if size is None else round(size / GIB, 2)


def machine_row(machine: shapes.Machine, prices: pricing.Prices = pricing.NO_PRICES) -> MachineRow:
    return MachineRow(**_row(machine, prices))


def listed_row(machine: shapes.Machine, prices: pricing.Prices = pricing.NO_PRICES) -> MachineRow:
    """A machine among many: without its address, which would be a fifth of the list."""
    return machine_row(machine, prices).model_copy(update={"public_ip": None})


def _row(machine: shapes.Machine, prices: pricing.Prices) -> dict[str, Any]:
    name = clean(machine.name)
    return {
        "id": text(machine.id),
        "name": name.text,
        "state": text(machine.state, 40),
        "machine_type": text(machine.machine_type, 40),
        "region": place(machine.region),
        "usd_per_hour": pricing.rate(machine, prices),
        "public_ip": text(machine.public_ip, 64),
        "removed": name.removed or None,
    }


def machine_view(machine: shapes.Machine, prices: pricing.Prices = pricing.NO_PRICES) -> MachineView:
    """A machine with every documented field."""
    row = _row(machine, prices)
    plain = machine.model_dump(include=_PLAIN)
    return MachineView(
        **row,
        **{name: text(value, 128) if isinstance(value, str) else value for name, value in plain.items()},
        usd_per_month=pricing.per_month(row["usd_per_hour"]),
        price_source=pricing.source_of(machine, prices) or None,
        ram_gib=gib(machine.ram),
        accelerators=_accelerators(machine),
        disk_size_gb=gib(machine.storage_total),
        disk_used_gb=gib(machine.storage_used),
        auto_shutdown_timeout_hours=machine.auto_shutdown_timeout,
        reservation=_reservation(machine),
        created_at=utc(machine.dt_created),
        modified_at=utc(machine.dt_modified),
        deleted_at=utc(machine.dt_deleted),
    )


_PLAIN = {
    "agent_type", "os", "cpus", "usage_rate", "storage_rate", "network_id", "private_ip", "public_ip_type",
    "auto_shutdown_enabled", "auto_shutdown_force", "auto_snapshot_enabled", "auto_snapshot_frequency",
    "auto_snapshot_save_count", "restore_point_enabled", "restore_point_frequency", "restore_point_snapshot_id",
    "updates_pending",
}  # fmt: skip


def _accelerators(machine: shapes.Machine) -> list[dict[str, Any]] | None:
    """Memory comes without a unit (`unit: unknown`), so it is passed on as the number it is."""
    if machine.accelerators is None:
        return None
    shown = machine.accelerators[:ACCELERATORS]
    return [{"name": text(one.name), "count": one.count, "memory": one.memory} for one in shown]


def _reservation(machine: shapes.Machine) -> dict[str, Any] | None:
    held = machine.reservation
    if held is None:
        return None
    return {
        "id": text(held.id),
        "name": text(held.name),
        "started_at": utc(held.dt_started),
        "finished_at": utc(held.dt_finished),
        "active": held.is_active,
    }


def event_view(event: shapes.Event) -> EventView:
    return EventView(**event_fields(event))


def event_fields(event: shapes.Event) -> dict[str, Any]:
    return {
        "id": text(event.id),
        "name": text(event.name, 64),
        "state": text(event.state, 40),
        "machine_id": text(event.machine_id),
        "error": text(event.error, ERROR_CAP),
        "created_at": utc(event.dt_created),
        "started_at": utc(event.dt_started),
        "finished_at": utc(event.dt_finished),
    }


def accessor_view(accessor: shapes.Accessor) -> AccessorView:
    return AccessorView(
        user_id=text(accessor.user.id) or "",
        email=text(accessor.user.email, 254),
        first_name=text(accessor.user.first_name),
        last_name=text(accessor.user.last_name),
        removed=accessor.dt_deleted is not None,
        removed_at=utc(accessor.dt_deleted),
    )


def desktop_view(desktop: shapes.Desktop) -> DesktopView:
    """Host and port. The password never gets here in clear."""
    if desktop.vnc is not None:
        masked = "masked" if desktop.vnc.password else None
        return DesktopView(kind="vnc", hostname=text(desktop.vnc.hostname, 253), port=desktop.vnc.port, password=masked)
    if desktop.windows is not None:
        windows = desktop.windows
        ip = text(windows.public_ip, 64)
        return DesktopView(kind="windows", hostname=text(windows.hostname, 253), port=windows.port, public_ip=ip)
    return DesktopView(kind="none")


def template_view(template: shapes.Template) -> TemplateView:
    labels = [
        text(one.machine_type_label, 40) or ""
        for one in template.available_machine_types
        if one.is_available is not False
    ]
    return TemplateView(
        id=text(template.id) or "",
        name=text(template.name) or "",
        os=text(template.operating_system_label),
        agent_type=text(template.agent_type, 40),
        default_size_gb=template.default_size_gb,
        machine_types=labels,
    )


def candidate_view(candidate: Candidate) -> dict[str, Any]:
    """What is known of it: a person has an e-mail, a machine a place, a type and a state."""
    about = {
        "email": text(candidate.email, 254),
        "region": place(candidate.region),
        "machine_type": text(candidate.machine_type, 40),
        "state": text(candidate.state, 40),
    }
    return {"id": text(candidate.id), "name": text(candidate.name), **{key: one for key, one in about.items() if one}}
