"""For each operation of the reference, a tool call that reaches it once."""

from typing import Any

from paperspace_mcp.simulator import Simulator

ORDER: dict[str, Any] = {
    "name": "new-one",
    "machine_type": "A4000",
    "template_id": "t0nspur5",
    "region": "ny2",
    "disk_size_gb": 50,
}
ON, OFF, TRAIN = "psoxnh2i7", "ps8jo1fga", "psx7d4gv1p9e"
"""dev-anna runs, dev-ben is off, train-a100 has people."""
BEN, DIYA = "ub3n7q2xd", "ud1yam5t2"

READS: dict[str, dict[str, Any]] = {
    "list_machines": {},
    "get_machine": {"machine": ON},
    "list_machine_events": {},
    "get_machine_event": {},
    "list_machine_accessors": {"machine": TRAIN},
    "get_machine_accessor": {"machine": TRAIN, "user": BEN},
    "get_machine_desktop": {"machine": "psw5y2hq8n6a"},
    "list_templates": {},
}
MUTATIONS: dict[str, dict[str, Any]] = {
    "create_machine": ORDER,
    "update_machine": {"machine": OFF, "disk_size_gb": 250},
    "delete_machine": {"machine": "psl9x6kb0j4w"},
    "start_machine": {"machine": OFF},
    "stop_machine": {"machine": ON},
    "restart_machine": {"machine": ON},
    "add_machine_accessor": {"machine": OFF, "user": DIYA},
    "remove_machine_accessor": {"machine": TRAIN, "user": BEN},
}
TAKES_TIME = ("create_machine", "update_machine", "delete_machine", "start_machine", "stop_machine", "restart_machine")


def arguments(operation: str, sim: Simulator) -> dict[str, Any]:
    """The arguments of the tool of the same name."""
    if operation == "get_machine_event":
        return {"event_id": next(iter(sim.events))}
    return {**READS, **MUTATIONS}[operation]
