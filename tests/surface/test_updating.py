"""Updating: only what changes is sent, false and 0 are values, the class follows the fields, what took is read back."""

from dataclasses import replace
from typing import Any

import pytest
from mcp_types import ElicitResult
from tests.conftest import Talking
from tests.surface.meanwhile import when
from tests.surface.talk import Assistant, agrees, declines

from paperspace_mcp.simulator import Fault, Simulator, catalog, lifecycle

pytestmark = pytest.mark.anyio

STAGING = "psc8s2ug9z6p"
"""staging-api: off, C5, 50 GB in ca1."""


@pytest.mark.parametrize(
    ("machine", "given", "body", "asked"),
    [
        ("staging-api", {"name": "staging-web"}, {"name": "staging-web"}, "update"),
        ("staging-api", {"machine_type": "C7"}, {"machineType": "C7"}, "update"),
        ("staging-api", {"disk_size_gb": 100}, {"diskSize": 100}, "staging-api"),
        ("dev-anna", {"auto_shutdown_enabled": False}, {"autoShutdownEnabled": False}, "update"),
        ("staging-api", {"auto_shutdown_enabled": "true"}, {"autoShutdownEnabled": True}, "update"),
        ("dev-anna", {"auto_shutdown_timeout_hours": 24}, {"autoShutdownTimeout": 24}, "update"),
        ("win-cad", {"auto_shutdown_force": False}, {"autoShutdownForce": False}, "update"),
        ("staging-api", {"auto_snapshot_enabled": True}, {"autoSnapshotEnabled": True}, "update"),
        ("staging-api", {"auto_snapshot_frequency": "daily"}, {"autoSnapshotFrequency": "daily"}, "update"),
        ("staging-api", {"auto_snapshot_save_count": 3}, {"autoSnapshotSaveCount": 3}, "staging-api"),
        ("staging-api", {"public_ip_type": "none"}, {"publicIpType": "none"}, "update"),
        ("legacy-jenkins", {"public_ip_type": "dynamic"}, {"publicIpType": "dynamic"}, "legacy-jenkins"),
        ("dev-ben", {"network_id": "nca1wst5"}, {"networkId": "nca1wst5"}, "dev-ben"),
        ("staging-api", {"restore_point_enabled": True}, {"restorePointEnabled": True}, "staging-api"),
        ("staging-api", {"restore_point_frequency": "shutdown"}, {"restorePointFrequency": "shutdown"}, "staging-api"),
    ],
)
async def test_a_field_is_asked_about_by_its_class_and_sent_alone(
    assistant: Assistant, sim: Simulator, machine: str, given: dict[str, Any], body: dict[str, Any], asked: str
) -> None:
    machine_id = sim.machine(machine).id
    reply = await assistant.call("update_machine", machine=machine, **given)
    [request] = sim.mutations()
    assert (request.method, request.path, request.body) == ("PUT", f"/machines/{machine_id}", body)
    assert reply.data["changed"] is True
    assert set(reply.data["applied"]) == set(given)
    assert assistant.questions[0].endswith(f": {asked}")


async def test_what_took_is_read_back(assistant: Assistant, sim: Simulator) -> None:
    reply = await assistant.call("update_machine", machine="win-cad", auto_shutdown_enabled=False)
    assert reply.data["applied"] == {"auto_shutdown_enabled": "yes"}
    assert sim.machine("win-cad").autoShutdownEnabled is False
    assert "auto_shutdown_enabled yes" in reply.text


async def test_what_did_not_take_is_told(assistant: Assistant, sim: Simulator) -> None:
    """The provider was seen to accept a new timeout and to keep the old one."""
    sim.variant.auto_shutdown_bug = True
    reply = await assistant.call("update_machine", machine="dev-anna", auto_shutdown_timeout_hours=24)
    assert reply.data["applied"] == {"auto_shutdown_timeout_hours": "no"}
    assert "auto_shutdown_timeout_hours" in reply.data["summary"]
    assert "auto_shutdown_enabled to false" in reply.data["next"]


