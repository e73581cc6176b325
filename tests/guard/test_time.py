"""Answers that come too late, clocks that jump, calls that are repeated."""

from typing import Any

import pytest
from tests.guard.bench import CALLS, CREATE, DELETE, START, STOP, Bench, Call, Person, error_of, title, types

from paperspace_mcp.simulator import Fault

pytestmark = pytest.mark.anyio


def later(bench: Bench, seconds: float) -> None:
    bench.clock.at += seconds


@pytest.mark.parametrize("call", CALLS, ids=title)
@pytest.mark.parametrize("seconds", [121.0, 86_400.0, -1.0])
async def test_an_answer_out_of_its_time_lets_nothing_through(
    bench: Bench, era: str, call: Call, seconds: float
) -> None:
    first = True

    def pass_time() -> None:
        nonlocal first
        if first:
            later(bench, seconds)
        first = False

    person = Person(lambda nth: types(call.typed if nth == 1 else "no"), before=pass_time)
    answer = await bench.call(era, person, call.tool, call.arguments)
    assert bench.sent == []
    assert error_of(answer) in {"expired", "mistyped"}
    assert len(set(person.codes)) == len(person.codes), "what is asked again has a code of its own"


async def test_the_last_moment_counts(bench: Bench, era: str) -> None:
    person = Person(types("stop"), before=lambda: later(bench, 120.0))
    await bench.call(era, person, STOP.tool, STOP.arguments)
    assert tuple(bench.sent) == STOP.sent


@pytest.mark.parametrize("call", CALLS, ids=title)
async def test_a_repeated_call_is_told_the_outcome_for_two_minutes(bench: Bench, era: str, call: Call) -> None:
    person = Person(types(call.typed))
    await bench.call(era, person, call.tool, call.arguments)
    for _ in range(3):
        later(bench, 40.0)
        answer = await bench.call(era, person, call.tool, call.arguments)
        assert answer["status"] == "already_done"
        assert answer["approval"] == person.codes[0]
    assert len(person.questions) == 1
    assert bench.did(call)


async def test_after_two_minutes_a_repeated_create_is_a_new_question(bench: Bench, era: str) -> None:
    person = Person(types("create"))
    await bench.call(era, person, CREATE.tool, CREATE.arguments)
    later(bench, 121.0)
    await bench.call(era, person, CREATE.tool, CREATE.arguments)
    assert len(set(person.codes)) == 2
    assert len(bench.sent) == 2


async def test_start_stop_start_are_three_wishes(bench: Bench, era: str) -> None:
    machine = {"machine": "dev-ben"}
    start, stop = Person(types("start")), Person(types("stop"))
    for person, tool in ((start, "start_machine"), (stop, "stop_machine"), (start, "start_machine")):
        answer = await bench.call(era, person, tool, machine)
        assert answer["status"] == "done"
        bench.sim.advance(300.0)
        later(bench, 1.0)
    assert bench.sent == [f"PATCH /machines/ps8jo1fga/{verb}" for verb in ("start", "stop", "start")]
    assert len(set(start.codes)) == 2


LOST = [
    Fault("close", "create", stage="after"),
    Fault("close", "create", stage="during"),
    Fault("malformed", "create"),
    Fault("empty", "create"),
    Fault("status", "create", status=502, apply=True),
    Fault("status", "create", status=504),
]


def lost_or_found(bench: Bench, answer: dict[str, Any]) -> None:
    """Where the provider did it, the account shows it; where not, nobody knows, and it is said."""
    if bench.sim.mutations()[-1].applied:
        assert answer["reconciled"] is True
    else:
        assert (error_of(answer), answer["error"]["changed"]) == ("outcome_unknown", "unknown")


@pytest.mark.parametrize("fault", LOST, ids=lambda fault: f"{fault.kind}-{fault.params}")
async def test_a_lost_answer_is_never_sent_again(bench: Bench, era: str, fault: Fault) -> None:
    bench.sim.faults.add(Fault(fault.kind, "create", **fault.params))
    person = Person(types("create"))
    for _ in range(3):
        answer = await bench.call(era, person, CREATE.tool, CREATE.arguments)
        lost_or_found(bench, answer)
        later(bench, 30.0)
    assert bench.sent == ["POST /machines"]
    assert len(person.questions) == 1


@pytest.mark.parametrize("call", [call for call in CALLS if call.tool != "create_machine"], ids=title)
async def test_lost_answers_of_all_tools(bench: Bench, era: str, call: Call) -> None:
    bench.sim.faults.add(Fault("close", call.operation, stage="after"))
    person = Person(types(call.typed))
    for _ in range(2):
        answer = await bench.call(era, person, call.tool, call.arguments)
        lost_or_found(bench, answer)
    assert bench.did(call)
    assert len(person.questions) == 1


async def test_a_request_that_was_refused_may_be_asked_again(bench: Bench, era: str) -> None:
    bench.sim.faults.add(Fault("status", "delete", status=409))
    person = Person(types(DELETE.typed))
    assert error_of(await bench.call(era, person, DELETE.tool, DELETE.arguments)) == "conflict"
    assert (await bench.call(era, person, DELETE.tool, DELETE.arguments))["status"] == "done"
    assert len(set(person.codes)) == 2
    assert len(bench.sent) == 2


async def test_an_unreadable_target_is_not_touched(bench: Bench, era: str) -> None:
    """The re-read before the effect is refused: that is a no."""

    def bar() -> None:
        bench.sim.faults.add(Fault("status", "get_machine", times=None, status=403))

    answer = await bench.call(era, Person(types("start"), before=bar), START.tool, START.arguments)
    assert error_of(answer) in {"target_changed", "forbidden"}
    assert bench.sent == []


async def test_the_trace_of_another_call_is_no_trace_of_this_one(bench: Bench, era: str) -> None:
    many = CALLS[-1]
    await bench.call(era, Person(types(many.typed)), many.tool, many.arguments)
    bench.sim.advance(300.0)
    bench.sim.faults.add(Fault("close", "restart", stage="before"))
    answer = await bench.call(era, Person(types("restart")), "restart_machine", {"machine": "dev-anna"})
    assert (error_of(answer), answer["error"]["changed"]) == ("outcome_unknown", "unknown")


async def test_what_a_colleague_made_of_the_same_name_is_not_what_was_ordered(bench: Bench, era: str) -> None:
    def colleague() -> None:
        bench.sim.faults.add(Fault("close", "create", stage="before"))
        bench.sim.add_machine(name="fresh", machineType="C4", state="provisioning", region="ca1")

    answer = await bench.call(era, Person(types("create"), before=colleague), CREATE.tool, CREATE.arguments)
    assert (error_of(answer), answer["error"]["changed"]) == ("outcome_unknown", "unknown")
