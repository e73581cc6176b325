"""Creating: the price in the question, every field sent as given, at most one machine per approval."""

from typing import Any

import pytest
from tests.conftest import Talking
from tests.surface.talk import Assistant, declines

from paperspace_mcp.simulator import Fault, Simulator

pytestmark = pytest.mark.anyio

ORDER: dict[str, Any] = {
    "name": "new-one",
    "machine_type": "A4000",
    "template_id": "t0nspur5",
    "region": "ny2",
    "disk_size_gb": 50,
}
SENT = {"name": "new-one", "machineType": "A4000", "templateId": "t0nspur5", "region": "ny2", "diskSize": 50}


async def test_a_machine_is_made_once_and_its_price_told(assistant: Assistant, sim: Simulator) -> None:
    reply = await assistant.call("create_machine", **ORDER)
    [request] = sim.mutations()
    assert (request.method, request.path, request.body) == ("POST", "/machines", SENT)
    [question] = assistant.questions
    assert "0.76 USD/h" in question
    assert "555 USD/month" in question
    assert "The type is free now." in question
    assert "Nothing shuts it down by itself." in question
    assert question.endswith("type: create")
    made = sim.machine("new-one")
    assert (reply.data["machine"]["id"], reply.data["usd_per_hour"]) == (made.id, 0.76)
    assert reply.data["event"]["name"] == "create"
    assert made.id in reply.text


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"start_on_create": False}, {"startOnCreate": False}),
        ({"auto_shutdown_enabled": False}, {"autoShutdownEnabled": False}),
        ({"auto_shutdown_enabled": True, "auto_shutdown_timeout_hours": 8},
         {"autoShutdownEnabled": True, "autoShutdownTimeout": 8}),
        ({"auto_shutdown_force": False}, {"autoShutdownForce": False}),
        ({"auto_snapshot_enabled": False}, {"autoSnapshotEnabled": False}),
        ({"auto_snapshot_frequency": "daily", "auto_snapshot_save_count": 3},
         {"autoSnapshotFrequency": "daily", "autoSnapshotSaveCount": 3}),
        ({"email_password": False}, {"emailPassword": False}),
        ({"enable_nvlink": False}, {"enableNvlink": False}),
        ({"network_id": "nwhoe4ox"}, {"networkId": "nwhoe4ox"}),
        ({"public_ip_type": "none"}, {"publicIpType": "none"}),
        ({"restore_point_enabled": False, "restore_point_frequency": "shutdown"},
         {"restorePointEnabled": False, "restorePointFrequency": "shutdown"}),
        ({"startup_script_id": ""}, {"startupScriptId": ""}),
        ({"take_initial_snapshot": False}, {"takeInitialSnapshot": False}),
        ({"start_on_create": None, "network_id": None, "accessor_ids": None}, {}),
        ({"name": "null"}, {"name": "null"}),
        ({"name": "[1]"}, {"name": "[1]"}),
    ],
)  # fmt: skip
async def test_every_field_is_sent_as_given(
    client: Talking, sim: Simulator, given: dict[str, Any], sent: dict[str, Any]
) -> None:
    async with client("2026-07-28") as assistant:
        await assistant.call("create_machine", **{**ORDER, **given})
    assert [request.body for request in sim.mutations()] == [{**SENT, **sent}]


@pytest.mark.parametrize("people", [["ub3n7q2xd"], ["ben@example.com"]])
async def test_people_who_get_access_are_confirmed_by_their_address(
    assistant: Assistant, sim: Simulator, people: list[str]
) -> None:
    await assistant.call("create_machine", **ORDER, accessor_ids=people)
    assert sim.mutations()[0].body == {**SENT, "accessorIds": ["ub3n7q2xd"]}
    assert assistant.questions[0].endswith("type who gets access: ben@example.com")
    assert list(sim.machine("new-one").accessors) == ["ub3n7q2xd"]


async def test_a_type_that_is_not_free_is_said_so(assistant: Assistant, sim: Simulator) -> None:
    order = {**ORDER, "machine_type": "H100x8", "disk_size_gb": 500}
    await assistant.call("create_machine", **order)
    assert "NOT free" in assistant.questions[0]
    assert "price unknown" not in assistant.questions[0]
    assert len(sim.mutations()) == 1


async def test_availability_that_is_not_offered_stops_nothing(assistant: Assistant, sim: Simulator) -> None:
    sim.faults.add(Fault("status", "machine_availability", status=404, times=None))
    await assistant.call("create_machine", **ORDER)
    assert "is not known" in assistant.questions[0]
    assert len(sim.mutations()) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"region": "mars"}, "bad_argument"),
        ({"template_id": "../t"}, "bad_id"),
        ({"disk_size_gb": 0}, "bad_argument"),
        ({"disk_size_gb": -5}, "bad_argument"),
        ({"disk_size_gb": "NaN"}, "bad_argument"),
        ({"name": ""}, "bad_argument"),
        ({"name": "x" * 129}, "bad_argument"),
        ({"public_ip_type": "fixed"}, "bad_argument"),
        ({"accessor_ids": ["nobody@example.com"]}, "unknown_user"),
    ],
)
async def test_a_wrong_order_is_refused_unasked(
    assistant: Assistant, sim: Simulator, change: dict[str, Any], code: str
) -> None:
    reply = await assistant.call("create_machine", **{**ORDER, **change})
    assert (reply.code, reply.error["changed"]) == (code, "no")
    assert (sim.mutations(), assistant.questions) == ([], [])


async def test_a_missing_argument_is_named(assistant: Assistant, sim: Simulator) -> None:
    reply = await assistant.call("create_machine", name="new-one")
    assert reply.code == "bad_argument"
    assert all(name in reply.error["message"] for name in ("machine_type", "template_id", "region", "disk_size_gb"))
    assert sim.wire == []


async def test_a_no_makes_nothing(client: Talking, sim: Simulator, era: str) -> None:
    async with client(era, declines) as assistant:
        assert (await assistant.call("create_machine", **ORDER)).code == "declined"
    assert sim.mutations() == []


async def test_the_same_order_again_is_not_a_second_machine(assistant: Assistant, sim: Simulator) -> None:
    first = await assistant.call("create_machine", **ORDER)
    again = await assistant.call("create_machine", **ORDER)
    assert (again.data["status"], again.data["machine"]["id"]) == ("already_done", first.data["machine"]["id"])
    assert len(sim.mutations()) == 1


async def test_what_the_provider_refuses_is_told_in_its_words(assistant: Assistant, sim: Simulator) -> None:
    reply = await assistant.call("create_machine", **{**ORDER, "machine_type": "H200"})
    assert (reply.code, reply.error["changed"]) == ("bad_request", "no")
    assert "Invalid machine type." in reply.error["message"]
    assert "price unknown" in assistant.questions[0]
    assert len(sim.mutations()) == 1
