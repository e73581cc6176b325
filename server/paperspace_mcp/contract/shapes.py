"""What the provider sends and takes, in its own terms.

Lenient in: values outside an enum, digits as strings, missing and extra fields are all seen on the wire
(the reference says integers for `ram`, the wire said `"53687091200"`), so only an id is demanded.
What we answer is another thing: see `surface.views`.
"""

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator
from pydantic.alias_generators import to_camel


class Shape(BaseModel):
    """A JSON object of the provider: camelCase on the wire, snake_case here; built when first used."""

    model_config = ConfigDict(
        extra="ignore",
        alias_generator=to_camel,
        populate_by_name=True,
        defer_build=True,
        coerce_numbers_to_str=True,
        allow_inf_nan=False,
    )


class Accelerator(Shape):
    name: str = ""
    memory: int | None = None
    count: float = 1


class Reservation(Shape):
    id: str = ""
    name: str = ""
    dt_started: str | None = None
    dt_finished: str | None = None
    is_active: bool = False


class Machine(Shape):
    """A machine. `ram` and the `storage_*` sizes are bytes; `usage_rate` is read as USD per hour."""

    id: str
    name: str = ""
    state: str = "unknown"
    machine_type: str = ""
    region: str = ""
    agent_type: str | None = None
    os: str | None = None
    cpus: float | None = None
    ram: int | None = None
    accelerators: list[Accelerator] | None = None
    storage_total: int | None = None
    storage_used: int | None = None
    usage_rate: float | None = None
    storage_rate: float | None = None
    network_id: str | None = None
    private_ip: str | None = None
    public_ip: str | None = None
    public_ip_type: str | None = None
    auto_shutdown_enabled: bool | None = None
    auto_shutdown_timeout: float | None = None
    auto_shutdown_force: bool | None = None
    auto_snapshot_enabled: bool | None = None
    auto_snapshot_frequency: str | None = None
    auto_snapshot_save_count: float | None = None
    restore_point_enabled: bool | None = None
    restore_point_frequency: str | None = None
    restore_point_snapshot_id: str | None = None
    reservation: Reservation | None = None
    updates_pending: bool | None = None
    dt_created: str | None = None
    dt_modified: str | None = None
    dt_deleted: str | None = None


class Event(Shape):
    """A machine event. `state` is one of new, in progress, done, error, cancelled; `error` may be null even then."""

    id: str
    name: str = ""
    state: str = "unknown"
    machine_id: str | None = None
    error: str | None = None
    dt_created: str | None = None
    dt_started: str | None = None
    dt_finished: str | None = None


class MachineAndEvent(Shape):
    """The answer of a mutation. `event` is absent where nothing runs on (a PUT of settings)."""

    data: Machine
    event: Event | None = None


class User(Shape):
    id: str
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None


class Accessor(Shape):
    """A person with explicit access; `dt_deleted` marks one that was removed."""

    user: User
    dt_deleted: str | None = None


class Vnc(Shape):
    hostname: str | None = None
    port: int | None = None
    password: SecretStr | None = None


class WindowsDesktop(Shape):
    hostname: str | None = None
    port: int | None = None
    public_ip: str | None = None


class Desktop(Shape):
    """Desktop settings; both absent for a headless machine."""

    vnc: Vnc | None = None
    windows: WindowsDesktop | None = None


class TemplateMachineType(Shape):
    machine_type_label: str = ""
    is_available: bool | None = None


class Template(Shape):
    id: str
    name: str = ""
    agent_type: str | None = None
    operating_system_label: str | None = None
    default_size_gb: float | None = None
    region: str | None = None
    available_machine_types: list[TemplateMachineType] = []


class Availability(Shape):
    available: bool


class TeamMember(Shape):
    user: User


class Team(Shape):
    id: str


class Session(Shape):
    """Who the key belongs to; the provider answers a JSON `null` for a wrong key."""

    user: User | None = None
    team: Team | None = None


Item = TypeVar("Item", bound=Shape)


class Page(Shape, Generic[Item]):
    """One page of a list. The last page says `nextPage` null, empty or not at all."""

    items: list[Item]
    has_more: bool = False
    next_page: str | None = None

    @field_validator("next_page", mode="before")
    @classmethod
    def _no_empty_cursor(cls, value: Any) -> Any:
        return value or None

    @property
    def cursor(self) -> str | None:
        """Where the next page begins; None at the end."""
        return self.next_page if self.has_more else None