@pytest.mark.parametrize("given", [{"machine_type": "C7"}, {"disk_size_gb": 100}])
async def test_what_an_event_brings_about_is_pending_until_it_has_ended(
    assistant: Assistant, sim: Simulator, given: dict[str, Any]
) -> None:
    [name] = given
    reply = await assistant.call("update_machine", machine="staging-api", **given)
    assert reply.data["applied"] == {name: "pending"}
    assert f"Under way: {name}." in reply.data["summary"]
    assert reply.data["event"]["id"] in reply.data["next"]
    sim.advance(70)
    again = await assistant.call("update_machine", machine="staging-api", **given)
    assert (again.data["status"], again.data["applied"]) == ("already_done", {name: "yes"})
    assert "Under way" not in again.data["summary"]
    assert "wait_for_event" not in again.text
    assert len(sim.mutations()) == 1


async def test_a_resize_that_ended_without_taking_is_told(assistant: Assistant, sim: Simulator) -> None:
    await assistant.call("update_machine", machine="staging-api", disk_size_gb=100)
    sim.advance(70)
    sim.change("staging-api", diskSize=50)
    again = await assistant.call("update_machine", machine="staging-api", disk_size_gb=100)
    assert again.data["applied"] == {"disk_size_gb": "no"}
    assert "Not in place: disk_size_gb." in again.data["summary"]


async def test_a_resize_that_failed_is_an_error(assistant: Assistant, sim: Simulator) -> None:
    sim.faults.add(Fault("event_error_null", "update"))
    await assistant.call("update_machine", machine="staging-api", disk_size_gb=100)
    sim.advance(120)
    event = next(one for one in sim.events.values() if one.name == "vm-upgrade" and one.state == "error")
    event.error = "No space."
    again = await assistant.call("update_machine", machine="staging-api", disk_size_gb=100)
    assert (again.code, again.data["status"], again.data["applied"]) == (
        "event_failed",
        "failed",
        {"disk_size_gb": "no"},
    )
    assert '"No space."' in again.error["message"]


@pytest.mark.parametrize("field", [{"auto_shutdown_timeout_hours": 4}, {"auto_shutdown_force": True}])
async def test_a_timeout_without_its_timer_is_told(assistant: Assistant, sim: Simulator, field: dict[str, Any]) -> None:
    said = "The timer is off, so nothing shuts it down: auto_shutdown_enabled turns it on."
    sim.change("staging-api", autoShutdownEnabled=False, autoShutdownTimeout=8, autoShutdownForce=False)
    reply = await assistant.call("update_machine", machine="staging-api", **field)
    assert set(reply.data["applied"].values()) == {"yes"}
    assert said in reply.data["next"]
    assert assistant.questions[0].count(said) == 1
    assert said in (await assistant.call("update_machine", machine=STAGING, **field)).data["next"], "it is so already"
    both = await assistant.call("update_machine", machine="staging-api", **field, auto_shutdown_enabled=True)
    assert said not in f"{both.everything}{assistant.questions[1]}"


async def test_questions_speak_of_arguments_by_their_names(assistant: Assistant, sim: Simulator) -> None:
    sim.change("staging-api", autoShutdownEnabled=False, autoShutdownTimeout=8)
    await assistant.call(
        "update_machine", machine="staging-api", auto_shutdown_enabled=True, auto_shutdown_timeout_hours=4
    )
    [question] = assistant.questions
    assert "auto_shutdown_enabled off -> on; auto_shutdown_timeout_hours 8 -> 4" in question
    assert "autoShutdown" not in question


async def test_only_what_differs_is_sent(assistant: Assistant, sim: Simulator) -> None:
    reply = await assistant.call(
        "update_machine",
        machine="win-cad",
        auto_shutdown_enabled=True,
        auto_shutdown_timeout_hours=1,
        auto_shutdown_force=False,
    )
    assert sim.mutations()[0].body == {"autoShutdownForce": False}
    assert reply.data["applied"] == {"auto_shutdown_force": "yes"}


