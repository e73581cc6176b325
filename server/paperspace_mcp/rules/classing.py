"""The class of a call, from its tool and its arguments: what hides inside an update or a create."""

from collections.abc import Mapping
from typing import Any

from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.shapes import Machine
from paperspace_mcp.rules.pricing import NO_PRICES, Prices, rate, usd_per_hour

GIB = 2**30


def of_create(body: Mapping[str, Any]) -> Effect:
    """A create spends; naming accessors also gives them full admin."""
    return Effect.GRANT if body.get("accessorIds") else Effect.SPEND


def hidden_in_create(body: Mapping[str, Any]) -> tuple[Effect, ...]:
    """The classes of a create below its highest: one that grants spends all the same."""
    return (Effect.SPEND,) if of_create(body) is Effect.GRANT else ()


def of_update(machine: Machine, changed: Mapping[str, Any], prices: Prices = NO_PRICES) -> tuple[Effect, ...]:
    """Every class among the fields that would really change, the highest first."""
    found = {of_field(machine, name, value, prices) for name, value in changed.items()}
    return tuple(sorted(found, key=lambda effect: effect.rank, reverse=True))


def of_field(machine: Machine, name: str, value: Any, prices: Prices = NO_PRICES) -> Effect:
    """The class of setting one field of an update (the provider's name) to a new value."""
    if name in ALWAYS:
        return ALWAYS[name]
    if name == "machineType":
        return _machine_type(machine, value, prices)
    judge = _JUDGES.get(name)
    return judge(machine, value) if judge else Effect.DISRUPT


def _machine_type(machine: Machine, value: Any, prices: Prices) -> Effect:
    """Dearer or unpriced spends. Any change of type needs the machine off, which disrupts nothing by itself."""
    old, new = rate(machine, prices), usd_per_hour(str(value), prices)
    return Effect.SPEND if new is None or old is None or new > old else Effect.DISRUPT


def _auto_shutdown(_machine: Machine, value: Any) -> Effect:
    return Effect.DISRUPT if value else Effect.SPEND


def _auto_snapshot(_machine: Machine, value: Any) -> Effect:
    return Effect.DISRUPT if value else Effect.DESTROY


def _save_count(machine: Machine, value: Any) -> Effect:
    """Fewer kept deletes the others."""
    kept = machine.auto_snapshot_save_count
    return Effect.DISRUPT if kept is not None and value >= kept else Effect.DESTROY


def _public_ip(machine: Machine, _value: Any) -> Effect:
    """A static address that is left is gone to somebody else; one of unknown kind may be static."""
    return Effect.DISRUPT if machine.public_ip_type in {"dynamic", "none"} else Effect.DESTROY


ALWAYS: dict[str, Effect] = {
    "diskSize": Effect.DESTROY,  # a disk only grows
    "networkId": Effect.DESTROY,  # there is no way back to the default network
    "restorePointEnabled": Effect.DESTROY,
    "restorePointFrequency": Effect.DESTROY,
    "restorePointSnapshotId": Effect.DESTROY,
}
"""The class of setting a field (the provider's name), whatever it was and will be."""
_JUDGES = {
    "autoShutdownEnabled": _auto_shutdown,
    "autoSnapshotEnabled": _auto_snapshot,
    "autoSnapshotSaveCount": _save_count,
    "publicIpType": _public_ip,
}


def current(machine: Machine, name: str) -> Any:
    """What an update's field (the provider's name) is set to now; None where it is not known."""
    if name == "diskSize":
        return None if machine.storage_total is None else machine.storage_total / GIB
    return machine.model_dump(by_alias=True).get(name)


def changes(machine: Machine, body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an update that are not so already. An unknown present value counts as a change."""
    return {name: value for name, value in body.items() if current(machine, name) != value}
