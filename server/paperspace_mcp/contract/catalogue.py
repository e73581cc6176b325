"""The 15 operations of the reference on one page, and the few neighbours that they lean on."""

from typing import Any

from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.operation import Operation
from paperspace_mcp.contract.requests import (
    AccessorAdd,
    AccessorsQuery,
    AvailabilityQuery,
    EventsQuery,
    MachineCreate,
    MachinesQuery,
    MachineUpdate,
    PageQuery,
    TemplatesQuery,
)
from paperspace_mcp.contract.shapes import (
    Accessor,
    Availability,
    Desktop,
    Event,
    Machine,
    MachineAndEvent,
    Page,
    Session,
    TeamMember,
    Template,
)

# fmt: off
LIST_MACHINES = Operation("list_machines", "GET", "/machines", Page[Machine], Effect.READ, query=MachinesQuery)
GET_MACHINE = Operation("get_machine", "GET", "/machines/{id}", Machine, Effect.READ)
CREATE_MACHINE = Operation("create_machine", "POST", "/machines", MachineAndEvent, Effect.SPEND, body=MachineCreate)
UPDATE_MACHINE = Operation(
    "update_machine", "PUT", "/machines/{id}", MachineAndEvent, Effect.DISRUPT, body=MachineUpdate,
)
DELETE_MACHINE = Operation(
    "delete_machine", "DELETE", "/machines/{id}", MachineAndEvent, Effect.DESTROY,
    consequence="The machine, its disk and its snapshots are lost for good.",
)
START_MACHINE = Operation("start_machine", "PATCH", "/machines/{id}/start", MachineAndEvent, Effect.SPEND)
STOP_MACHINE = Operation("stop_machine", "PATCH", "/machines/{id}/stop", MachineAndEvent, Effect.DISRUPT)
RESTART_MACHINE = Operation("restart_machine", "PATCH", "/machines/{id}/restart", MachineAndEvent, Effect.DISRUPT)
LIST_MACHINE_EVENTS = Operation(
    "list_machine_events", "GET", "/machine-events", Page[Event], Effect.READ, query=EventsQuery,
)
GET_MACHINE_EVENT = Operation("get_machine_event", "GET", "/machine-events/{id}", Event, Effect.READ)
LIST_MACHINE_ACCESSORS = Operation(
    "list_machine_accessors", "GET", "/machines/{id}/accessors", Page[Accessor], Effect.READ, query=AccessorsQuery,
)
GET_MACHINE_ACCESSOR = Operation(
    "get_machine_accessor", "GET", "/machines/{id}/accessors/{userId}", Accessor, Effect.READ,
)
ADD_MACHINE_ACCESSOR = Operation(
    "add_machine_accessor", "POST", "/machines/{id}/accessors", Accessor, Effect.GRANT, body=AccessorAdd,
)
REMOVE_MACHINE_ACCESSOR = Operation(
    "remove_machine_accessor", "DELETE", "/machines/{id}/accessors/{userId}", Accessor, Effect.DISRUPT,
)
GET_MACHINE_DESKTOP = Operation("get_machine_desktop", "GET", "/machines/{id}/desktop", Desktop, Effect.READ)

REFERENCE: tuple[Operation[Any], ...] = (
    LIST_MACHINES, GET_MACHINE, CREATE_MACHINE, UPDATE_MACHINE, DELETE_MACHINE,
    START_MACHINE, STOP_MACHINE, RESTART_MACHINE,
    LIST_MACHINE_EVENTS, GET_MACHINE_EVENT,
    LIST_MACHINE_ACCESSORS, GET_MACHINE_ACCESSOR, ADD_MACHINE_ACCESSOR, REMOVE_MACHINE_ACCESSOR,
    GET_MACHINE_DESKTOP,
)

# Not on the reference page; it points at the first. Each may be missing upstream, and its absence is an answer.
LIST_TEMPLATES = Operation(
    "list_templates", "GET", "/os-templates", Page[Template], Effect.READ, query=TemplatesQuery, reference=False,
)
MACHINE_AVAILABILITY = Operation(
    "machine_availability", "GET", "/machine-availability", Availability, Effect.READ,
    query=AvailabilityQuery, reference=False,
)
AUTH_SESSION = Operation("auth_session", "GET", "/auth/session", Session, Effect.READ, reference=False)
LIST_TEAM_USERS = Operation(
    "list_team_users", "GET", "/teams/{id}/users", Page[TeamMember], Effect.READ, query=PageQuery, reference=False,
)
# fmt: on

NEIGHBOURS: tuple[Operation[Any], ...] = (LIST_TEMPLATES, MACHINE_AVAILABILITY, AUTH_SESSION, LIST_TEAM_USERS)
OPERATIONS: dict[str, Operation[Any]] = {operation.name: operation for operation in (*REFERENCE, *NEIGHBOURS)}