async def test_what_is_set_so_already_asks_nothing(assistant: Assistant, sim: Simulator) -> None:
    reply = await assistant.call("update_machine", machine="win-cad", auto_shutdown_enabled=True, disk_size_gb=250)
    assert (reply.data["changed"], reply.code) == (False, "")
    assert (sim.mutations(), assistant.questions) == ([], [])


@pytest.mark.parametrize(
    ("machine", "given", "code"),
    [
        ("staging-api", {}, "nothing_to_update"),
        ("staging-api", {"name": None}, "nothing_to_update"),
        ("staging-api", {"disk_size_gb": 10}, "disk_only_grows"),
        ("staging-api", {"name": "prod-staging"}, "rename_unprotects"),
        ("prod-api-1", {"name": "api-1"}, "rename_unprotects"),
        ("prod-api-1", {"name": "PRODUCTION"}, ""),
        ("prod-db", {"auto_snapshot_enabled": False}, "protected"),
        ("dev-anna", {"machine_type": "A5000"}, "machine_not_off"),
        ("dev-anna", {"disk_size_gb": 250}, "machine_not_off"),
        ("dev-new-gpu", {"disk_size_gb": 250, "when_running": "stop"}, "machine_busy"),
        ("eval-runner", {"name": "x"}, "ambiguous_machine"),
        ("nobody", {"name": "x"}, "unknown_machine"),
    ],
)
async def test_what_can_be_known_to_be_wrong_is_refused_unasked(
    assistant: Assistant, sim: Simulator, machine: str, given: dict[str, Any], code: str
) -> None:
    reply = await assistant.call("update_machine", machine=machine, **given)
    assert reply.code == code
    assert len(sim.mutations()) == (0 if code else 1)
    assert len(assistant.questions) == (0 if code else 1)


async def test_false_makes_the_class_that_true_does_not(client: Talking, sim: Simulator, era: str) -> None:
    async with client(era) as assistant:
        sim.change("dev-ben", autoSnapshotEnabled=True)
        await assistant.call("update_machine", machine="dev-ben", auto_snapshot_enabled=False)
        assert assistant.questions[0].endswith("exact name: dev-ben")
        assert "No more snapshots" in assistant.questions[0]
    assert sim.mutations()[0].body == {"autoSnapshotEnabled": False}


async def test_a_machine_that_changed_while_the_person_thought_is_left_alone(
    client: Talking, sim: Simulator, era: str
) -> None:
    def meanwhile(question: str) -> ElicitResult:
        sim.change("staging-api", diskSize=100)
        return agrees(question)

    async with client(era, meanwhile) as assistant:
        reply = await assistant.call("update_machine", machine="staging-api", disk_size_gb=250)
    assert (reply.code, reply.error["changed"]) == ("target_changed", "no")
    assert "disk" in reply.error["message"]
    assert sim.mutations() == []


async def test_a_running_machine_is_stopped_grown_and_started_under_one_approval(
    assistant: Assistant, sim: Simulator
) -> None:
    """Time moves on by a minute with each request, so every step has taken effect at the next look."""
    when(sim, "/machine", lambda: sim.advance(70), times=99)
    reply = await assistant.call("update_machine", machine="psoxnh2i7", disk_size_gb=250, when_running="stop_and_start")
    assert [one.path.rpartition("/")[2] for one in sim.mutations()] == ["stop", "psoxnh2i7", "start"]
    assert sim.mutations()[1].body == {"diskSize": 250}
    assert len(assistant.questions) == 1
    assert "STOP it first and START it afterwards" in assistant.questions[0]
    assert reply.data["applied"] == {"disk_size_gb": "yes"}


