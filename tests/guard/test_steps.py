"""Plans of several steps, breaks in the middle, clients that hang up."""

from collections.abc import Callable
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint
from tests.guard.bench import CREATE, DELETE, KEY, MODERN, STOP, Bench, Call, Person, error_of, title, types

from paperspace_mcp.conduct import load_outcomes, pauses
from paperspace_mcp.rules.guard.records import Status
from paperspace_mcp.simulator import Fault, Simulator
from paperspace_mcp.surface import consent
from paperspace_mcp.surface.tools import updating

pytestmark = pytest.mark.anyio
Make = Callable[..., Bench]

ID = "psoxnh2i7"
STOPPED, UPDATED, STARTED = f"PATCH /machines/{ID}/stop", f"PUT /machines/{ID}", f"PATCH /machines/{ID}/start"
RESIZE = {"machine": "dev-anna", "machine_type": "A5000", "when_running": "stop_and_start"}


def swift() -> Simulator:
    """An account where every operation is over before the next request."""
    return Simulator(time_scale=1e6, keys=(KEY,))


async def test_a_resize_of_a_running_machine_is_one_question_and_three_steps(benches: Make, era: str) -> None:
    bench, person = benches(sim=swift()), Person(types("update"))
    answer = await bench.call(era, person, "update_machine", RESIZE)
    assert bench.sent == [STOPPED, UPDATED, STARTED]
    assert len(person.questions) == 1
    assert person.questions[0].startswith("STOP it first and START it afterwards.")
    assert answer["status"] == "done"
    again = await bench.call(era, person, "update_machine", RESIZE)
    assert again["status"] == "already_done"
    assert len(bench.sent) == 3


async def test_a_resize_without_a_start_leaves_it_off(benches: Make, era: str) -> None:
    bench = benches(sim=swift())
    await bench.call(era, Person(types("update")), "update_machine", {**RESIZE, "when_running": "stop"})
    assert bench.sent == [STOPPED, UPDATED]


async def test_a_running_machine_is_not_stopped_unasked(bench: Bench, era: str) -> None:
    answer = await bench.call(
        era, Person(types("update")), "update_machine", {"machine": "dev-anna", "machine_type": "A5000"}
    )
    assert error_of(answer) == "machine_not_off"
    assert bench.sent == []


async def test_growing_a_disk_of_a_running_machine_takes_its_name(benches: Make, era: str) -> None:
    bench = benches(sim=swift())
    arguments = {"machine": "dev-anna", "disk_size_gb": 250, "when_running": "stop_and_start"}
    assert error_of(await bench.call(era, Person(types("update")), "update_machine", arguments)) == "mistyped"
    assert bench.sent == []
    await bench.call(era, Person(types("dev-anna")), "update_machine", arguments)
    assert bench.sent == [STOPPED, UPDATED, STARTED]


async def test_a_rename_on_the_way_is_the_name_that_is_started(benches: Make, era: str) -> None:
    bench = benches(sim=swift())
    await bench.call(era, Person(types("update")), "update_machine", {**RESIZE, "name": "dev-anna-2"})
    assert bench.sent == [STOPPED, UPDATED, STARTED]


async def test_a_broken_first_step_ends_the_plan(benches: Make, era: str) -> None:
    bench = benches(sim=swift())
    bench.sim.faults.add(Fault("status", "stop", status=409))
    answer = await bench.call(era, Person(types("update")), "update_machine", RESIZE)
    assert error_of(answer) == "conflict"
    assert bench.sent == [STOPPED]


async def test_a_lost_answer_in_the_middle_ends_the_plan(benches: Make, era: str) -> None:
    bench, person = benches(sim=swift()), Person(types("update"))
    bench.sim.faults.add(Fault("close", "update", stage="before"))
    for _ in range(3):
        answer = await bench.call(era, person, "update_machine", RESIZE)
        assert error_of(answer) == "outcome_unknown"
        assert "Done first by this call: stop_machine." in answer["error"]["message"]
        assert "start_machine" in answer["error"]["next"]
    assert bench.sent == [STOPPED, UPDATED]
    assert len(person.questions) == 1


