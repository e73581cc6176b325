"""Arguments as models and people write them: null, any case, commas, units, and wishes beyond what is granted."""

from typing import Any

import pytest
from tests.conftest import Talking
from tests.surface.talk import Assistant, declines

from paperspace_mcp.simulator import Fault, Simulator, catalog
from paperspace_mcp.surface.adapter import arguments_of
from paperspace_mcp.surface.tool import Tool
from paperspace_mcp.surface.tools import TOOLS

pytestmark = pytest.mark.anyio
GIVEN: dict[str, Any] = {
    "machine": "dev-anna", "user": "ub3n7q2xd", "event_id": "e1", "event_ids": ["e1"], "action": "stop",
    "name": "n", "machine_type": "A4000", "template_id": "t0nspur5", "region": "ny2", "disk_size_gb": 50,
}  # fmt: skip


# -- null --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_null_is_not_given(tool: Tool) -> None:
    """Strict function calling sends every argument, and null for those that are not meant."""
    model = arguments_of(tool)
    needed = {name: GIVEN[name] for name, info in model.model_fields.items() if info.is_required()}
    nulls = {name: None for name in model.model_fields if name not in needed}
    assert model.model_validate({**needed, **nulls}) == model.model_validate(needed)


async def test_null_is_not_given_on_the_wire_either(client: Talking) -> None:
    async with client("2026-07-28") as assistant:
        nothing = dict.fromkeys(("states", "region", "limit", "order", "name_contains", "response_format"))
        assert (await assistant.call("list_machines", **nothing)).data["total"] == 22
        reply = await assistant.call("stop_machine", machine="dev-anna", wait_seconds=None)
        assert reply.data["changed"]
        reply = await assistant.call("update_machine", machine="staging-api", when_running=None, machine_type="C7")
        assert reply.data["changed"]
        reply = await assistant.call("power_machines", action="start", name_globs="dev-*", dry_run=None, states=None)
        assert reply.data.get("status") != "dry_run"


async def test_null_for_what_is_needed_is_missing(client: Talking, sim: Simulator) -> None:
    async with client("2026-07-28") as assistant:
        reply = await assistant.call("stop_machine", machine=None)
        assert reply.error["message"].startswith("machine: is needed, text of 1 to 256")
        reply = await assistant.call("stop_machine", machine="dev-anna", force=None)
        assert '"force" is no argument' in reply.error["message"]
    assert sim.wire == []


# -- words -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["STOP", " Stop ", "shutdown", "Shut Down", "power off"])
async def test_an_action_is_taken_in_any_case_and_under_its_other_names(
    client: Talking, sim: Simulator, action: str
) -> None:
    async with client("2026-07-28") as assistant:
        await assistant.call("power_machines", action=action, machines="dev-anna")
    assert [request.operation for request in sim.mutations()] == ["stop_machine"]


@pytest.mark.parametrize(
    ("tool", "given", "said"),
    [
        ("power_machines", {"action": "stpo"}, "action: start, stop or restart; did you mean stop?"),
        ("power_machines", {"action": "explode"}, "action: start, stop or restart."),
        ("list_machines", {"order": "dsc"}, "order: asc or desc; did you mean desc?"),
        ("list_machines", {"response_format": "detail"}, "did you mean detailed?"),
        ("create_machine", {**GIVEN, "public_ip_type": "dynamc"}, "did you mean dynamic?"),
        ("create_machine", {**GIVEN, "restore_point_frequency": "daily"}, "restore_point_frequency: shutdown."),
        ("list_machines", {"limit": 0}, "limit: a whole number of at least 1."),
        ("list_machines", {"limit": "a few"}, "limit: a whole number of at least 1, such as 25."),
        (
            "create_machine",
            {**GIVEN, "disk_size_gb": "NaN"},
            "disk_size_gb: a number of GB above 0, such as 100 or 100GB.",
        ),
        (
            "create_machine",
            {**GIVEN, "disk_size_gb": 1e300},
            "disk_size_gb: a number of more than 0 and at most 1000000.",
        ),
        ("wait_for_event", {"event_ids": []}, "event_ids: a list of 1 to 50 texts, each of at most 64 characters."),
        (
            "update_machine",
            {"machine": "m", "network_id": "a b"},
            "network_id: not an id: letters, digits, - and _ only",
        ),
    ],
)
async def test_what_is_wrong_is_told_with_what_would_be_right(
    client: Talking, sim: Simulator, tool: str, given: dict[str, Any], said: str
) -> None:
    known = arguments_of(next(one for one in TOOLS if one.name == tool)).model_fields
    async with client("2026-07-28") as assistant:
        reply = await assistant.call(tool, **{name: value for name, value in given.items() if name in known})
    assert said in reply.error["message"]
    assert sim.wire == []