async def test_the_answer_to_the_whole_tells_of_the_start(assistant: Assistant, sim: Simulator) -> None:
    when(sim, "/machine", lambda: sim.advance(70), times=99)
    reply = await assistant.call("update_machine", machine="psoxnh2i7", disk_size_gb=250, when_running="stop_and_start")
    event = sim.events[reply.data["event"]["id"]]
    assert (event.name, event.id in reply.data["next"]) == ("start", True)
    assert "start accepted" in reply.data["summary"]
    assert reply.data["machine"]["state"] == "ready"
    assert reply.data["machine"]["public_ip"] == sim.machine("psoxnh2i7").publicIp
    assert reply.data["usd_per_hour"] == 0.76


@pytest.mark.parametrize("when_running", ["refuse", "stop", "stop_and_start"])
@pytest.mark.parametrize(("machine", "tool"), [("dev-anna", "stop_machine"), ("dev-anna", "restart_machine"),
                                               ("dev-new-gpu", "")])  # fmt: skip
async def test_a_new_type_for_a_busy_machine_is_told_what_to_wait_for(
    assistant: Assistant, sim: Simulator, machine: str, tool: str, when_running: str
) -> None:
    begun = [(await assistant.call(tool, machine=machine)).data["event"]["id"]] if tool else []
    reply = await assistant.call("update_machine", machine=machine, machine_type="A6000", when_running=when_running)
    assert (reply.code, reply.error["changed"]) == ("machine_busy", "no")
    running = [one.id for one in sim.events.values() if one.machineId == sim.machine(machine).id]
    assert (begun or running)[-1] in reply.error["next"]
    assert "when_running" not in reply.error["next"]
    assert len(sim.mutations()) == len(assistant.questions) == bool(tool)


async def test_a_resize_that_a_start_came_before_is_told_what_to_wait_for(
    client: Talking, sim: Simulator, era: str
) -> None:
    events: list[str] = []

    def meanwhile(question: str) -> ElicitResult:
        machine = sim.machine("staging-api")
        events.append(lifecycle.start(sim.world, machine, sim.clock.now(), None).id)
        return agrees(question)

    async with client(era, meanwhile) as assistant:
        reply = await assistant.call("update_machine", machine="staging-api", machine_type="C7")
    assert (reply.code, reply.error["changed"]) == ("machine_busy", "no")
    assert events[0] in reply.error["next"]
    assert [one.status for one in sim.mutations()] == [400]


async def test_a_machine_that_was_off_is_not_started_and_that_is_told(assistant: Assistant, sim: Simulator) -> None:
    given = {"machine": "staging-api", "machine_type": "C7", "when_running": "stop_and_start"}
    reply = await assistant.call("update_machine", **given)
    assert "It is off; start_machine starts it." in reply.data["next"]
    sim.advance(70)
    again = await assistant.call("update_machine", **given | {"machine": STAGING})
    assert (again.data["status"], again.data["next"]) == ("unchanged", "It is off; start_machine starts it.")
    assert [one.method for one in sim.mutations()] == ["PUT"]


async def test_a_stop_that_fails_ends_the_plan(assistant: Assistant, sim: Simulator) -> None:
    sim.faults.add(Fault("status", "stop", status=409))
    reply = await assistant.call("update_machine", machine="dev-anna", disk_size_gb=250, when_running="stop")
    assert (reply.code, reply.error["changed"]) == ("conflict", "no")
    assert [one.path for one in sim.mutations()] == ["/machines/psoxnh2i7/stop"]


async def test_an_update_that_fails_after_the_stop_says_that_something_changed(
    assistant: Assistant, sim: Simulator
) -> None:
    sim.faults.add(Fault("status", "update", status=409))
    when(sim, "/machine", lambda: sim.advance(70), times=99)
    reply = await assistant.call("update_machine", machine="psoxnh2i7", disk_size_gb=250, when_running="stop")
    assert (reply.code, reply.error["changed"], reply.data["executed"]) == ("conflict", "yes", True)
    assert [one.path for one in sim.mutations()] == ["/machines/psoxnh2i7/stop", "/machines/psoxnh2i7"]


