"""Starting, stopping and restarting: once, idempotent, and told truly when somebody else was first."""

from collections.abc import Callable

import pytest
from mcp_types import ElicitResult
from tests.conftest import Talking
from tests.guard.bench import Bench, Person
from tests.guard.bench import types as typed
from tests.surface.meanwhile import when
from tests.surface.talk import Assistant, Reports, agrees, cancels, declines, types

from paperspace_mcp.simulator import Fault, Simulator

pytestmark = pytest.mark.anyio

ACTS = [("start_machine", "dev-ben", "start"), ("stop_machine", "dev-anna", "stop"),
        ("restart_machine", "dev-anna", "restart")]  # fmt: skip


@pytest.mark.parametrize(("tool", "machine", "verb"), ACTS)
async def test_an_act_is_asked_about_and_sent_once(
    assistant: Assistant, sim: Simulator, tool: str, machine: str, verb: str
) -> None:
    reply = await assistant.call(tool, machine=machine)
    [request] = sim.mutations()
    assert (request.method, request.path, request.status) == (
        "PATCH",
        f"/machines/{sim.machine(machine).id}/{verb}",
        200,
    )
    assert (reply.data["status"], reply.data["changed"], reply.data["executed"]) == ("done", True, True)
    assert next(iter(reply.data)) == "summary"
    event = sim.events[reply.data["event"]["id"]]
    assert (event.name, event.machineId) == (verb, sim.machine(machine).id)
    assert event.id in reply.text
    assert sim.machine(machine).id in reply.text
    [question] = assistant.questions
    assert machine in question
    assert question.endswith(f"type: {verb}")


@pytest.mark.parametrize(("tool", "state"), [("start_machine", "ready"), ("start_machine", "serviceready"),
                                             ("stop_machine", "off")])  # fmt: skip
async def test_what_is_so_already_asks_nothing(assistant: Assistant, sim: Simulator, tool: str, state: str) -> None:
    sim.change("dev-anna", state=state)
    reply = await assistant.call(tool, machine="dev-anna")
    assert (reply.data["changed"], reply.data["executed"], reply.data["status"]) == (False, False, "unchanged")
    assert (sim.mutations(), assistant.questions) == ([], [])
    assert "changed: no" in reply.text


@pytest.mark.parametrize(("tool", "machine"), [("start_machine", "dev-ben"), ("stop_machine", "dev-anna")])
async def test_under_way_already_answers_the_running_event(
    assistant: Assistant, sim: Simulator, tool: str, machine: str
) -> None:
    first = await assistant.call(tool, machine=machine)
    sim.advance(5)
    again = await assistant.call(tool, machine=sim.machine(machine).id)
    assert again.data["changed"] is False
    assert again.data["event"]["id"] == first.data["event"]["id"]
    assert len(sim.mutations()) == 1


async def test_a_repeated_call_is_told_the_outcome_and_not_sent_again(assistant: Assistant, sim: Simulator) -> None:
    first = await assistant.call("restart_machine", machine="dev-anna")
    again = await assistant.call("restart_machine", machine="dev-anna", wait_seconds=0)
    assert (again.data["status"], again.data["event"]["id"]) == ("already_done", first.data["event"]["id"])
    assert (len(sim.mutations()), len(assistant.questions)) == (1, 1)


async def test_a_restart_of_a_machine_that_is_off_is_refused(assistant: Assistant, sim: Simulator) -> None:
    reply = await assistant.call("restart_machine", machine="dev-ben")
    assert reply.code == "machine_off"
    assert "start_machine" in reply.error["next"]
    assert (sim.mutations(), assistant.questions) == ([], [])


@pytest.mark.parametrize("tool", ["start_machine", "stop_machine", "restart_machine"])
async def test_a_machine_that_is_being_made_is_busy(assistant: Assistant, sim: Simulator, tool: str) -> None:
    reply = await assistant.call(tool, machine="dev-new-gpu")
    assert reply.code == "machine_busy"
    assert (sim.mutations(), assistant.questions) == ([], [])


@pytest.mark.parametrize(
    ("answering", "code"),
    [
        (declines, "declined"),
        (cancels, "declined"),
        (types("yes"), "mistyped"),
        (types(""), "mistyped"),
        (types("Stop"), "mistyped"),
        (types("stop\u200b"), "mistyped"),
        (types("psoxnh2i7"), "mistyped"),
        (lambda _: ElicitResult(action="accept", content={}), "mistyped"),
        (lambda _: ElicitResult(action="accept", content={"typed": True}), "mistyped"),
        (lambda _: ElicitResult(action="accept", content={"typed": "stop", "confirm": True}), "mistyped"),
    ],
)
async def test_anything_but_the_asked_text_does_nothing(
    client: Talking, sim: Simulator, era: str, answering: Callable[[str], ElicitResult], code: str
) -> None:
    async with client(era, answering) as assistant:
        reply = await assistant.call("stop_machine", machine="dev-anna")
    assert (reply.code, reply.error["changed"]) == (code, "no")
    assert sim.mutations() == []


