"""Power where a machine's state is behind its events: what is under way is told, and nobody is asked in vain."""

from typing import Any

import pytest
from mcp_types import ElicitResult
from tests.conftest import Talking
from tests.surface.many import DEVS, acted, row
from tests.surface.meanwhile import when
from tests.surface.talk import Assistant, agrees

from paperspace_mcp.simulator import Fault, Simulator, lifecycle

pytestmark = pytest.mark.anyio

BEN, ANNA = "ps8jo1fga", "psoxnh2i7"
"""dev-ben is off, dev-anna runs."""


def begun(sim: Simulator, machine: str, verb: str) -> str:
    """Somebody in the console does it now; the id of its event. The state does not show it yet."""
    begin: Any = getattr(lifecycle, verb)
    return str(begin(sim.world, sim.machine(machine), sim.clock.now(), None).id)


# -- something else is under way --------------------------------------------------------------------------------------

OPPOSITES = [("start", BEN, "stop"), ("start", BEN, "restart"), ("stop", ANNA, "start"), ("stop", ANNA, "restart"),
             ("restart", ANNA, "stop"), ("restart", ANNA, "restart")]  # fmt: skip


@pytest.mark.parametrize(("first", "machine", "second"), OPPOSITES)
async def test_what_is_under_way_must_end_first(
    assistant: Assistant, sim: Simulator, first: str, machine: str, second: str
) -> None:
    begun_by = await assistant.call(f"{first}_machine", machine=machine)
    state = sim.machine(machine).state
    reply = await assistant.call(f"{second}_machine", machine=sim.machine(machine).name)
    assert (reply.code, reply.error["changed"]) == ("machine_busy", "no")
    assert begun_by.data["event"]["id"] in reply.error["next"]
    assert "wait_for_event" in reply.error["next"]
    assert f"Its {first} event is under way" in reply.error["message"]
    assert sim.machine(machine).state == state, "the state did not show it yet"
    assert (len(sim.mutations()), len(assistant.questions)) == (1, 1)


async def test_what_was_told_to_wait_for_can_be_waited_for(assistant: Assistant, sim: Simulator) -> None:
    started = await assistant.call("start_machine", machine=BEN)
    assert (await assistant.call("stop_machine", machine=BEN)).code == "machine_busy"
    sim.advance(70)
    assert (await assistant.call("wait_for_event", event_ids=started.data["event"]["id"])).data["overall"] == "done"
    assert (await assistant.call("stop_machine", machine=BEN)).data["changed"] is True
    sim.advance(70)
    assert sim.machine(BEN).state == "off"
    assert [one.path.rpartition("/")[2] for one in sim.mutations()] == ["start", "stop"]


@pytest.mark.parametrize("state", ["stopping", "starting", "upgrading", "provisioning"])
async def test_a_passing_state_names_its_event(assistant: Assistant, sim: Simulator, state: str) -> None:
    """However old it is: here it is over already, and by itself it would be taken for a stuck one."""
    event = begun(sim, ANNA, "stop")
    sim.advance(200)
    sim.machine(ANNA).state = state
    reply = await assistant.call("restart_machine", machine=ANNA)
    assert reply.code == "machine_busy"
    assert event in reply.error["next"]
    assert (sim.mutations(), assistant.questions) == ([], [])


# -- the same is under way --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("verb", "machine", "state"), [("start", BEN, "off"), ("stop", ANNA, "ready")])
async def test_the_same_act_of_another_is_no_change_and_no_question(
    assistant: Assistant, sim: Simulator, verb: str, machine: str, state: str
) -> None:
    event = begun(sim, machine, verb)
    assert sim.machine(machine).state == state
    reply = await assistant.call(f"{verb}_machine", machine=machine)
    assert (reply.data["status"], reply.data["changed"], reply.data["event"]["id"]) == ("unchanged", False, event)
    assert f"its state is still {state}" in reply.data["summary"]
    assert event in reply.data["next"]
    assert (sim.mutations(), assistant.questions) == ([], [])


async def test_a_start_where_a_restart_runs_changes_nothing(assistant: Assistant, sim: Simulator) -> None:
    event = begun(sim, ANNA, "restart")
    reply = await assistant.call("start_machine", machine=ANNA)
    assert (reply.data["changed"], reply.data["event"]["id"]) == (False, event)
    assert sim.mutations() == []


async def test_what_is_on_its_way_is_waited_for_where_the_call_waits(assistant: Assistant, sim: Simulator) -> None:
    begun(sim, BEN, "start")
    when(sim, "/machine-events/", lambda: sim.advance(70))
    reply = await assistant.call("start_machine", machine=BEN, wait_seconds=5)
    assert (reply.data["changed"], reply.data["waited"]["verdict"]) == (False, "done")
    assert (reply.data["machine"]["state"], reply.data["event"]["state"]) == ("ready", "done")
    assert sim.mutations() == []


async def test_an_event_that_is_stuck_keeps_nobody_from_a_start(assistant: Assistant, sim: Simulator) -> None:
    begun(sim, ANNA, "stop")
    machine = sim.machine(ANNA)
    machine.current, machine.state = None, "off"
    for event in sim.events.values():
        if event.state == "new":
            event.halted, event.dtCreated = True, sim.clock.now() - 121
    assert (await assistant.call("start_machine", machine=ANNA)).data["changed"] is True
    assert acted(sim, "start") == {ANNA}


