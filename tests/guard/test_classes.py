"""Which text each change takes, seen at the wire; and classes that rise between the question and the answer."""

from typing import Any

import pytest
from tests.guard.bench import Bench, Person, error_of, types

pytestmark = pytest.mark.anyio

# Fields of an update on `dev-ben` (RTX4000, off, 100 GB, default network) -> what must be typed.
FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"name": "dev-bob"}, "update"),
    ({"machine_type": "RTX5000"}, "update"),
    ({"machine_type": "RTX5000"}, "update"),
    ({"auto_shutdown_enabled": False}, "update"),
    ({"auto_shutdown_timeout_hours": 24}, "update"),
    ({"auto_shutdown_force": True}, "update"),
    ({"auto_snapshot_enabled": True}, "update"),
    ({"auto_snapshot_frequency": "weekly"}, "update"),
    ({"auto_snapshot_save_count": 3}, "dev-ben"),
    ({"disk_size_gb": 250}, "dev-ben"),
    ({"network_id": "nca1wst5"}, "dev-ben"),
    ({"network_id": ""}, "dev-ben"),
    ({"public_ip_type": "static"}, "update"),
    ({"restore_point_enabled": True}, "dev-ben"),
    ({"restore_point_frequency": "shutdown"}, "dev-ben"),
    ({"restore_point_snapshot_id": "s1"}, "dev-ben"),
    ({"name": "dev-bob", "auto_shutdown_force": True, "restore_point_enabled": True}, "dev-ben"),
]


@pytest.mark.parametrize(("fields", "text"), FIELDS, ids=str)
async def test_each_field_takes_the_text_of_its_class(
    bench: Bench, era: str, fields: dict[str, Any], text: str
) -> None:
    arguments = {"machine": "dev-ben", **fields}
    other = "dev-ben" if text == "update" else "update"
    assert error_of(await bench.call(era, Person(types(other)), "update_machine", arguments)) == "mistyped"
    assert bench.sent == []
    await bench.call(era, Person(types(text)), "update_machine", arguments)
    assert bench.sent == ["PUT /machines/ps8jo1fga"]


DANGERS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"publicIpType": "static"}, {"public_ip_type": "none"}),
    ({"autoSnapshotEnabled": True, "autoSnapshotSaveCount": 7}, {"auto_snapshot_save_count": 6}),
    ({"autoSnapshotEnabled": True}, {"auto_snapshot_enabled": False}),
]


@pytest.mark.parametrize(("before", "fields"), DANGERS)
async def test_what_loses_something_takes_the_name(
    bench: Bench, era: str, before: dict[str, Any], fields: dict[str, Any]
) -> None:
    bench.sim.change("dev-ben", **before)
    arguments = {"machine": "dev-ben", **fields}
    await bench.call(era, Person(types("update")), "update_machine", arguments)
    assert bench.sent == []
    await bench.call(era, Person(types("dev-ben")), "update_machine", arguments)
    assert len(bench.sent) == 1


RISES: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({"autoSnapshotSaveCount": 3}, {"auto_snapshot_save_count": 5}, {"autoSnapshotSaveCount": 9}),
    ({"publicIpType": "dynamic"}, {"public_ip_type": "none"}, {"publicIpType": "static"}),
    ({"machineType": "A6000"}, {"machine_type": "A5000"}, {"machineType": "A4000"}),
]


@pytest.mark.parametrize(("before", "fields", "meanwhile"), RISES)
async def test_an_update_that_became_worse_is_not_sent(
    bench: Bench, era: str, before: dict[str, Any], fields: dict[str, Any], meanwhile: dict[str, Any]
) -> None:
    """The person typed `update` for what was harmless; by then it would lose snapshots or an address, or cost more."""
    bench.sim.change("dev-ben", **before)
    person = Person(types("update"), before=lambda: bench.sim.change("dev-ben", **meanwhile))
    await bench.call(era, person, "update_machine", {"machine": "dev-ben", **fields})
    assert bench.sent == []


async def test_a_start_that_became_dearer_is_not_sent(bench: Bench, era: str) -> None:
    bench.sim.change("dev-ben", machineType="C1")
    person = Person(types("start"), before=lambda: bench.sim.change("dev-ben", machineType="H100"))
    await bench.call(era, person, "start_machine", {"machine": "dev-ben"})
    assert "0.0045 USD/h" in person.questions[0]
    assert bench.sent == []


async def test_two_harmless_looking_updates_of_one_machine(bench: Bench) -> None:
    """Each is a question of its own, and each answer lets its own body through."""
    from tests.guard.bench import Call

    bodies = [{"auto_shutdown_timeout_hours": 24}, {"auto_shutdown_timeout_hours": 8760}]
    rounds = [await bench.ask(Call("update_machine", {"machine": "dev-ben", **body}, "update", ())) for body in bodies]
    assert rounds[0].code != rounds[1].code
    await rounds[1].answer(types("update"), state=rounds[0].state)
    assert bench.sent == []
    await rounds[0].answer(types("update"))
    assert [request.body for request in bench.sim.mutations()] == [{"autoShutdownTimeout": 24}]