async def test_space_around_the_typed_text_is_forgiven(client: Talking, sim: Simulator, era: str) -> None:
    async with client(era, types("  stop ")) as assistant:
        assert (await assistant.call("stop_machine", machine="dev-anna")).data["changed"]
    assert len(sim.mutations()) == 1


async def test_a_protected_machine_asks_for_its_name(client: Talking, sim: Simulator, era: str) -> None:
    async with client(era, types("stop")) as assistant:
        assert (await assistant.call("stop_machine", machine="prod-api-1")).code == "mistyped"
    assert sim.mutations() == []
    async with client(era) as assistant:
        assert (await assistant.call("stop_machine", machine="prod-api-1")).data["changed"]
        assert assistant.questions[0].endswith("type the exact name: prod-api-1")
    assert len(sim.mutations()) == 1


# -- somebody else was first ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tool", "machine", "state"), [("start_machine", "dev-ben", "ready"),
                                                        ("stop_machine", "dev-anna", "off"),
                                                        ("restart_machine", "dev-anna", "off")])  # fmt: skip
async def test_a_machine_that_changed_while_the_person_thought_is_left_alone(
    client: Talking, sim: Simulator, era: str, tool: str, machine: str, state: str
) -> None:
    def meanwhile(question: str) -> ElicitResult:
        sim.change(machine, state=state)
        return agrees(question)

    async with client(era, meanwhile) as assistant:
        reply = await assistant.call(tool, machine=machine)
    assert (reply.code, reply.error["changed"]) == ("target_changed", "no")
    assert "power" in reply.error["message"]
    assert sim.mutations() == []


async def test_a_machine_deleted_while_the_person_thought_is_told(client: Talking, sim: Simulator, era: str) -> None:
    def meanwhile(question: str) -> ElicitResult:
        sim.delete_behind("dev-anna")
        return agrees(question)

    async with client(era, meanwhile) as assistant:
        reply = await assistant.call("stop_machine", machine="dev-anna")
    assert (reply.code, reply.error["changed"]) == ("target_changed", "no")
    assert sim.mutations() == []


@pytest.mark.parametrize(("tool", "machine", "state"), [("start_machine", "dev-ben", "ready"),
                                                        ("stop_machine", "dev-anna", "off")])  # fmt: skip
async def test_a_400_because_it_is_so_already_is_no_change(
    client: Talking, sim: Simulator, era: str, tool: str, machine: str, state: str
) -> None:
    """The state flips in the moment between re-read and call."""
    when(sim, f"/{tool.removesuffix('_machine')}", lambda: sim.change(machine, state=state))
    async with client(era) as assistant:
        reply = await assistant.call(tool, machine=machine)
    [request] = sim.mutations()
    assert request.status == 400
    assert (reply.code, reply.data["changed"], reply.data["status"]) == ("", False, "unchanged")


async def test_another_400_is_told_with_the_providers_words(assistant: Assistant, sim: Simulator) -> None:
    sim.faults.add(Fault("status", "stop", status=400, message="No stopping on Sundays.", code="BAD_REQUEST"))
    reply = await assistant.call("stop_machine", machine="dev-anna")
    assert (reply.code, reply.error["changed"], reply.error["provider_code"]) == ("bad_request", "no", "BAD_REQUEST")
    assert '"No stopping on Sundays."' in reply.error["message"]
    assert len(sim.mutations()) == 1


# -- waiting in the call ----------------------------------------------------------------------------------------------


async def test_a_start_may_wait_until_the_machine_is_ready(assistant: Assistant, sim: Simulator) -> None:
    when(sim, "/machine-events/", lambda: sim.advance(70))
    reply = await assistant.call("start_machine", machine="dev-ben", wait_seconds=5)
    assert (reply.data["waited"]["verdict"], reply.data["machine"]["state"]) == ("done", "ready")
    assert reply.data["machine"]["public_ip"] == sim.machine("dev-ben").publicIp
    assert reply.data["machine"]["public_ip"] in reply.text
    assert len(sim.mutations()) == 1


async def test_a_wait_in_the_call_may_end_before_the_machine_is_ready(assistant: Assistant, sim: Simulator) -> None:
    reply = await assistant.call("start_machine", machine="dev-ben", wait_seconds=1)
    assert reply.data["waited"]["verdict"] == "pending"
    assert "wait_for_event" in reply.data["next"]
    assert len(sim.mutations()) == 1


