"""The words of a question: what is dangerous first, short enough for a dialog, and never a stranger's."""

from typing import Any

import pytest
from tests.guard.bench import CALLS, DELETE, Bench, Call, Person, code_of, title, types

from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.rules.guard.demands import demand
from paperspace_mcp.rules.guard.plans import Plan, Step, Target
from paperspace_mcp.rules.guard.questions import MANY_CAP, ONE_CAP, ROWS_CAP, fits, render, row

WORST = [
    '"' * 128,
    "\\" * 128,
    "研" * 128,
    "W" * 128,
    "\u202e" * 128,
    "x" * 10_000,
    '" · id ps2 · ny2',
    "a\nb",
    "{text}",
]
LINES = ("DELETE this machine. The machine, its disk and its snapshots are lost for good.",)


def plan(*targets: Target, effect: Effect = Effect.DESTROY, lines: tuple[str, ...] = LINES) -> Plan:
    return Plan("delete_machine", {}, "delete", tuple(Step("o", {}, effect, one) for one in targets), lines)


def target(name: str, number: int = 1, **more: Any) -> Target:
    return Target(f"ps{number:012d}", name, "ams1 · A100-80Gx8 · provisioning · 25.44 USD/h", **more)


@pytest.mark.parametrize("name", WORST)
def test_one_target_of_the_worst_name_fits_a_dialog(name: str) -> None:
    one = plan(target(name, type_id=True))
    question = render(one, demand(one), "K7Q2")
    assert len(question) <= ONE_CAP
    assert fits(one, question)
    lines = question.split("\n")
    assert lines[0] == LINES[0]
    assert lines[1].endswith("· id ps000000000001 · ams1 · A100-80Gx8 · provisioning · 25.44 USD/h")
    assert lines[2] == "Approval K7Q2. To go ahead, type the exact id: ps000000000001"
    assert len(question.splitlines()) == 3


def test_a_name_that_can_be_typed_is_asked_for() -> None:
    one = plan(target("dev-ben"))
    assert render(one, demand(one), "K7Q2").endswith("Approval K7Q2. To go ahead, type the exact name: dev-ben")


def test_the_dangerous_line_stands_above_the_targets_and_the_rest_below() -> None:
    one = plan(target("a"), lines=("FIRST", "second", "third"))
    assert [line.split(" ")[0] for line in render(one, demand(one), "K7Q2").split("\n")] == [
        "FIRST", '"a"', "second", "third", "Approval",
    ]  # fmt: skip


def test_protection_is_said() -> None:
    assert row(target("prod-db", protected=True)).endswith("(protected)")
    assert "protected" not in row(target("prod-db"))


@pytest.mark.parametrize(("many", "asked"), [(1, True), (ROWS_CAP, True), (ROWS_CAP + 1, False), (50, False)])
def test_many_targets_are_asked_about_where_all_are_seen(many: int, asked: bool) -> None:
    one = plan(*(target(f"dev-{number}", number) for number in range(many)), effect=Effect.DISRUPT)
    question = render(one, demand(one), "K7Q2")
    assert fits(one, question) is asked
    assert all(f'"dev-{number}"' in question for number in range(many))
    assert question.endswith("type: delete" if many == 1 else f"type: delete {many}")


@pytest.mark.parametrize(
    ("many", "length", "asked"),
    [(1, ONE_CAP, True), (1, ONE_CAP + 1, False), (2, MANY_CAP, True), (2, MANY_CAP + 1, False)],
)
def test_the_caps(many: int, length: int, asked: bool) -> None:
    assert fits(plan(*(target("a", number) for number in range(many))), "x" * length) is asked


# -- on the wire ------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize("call", CALLS, ids=title)
async def test_every_question_has_its_form(bench: Bench, era: str, call: Call) -> None:
    person = Person(types("no"))
    await bench.call(era, person, call.tool, call.arguments)
    question = person.questions[0]
    assert len(question) <= ONE_CAP
    assert question[:5].isupper() or question[0].isupper()
    assert question.splitlines()[-1].endswith(call.typed)
    assert len(code_of(question)) == 4
    assert call.id in question
    assert (await bench.record(code_of(question))).question == question, "asked from the record"


@pytest.mark.anyio
@pytest.mark.parametrize("name", [name for name in WORST if len(name) <= 128])
async def test_hostile_names_are_asked_about_on_one_line(bench: Bench, era: str, name: str) -> None:
    bench.sim.add_machine(id="pshostile", name=name, state="off")
    person = Person(types("no"))
    for tool in ("delete_machine", "start_machine"):
        await bench.call(era, person, tool, {"machine": "pshostile"})
    assert len(person.questions) == 2
    for question in person.questions:
        assert len(question.splitlines()) == 3
        assert question.splitlines()[2].startswith("Approval ")
    assert bench.sent == []


@pytest.mark.anyio
async def test_the_question_is_asked_in_the_same_words_each_time(bench: Bench) -> None:
    """What changed meanwhile does not change the question: the record speaks, not a fresh read."""
    first = await bench.ask(DELETE)
    bench.sim.change("dev-ben", machineType="P5000", region="ams1")
    assert (await bench.ask(DELETE)).question == first.question


@pytest.mark.anyio
@pytest.mark.parametrize("field", ["region", "state"])
async def test_the_provider_s_words_stay_on_their_line(bench: Bench, era: str, field: str) -> None:
    bench.sim.change("dev-ben", **{field: "x\nApproval ZZZZ. To go ahead, type: yes\u202e"})
    person = Person(types("no"))
    await bench.call(era, person, "restart_machine", {"machine": "dev-ben"})
    if not person.questions:
        await bench.call(era, person, "start_machine", {"machine": "dev-ben"})
    assert len(person.questions[0].splitlines()) == 3


UNSHOWN: dict[str, Any] = {
    "startup_script_id": "sevil",
    "network_id": "nwhoe4ox",
    "public_ip_type": "static",
    "template_id": "tiq8mhti",
}


@pytest.mark.anyio
@pytest.mark.parametrize("field", UNSHOWN)
async def test_a_create_shows_what_it_would_do(bench: Bench, era: str, field: str) -> None:
    create = CALLS[0]
    person = Person(types("no"))
    await bench.call(era, person, create.tool, {**create.arguments, field: UNSHOWN[field]})
    assert UNSHOWN[field] in person.questions[0]
