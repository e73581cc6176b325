"""Creating: the price in the question, every field sent as given, at most one machine per approval."""

from dataclasses import replace
from typing import Any

import pytest
from tests.conftest import Talking
from tests.surface.talk import Assistant, declines

from paperspace_mcp.simulator import Fault, Simulator, catalog

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
        ({"template_id": "ubuntu"}, "unknown_template"),
        ({"template_id": "Ubuntu 22.04"}, "unknown_template"),
        ({"machine_type": "RTX 4090"}, "unknown_type"),
        ({"machine_type": "H100", "template_id": "tkni3aa4"}, "type_not_offered"),
        ({"network_id": "default network"}, "bad_argument"),
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
    reply = await assistant.call("create_machine", **{**ORDER, "machine_type": "RTX5000", "region": "ca1"})
    assert (reply.code, reply.error["changed"]) == ("bad_request", "no")
    assert "not available for this template and region" in reply.error["message"]
    assert len(sim.mutations()) == 1


# -- what is known before anybody is asked -----------------------------------------------------------------------------


async def test_a_word_for_a_template_is_told_with_candidates(assistant: Assistant, sim: Simulator) -> None:
    reply = await assistant.call("create_machine", **{**ORDER, "template_id": "ubuntu-22.04"})
    assert reply.candidates[0] == "t0nspur5"
    assert len(reply.candidates) == 5
    assert "Ubuntu 22.04 Server" in reply.text
    assert (sim.mutations(), assistant.questions) == ([], [])


@pytest.mark.parametrize(("kind", "sent"), [("a4000", "A4000"), ("rtx 5000", "RTX5000"), ("A100-80GB", "A100-80G")])
async def test_a_type_is_sent_as_the_provider_writes_it(client: Talking, sim: Simulator, kind: str, sent: str) -> None:
    async with client("2026-07-28") as assistant:
        await assistant.call("create_machine", **{**ORDER, "machine_type": kind})
        assert "price unknown" not in assistant.questions[0]
    assert sim.mutations()[0].body["machineType"] == sent


async def test_a_type_that_only_the_provider_knows_is_taken_as_its_list_writes_it(
    client: Talking, sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(catalog.TYPES, "B200", replace(catalog.TYPES["H100"], label="B200"))
    ubuntu = replace(catalog.TEMPLATES["t0nspur5"], types=("B200",))
    monkeypatch.setitem(catalog.TEMPLATES, "t0nspur5", ubuntu)
    async with client("2026-07-28") as assistant:
        reply = await assistant.call("create_machine", **{**ORDER, "machine_type": "b200"})
    assert sim.mutations()[0].body["machineType"] == "B200"
    assert "price unknown" in assistant.questions[0]
    assert reply.data["changed"]


async def test_a_custom_template_is_left_to_the_person(assistant: Assistant, sim: Simulator) -> None:
    reply = await assistant.call("create_machine", **{**ORDER, "template_id": "tbwb4c3s"})
    assert "not in the provider's list; custom ones are not" in assistant.questions[0]
    assert (reply.code, len(sim.mutations())) == ("not_found", 1)


@pytest.mark.parametrize("status", [404, 500])
async def test_without_the_list_of_templates_the_person_is_told_what_is_not_known(
    client: Talking, sim: Simulator, status: int
) -> None:
    sim.faults.add(Fault("status", "list_templates", times=None, status=status))
    async with client("2026-07-28", declines) as assistant:
        await assistant.call("create_machine", **{**ORDER, "machine_type": "B200"})
        [question] = assistant.questions
        assert "Whether there is such a template is not known." in question
        assert "Whether there is such a machine type is not known." in question
        reply = await assistant.call("create_machine", **{**ORDER, "template_id": "ubuntu"})
        assert (reply.code, reply.candidates) == ("unknown_template", [])
    assert sim.mutations() == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": "dev-anna"}, "There is a machine of this name already (psoxnh2i7)."),
        ({"name": "eval-runner"}, "already (psb2c7ve8w5l, psu6p1za3k9d)."),
        ({"template_id": "tiq8mhti"}, "The template's own disk is 100 GB."),
        ({"disk_size_gb": 75}, "75 GB is none of the provider's disk sizes; the next is 100."),
        ({"auto_shutdown_timeout_hours": 8}, "The timer is off, so nothing shuts it down"),
        ({"auto_shutdown_enabled": True}, "Auto-shutdown has no timeout"),
        ({"auto_shutdown_enabled": True, "auto_shutdown_timeout_hours": "6 hours"}, "1, 8, 24 and 168 hours only"),
        ({"auto_snapshot_enabled": True, "auto_snapshot_frequency": "DAILY"}, "lack a frequency or a count"),
        ({"auto_snapshot_save_count": 12}, "The console keeps 1 to 9 snapshots."),
    ],
)
async def test_what_is_doubtful_is_told_to_the_person_and_to_the_model(
    assistant: Assistant, sim: Simulator, given: dict[str, Any], said: str
) -> None:
    sim.variant.open_disk_size = True
    reply = await assistant.call("create_machine", **{**ORDER, **given})
    assert said in assistant.questions[0]
    assert said in reply.data["next"]
    assert said in reply.text
    assert len(sim.mutations()) == 1


async def test_an_ordinary_order_has_no_remarks(assistant: Assistant, sim: Simulator) -> None:
    given = {"auto_shutdown_enabled": True, "auto_shutdown_timeout_hours": "8h", "disk_size_gb": "100 GB"}
    reply = await assistant.call("create_machine", **{**ORDER, **given})
    assert reply.data["next"].endswith("tells when it is finished.")
    assert sim.mutations()[0].body == {**SENT, "diskSize": 100, "autoShutdownEnabled": True, "autoShutdownTimeout": 8}
    assert len(assistant.questions[0]) < 450


async def test_a_long_question_loses_nothing(client: Talking) -> None:
    """All that can be doubtful at once: what is longer than a dialog holds goes to the inbox, and is not lost."""
    given = {"name": "dev-anna", "template_id": "tiq8mhti", "disk_size_gb": 75, "auto_shutdown_timeout_hours": 6}
    async with client("2026-07-28", declines) as assistant:
        reply = await assistant.call("create_machine", **{**ORDER, **given, "auto_snapshot_enabled": True})
    assert reply.code == "declined" or reply.data["status"] == "approval_required"
    asked = assistant.questions[0] if assistant.questions else reply.data["question"]
    assert "Auto-snapshots lack" in asked
