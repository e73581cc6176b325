"""Out of band: clients that cannot be asked, protected machines, and who may use an approval."""

from collections.abc import Callable
from typing import Any

import anyio
import pytest
from mcp_types import ElicitResult
from tests.guard.bench import (
    CALLS,
    CREATE,
    DELETE,
    DOOR,
    MODERN,
    START,
    STOP,
    Bench,
    Call,
    Person,
    error_of,
    title,
    types,
)

from paperspace_mcp.rules.guard.records import Channel, Status

pytestmark = pytest.mark.anyio
Make = Callable[..., Bench]


@pytest.mark.parametrize("call", CALLS, ids=title)
async def test_a_client_that_cannot_be_asked_waits_for_a_person(bench: Bench, era: str, call: Call) -> None:
    answers = [await bench.call(era, None, call.tool, call.arguments) for _ in range(3)]
    assert {one["status"] for one in answers} == {"approval_required"}
    assert {one["executed"] for one in answers} == {False}
    assert len({one["approval"] for one in answers}) == 1
    assert bench.sent == []
    assert "paperspace-mcp" not in str(answers[0]), "no command for a model to run"


@pytest.mark.parametrize("call", CALLS, ids=title)
async def test_what_a_person_approved_is_done_once(bench: Bench, era: str, call: Call) -> None:
    code = (await bench.call(era, None, call.tool, call.arguments))["approval"]
    assert await bench.approve(code)
    assert not await bench.approve(code)
    first = await bench.call(era, None, call.tool, call.arguments)
    second = await bench.call(era, None, call.tool, call.arguments)
    assert (first["status"], second["status"]) == ("done", "already_done")
    assert first["approval"] == second["approval"] == code
    assert bench.did(call)


async def test_fifty_calls_find_one_approval(bench: Bench) -> None:
    code = (await bench.call(MODERN, None, CREATE.tool, CREATE.arguments))["approval"]
    await bench.approve(code)
    eras = iter(["legacy", MODERN] * 25)
    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(bench.call, next(eras), None, CREATE.tool, CREATE.arguments)
    assert bench.sent == ["POST /machines"]


async def test_what_a_person_denied_is_not_done(bench: Bench, era: str) -> None:
    code = (await bench.call(era, None, DELETE.tool, DELETE.arguments))["approval"]
    assert await bench.app.conduct.close(await bench.record(code), Status.DECLINED, "a person")
    assert not await bench.approve(code)
    answer = await bench.call(era, None, DELETE.tool, DELETE.arguments)
    assert answer.get("executed") is not True
    assert bench.sent == []


async def test_a_repeat_of_what_was_denied_is_told_so(bench: Bench, era: str) -> None:
    code = (await bench.call(era, None, DELETE.tool, DELETE.arguments))["approval"]
    await bench.app.conduct.close(await bench.record(code), Status.DECLINED, "a person")
    assert error_of(await bench.call(era, None, DELETE.tool, DELETE.arguments)) == "declined"


OTHERS: list[tuple[str, dict[str, Any]]] = [
    ("delete_machine", {"machine": "ps8jo1fga"}),
    ("delete_machine", {"machine": "staging-api"}),
    ("start_machine", {"machine": "dev-ben"}),
    ("update_machine", {"machine": "dev-ben", "name": "gone"}),
]


@pytest.mark.parametrize(("tool", "arguments"), OTHERS)
async def test_an_approval_is_for_its_own_call(bench: Bench, era: str, tool: str, arguments: dict[str, Any]) -> None:
    code = (await bench.call(era, None, DELETE.tool, DELETE.arguments))["approval"]
    await bench.approve(code)
    answer = await bench.call(era, None, tool, arguments)
    assert answer["status"] == "approval_required"
    assert answer["approval"] != code
    assert bench.sent == []


async def test_an_approval_is_for_its_own_principal(benches: Make, era: str) -> None:
    mine = benches()
    other = benches(sim=mine.sim, key="other-key")
    code = (await mine.call(era, None, DELETE.tool, DELETE.arguments))["approval"]
    await mine.approve(code)
    assert (await other.call(era, None, DELETE.tool, DELETE.arguments))["status"] == "approval_required"
    assert mine.sent == []


