"""What the operations take: query parameters and bodies, by the reference's names.

A field that was not given is left out (`exclude_unset`): the API's PUT is partial, and `false` and `0` are values.
"""

from typing import Literal

from paperspace_mcp.contract.shapes import Shape

Order = Literal["asc", "desc"]
IpType = Literal["static", "dynamic", "none"]
SnapshotFrequency = Literal["hourly", "daily", "weekly", "monthly"]

PAGE_LIMIT = 120
"""The most items that the provider gives in one page."""


class PageQuery(Shape):
    after: str | None = None
    limit: int | None = None
    order: Order | None = None


class MachinesQuery(PageQuery):
    order_by: Literal["dtCreated", "name", "state"] | None = None
    name: str | None = None
    region: str | None = None
    agent_type: str | None = None
    machine_type: str | None = None


class EventsQuery(PageQuery):
    order_by: Literal["dtCreated"] | None = None
    machine_id: str | None = None


class AccessorsQuery(PageQuery):
    order_by: Literal["id"] | None = None


class TemplatesQuery(PageQuery):
    order_by: Literal["name"] | None = None
    name: str | None = None


class AvailabilityQuery(Shape):
    machine_type: str
    region: str


class Settings(Shape):
    """The fields that a create and an update share."""

    auto_shutdown_enabled: bool | None = None
    auto_shutdown_force: bool | None = None
    auto_shutdown_timeout: float | None = None
    auto_snapshot_enabled: bool | None = None
    auto_snapshot_frequency: SnapshotFrequency | None = None
    auto_snapshot_save_count: float | None = None
    network_id: str | None = None
    public_ip_type: IpType | None = None
    restore_point_enabled: bool | None = None
    restore_point_frequency: Literal["shutdown"] | None = None


class MachineCreate(Settings):
    name: str
    machine_type: str
    template_id: str
    region: str
    disk_size: float
    accessor_ids: list[str] | None = None
    email_password: bool | None = None
    enable_nvlink: bool | None = None
    start_on_create: bool | None = None
    startup_script_id: str | None = None
    take_initial_snapshot: bool | None = None


class MachineUpdate(Settings):
    name: str | None = None
    machine_type: str | None = None
    disk_size: float | None = None
    restore_point_snapshot_id: str | None = None


class AccessorAdd(Shape):
    user_id: str