async def test_a_start_without_capacity_is_told_by_the_wait(assistant: Assistant, sim: Simulator) -> None:
    sim.faults.add(Fault("capacity", "start"))
    first = await assistant.call("start_machine", machine="dev-ben")
    sim.advance(60)
    waited = await assistant.call("wait_for_event", event_ids=[first.data["event"]["id"]])
    assert (waited.data["overall"], waited.data["events"][0]["note"]) == ("failed", "capacity")
    assert "insufficient capacity" in waited.data["events"][0]["error"]


async def test_a_start_without_capacity_is_an_error_of_the_call_that_waited(
    assistant: Assistant, sim: Simulator
) -> None:
    sim.faults.add(Fault("capacity", "start"))
    when(sim, "/machine-events/", lambda: sim.advance(20))
    reply = await assistant.call("start_machine", machine="dev-ben", wait_seconds=5)
    assert (reply.code, reply.error["changed"], reply.error["retryable"]) == ("no_capacity", "no", True)
    assert (reply.data["status"], reply.data["changed"], reply.data["executed"]) == ("failed", False, True)
    assert (reply.data["event"]["state"], reply.data["machine"]["state"]) == ("error", "off")
    assert "insufficient capacity" in reply.error["message"]
    assert "wait_for_event" not in reply.text
    assert "usd_per_hour" not in reply.data, "it costs nothing"
    again = await assistant.call("start_machine", machine="dev-ben")
    assert again.data["status"] == "done", "the same words are a new wish"
    assert len(sim.mutations()) == 2


async def test_a_machine_that_is_deleted_under_the_wait_is_an_error(assistant: Assistant, sim: Simulator) -> None:
    def gone() -> None:
        sim.advance(70)
        sim.delete_behind("dev-ben")

    when(sim, "/machine-events/", gone)
    reply = await assistant.call("start_machine", machine="dev-ben", wait_seconds=5)
    assert (reply.code, reply.data["status"]) == ("event_failed", "failed")
    assert "deleted meanwhile" in reply.error["message"]


async def test_after_a_wait_that_ended_there_is_nothing_to_wait_for(assistant: Assistant, sim: Simulator) -> None:
    when(sim, "/machine-events/", lambda: sim.advance(70))
    reply = await assistant.call("stop_machine", machine="dev-anna", wait_seconds=5)
    assert (reply.data["machine"]["state"], reply.data["event"]["state"]) == ("off", "done")
    assert "next" not in reply.data


@pytest.mark.parametrize(("tool", "machine"), [("start_machine", "dev-ben"), ("stop_machine", "dev-anna")])
async def test_progress_is_reported_while_one_is_waited_for(
    client: Talking, sim: Simulator, era: str, tool: str, machine: str
) -> None:
    reports = Reports()
    when(sim, "/machine-events/", lambda: sim.advance(60), times=9)
    async with client(era) as assistant:
        arguments = {"machine": machine, "wait_seconds": 20}
        result = await assistant.client.call_tool(tool, arguments, progress_callback=reports)
    assert result.structured_content is not None
    assert result.structured_content["waited"]["verdict"] == "done"
    assert reports.told
    assert tool.removesuffix("_machine") in str(reports.told[-1][1])


async def test_a_wait_that_was_cut_says_so_where_it_matters(benches: Callable[..., Bench], era: str) -> None:
    bench = benches(max_wait_s=1.0)
    cut = await bench.call(era, Person(typed("start")), "start_machine", {"machine": "dev-ben", "wait_seconds": 3})
    assert "After the wait (capped at 1 s): pending" in cut["summary"]
    bench.sim.advance(70)
    whole = await bench.call(era, None, "start_machine", {"machine": "dev-ben", "wait_seconds": 4})
    assert "capped" not in whole["summary"]


# -- money and addresses ----------------------------------------------------------------------------------------------


async def test_a_start_tells_what_it_costs_and_a_stop_what_it_saves(assistant: Assistant, sim: Simulator) -> None:
    started = await assistant.call("start_machine", machine="dev-ben")
    stopped = await assistant.call("stop_machine", machine="dev-anna")
    restarted = await assistant.call("restart_machine", machine="dev-carlos")
    assert (started.data["usd_per_hour"], started.data["usd_per_month"]) == (0.56, 408.8)
    assert (stopped.data["usd_per_hour"], stopped.data["usd_per_month"]) == (0.76, 554.8)
    assert "It costs 0.56 USD/h (about 409 USD/month) while it runs." in started.data["summary"]
    saved = "Saves 0.76 USD/h (about 555 USD/month) while off; the disk stays billed."
    assert saved in stopped.data["summary"]
    assert "usd_per_hour" not in restarted.data
    start, stop, restart = assistant.questions
    assert start.startswith("START this machine: it costs 0.56 USD/h (about 409 USD/month) while it runs.\n")
    assert saved in stop
    assert "USD/month" not in restart
    assert len(sim.mutations()) == 3