async def test_words_for_closed_choices_are_taken_in_any_case(client: Talking, sim: Simulator) -> None:
    async with client("2026-07-28") as assistant:
        rows = await assistant.call("list_machines", order="DESC", order_by="Name", response_format="Detailed", limit=1)
        assert "storage_rate" in rows.data["machines"][0]
        assert sim.wire[0].query["orderBy"] == "name"
        await assistant.call(
            "update_machine", machine="staging-api", auto_snapshot_frequency="Daily", public_ip_type="NONE"
        )
    assert sim.mutations()[0].body == {"autoSnapshotFrequency": "daily", "publicIpType": "none"}


# -- lists -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("states", ["ready, off", "ready,off", '["ready", "off"]', ["Ready", "OFF"], "off,,ready,"])
async def test_one_text_is_several_items(client: Talking, sim: Simulator, states: object) -> None:
    wanted = {machine.id for machine in sim.machines.values() if machine.state in {"ready", "off"}}
    async with client("2026-07-28") as assistant:
        reply = await assistant.call("list_machines", states=states)
    assert {row["id"] for row in reply.data["machines"]} == wanted


@pytest.mark.parametrize("states", ["", "  ", "any", ["All"], [""], []])
async def test_no_item_is_no_filter(client: Talking, states: object) -> None:
    async with client("2026-07-28") as assistant:
        assert (await assistant.call("list_machines", states=states)).data["total"] == 22


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"machines": "dev-anna, dev-diya"}, {"dev-anna", "dev-diya"}),
        ({"name_globs": "train-a*, dev-c*"}, {"train-a100", "dev-carlos"}),
        ({"name_globs": "dev-*", "exclude_globs": "dev-anna,dev-new*,dev-diya"}, {"dev-carlos"}),
    ],
)
async def test_machines_and_globs_with_commas(client: Talking, given: dict[str, str], names: set[str]) -> None:
    async with client("2026-07-28", declines) as assistant:
        reply = await assistant.call("power_machines", action="stop", **given, dry_run=True)
    assert {row["name"] for row in reply.data["machines"] if row["result"] == "planned"} == names


async def test_several_events_and_people_in_one_text(client: Talking, sim: Simulator) -> None:
    events = list(sim.events)[:2]
    async with client("2026-07-28") as assistant:
        reply = await assistant.call("wait_for_event", event_ids=", ".join(events), timeout_seconds="0s")
        assert [event["id"] for event in reply.data["events"]] == events
        people = "ben@example.com, uc4rl0s9f"
        order = {name: GIVEN[name] for name in ("name", "machine_type", "template_id", "region", "disk_size_gb")}
        await assistant.call("create_machine", **order, accessor_ids=people)
    assert sim.mutations()[0].body["accessorIds"] == ["ub3n7q2xd", "uc4rl0s9f"]


# -- numbers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"disk_size_gb": "100GB"}, {"diskSize": 100}),
        ({"disk_size_gb": " 100 gb "}, {"diskSize": 100}),
        ({"disk_size_gb": "2TB"}, {"diskSize": 2000}),
        ({"disk_size_gb": "100"}, {"diskSize": 100}),
        ({"auto_shutdown_timeout_hours": "8 h"}, {"autoShutdownTimeout": 8}),
        ({"auto_shutdown_timeout_hours": "24 Hours"}, {"autoShutdownTimeout": 24}),
        ({"auto_shutdown_timeout_hours": "1 week"}, {"autoShutdownTimeout": 168}),
        ({"auto_shutdown_timeout_hours": "1.5"}, {"autoShutdownTimeout": 1.5}),
    ],
)
async def test_a_number_may_have_its_unit(
    client: Talking, sim: Simulator, given: dict[str, str], sent: dict[str, float]
) -> None:
    async with client("2026-07-28") as assistant:
        await assistant.call("update_machine", machine="staging-api", **given)
    assert [request.body for request in sim.mutations()] == [sent]