@pytest.mark.parametrize("seconds", [901.0, -1.0])
async def test_an_approval_out_of_its_time_is_asked_anew(bench: Bench, era: str, seconds: float) -> None:
    code = (await bench.call(era, None, DELETE.tool, DELETE.arguments))["approval"]
    await bench.approve(code)
    bench.clock.at += seconds
    answer = await bench.call(era, None, DELETE.tool, DELETE.arguments)
    assert answer["approval"] != code
    assert bench.sent == []


async def test_an_approval_of_what_changed_meanwhile_does_nothing(bench: Bench, era: str) -> None:
    code = (await bench.call(era, None, DELETE.tool, DELETE.arguments))["approval"]
    await bench.approve(code)
    bench.sim.change("dev-ben", state="ready")
    answer = await bench.call(era, None, DELETE.tool, DELETE.arguments)
    assert error_of(answer) == "target_changed"
    assert bench.sent == []


async def test_a_client_that_can_be_asked_takes_an_approval_of_the_inbox(bench: Bench, era: str) -> None:
    code = (await bench.call(era, None, DELETE.tool, DELETE.arguments))["approval"]
    await bench.approve(code)
    person = Person(types("never"))
    assert (await bench.call(era, person, DELETE.tool, DELETE.arguments))["status"] == "done"
    assert person.questions == []
    assert tuple(bench.sent) == DELETE.sent


async def test_both_channels_ask_and_one_answers(bench: Bench, era: str) -> None:
    """The inbox was asked first, the client is asked later and answers: a repeat is told so."""
    await bench.call(era, None, CREATE.tool, CREATE.arguments)
    await bench.call(era, Person(types("create")), CREATE.tool, CREATE.arguments)
    bench.clock.at += 1.0
    answer = await bench.call(era, None, CREATE.tool, CREATE.arguments)
    assert answer.get("status") in {"already_done", "approval_required"}
    assert bench.sent == ["POST /machines"]


async def test_a_wish_approved_in_both_channels_is_done_once(bench: Bench, era: str) -> None:
    code = (await bench.call(era, None, CREATE.tool, CREATE.arguments))["approval"]
    bench.clock.at += 1.0
    asked = await bench.ask(CREATE)
    await bench.approve(code)
    assert (await asked.answer(types("create")))["status"] == "done"
    bench.clock.at += 121.0
    await bench.call(era, None, CREATE.tool, CREATE.arguments)
    assert bench.sent == ["POST /machines"]


# -- protected machines -----------------------------------------------------------------------------------------------

PROD = {"machine": "prod-api-1"}
PROD_ID = "psm9u09bwu5i"


async def test_stopping_a_protected_machine_takes_its_exact_name(bench: Bench, era: str) -> None:
    for text in ("stop", "stop 1", "prod-api-2", "Prod-api-1", PROD_ID, "prod-api-1.", "prod*"):
        assert error_of(await bench.call(era, Person(types(text)), "stop_machine", PROD)) == "mistyped"
    assert bench.sent == []
    person = Person(types("prod-api-1"))
    await bench.call(era, person, "stop_machine", PROD)
    assert "(protected)" in person.questions[0]
    assert bench.sent == [f"PATCH /machines/{PROD_ID}/stop"]


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("delete_machine", {}),
    ("update_machine", {"disk_size_gb": 500}),
    ("update_machine", {"network_id": "nwhoe4ox"}),
    ("update_machine", {"public_ip_type": "none"}),
    ("update_machine", {"auto_snapshot_enabled": False}),
    ("update_machine", {"auto_snapshot_save_count": 1}),
    ("update_machine", {"restore_point_enabled": True}),
    ("update_machine", {"restore_point_snapshot_id": "s1"}),
    ("update_machine", {"name": "dev-api-1"}),
    ("update_machine", {"name": "dev-api-1", "auto_shutdown_enabled": True}),
]