async def test_a_change_in_the_middle_ends_the_plan(benches: Make, monkeypatch: pytest.MonkeyPatch, era: str) -> None:
    monkeypatch.setattr(updating, "STOP_WAIT_S", 0.01)
    bench, person = benches(), Person(types("update"))
    await bench.call(era, person, "update_machine", RESIZE)
    bench.sim.change(ID, state="off", name="somebody-else")
    answer = await bench.call(era, person, "update_machine", RESIZE)
    assert error_of(answer) == "target_changed"
    assert answer["error"]["changed"] == "yes", "the stop was done"
    assert bench.sent == [STOPPED]


async def test_a_broken_plan_goes_on_where_it_stopped(benches: Make, monkeypatch: pytest.MonkeyPatch, era: str) -> None:
    monkeypatch.setattr(updating, "STOP_WAIT_S", 0.01)
    bench, person = benches(), Person(types("update"))
    answer = await bench.call(era, person, "update_machine", RESIZE)
    assert (answer["status"], bench.sent) == ("under_way", [STOPPED])
    bench.sim.change(ID, state="off")
    other = benches(sim=bench.sim)  # a restart
    await other.call(era, None, "update_machine", RESIZE)
    bench.sim.change(ID, state="off", machineType="A5000")
    answer = await bench.call(era, None, "update_machine", RESIZE)
    assert bench.sent == [STOPPED, UPDATED, STARTED]
    assert len(person.questions) == 1


async def test_twenty_calls_go_on_with_one_plan(benches: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consent, "OVERTAKEN_S", 1.0)
    monkeypatch.setattr(updating, "STOP_WAIT_S", 0.01)
    bench = benches()
    await bench.call(MODERN, Person(types("update")), "update_machine", RESIZE)
    bench.sim.change(ID, state="off")
    other = benches(sim=bench.sim)
    async with anyio.create_task_group() as tasks:
        for index in range(20):
            tasks.start_soon((bench, other)[index % 2].call, MODERN, None, "update_machine", RESIZE)
    assert bench.sent.count(UPDATED) == 1
    assert bench.sent.count(STARTED) <= 1


async def test_what_is_left_is_not_done_long_after(benches: Make, monkeypatch: pytest.MonkeyPatch, era: str) -> None:
    monkeypatch.setattr(updating, "STOP_WAIT_S", 0.01)
    bench, person = benches(), Person(types("update"))
    await bench.call(era, person, "update_machine", RESIZE)
    bench.sim.change(ID, state="off")
    bench.clock.at += 901.0
    answer = await bench.call(era, None, "update_machine", RESIZE)
    assert answer["status"] == "approval_required"
    assert bench.sent == [STOPPED]


async def test_a_resize_waits_until_the_machine_is_off(benches: Make, era: str) -> None:
    bench = benches(sim=Simulator(time_scale=500.0, keys=(KEY,)))
    answer = await bench.call(era, Person(types("update")), "update_machine", RESIZE)
    assert [one.status for one in bench.sim.mutations()] == [200, 200, 200], answer["summary"]


async def test_a_failure_between_steps_is_not_told_as_nothing(
    benches: Make, monkeypatch: pytest.MonkeyPatch, era: str
) -> None:
    monkeypatch.setattr(updating, "STOP_WAIT_S", 0.01)
    bench = benches()

    def bar(_request: Any) -> bool:
        if bench.sent and not bench.sim.faults.planned():
            bench.sim.faults.add(Fault("status", "get_machine", times=None, status=403))
        return False

    bench.gate.holds = bar
    answer = await bench.call(era, Person(types("update")), "update_machine", RESIZE)
    assert bench.sent == [STOPPED]
    assert (answer["status"], answer["changed"]) == ("under_way", True)