@pytest.mark.parametrize("size", ["100 MB", "GB", "1,000", "-100GB", "100 GB 50", "1 TiB", "0x40", ""])
async def test_a_unit_that_is_not_clear_is_refused(client: Talking, sim: Simulator, size: str) -> None:
    async with client("2026-07-28") as assistant:
        reply = await assistant.call("update_machine", machine="staging-api", disk_size_gb=size)
    assert reply.error["message"] == "disk_size_gb: a number of GB above 0, such as 100 or 100GB."
    assert sim.wire == []


# -- wishes ------------------------------------------------------------------------------------------------------------


async def test_more_rows_than_are_given_are_cut_and_said(assistant: Assistant, sim: Simulator) -> None:
    for number in range(200):
        sim.add_machine(name=f"more-{number}")
    for wish in (201, 1000, 10**30):
        reply = await assistant.call("list_machines", limit=wish)
        assert reply.data["returned"] == 200
        assert "limit was capped at 200." in reply.data["summary"]
        assert "limit was capped at 200." in reply.text
    assert "capped" not in (await assistant.call("list_machines", limit=200)).data["summary"]


@pytest.mark.parametrize("tool", ["stop_machine", "power_machines"])
async def test_a_longer_wait_than_is_given_is_no_mistake(assistant: Assistant, sim: Simulator, tool: str) -> None:
    sim.durations["stop"] = 0.0
    which = {"machine": "dev-anna"} if tool == "stop_machine" else {"machines": "dev-anna", "action": "stop"}
    reply = await assistant.call(tool, **which, wait_seconds="10 minutes")
    assert not reply.error
    assert [request.operation for request in sim.mutations()] == ["stop_machine"]
    assert (await assistant.call(tool, **which, wait_seconds=-1)).code == "bad_argument"


# -- templates ---------------------------------------------------------------------------------------------------------


async def test_a_list_of_templates_tells_its_total_and_its_end(assistant: Assistant) -> None:
    reply = await assistant.call("list_templates")
    assert (reply.data["total"], reply.data["complete"], len(reply.data["templates"])) == (7, True, 7)
    odd = await assistant.call("list_templates", machine_type="RTX 4090")
    assert (odd.data["templates"], odd.data["total"]) == ([], 0)
    assert "RTX4000 may be meant" in odd.data["next"]
    assert (await assistant.call("list_templates", machine_type="ANY", name_contains="UBUNTU")).data["total"] == 3
    assert (await assistant.call("list_templates", machine_type="h100X8")).data["total"] == 3


async def test_a_list_of_templates_that_is_cut_has_no_total(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = catalog.TEMPLATES["t0nspur5"]
    many = {
        f"tmany{number:03}": type(one)(f"tmany{number:03}", "Many", "x", "x", None, ("A4000",)) for number in range(501)
    }
    monkeypatch.setattr(catalog, "TEMPLATES", many)
    reply = await assistant.call("list_templates")
    assert ("total" in reply.data, reply.data["complete"]) == (False, False)
    assert "of a longer list" in reply.data["summary"]


# -- where an answer comes from ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"kind": "malformed", "content_type": "text/html", "body": "<html>Sign in</html>"}, "did not send JSON"),
        ({"kind": "malformed", "body": ""}, "sent nothing"),
        ({"kind": "malformed", "body": '{"ok": true}'}, "not what its reference describes"),
    ],
)
async def test_an_answer_that_is_not_the_providers_is_told_as_such(
    client: Talking, sim: Simulator, fault: dict[str, Any], said: str
) -> None:
    kind = fault.pop("kind")
    sim.faults.add(Fault(kind, "list_machines", times=None, **fault))
    async with client("2026-07-28") as assistant:
        reply = await assistant.call("list_machines")
    assert reply.code == "malformed_answer"
    assert said in reply.error["message"]
    assert "login page" in reply.error["next"]
    assert "PAPERSPACE_API_URL" in reply.error["next"]
    assert "Sign in" not in reply.everything
