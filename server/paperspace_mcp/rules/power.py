"""What a machine's state means for what may be done with it.

The provider's eight states lag its events, so a rule never waits for one exact state where a group will do.
"""

from paperspace_mcp.contract.shapes import Machine
from paperspace_mcp.rules.classing import current

ON = frozenset({"ready", "serviceready", "starting", "restarting"})
OFF = frozenset({"off", "stopping"})
STARTED = frozenset({"ready", "serviceready", "starting"})
"""Where a start changes nothing. The API answers 400 there, so we answer first."""

MACHINE_STATES = (
    "off", "starting", "stopping", "restarting", "serviceready", "ready", "upgrading", "provisioning",
)  # fmt: skip
EVENT_STATES = ("new", "in progress", "done", "error", "cancelled")


def group(state: str) -> str:
    """`on`, `off`, or the state itself where it is neither. `starting` to `ready` is no change of group."""
    return "on" if state in ON else "off" if state in OFF else state


def fingerprint(machine: Machine, fields: frozenset[str]) -> dict[str, str]:
    """The values that an approval is bound to, by the names in `fields`."""
    known = {
        "state": machine.state,
        "name": machine.name,
        "power": group(machine.state),
        "type": machine.machine_type,
        "region": machine.region,
        "disk": str(machine.storage_total),
        "network": str(machine.network_id),
    }
    settings = {name: str(current(machine, name.removeprefix(SETTING))) for name in fields if name.startswith(SETTING)}
    return {name: value for name, value in known.items() if name in fields} | settings


SETTING = "set:"
"""Before the provider's name of a field that an update changes: what it is now decides what changing it means."""
POWER = frozenset({"name", "power"})
PRICED = POWER | {"type"}
"""A start is approved at a price, and the price hangs on the type."""
WHOLE = frozenset({"name", "power", "type", "region", "disk", "network"})
ACCESS = frozenset({"name"})
"""Grant and revoke add the set of accessors, which takes a read of its own."""