async def test_a_new_type_is_looked_up_before_anybody_is_asked(client: Talking, sim: Simulator) -> None:
    sim.world.unavailable.add(("RTX5000", "ca1"))
    async with client("2026-07-28", declines) as assistant:
        await assistant.call("update_machine", machine="dev-ben", machine_type="RTX5000")
        await assistant.call("update_machine", machine="staging-api", machine_type="c7")
        first, second = assistant.questions
    assert "NOT free now" in first
    assert "The type is free now." in second
    assert '-> "C7"' in second
    assert sim.mutations() == []


@pytest.mark.parametrize(
    ("machine", "kind", "code", "told"),
    [
        ("dev-ben", "C5", "other_group", "RTX4000, RTX5000"),
        ("dev-ben", "a4000", "other_group", "create_machine"),
        ("staging-api", "A4000", "other_group", "C1, C2"),
        ("dev-anna", "P4000", "other_group", "A4000, A5000, A6000;"),
        ("staging-api", "RTX 4090", "unknown_type", "Perhaps RTX4000 is meant"),
        ("staging-api", "gigantic", "unknown_type", "list_templates"),
        ("staging-api", "c5", "", ""),
    ],
)
async def test_a_type_that_cannot_be_is_refused_unasked(
    assistant: Assistant, sim: Simulator, machine: str, kind: str, code: str, told: str
) -> None:
    """Also where the machine is on: to stop it would not help."""
    reply = await assistant.call("update_machine", machine=machine, machine_type=kind)
    assert reply.code == code
    assert told in reply.error.get("next", "")
    assert (sim.mutations(), assistant.questions) == ([], [])
    assert bool(code) or reply.data["changed"] is False


async def test_a_type_that_nobody_can_tell_is_left_to_the_person(client: Talking, sim: Simulator) -> None:
    sim.faults.add(Fault("status", "list_templates", status=404, times=None))
    async with client("2026-07-28", declines) as assistant:
        await assistant.call("update_machine", machine="staging-api", machine_type="B200")
        sim.change("psu6p1za3k9d", machineType="A4000")
        await assistant.call("update_machine", machine="psu6p1za3k9d", machine_type="A100")
    assert ["within its group only: it may refuse" in question for question in assistant.questions] == [True, True]


async def test_a_new_type_of_the_provider_is_taken_as_its_list_writes_it(
    client: Talking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(catalog.TYPES, "B200", replace(catalog.TYPES["H100"], label="B200"))
    monkeypatch.setitem(
        catalog.TEMPLATES, "t0nspur5", replace(catalog.TEMPLATES["t0nspur5"], types=tuple(catalog.TYPES))
    )
    async with client("2026-07-28") as assistant:
        await assistant.call("update_machine", machine="train-h100x8", machine_type="b200")
    assert '-> "B200"' in assistant.questions[0]


@pytest.mark.parametrize(
    ("machine", "given", "said"),
    [
        ("staging-api", {"disk_size_gb": 75}, "75 GB is none of the provider's disk sizes; the next is 100."),
        ("staging-api", {"auto_snapshot_enabled": True}, "Auto-snapshots lack a frequency or a count"),
        ("staging-api", {"auto_shutdown_timeout_hours": 8}, "The timer is off"),
        ("dev-anna", {"auto_shutdown_timeout_hours": 6}, "timeouts of 1, 8, 24 and 168 hours only"),
    ],
)
async def test_what_the_console_would_not_take_is_told_to_the_person_and_to_the_model(
    assistant: Assistant, sim: Simulator, machine: str, given: dict[str, Any], said: str
) -> None:
    sim.variant.open_disk_size = True
    reply = await assistant.call("update_machine", machine=machine, **given)
    assert said in assistant.questions[0]
    assert said in reply.data["next"]
    assert len(sim.mutations()) == 1
