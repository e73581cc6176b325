"""Arguments of every tool, and the calls that a model of each vendor makes of them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.surface.calls import BEN, DIYA, OFF, ON, ORDER, TRAIN

from paperspace_mcp import exports

Given = dict[str, Any]
EVENT = "e1"
"""Stands for an event's id, which a simulated account makes."""

WHOLE_ORDER: Given = {
    **ORDER, "accessor_ids": [DIYA], "auto_shutdown_enabled": False, "auto_shutdown_timeout_hours": 1.5,
    "auto_shutdown_force": False, "auto_snapshot_enabled": True, "auto_snapshot_frequency": "weekly",
    "auto_snapshot_save_count": 3, "email_password": False, "enable_nvlink": False, "network_id": "nwhoe4ox",
    "public_ip_type": "dynamic", "restore_point_enabled": True, "restore_point_frequency": "shutdown",
    "start_on_create": False, "startup_script_id": "", "take_initial_snapshot": False,
}  # fmt: skip
CHANGES: Given = {
    "machine": OFF, "name": "null", "auto_shutdown_enabled": True, "auto_shutdown_timeout_hours": 3,
    "auto_shutdown_force": False, "auto_snapshot_enabled": False,
}  # fmt: skip

CASES: tuple[tuple[str, Given], ...] = (
    ("list_machines", {}),
    ("list_machines", {"name_contains": "dev", "region": "ny2", "states": ["off", "ready"], "machine_type": "A4000",
                       "agent_type": "LinuxHeadless", "order_by": "name", "order": "asc", "limit": 2,
                       "response_format": "detailed"}),
    ("get_machine", {"machine": "dev-anna"}),
    ("create_machine", ORDER),
    ("create_machine", WHOLE_ORDER),
    ("update_machine", {"machine": OFF, "name": "ben"}),
    ("update_machine", CHANGES),
    ("update_machine", {"machine": OFF, "disk_size_gb": 250, "when_running": "stop"}),
    ("delete_machine", {"machine": "legacy-jenkins"}),
    ("start_machine", {"machine": OFF}),
    ("stop_machine", {"machine": ON, "wait_seconds": 0}),
    ("restart_machine", {"machine": ON}),
    ("list_machine_events", {}),
    ("list_machine_events", {"machine": ON, "states": ["done"], "names": ["start"], "since": "2020-01-01T00:00:00Z",
                             "order": "asc", "limit": 3, "response_format": "detailed"}),
    ("get_machine_event", {"event_id": EVENT}),
    ("wait_for_event", {"event_ids": [EVENT], "timeout_seconds": 0, "until": "any"}),
    ("list_machine_accessors", {"machine": TRAIN}),
    ("list_machine_accessors", {"machine": TRAIN, "order": "asc", "limit": 1}),
    ("get_machine_accessor", {"machine": TRAIN, "user": BEN}),
    ("add_machine_accessor", {"machine": OFF, "user": DIYA}),
    ("remove_machine_accessor", {"machine": TRAIN, "user": BEN}),
    ("get_machine_desktop", {"machine": "dev-diya"}),
    ("list_templates", {}),
    ("list_templates", {"machine_type": "A4000", "region": "ca1", "name_contains": "Ubuntu"}),
    ("power_machines", {"action": "stop", "name_globs": ["dev-*"]}),
    ("power_machines", {"action": "start", "machines": [OFF], "exclude_globs": ["x*"], "region": "ca1",
                        "machine_type": "RTX4000", "states": ["off"], "dry_run": True, "wait_seconds": 0}),
    ("fleet_summary", {}),
    ("find_waste", {"min_off_days": 3, "min_on_hours": 5, "exclude_globs": ["prod*"]}),
    ("explain_machine", {"machine": ON}),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Vendor:
    """fills: what its models give where nothing is meant; sends: the call as its API answers it."""

    name: str
    fills: Callable[[Mapping[str, Any], Given], Given]
    sends: Callable[[str, Given], Given]

    def parameters(self, definition: Mapping[str, Any]) -> dict[str, Any]:
        """The exported schema of a tool, as JSON Schema has it."""
        exported: Any = exports.FORMATS[self.name]([definition])[0]
        found = exported.get("function") or exported.get("functionDeclarations", [exported])[0]
        schema = found.get("parameters") or found.get("input_schema") or {"type": "OBJECT", "properties": {}}
        return {"additionalProperties": False, **_lower(schema)}


def _lower(schema: Any) -> Any:
    """Gemini's types in JSON Schema's case."""
    if not isinstance(schema, dict):
        return schema
    kept = {name: value for name, value in schema.items() if name not in {"type", "properties", "items"}}
    kind = schema["type"]
    lowered = {"type": kind.lower() if isinstance(kind, str) else kind}
    if "properties" in schema:
        lowered["properties"] = {name: _lower(one) for name, one in schema["properties"].items()}
    return {**kept, **lowered, **({"items": _lower(schema["items"])} if "items" in schema else {})}


def _all_of(definition: Mapping[str, Any], given: Given) -> Given:
    """A strict model gives every property: the default where there is one, else null."""
    properties = definition["inputSchema"]["properties"]
    return {name: given.get(name, one.get("default")) for name, one in properties.items()}


def _as_doubles(_definition: Mapping[str, Any], given: Given) -> Given:
    """Gemini's arguments are a protobuf Struct, in which every number is a double."""
    return {name: float(value) if type(value) is int else value for name, value in given.items()}


OPENAI = Vendor(
    "openai",
    _all_of,
    lambda name, given: {
        "id": "call_1",
        "type": "function",
        "function": {"name": name, "arguments": json.dumps(given)},
    },
)
ANTHROPIC = Vendor(
    "anthropic",
    lambda _definition, given: given,
    lambda name, given: {"type": "tool_use", "id": "toolu_1", "name": name, "input": given},
)
GEMINI = Vendor(
    "gemini", _as_doubles, lambda name, given: {"functionCall": {"name": name, **({"args": given} if given else {})}}
)
VENDORS = (OPENAI, ANTHROPIC, GEMINI)