async def test_what_is_under_way_tells_what_is_done_and_what_is_left(
    benches: Make, monkeypatch: pytest.MonkeyPatch, era: str
) -> None:
    monkeypatch.setattr(updating, "STOP_WAIT_S", 0.01)
    bench, person = benches(), Person(types("update"))
    answer = await bench.call(era, person, "update_machine", RESIZE)
    [stop] = [event.id for event in bench.sim.events.values() if event.name == "stop" and event.state == "new"]
    assert (answer["machine"]["id"], answer["event"]["id"]) == (ID, stop)
    assert "done: stop_machine; left: update_machine, start_machine" in answer["summary"]
    assert stop in answer["next"]
    assert "Repeat the same call" in answer["next"]


async def test_the_waits_of_a_call_have_one_end(benches: Make, monkeypatch: pytest.MonkeyPatch, era: str) -> None:
    """The stop and the upgrade each take most of what all of them may take together."""
    monkeypatch.setattr(updating, "STOP_WAIT_S", 0.6)
    sim = Simulator(time_scale=1.0, keys=(KEY,))
    sim.durations["stop"] = sim.durations["vm-upgrade"] = 0.4
    bench, person = benches(sim=sim), Person(types("update"))
    began = anyio.current_time()
    answer = await bench.call(era, person, "update_machine", RESIZE)
    assert (answer["status"], bench.sent) == ("under_way", [STOPPED, UPDATED]), anyio.current_time() - began
    assert (await bench.call(era, person, "update_machine", RESIZE))["status"] == "done"
    assert bench.sent == [STOPPED, UPDATED, STARTED]


async def test_the_client_hears_of_the_waits_between_steps(
    benches: Make, monkeypatch: pytest.MonkeyPatch, era: str
) -> None:
    monkeypatch.setattr(updating, "STOP_WAIT_S", 0.4)
    monkeypatch.setattr(pauses, "REPORT_EVERY_S", 0.05)
    bench, told = benches(), list[Any]()

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress >= 0, total, message))

    async with bench.client(era, Person(types("update"))) as client:
        await client.call_tool("update_machine", RESIZE, progress_callback=hear)
    assert len(told) >= 3
    assert set(told) == {(True, 0.4, "stop_machine is under way")}


async def test_a_stop_whose_event_failed_ends_the_plan(benches: Make, era: str) -> None:
    bench, person = benches(), Person(types("update"))

    def fail(request: Any) -> bool:
        if bench.sent and "/machine-events/" in request.url.path:
            event = bench.sim.machine(ID).current
            if event is not None:
                event.finish(bench.sim.clock.now(), "error", "It hangs.")
                event.halted, bench.sim.machine(ID).current = True, None
        return False

    bench.gate.holds = fail
    answer = await bench.call(era, person, "update_machine", RESIZE)
    assert (error_of(answer), answer["status"], bench.sent) == ("event_failed", "failed", [STOPPED])
    assert '"It hangs."' in answer["error"]["message"]
    await bench.call(era, person, "update_machine", RESIZE)
    assert len(person.questions) == 2, "the same words are a new wish"


async def test_long_after_a_machine_that_was_left_off_is_told(
    benches: Make, monkeypatch: pytest.MonkeyPatch, era: str
) -> None:
    monkeypatch.setattr(updating, "STOP_WAIT_S", 0.01)
    bench, person = benches(), Person(types("update"))
    await bench.call(era, person, "update_machine", RESIZE)
    bench.sim.change(ID, state="off")
    await bench.call(era, person, "update_machine", RESIZE)
    bench.sim.change(ID, state="off", machineType="A5000")
    bench.clock.at += 901.0
    answer = await bench.call(era, None, "update_machine", RESIZE)
    assert (answer["status"], answer["next"]) == ("unchanged", "It is off; start_machine starts it.")
    assert bench.sent == [STOPPED, UPDATED]


