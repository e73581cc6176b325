"""What a machine's state means for what may be done with it.

The provider's eight states lag its events, so a rule never waits for one exact state where a group will do.
"""

from collections.abc import Iterable, Mapping, Sequence

from paperspace_mcp.contract.shapes import Event, Machine
from paperspace_mcp.rules import waiting
from paperspace_mcp.rules.classing import current

ON = frozenset({"ready", "serviceready", "starting", "restarting"})
OFF = frozenset({"off", "stopping"})
PASSING = frozenset({"starting", "stopping", "restarting", "upgrading", "provisioning"})
"""States that end by themselves; until then the API refuses most of what is asked."""

MACHINE_STATES = (
    "off", "starting", "stopping", "restarting", "serviceready", "ready", "upgrading", "provisioning",
)  # fmt: skip
EVENT_STATES = ("new", "in progress", "done", "error", "cancelled")
ENDED = frozenset({"done", "error", "cancelled"})
BEGUN_LAG_S = 120.0
"""How long a machine's state may be behind an event that was begun; an older one that is unfinished is stuck."""

LEADS: Mapping[str, str] = {
    "start": "on", "restart": "on", "stop": "off", "vm-shutdown-force": "off",
    "create": "", "vm-upgrade": "", "vm-migrate": "", "snapshot-restore": "", "deactivate": "",
}  # fmt: skip
"""The events that move a machine, and the group of states they lead to; empty where their name does not tell."""


def group(state: str) -> str:
    """`on`, `off`, or the state itself where it is neither. `starting` to `ready` is no change of group."""
    return "on" if state in ON else "off" if state in OFF else state


def moving(state: str, events: Iterable[Event], now: float, within_s: float = BEGUN_LAG_S) -> Event | None:
    """The event that is under way on a machine of this state, also where the state does not show it yet.

    events: newest first. now: seconds since the epoch. within_s: how old an unfinished event may be that the state
    does not show; after that it counts as stuck, and the state alone counts. One that was done a moment ago counts
    while the state is against it.
    """
    newest = next(
        (event for event in events if event.name in LEADS and event.state not in {"error", "cancelled"}), None
    )
    if newest is None:
        return None
    if newest.state == "done":
        return newest if _settling(state, newest, now) else None
    made = waiting.seconds_of(newest.dt_created) or waiting.seconds_of(newest.dt_started) or 0.0
    return newest if now - made <= (waiting.OVERDUE_S if state in PASSING else within_s) else None


def _settling(state: str, event: Event, now: float) -> bool:
    """Whether a machine still shows the state that an event has just ended: it lags at both ends (CPAD, SKY)."""
    finished = waiting.seconds_of(event.dt_finished)
    against = {LEADS[event.name], group(state)} == {"on", "off"}
    return against and finished is not None and abs(now - finished) <= waiting.LAG_S


def behind(events: Sequence[Event]) -> Event | None:
    """The event that a state such as `stopping` comes from, however old: the unfinished one, else the last."""
    moves = [event for event in events if event.name in LEADS]
    return next((event for event in moves if event.state not in ENDED), moves[0] if moves else None)


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
