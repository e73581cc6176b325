"""Power for many machines: waiting for them, and the same call again."""

import pytest
from tests.surface.many import DEVS, acted, results, row
from tests.surface.meanwhile import when
from tests.surface.talk import Assistant, asked_for

from paperspace_mcp.simulator import Fault, Simulator

pytestmark = pytest.mark.anyio


async def test_a_call_may_wait_for_all_of_them(assistant: Assistant, sim: Simulator) -> None:
    when(sim, "/machine-events/", lambda: sim.advance(70))
    reply = await assistant.call("power_machines", action="start", machines=["dev-ben", "pse3n8ok5b2h"], wait_seconds=5)
    assert {row(reply.data, one)["waited"] for one in ("ps8jo1fga", "pse3n8ok5b2h")} == {"done"}
    assert row(reply.data, "ps8jo1fga")["public_ip"] == sim.machine("dev-ben").publicIp
    assert "After the wait: 2 done." in reply.data["summary"]
    assert "next" not in reply.data
    assert len(acted(sim, "start")) == 2


async def test_what_is_not_finished_after_the_wait_is_told(assistant: Assistant, sim: Simulator) -> None:
    sim.faults.add(Fault("capacity", "start", machine="ps8jo1fga"))
    when(sim, "/machine-events/", lambda: sim.advance(20))
    reply = await assistant.call("power_machines", action="start", machines=["dev-ben", "pse3n8ok5b2h"], wait_seconds=1)
    assert (row(reply.data, "ps8jo1fga")["waited"], row(reply.data, "ps8jo1fga")["result"]) == ("failed", "failed")
    assert (reply.data["status"], reply.data["counts"]) == ("partial", {"done": 1, "failed": 1})
    usd = row(reply.data, "pse3n8ok5b2h")["usd_per_hour"]
    assert (reply.data["usd_per_hour"], "unpriced" in reply.data) == (usd, False), "a failed start costs nothing"
    assert f"Costs {usd:g} USD/h" in reply.data["summary"]
    assert "capacity" in row(reply.data, "ps8jo1fga")["why"]
    assert row(reply.data, "pse3n8ok5b2h")["waited"] == "pending"
    assert "wait_for_event" in reply.data["next"]
    assert len(acted(sim, "start")) == 2


async def test_where_all_fail_after_the_wait_it_is_an_error(assistant: Assistant, sim: Simulator) -> None:
    sim.faults.add(Fault("capacity", "start", times=2))
    when(sim, "/machine-events/", lambda: sim.advance(20))
    given = {"action": "start", "machines": ["dev-ben", "pse3n8ok5b2h"]}
    reply = await assistant.call("power_machines", **given, wait_seconds=5)
    assert (reply.code, reply.error["changed"], reply.data["counts"]) == ("event_failed", "no", {"failed": 2})
    assert "capacity" in row(reply.data, "ps8jo1fga")["why"]
    assert reply.error["retryable"] is True
    assert "usd_per_hour" not in reply.data
    again = await assistant.call("power_machines", **given)
    assert (again.data["status"], again.data["counts"]) == ("done", {"done": 2})
    assert len(sim.mutations()) == 4


async def test_what_another_began_and_failed_is_no_longer_told_as_so(assistant: Assistant, sim: Simulator) -> None:
    sim.faults.add(Fault("capacity", "start"))
    await assistant.call("start_machine", machine="dev-ben")
    when(sim, "/machine-events/", lambda: sim.advance(20))
    reply = await assistant.call("power_machines", action="start", machines=["dev-ben", "dev-anna"], wait_seconds=5)
    assert (reply.code, reply.data["counts"]) == ("event_failed", {"unchanged": 1, "failed": 1})
    assert row(reply.data, "psoxnh2i7")["result"] == "unchanged"
    assert len(sim.mutations()) == 1


async def test_the_events_of_the_answer_can_be_waited_for(assistant: Assistant, sim: Simulator) -> None:
    reply = await assistant.call("power_machines", action="stop", name_globs=["dev-*"])
    sim.advance(300)
    events = [one["event_id"] for one in reply.data["machines"] if one["result"] == "done"]
    waited = await assistant.call("wait_for_event", event_ids=events)
    assert waited.data["overall"] == "done"
    assert {one["machine_state"] for one in waited.data["events"]} == {"off"}


async def test_a_repeated_call_is_told_and_not_done_again(assistant: Assistant, sim: Simulator) -> None:
    first = await assistant.call("power_machines", action="restart", name_globs=["dev-*"])
    again = await assistant.call("power_machines", action="restart", name_globs=["dev-*"])
    assert (again.data["status"], again.data["approval"]) == ("already_done", first.data["approval"])
    assert results(again.data) == results(first.data)
    assert acted(sim, "restart") == DEVS
    assert len(assistant.questions) == 1


async def test_another_machine_that_fits_the_words_is_another_wish(assistant: Assistant, sim: Simulator) -> None:
    await assistant.call("power_machines", action="stop", name_globs=["dev-*"])
    sim.add_machine(id="pslate", name="dev-late", state="ready", machineType="A4000")
    sim.advance(300)
    again = await assistant.call("power_machines", action="stop", name_globs=["dev-*"])
    assert again.data["status"] == "done"
    assert acted(sim, "stop") == DEVS | {"pslate"}
    assert [asked_for(question) for question in assistant.questions] == ["stop 3", "stop"]


async def test_what_somebody_started_again_is_stopped_again(assistant: Assistant, sim: Simulator) -> None:
    await assistant.call("power_machines", action="stop", name_globs=["dev-*"])
    sim.advance(300)
    sim.change("dev-anna", state="ready")
    again = await assistant.call("power_machines", action="stop", name_globs=["dev-*"])
    assert again.data["status"] == "done"
    assert [request.path for request in sim.mutations()].count("/machines/psoxnh2i7/stop") == 2
    assert len(sim.mutations()) == 4
    assert asked_for(assistant.questions[1]) == "stop"


async def test_start_stop_and_start_are_three_wishes(assistant: Assistant, sim: Simulator) -> None:
    for action in ("stop", "start", "stop"):
        reply = await assistant.call("power_machines", action=action, machines=["dev-anna", "dev-diya"])
        assert reply.data["status"] == "done", reply.data["summary"]
        sim.advance(300)
    assert len(sim.mutations()) == 6


async def test_nothing_is_chosen_from_a_part_of_the_fleet(assistant: Assistant, sim: Simulator) -> None:
    for index in range(300):
        sim.add_machine(id=f"psmany{index}", name=f"many-{index}", state="off")
    sim.faults.add(Fault("status", "list_machines", after=1, times=None, status=403))
    reply = await assistant.call("power_machines", action="start", name_globs=["many-1*"])
    assert reply.code == "forbidden"
    assert (sim.mutations(), assistant.questions) == ([], [])
