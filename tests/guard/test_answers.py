"""What a client may answer: one text lets one mutation through, everything else none."""

from typing import Any

import pytest
from mcp_types import ElicitResult
from tests.guard.bench import CALLS, DELETE, DOOR, Bench, Call, Person, error_of, raw, title, types

from paperspace_mcp.rules.guard.records import Status

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")]
BIG = "x" * 2_000_000


@pytest.mark.parametrize("call", CALLS, ids=title)
async def test_right_text_lets_exactly_one_mutation_through(bench: Bench, era: str, call: Call) -> None:
    person = Person(types(f" \t{call.typed}\n"))
    answer = await bench.call(era, person, call.tool, call.arguments)
    assert bench.did(call)
    assert len(person.questions) == 1
    assert (answer["status"], answer["approval"]) == ("done", person.codes[0])
    assert (await bench.record(person.codes[0])).status is Status.SPENT


def wrong(call: Call) -> dict[str, str]:
    """Texts that are nearly right."""
    half = len(call.typed) // 2
    return {
        "other": "yes",
        "empty": "",
        "space": "  ",
        "case": call.typed.swapcase(),
        "zero width inside": f"{call.typed[:half]}\u200b{call.typed[half:]}",
        "zero width before": f"\ufeff{call.typed}",
        "twice": call.typed * 2,
        "two lines": f"{call.typed}\n{call.typed}",
        "quoted": f'"{call.typed}"',
        "prefix": call.typed[:-1],
        "fullwidth": "".join(chr(ord(one) + 0xFEE0) if one.isalnum() else one for one in call.typed),
        "name or verb": call.tool.split("_")[0] if call.typed == call.name else call.name or "fresh",
        "id": call.id or "ps8jo1fga",
        "not asked": "NOT_ASKED",
    }


@pytest.mark.parametrize("call", CALLS, ids=title)
async def test_wrong_text_lets_nothing_through_and_ends_the_question(bench: Bench, era: str, call: Call) -> None:
    texts = list(wrong(call).values())
    person = Person(lambda nth: types(texts[nth - 1]))
    async with bench.client(era, person) as client:
        for _ in texts:
            answer = await client.call_tool(call.tool, dict(call.arguments))
            assert error_of(answer.structured_content or {}) == "mistyped"
    assert bench.sent == []
    assert len(set(person.codes)) == len(texts)
    assert {(await bench.record(code)).status for code in person.codes} == {Status.MISTYPED}


MALFORMED: dict[str, Any] = {
    "missing": {},
    "no content": None,
    "null": {"typed": None},
    "boolean": {"typed": True},
    "number": {"typed": 1},
    "list": {"typed": ["dev-ben"]},
    "object": {"typed": {"typed": "dev-ben"}},
    "other field": {"value": "dev-ben"},
    "extra": {"typed": "dev-ben", "confirm": True},
    "big": {"typed": BIG},
    "padded": {"typed": "dev-ben" + " " * 900},
}


@pytest.mark.parametrize("shape", MALFORMED)
async def test_answer_of_the_wrong_shape_lets_nothing_through(bench: Bench, era: str, shape: str) -> None:
    answer = await bench.call(era, Person(raw(MALFORMED[shape])), DELETE.tool, DELETE.arguments)
    assert bench.sent == []
    assert "status" not in answer
    assert len(str(answer)) < 2_000, "an answer's text must not be repeated"


async def test_large_text_is_refused_for_every_tool(bench: Bench, era: str) -> None:
    for call in CALLS:
        await bench.call(era, Person(types(BIG)), call.tool, call.arguments)
    assert bench.sent == []


@pytest.mark.parametrize("action", ["decline", "cancel"])
@pytest.mark.parametrize("call", CALLS, ids=title)
async def test_a_no_closes_the_record(bench: Bench, era: str, call: Call, action: Any) -> None:
    person = Person(ElicitResult(action=action))
    answer = await bench.call(era, person, call.tool, call.arguments)
    assert bench.sent == []
    assert error_of(answer) == "declined"
    record = await bench.record(person.codes[0])
    assert record.status is Status.DECLINED
    assert not await bench.approve(record.code), "a no is final for its record"


async def test_a_no_with_the_right_text_beside_it_is_a_no(bench: Bench, era: str) -> None:
    for action in ("decline", "cancel"):
        person = Person(ElicitResult.model_construct(action=action, content={"typed": DELETE.typed}))
        await bench.call(era, person, DELETE.tool, DELETE.arguments)
    assert bench.sent == []


async def test_an_answer_of_no_known_action_is_no_yes(bench: Bench, era: str) -> None:
    forged: Any = "approve"
    person = Person(ElicitResult.model_construct(action=forged, content={"typed": DELETE.typed}))
    answer = await bench.call(era, person, DELETE.tool, DELETE.arguments)
    assert bench.sent == []
    assert "status" not in answer


@pytest.mark.parametrize("smuggled", ["met", "spoken", "ctx", "confirm", "approval", "typed", DOOR, "desk", "_met"])
async def test_nothing_of_the_door_is_an_argument(bench: Bench, era: str, smuggled: str) -> None:
    value = {"action": "accept", "content": {"typed": DELETE.typed}, "data": {"typed": DELETE.typed}}
    answer = await bench.call(era, None, DELETE.tool, {**DELETE.arguments, smuggled: value})
    assert bench.sent == []
    assert error_of(answer) == "bad_argument"


@pytest.mark.parametrize("call", CALLS, ids=title)
async def test_changing_nothing_asks_nothing(bench: Bench, era: str, call: Call) -> None:
    """No tool writes at its first round, whoever asks: the question itself is free of effects."""
    await bench.ask(call)
    await bench.call(era, None, call.tool, call.arguments)
    assert bench.sent == []


async def test_nobody_is_bothered_where_nothing_would_change(bench: Bench, era: str) -> None:
    idle: list[tuple[str, dict[str, Any]]] = [
        ("start_machine", {"machine": "dev-anna"}),
        ("stop_machine", {"machine": "dev-ben"}),
        ("update_machine", {"machine": "dev-ben", "name": "dev-ben"}),
        ("add_machine_accessor", {"machine": "dev-ben", "user": "ub3n7q2xd"}),
    ]
    person = Person(types("start"))
    for tool, arguments in idle:
        assert (await bench.call(era, person, tool, arguments))["status"] == "unchanged"
    assert person.questions == []
    assert bench.sent == []