async def test_where_events_cannot_be_read_the_state_counts(assistant: Assistant, sim: Simulator) -> None:
    sim.faults.add(Fault("status", "list_machine_events", status=403, times=None))
    assert (await assistant.call("start_machine", machine=BEN)).data["changed"] is True
    assert (await assistant.call("stop_machine", machine=BEN)).data["changed"] is False
    assert acted(sim, "start") == {BEN}


# -- begun while the person thought -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("verb", "machine"), [("start", BEN), ("stop", ANNA)])
async def test_the_same_begun_meanwhile_is_no_change(
    client: Talking, sim: Simulator, era: str, verb: str, machine: str
) -> None:
    events: list[str] = []

    def meanwhile(question: str) -> ElicitResult:
        events.append(begun(sim, machine, verb))
        return agrees(question)

    async with client(era, meanwhile) as assistant:
        reply = await assistant.call(f"{verb}_machine", machine=machine)
    assert [request.status for request in sim.mutations()] == [400]
    assert (reply.code, reply.data["status"], reply.data["changed"]) == ("", "unchanged", False)
    assert reply.data["event"]["id"] == events[0]


async def test_the_opposite_begun_meanwhile_is_told_with_its_event(client: Talking, sim: Simulator, era: str) -> None:
    events: list[str] = []

    def meanwhile(question: str) -> ElicitResult:
        events.append(begun(sim, ANNA, "restart"))
        return agrees(question)

    async with client(era, meanwhile) as assistant:
        reply = await assistant.call("stop_machine", machine=ANNA)
    assert [request.status for request in sim.mutations()] == [400]
    assert (reply.code, reply.error["changed"]) == ("machine_busy", "no")
    assert events[0] in reply.error["next"]


# -- the same words again ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bulk", [False, True])
async def test_a_start_that_is_being_undone_is_not_told_as_done(
    assistant: Assistant, sim: Simulator, *, bulk: bool
) -> None:
    given = {"action": "start", "machines": [BEN]} if bulk else {"machine": BEN}
    tool = "power_machines" if bulk else "start_machine"
    await assistant.call(tool, **given)
    sim.advance(70)
    stopped = await assistant.call("stop_machine", machine=BEN)
    again = await assistant.call(tool, **given)
    assert sim.machine(BEN).state == "ready", "it does not show yet"
    assert again.code == "machine_busy"
    assert stopped.data["event"]["id"] in again.everything
    assert [one.path.rpartition("/")[2] for one in sim.mutations()] == ["start", "stop"]


async def test_a_restart_of_what_was_stopped_meanwhile_is_not_told_as_done(
    assistant: Assistant, sim: Simulator
) -> None:
    await assistant.call("restart_machine", machine=ANNA)
    sim.advance(60)
    await assistant.call("stop_machine", machine=ANNA)
    assert (await assistant.call("restart_machine", machine=ANNA)).code == "machine_busy"
    sim.advance(60)
    assert (await assistant.call("restart_machine", machine=ANNA)).code == "machine_off"


# -- many -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("verb", "machine", "action"), [("start", BEN, "stop"), ("stop", ANNA, "start")])
async def test_one_that_goes_the_other_way_is_an_error_where_nothing_else_is_to_be_done(
    assistant: Assistant, sim: Simulator, verb: str, machine: str, action: str
) -> None:
    event = begun(sim, machine, verb)
    reply = await assistant.call("power_machines", action=action, machines=[machine])
    assert (reply.code, reply.error["changed"]) == ("machine_busy", "no")
    assert (row(reply.data, machine)["result"], row(reply.data, machine)["event_id"]) == ("left_out", event)
    assert event in reply.text
    assert "wait_for_event" in reply.error["next"]
    assert (sim.mutations(), assistant.questions) == ([], [])


async def test_the_others_are_done_and_it_is_told_what_to_wait_for(assistant: Assistant, sim: Simulator) -> None:
    event = begun(sim, BEN, "start")
    reply = await assistant.call("power_machines", action="stop", name_globs=["dev-*"])
    assert acted(sim, "stop") == DEVS
    assert row(reply.data, BEN)["event_id"] == event
    assert "its start is under way" in row(reply.data, BEN)["why"]
    assert "Of the busy ones wait_for_event" in reply.data["next"]


async def test_the_wait_is_for_our_events_and_not_for_those_in_the_way(assistant: Assistant, sim: Simulator) -> None:
    begun(sim, BEN, "start")
    when(sim, "/machine-events/", lambda: sim.advance(35), times=3)
    reply = await assistant.call("power_machines", action="stop", name_globs=["dev-*"], wait_seconds=5)
    assert "After the wait: 3 done." in reply.data["summary"]
    assert "waited" not in row(reply.data, BEN)


async def test_the_opposite_begun_meanwhile_is_told_for_each(client: Talking, sim: Simulator, era: str) -> None:
    events: list[str] = []

    def meanwhile(question: str) -> ElicitResult:
        events.append(begun(sim, ANNA, "restart"))
        return agrees(question)

    async with client(era, meanwhile) as assistant:
        reply = await assistant.call("power_machines", action="stop", name_globs=["dev-*"])
    assert (reply.data["status"], reply.data["counts"]["failed"]) == ("partial", 1)
    assert row(reply.data, ANNA)["event_id"] == events[0]
    assert "its restart is under way" in row(reply.data, ANNA)["why"]
