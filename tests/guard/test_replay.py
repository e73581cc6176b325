"""One approval, one effect: replays, races, swaps, several processes on one store."""

from collections.abc import Callable, Mapping
from typing import Any

import anyio
import pytest
from mcp_types import ElicitResult
from tests.guard.bench import (
    CALLS,
    CREATE,
    DELETE,
    MODERN,
    NEW,
    STOP,
    Bench,
    Call,
    Person,
    Round,
    error_of,
    title,
    types,
)

pytestmark = pytest.mark.anyio
Make = Callable[..., Bench]


async def together(times: int, act: Callable[[], Any]) -> list[dict[str, Any]]:
    """The same thing done many times at once."""
    answers: list[dict[str, Any]] = []

    async def one() -> None:
        answers.append(await act())

    async with anyio.create_task_group() as tasks:
        for _ in range(times):
            tasks.start_soon(one)
    return answers


@pytest.mark.parametrize("call", CALLS, ids=title)
async def test_twenty_replays_of_one_answer_are_one_effect(bench: Bench, call: Call) -> None:
    asked = await bench.ask(call)
    answers = [await asked.answer(types(call.typed)) for _ in range(20)]
    assert bench.did(call)
    assert answers[0]["status"] == "done"
    assert {one["status"] for one in answers[1:]} == {"already_done"}


@pytest.mark.parametrize("call", [CREATE, DELETE, STOP], ids=title)
async def test_fifty_answers_at_once_are_one_effect(bench: Bench, call: Call) -> None:
    asked = await bench.ask(call)
    answers = await together(50, lambda: asked.answer(types(call.typed)))
    assert bench.did(call)
    assert {one.get("status") for one in answers} == {"already_done", "done"}, "each is told what it came to"
    assert sum(one["status"] == "done" for one in answers) == 1


async def test_replays_long_after_are_no_effect(bench: Bench) -> None:
    asked = await bench.ask(CREATE)
    await asked.answer(types("create"))
    for later in (121.0, 600.0, 86_400.0):
        bench.clock.at += later
        answer = await asked.answer(types("create"))
        assert "asked" in answer, "a question of its own, with another code"
    assert bench.sent == ["POST /machines"]


async def test_two_processes_answer_one_approval_with_one_effect(benches: Make) -> None:
    first = benches()
    second = benches(sim=first.sim)
    second.refit(now=first.clock)
    asked = await first.ask(CREATE)
    turns = iter([first, second] * 10)
    await together(20, lambda: asked.answer(types("create"), bench=next(turns)))
    assert first.sent == ["POST /machines"]


async def test_a_restart_does_not_bring_an_approval_back(benches: Make) -> None:
    first = benches()
    asked = await first.ask(CREATE)
    await asked.answer(types("create"))
    await first.app.aclose()
    again = await asked.answer(types("create"), bench=benches(sim=first.sim))
    assert again["status"] == "already_done"
    assert first.sent == ["POST /machines"]


async def test_an_answer_may_land_on_another_process(benches: Make) -> None:
    first = benches()
    asked = await first.ask(DELETE)
    answer = await asked.answer(types(DELETE.typed), bench=benches(sim=first.sim))
    assert answer["approval"] == asked.code
    assert tuple(first.sent) == DELETE.sent


async def test_answers_without_their_state_only_ask(bench: Bench) -> None:
    asked = await bench.ask(DELETE)
    answer = await asked.answer(types(DELETE.typed), state=None)
    assert answer == {"asked": asked.question}
    assert bench.sent == []


async def test_answers_under_another_key_only_ask(bench: Bench) -> None:
    asked = await bench.ask(DELETE)
    for key in ("approval", "paperspace_mcp:plan", "spoken", ""):
        answer = await asked.answer(types(DELETE.typed), key=key)
        assert answer.get("asked", asked.question) == asked.question
    assert bench.sent == []


SWAPS: list[tuple[str, Mapping[str, Any]]] = [
    ("delete_machine", {"machine": "staging-api"}),
    ("delete_machine", {"machine": "ps8jo1fga"}),
    ("delete_machine", {"machine": "dev-ben "}),
    ("delete_machine", {"machine": "legacy-jenkins"}),
    ("start_machine", {"machine": "dev-ben"}),
    ("update_machine", {"machine": "dev-ben", "name": "x"}),
    ("create_machine", NEW),
]


