"""Who did what to a machine, from the server's own audit; and what was asked for and not done."""

import json
from pathlib import Path

import pytest
from tests.surface.explain.story import DAY, NOT_US, OFF, ON, explained, first_row, happened
from tests.surface.talk import Assistant, Era, agrees, declines, talking

from paperspace_mcp.app import App
from paperspace_mcp.audit import Entry
from paperspace_mcp.conduct import deeds
from paperspace_mcp.rules.guard.records import Status
from paperspace_mcp.simulator import Fault, Simulator

pytestmark = pytest.mark.anyio


async def test_by_this_server_after_a_persons_yes(app: App, assistant: Assistant, sim: Simulator) -> None:
    await assistant.call("stop_machine", machine=ON)
    sim.advance(600)
    reply = await explained(assistant, ON)
    [done] = [entry for entry in app.audit.read() if entry["phase"] == "outcome"]
    asked_by = done["principal"].rpartition(":")[0]
    assert reply.data["by"] == f"this server, approval {done['code']}, confirmed in the client, asked by {asked_by}"
    assert reply.data["by"] in reply.text
    first, *others = [row["by"] for row in reply.data["timeline"]]
    assert (first, set(others)) == (reply.data["by"], {NOT_US})
    assert "stopped by itself" not in reply.text


async def test_a_timer_is_no_doubt_where_this_server_stopped_it(assistant: Assistant, sim: Simulator) -> None:
    sim.change(ON, autoShutdownEnabled=True, autoShutdownTimeout=8)
    await assistant.call("stop_machine", machine=ON)
    sim.advance(600)
    assert "stopped by itself" not in (await explained(assistant, ON)).text


async def test_by_somebody_who_approved_out_of_band(app: App, era: Era, sim: Simulator) -> None:
    async with talking(app.server, era, None) as assistant:
        code = (await assistant.call("stop_machine", machine=ON)).data["approval"]
        record = await app.conduct.record(code)
        assert record is not None
        await app.conduct.close(record, Status.APPROVED, "ann (page)")
        await assistant.call("stop_machine", machine=ON)
        sim.advance(600)
        reply = await explained(assistant, ON)
    assert f"this server, approval {code}, approved by ann (page), asked by " in reply.data["by"]


async def test_a_create_starts_its_machine(assistant: Assistant, sim: Simulator) -> None:
    order = {"machine_type": "A4000", "template_id": "t0nspur5", "region": "ny2", "disk_size_gb": 50}
    made = await assistant.call("create_machine", name="fresh", **order)
    sim.advance(600)
    reply = await explained(assistant, made.data["machine"]["id"])
    assert [row["name"] for row in reply.data["timeline"]] == ["start", "create"]
    assert len({row["by"] for row in reply.data["timeline"]}) == 1
    assert reply.data["by"].startswith("this server, approval")


async def test_one_of_many_after_one_question(assistant: Assistant, sim: Simulator) -> None:
    await assistant.call("power_machines", action="stop", machines=[ON, "psx7d4gv1p9e"])
    sim.advance(600)
    replies = [await explained(assistant, machine) for machine in (ON, "psx7d4gv1p9e")]
    assert len({reply.data["by"] for reply in replies}) == 1
    assert replies[0].data["by"].startswith("this server, approval")


async def test_a_lost_answer_is_perhaps_ours(app: App, assistant: Assistant, sim: Simulator) -> None:
    """The intent stands in the audit, an outcome does not."""
    target = {"id": ON, "name": "dev-carlos", "fingerprint": {}}
    app.audit.write(Entry("intent", "ann:1", tool="stop_machine", code="LQST", targets=(target,)))
    happened(sim, ON, "stop", 0)
    happened(sim, ON, "start", 5)
    reply = await explained(assistant, ON)
    assert first_row(reply)["by"] == "perhaps this server: approval LQST, whose answer was lost"
    assert reply.data["timeline"][1]["by"] == NOT_US


async def test_an_audit_that_cannot_be_read_is_unknown(app: App, assistant: Assistant, tmp_path: Path) -> None:
    await assistant.call("get_machine", machine=ON)
    app.audit.write(Entry("asked", "ann:1"))
    (tmp_path / "audit.key").unlink()
    reply = await explained(assistant, ON)
    assert {row["by"] for row in reply.data["timeline"]} == {"unknown"}
    assert "whether through this server is unknown" in reply.data["summary"]
    assert "cannot be read" in reply.data["audit"]