@pytest.mark.parametrize("tool", ["update_machine", "start_machine"])
async def test_a_person_who_decides_late_does_not_make_the_call_too_long(
    benches: Make, monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    """What was approved out of band at the end of the hold is done and told, in what is left of the call's time."""
    monkeypatch.setattr(consent, "HOLD_POLL_S", 0.05)
    bench = benches(hold_s=0.6, max_wait_s=1.0)
    call = RESIZE if tool == "update_machine" else {"machine": "dev-ben", "wait_seconds": 50}

    async def decide() -> None:
        while not (waiting := await bench.app.conduct.inbox()):
            await anyio.sleep(0.01)
        await anyio.sleep(0.4)
        await bench.approve(waiting[0].code)

    began = anyio.current_time()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(decide)
        answer = await bench.call(MODERN, None, tool, call)
    assert len(bench.sent) == 1
    assert answer["changed"] is True, answer["summary"]
    assert answer["status"] == ("under_way" if tool == "update_machine" else "done")
    assert anyio.current_time() - began < 5.0


# -- hanging up -------------------------------------------------------------------------------------------------------


async def hung_up(bench: Bench, era: str, call: Call) -> str:
    """A client that answers, and hangs up where the gate holds the call; the code of its question."""
    person = Person(types(call.typed))
    async with bench.client(era, person) as client, anyio.create_task_group() as tasks:

        async def act() -> None:
            with anyio.CancelScope() as scope:
                tasks.start_soon(hang_up, scope)
                await client.call_tool(call.tool, dict(call.arguments))

        async def hang_up(scope: anyio.CancelScope) -> None:
            await bench.gate.reached.wait()
            scope.cancel()
            await checkpoint()
            bench.gate.opened.set()

        await act()
        await settled(bench, person.codes[0])
    return person.codes[0]


async def settled(bench: Bench, code: str) -> None:
    with anyio.move_on_after(2.0):
        while not (await bench.record(code)).settled:
            await checkpoint()


@pytest.mark.parametrize("call", [CREATE, DELETE, STOP], ids=title)
@pytest.mark.parametrize("after", [False, True])
async def test_hanging_up_around_the_effect_writes_it_down(bench: Bench, era: str, call: Call, after: bool) -> None:
    bench.gate.after, bench.gate.holds = after, lambda request: request.method != "GET"
    code = await hung_up(bench, era, call)
    record = await bench.record(code)
    assert bench.did(call)
    assert [one.status for one in load_outcomes(record.outcome)] == ["done"]
    bench.gate.holds = lambda _request: False
    again = await bench.call(era, None, call.tool, call.arguments)
    assert again["status"] == "already_done"
    assert bench.did(call)


async def test_hanging_up_at_the_re_read_is_at_most_one_effect(bench: Bench, era: str) -> None:
    reads = 0

    def last_read(request: Any) -> bool:
        nonlocal reads
        reads += request.url.path.endswith("/machines/ps8jo1fga")
        return bool(reads == 1 and request.method == "GET" and asked)

    asked = False

    def ask() -> None:
        nonlocal asked, reads
        asked, reads = True, 0

    bench.gate.holds = last_read
    person = Person(types(DELETE.typed), before=ask)
    async with bench.client(era, person) as client, anyio.create_task_group() as tasks:
        scope = anyio.CancelScope()

        async def hang_up() -> None:
            await bench.gate.reached.wait()
            scope.cancel()
            await checkpoint()
            bench.gate.opened.set()

        tasks.start_soon(hang_up)
        with scope:
            await client.call_tool(DELETE.tool, dict(DELETE.arguments))
        await settled(bench, person.codes[0])
    record = await bench.record(person.codes[0])
    done = [one.status for one in load_outcomes(record.outcome)] == ["done"]
    assert len(bench.sent) == int(done) <= 1
    assert record.status is Status.SPENT or not done


async def test_hanging_up_at_the_question_does_nothing(bench: Bench, era: str) -> None:
    hung, forever = anyio.Event(), anyio.Event()

    async def ponder(_context: Any, _params: Any) -> Any:
        hung.set()
        await forever.wait()

    async with bench.client(era, ponder) as client, anyio.create_task_group() as tasks:  # type: ignore[arg-type]
        with anyio.CancelScope() as scope:

            async def hang_up() -> None:
                await hung.wait()
                scope.cancel()

            tasks.start_soon(hang_up)
            await client.call_tool(DELETE.tool, dict(DELETE.arguments))
    assert bench.sent == []