@pytest.mark.parametrize(("tool", "more"), REFUSED)
@pytest.mark.parametrize("machine", ["prod-api-1", PROD_ID, "PROD-API-1"])
async def test_what_destroys_is_refused_on_a_protected_machine(
    bench: Bench, era: str, tool: str, more: dict[str, Any], machine: str
) -> None:
    bench.sim.change(PROD_ID, state="off")
    for person in (Person(types("prod-api-1")), None):
        answer = await bench.call(era, person, tool, {"machine": machine, **more})
        assert error_of(answer) in {"protected", "rename_unprotects"}
        assert person is None or person.questions == []
    assert await bench.app.conduct.inbox() == []
    assert bench.sent == []


async def test_no_tool_makes_a_machine_protected_by_renaming(bench: Bench, era: str) -> None:
    arguments = {"machine": "dev-ben", "name": "prod-ben"}
    assert error_of(await bench.call(era, Person(types("update")), "update_machine", arguments)) == "rename_unprotects"
    assert bench.sent == []


@pytest.mark.parametrize("state", ["off", "ready"])
async def test_starts_of_a_protected_machine_take_the_verb(bench: Bench, era: str, state: str) -> None:
    bench.sim.change(PROD_ID, state=state)
    await bench.call(era, Person(types("start")), "start_machine", PROD)
    assert bench.sent == ([f"PATCH /machines/{PROD_ID}/start"] if state == "off" else [])


async def test_access_to_a_protected_machine_is_granted_out_of_band_only(bench: Bench, era: str) -> None:
    arguments = {**PROD, "user": "ub3n7q2xd"}
    person = Person(types("ben@example.com"))
    answer = await bench.call(era, person, "add_machine_accessor", arguments)
    assert (answer["status"], person.questions, bench.sent) == ("approval_required", [], [])
    record = await bench.record(answer["approval"])
    assert (record.channel, record.out_of_band_only) == (Channel.INBOX, True)
    await bench.approve(record.code)
    await bench.call(era, person, "add_machine_accessor", arguments)
    assert bench.sent == [f"POST /machines/{PROD_ID}/accessors"]


async def test_what_is_out_of_band_only_takes_no_answer_of_a_client(bench: Bench) -> None:
    """The client sends what was never asked: alone, and with the state of a question about another call."""
    protected = {**PROD, "user": "ub3n7q2xd"}
    asked = await bench.ask(DELETE)
    for state in (None, asked.state):
        for response in (types("ben@example.com"), ElicitResult(action="decline")):
            await asked.answer(response, tool="add_machine_accessor", arguments=protected, state=state, key=DOOR)
    assert bench.sent == []
    assert len(await bench.app.conduct.inbox()) == 1


async def test_a_question_too_long_for_a_dialog_waits_for_a_person(bench: Bench, era: str) -> None:
    person = Person(types("create"))
    more = {"startup_script_id": "s" * 64, "network_id": "n" * 64, "take_initial_snapshot": True}
    answer = await bench.call(era, person, CREATE.tool, {**CREATE.arguments, "name": "\\" * 128, **more})
    assert answer["status"] == "approval_required"
    assert person.questions == []
    assert bench.sent == []


async def test_globs_of_the_operator_protect(benches: Make, era: str) -> None:
    bench = benches(protect=("DEV-B*", "ps?xnh2i7"))
    assert error_of(await bench.call(era, Person(types("dev-ben")), DELETE.tool, DELETE.arguments)) == "protected"
    assert error_of(await bench.call(era, Person(types("stop")), STOP.tool, STOP.arguments)) == "mistyped"
    assert bench.sent == []


@pytest.mark.parametrize("approved", [False, True])
async def test_protection_set_after_the_question_counts(benches: Make, approved: bool) -> None:
    """The operator adds a glob and restarts; what was asked before must not slip through."""
    before = benches()
    asked = await before.ask(DELETE)
    code = (await before.call(MODERN, None, DELETE.tool, DELETE.arguments))["approval"]
    if approved:
        await before.approve(code)
    after = benches(sim=before.sim, protect=("dev*",))
    await (
        after.call(MODERN, None, DELETE.tool, DELETE.arguments)
        if approved
        else asked.answer(types("dev-ben"), bench=after)
    )
    assert before.sent == []


async def test_start_is_shown_with_its_price(bench: Bench, era: str) -> None:
    person = Person(types("no"))
    await bench.call(era, person, START.tool, START.arguments)
    assert "0.56 USD/h" in person.questions[0].splitlines()[0]