async def test_an_audit_that_was_changed_is_unknown(
    app: App, assistant: Assistant, sim: Simulator, tmp_path: Path
) -> None:
    """What still is as it was written counts; what is not may have been anything."""
    app.audit.write(Entry("asked", "ann:1"))
    await assistant.call("stop_machine", machine=ON)
    sim.advance(600)
    log = tmp_path / "audit-000001.jsonl"
    log.write_bytes(log.read_bytes().replace(b"ann:1", b"bob:1", 1))
    reply = await explained(assistant, ON)
    assert reply.data["by"].startswith("this server")
    assert {row["by"] for row in reply.data["timeline"][1:]} == {"unknown"}


async def test_an_old_event_is_unknown_where_the_audit_is_read_in_part(
    app: App, assistant: Assistant, sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deeds, "RECORDS", 3)
    for _ in range(5):
        app.audit.write(Entry("asked", "ann:1"))
    sim.advance(10)
    happened(sim, ON, "restart", 0)
    reply = await explained(assistant, ON)
    first, *others = [row["by"] for row in reply.data["timeline"]]
    assert (first, set(others)) == (NOT_US, {"unknown"})
    assert reply.data["audit"].startswith("read back to ")


# -- what was not done ------------------------------------------------------------------------------------------------


async def test_a_call_that_was_declined(app: App, era: Era, sim: Simulator) -> None:
    async with talking(app.server, era, declines) as assistant:
        await assistant.call("stop_machine", machine=ON)
        await assistant.call("stop_machine", machine=OFF)
        reply = await explained(assistant, ON)
    [undone] = reply.data["not_done"]
    assert (undone["tool"], undone["what"], len(undone["approval"])) == ("stop_machine", "declined", 4)
    assert undone["asked_by"]
    assert undone["approval"] in reply.text
    assert sim.mutations() == []


async def test_a_call_that_the_policy_refused(assistant: Assistant, sim: Simulator) -> None:
    sim.change(OFF, name="prod-old")
    await assistant.call("update_machine", machine=OFF, disk_size_gb=250)
    reply = await explained(assistant, OFF)
    assert [(one["what"], one["why"]) for one in reply.data["not_done"]] == [("refused", "protected")]


async def test_a_question_that_waits(app: App, era: Era) -> None:
    async with talking(app.server, era, None) as assistant:
        code = (await assistant.call("stop_machine", machine=ON)).data["approval"]
        reply = await explained(assistant, ON)
    assert [(one["what"], one["approval"]) for one in reply.data["not_done"]] == [("asked", code)]


async def test_a_call_that_the_provider_refused(assistant: Assistant, sim: Simulator) -> None:
    sim.faults.add(Fault("status", "stop_machine", status=409))
    await assistant.call("stop_machine", machine=ON)
    reply = await explained(assistant, ON)
    assert [(one["what"], one["why"]) for one in reply.data["not_done"]] == [("failed", "conflict")]


async def test_what_was_done_is_not_among_what_was_not(assistant: Assistant, sim: Simulator) -> None:
    await assistant.call("stop_machine", machine=ON)
    sim.advance(600)
    assert "not_done" not in (await explained(assistant, ON)).data


async def test_only_the_newest_of_the_last_week(app: App, era: Era, sim: Simulator) -> None:
    async with talking(app.server, era, declines) as assistant:
        for _ in range(7):
            await assistant.call("stop_machine", machine=ON)
        assert len((await explained(assistant, ON)).data["not_done"]) == 5
        sim.advance(8 * DAY)
        assert "not_done" not in (await explained(assistant, ON)).data


# -- bounds -----------------------------------------------------------------------------------------------------------


async def test_a_long_history_is_read_in_part_and_shown_in_ten_rows(app: App, sim: Simulator) -> None:
    for number in range(400):
        happened(sim, ON, ("stop", "start")[number % 2], 400 - number)
    async with talking(app.server, "2026-07-28", agrees) as assistant:
        reply = await explained(assistant, ON)
    assert len(reply.data["timeline"]) == 10
    assert [request.query.get("limit") for request in sim.wire] == [None, "120"]
    halves = (reply.text, json.dumps(reply.data, separators=(",", ":"), ensure_ascii=False))
    assert max(map(len, halves)) < 4_000
    assert all(row["created_at"] in reply.text for row in reply.data["timeline"])


async def test_a_name_costs_two_requests_more(assistant: Assistant, sim: Simulator) -> None:
    await explained(assistant, "dev-carlos")
    assert [request.operation for request in sim.wire] == [
        "get_machine", "list_machines", "list_machine_events",
    ]  # fmt: skip


async def test_events_that_cannot_be_read_are_told(assistant: Assistant, sim: Simulator) -> None:
    sim.faults.add(Fault("status", "list_machine_events", status=403, times=None))
    assert (await assistant.call("explain_machine", machine=ON)).code == "forbidden"