async def test_what_stopping_a_reserved_machine_saves_is_not_claimed(assistant: Assistant, sim: Simulator) -> None:
    dry = await assistant.call("power_machines", action="stop", machines=["train-h100"], dry_run=True)
    reply = await assistant.call("stop_machine", machine="train-h100")
    said = "It is reserved, so what stopping it saves is not known; the disk stays billed."
    assert said in assistant.questions[0]
    assert said in reply.data["summary"]
    assert "What it saves while off is not known" in dry.data["summary"]
    assert {"usd_per_hour", "usd_per_month"}.isdisjoint(reply.data | dry.data)
    assert len(sim.mutations()) == 1


async def test_what_nobody_knows_is_said_in_sentences(assistant: Assistant, sim: Simulator) -> None:
    sim.add_machine(id="psodd", name="odd", state="off", machineType="C3", usageRate=None)
    sim.add_machine(id="pseven", name="even", state="ready", machineType="C3", usageRate=None)
    started = await assistant.call("start_machine", machine="odd")
    stopped = await assistant.call("stop_machine", machine="even")
    start, stop = assistant.questions
    assert start.startswith("START this machine: what it costs while it runs is not known.\n")
    assert "What it saves is not known; the disk stays billed." in stop
    assert "price unknown" not in f"{started.data['summary']}{stopped.data['summary']}"
    assert len(sim.mutations()) == 2


@pytest.mark.parametrize(("kind", "said"), [("none", "ssh needs one"), ("dynamic", "no public address yet")])
async def test_a_start_without_an_address_says_so(assistant: Assistant, sim: Simulator, kind: str, said: str) -> None:
    sim.change("dev-ben", publicIpType=kind, publicIp=None)
    when(sim, "/machine-events/", lambda: sim.advance(55.5))
    reply = await assistant.call("start_machine", machine="dev-ben", wait_seconds=2)
    assert (reply.data["machine"]["state"], reply.data["waited"]["verdict"]) == ("ready", "done")
    assert "public_ip" not in reply.data["machine"]
    assert said in reply.text
    assert ("ssh needs one" in assistant.questions[0]) is (kind == "none")


async def test_a_ready_machine_is_waited_for_until_it_has_its_address(assistant: Assistant, sim: Simulator) -> None:
    sim.change("dev-ben", publicIpType="dynamic", publicIp=None)
    when(sim, "/machine-events/", lambda: sim.advance(55.5), times=2)
    reply = await assistant.call("start_machine", machine="dev-ben", wait_seconds=20)
    assert f"machine ready, public IP {reply.data['machine']['public_ip']}" in reply.data["summary"]
    assert "note" not in reply.data["waited"]


# -- answers that say less --------------------------------------------------------------------------------------------


async def test_an_answer_without_an_event_is_followed_by_the_newest(assistant: Assistant, sim: Simulator) -> None:
    sim.faults.add(Fault("malformed", "start", body={"data": {"id": "ps8jo1fga"}}))
    when(sim, "/machine-events/", lambda: sim.advance(70))
    reply = await assistant.call("start_machine", machine="dev-ben", wait_seconds=5)
    assert '"dev-ben" (ps8jo1fga)' in reply.data["summary"]
    assert (reply.data["machine"]["name"], reply.data["waited"]["verdict"]) == ("dev-ben", "done")


async def test_an_answer_without_any_event_says_that_there_is_none_to_wait_for(
    client: Talking, sim: Simulator, era: str
) -> None:
    sim.faults.add(Fault("malformed", "stop", body={"data": {"id": "psoxnh2i7"}}))

    def meanwhile(question: str) -> ElicitResult:
        sim.faults.add(Fault("status", "list_machine_events", status=403, times=None))
        return agrees(question)

    async with client(era, meanwhile) as assistant:
        reply = await assistant.call("stop_machine", machine="dev-anna", wait_seconds=5)
    assert 'Stop accepted for "dev-anna" (psoxnh2i7)' in reply.data["summary"]
    assert "no event to wait for" in reply.data["next"]
    assert "get_machine" in reply.data["next"]


async def test_a_400_without_a_word_is_not_told_to_have_one(assistant: Assistant, sim: Simulator) -> None:
    sim.faults.add(Fault("status", "stop", status=400, message="", code="BAD_REQUEST"))
    reply = await assistant.call("stop_machine", machine="dev-anna")
    assert reply.code == "bad_request"
    assert "no reason" in reply.error["message"]
    assert "message says" not in reply.error["next"]
