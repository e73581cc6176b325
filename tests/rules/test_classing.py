"""The class of every field of a create and an update."""

from typing import Any

import pytest

from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.requests import MachineUpdate
from paperspace_mcp.contract.shapes import Machine
from paperspace_mcp.rules import classing

SPEND, DISRUPT, GRANT, DESTROY = Effect.SPEND, Effect.DISRUPT, Effect.GRANT, Effect.DESTROY
GIB = 2**30


def machine(**fields: Any) -> Machine:
    return Machine.model_validate({"id": "ps1", "name": "dev", "machineType": "A4000", "state": "off", **fields})


FIELDS: list[tuple[dict[str, Any], str, Any, Effect]] = [
    ({}, "name", "new", DISRUPT),
    ({}, "machineType", "A5000", SPEND),
    ({}, "machineType", "P4000", DISRUPT),
    ({}, "machineType", "RTX4000", DISRUPT),
    ({}, "machineType", "unheard-of", SPEND),
    ({}, "machineType", "C5", SPEND),
    ({}, "machineType", "", SPEND),
    ({"machineType": "unheard-of"}, "machineType", "C1", SPEND),
    ({"usageRate": 0.1}, "machineType", "P4000", SPEND),
    ({"usageRate": 9.0}, "machineType", "H100", DISRUPT),
    ({"machineType": "A100"}, "machineType", "A100x4", SPEND),
    ({}, "diskSize", 1, DESTROY),
    ({}, "diskSize", 16_000, DESTROY),
    ({}, "networkId", "", DESTROY),
    ({}, "networkId", "n1", DESTROY),
    ({}, "autoShutdownEnabled", True, DISRUPT),
    ({}, "autoShutdownEnabled", False, SPEND),
    ({}, "autoShutdownTimeout", 8760, DISRUPT),
    ({}, "autoShutdownForce", True, DISRUPT),
    ({}, "autoSnapshotEnabled", True, DISRUPT),
    ({}, "autoSnapshotEnabled", False, DESTROY),
    ({}, "autoSnapshotFrequency", "hourly", DISRUPT),
    ({"autoSnapshotSaveCount": 5}, "autoSnapshotSaveCount", 4, DESTROY),
    ({"autoSnapshotSaveCount": 5}, "autoSnapshotSaveCount", 5, DISRUPT),
    ({"autoSnapshotSaveCount": 5}, "autoSnapshotSaveCount", 6, DISRUPT),
    ({"autoSnapshotSaveCount": 0}, "autoSnapshotSaveCount", 1, DISRUPT),
    ({}, "autoSnapshotSaveCount", 9, DESTROY),
    ({"publicIpType": "static"}, "publicIpType", "dynamic", DESTROY),
    ({"publicIpType": "static"}, "publicIpType", "none", DESTROY),
    ({"publicIpType": "dynamic"}, "publicIpType", "static", DISRUPT),
    ({"publicIpType": "dynamic"}, "publicIpType", "none", DISRUPT),
    ({}, "publicIpType", "none", DESTROY),
    ({}, "restorePointEnabled", True, DESTROY),
    ({}, "restorePointEnabled", False, DESTROY),
    ({}, "restorePointFrequency", "shutdown", DESTROY),
    ({}, "restorePointSnapshotId", "s1", DESTROY),
    ({}, "unknownField", 1, DISRUPT),
]


@pytest.mark.parametrize(("now", "name", "value", "effect"), FIELDS)
def test_class_of_each_field(now: dict[str, Any], name: str, value: Any, effect: Effect) -> None:
    assert classing.of_field(machine(**now), name, value) is effect
    assert classing.of_update(machine(**now), {name: value}) == (effect,)
    assert set(classing.of_update(machine(**now), {"name": "x", name: value})) == {effect, DISRUPT}


def test_every_field_of_an_update_has_a_row() -> None:
    names = {info.alias for info in MachineUpdate.model_fields.values()}
    assert names == {name for _, name, _, _ in FIELDS} - {"unknownField"}


def test_the_highest_class_comes_first_and_none_is_hidden() -> None:
    changed = {"autoShutdownEnabled": False, "name": "x", "diskSize": 100}
    assert classing.of_update(machine(), changed) == (DESTROY, DISRUPT, SPEND)
    assert classing.of_update(machine(), {}) == ()


@pytest.mark.parametrize(
    ("body", "effect"),
    [({}, SPEND), ({"accessorIds": []}, SPEND), ({"accessorIds": None}, SPEND), ({"accessorIds": ["u1"]}, GRANT)],
)
def test_class_of_a_create(body: dict[str, Any], effect: Effect) -> None:
    assert classing.of_create(body) is effect
    assert {effect, *classing.hidden_in_create(body)} == {SPEND, effect}


NOW = machine(storageTotal=str(100 * GIB), autoShutdownEnabled=True, autoShutdownTimeout=8, networkId="n1")
CHANGES: list[tuple[dict[str, Any], set[str]]] = [
    ({"diskSize": 100}, set()),
    ({"diskSize": 100.0}, set()),
    ({"diskSize": 101}, {"diskSize"}),
    ({"name": "dev"}, set()),
    ({"name": "Dev"}, {"name"}),
    ({"autoShutdownEnabled": True, "autoShutdownTimeout": 8.0}, set()),
    ({"autoShutdownEnabled": False}, {"autoShutdownEnabled"}),
    ({"networkId": ""}, {"networkId"}),
    ({"restorePointEnabled": False}, {"restorePointEnabled"}),
    ({"autoSnapshotSaveCount": 1, "networkId": "n1"}, {"autoSnapshotSaveCount"}),
]


@pytest.mark.parametrize(("body", "changed"), CHANGES)
def test_only_what_would_change_is_left(body: dict[str, Any], changed: set[str]) -> None:
    assert set(classing.changes(NOW, body)) == changed


def test_an_unknown_disk_counts_as_a_change() -> None:
    assert classing.current(machine(), "diskSize") is None
    assert classing.changes(machine(), {"diskSize": 50}) == {"diskSize": 50}