@pytest.mark.parametrize(("tool", "arguments"), SWAPS)
async def test_a_state_is_good_for_its_own_call_only(bench: Bench, tool: str, arguments: Mapping[str, Any]) -> None:
    asked = await bench.ask(DELETE)
    answer = await asked.answer(types(DELETE.typed), tool=tool, arguments=arguments)
    assert answer == {"protocol": -32602}
    assert bench.sent == []


@pytest.mark.parametrize("state", ["", "v1.", "v1.AAAA", "x" * 10_000, "v1." + "A" * 600])
async def test_forged_states_are_refused(bench: Bench, state: str) -> None:
    asked = await bench.ask(DELETE)
    await asked.answer(types(DELETE.typed), state=state)
    await asked.answer(types(DELETE.typed), state=f"{asked.state}"[:-4] + state[:4])
    assert bench.sent == []


async def test_the_state_of_an_older_question_answers_no_newer_one(bench: Bench) -> None:
    older = await bench.ask(DELETE)
    await older.answer(ElicitResult(action="decline"))
    newer = await bench.ask(DELETE)
    assert newer.code != older.code
    answer = await older.answer(types(DELETE.typed))
    assert answer == {"asked": newer.question}
    assert bench.sent == []


async def test_another_principal_cannot_use_an_approval(benches: Make) -> None:
    """The seal is shared, as on two replicas; the records are bound to the key and its user."""
    first = benches()
    other = benches(sim=first.sim, key="other-key")
    asked = await first.ask(DELETE)
    answer = await asked.answer(types(DELETE.typed), bench=other)
    assert answer["asked"] != asked.question
    assert first.sent == []


async def test_identical_calls_ask_with_one_code(bench: Bench) -> None:
    rounds: list[Round] = []

    async def ask() -> dict[str, Any]:
        rounds.append(await bench.ask(CREATE))
        return {}

    await together(8, ask)
    assert len({one.question for one in rounds}) == 1
    for one in rounds:
        await one.answer(types("create"))
    assert bench.sent == ["POST /machines"]


async def test_identical_calls_of_both_eras_are_one_effect(bench: Bench) -> None:
    """Two people at two clients both say yes to the one question."""
    person = Person(types("create"))
    eras = iter(["legacy", MODERN] * 4)
    await together(8, lambda: bench.call(next(eras), person, CREATE.tool, CREATE.arguments))
    assert bench.sent == ["POST /machines"]
    assert len(set(person.codes)) == 1


async def test_a_wrong_text_in_one_client_ends_the_question_in_all(bench: Bench) -> None:
    first, second = await bench.ask(DELETE), await bench.ask(DELETE)
    assert error_of(await first.answer(types("no"))) == "mistyped"
    assert (await second.answer(types(DELETE.typed)))["asked"] != second.question
    assert bench.sent == []


async def test_what_only_changes_the_showing_is_the_same_wish(bench: Bench, era: str) -> None:
    person = Person(types("stop"))
    await bench.call(era, person, "stop_machine", {"machine": "dev-anna"})
    again = await bench.call(era, person, "stop_machine", {"machine": "dev-anna", "wait_seconds": 0})
    assert again["status"] == "already_done"
    assert len(person.questions) == 1
    assert len(bench.sent) == 1


async def test_a_name_that_went_to_another_machine_is_another_wish(bench: Bench, era: str) -> None:
    call = Call("restart_machine", {"machine": "dev-anna"}, "restart", ())
    person = Person(types("restart"))
    assert (await bench.call(era, person, call.tool, call.arguments))["status"] == "done"
    assert (await bench.call(era, person, call.tool, call.arguments))["status"] == "already_done"
    bench.sim.change("psoxnh2i7", name="dev-anna-old")
    bench.sim.add_machine(id="psother", name="dev-anna", state="ready")
    assert (await bench.call(era, person, call.tool, call.arguments))["machine"]["id"] == "psother"
    assert bench.sent == ["PATCH /machines/psoxnh2i7/restart", "PATCH /machines/psother/restart"]
    assert len(person.questions) == 2
