"""What happens to the machine between the question and the answer."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.guard.bench import CALLS, DELETE, START, STOP, Bench, Call, Person, error_of, title, types

from paperspace_mcp.rules.guard.cleaning import plain

pytestmark = pytest.mark.anyio

GIB_500: dict[str, Any] = {"diskSize": 500}
WHOLE: list[dict[str, Any]] = [
    {"name": "dev-bob"},
    {"name": "dev-ben "},
    {"name": "Dev-ben"},
    {"state": "ready"},
    {"state": "upgrading"},
    {"machineType": "P5000"},
    {"region": "ny2"},
    {"diskSize": 250},
    {"networkId": "nca1wst5"},
]
POWER = WHOLE[:5]


def on(call_tool: str, **arguments: Any) -> Call:
    return next(
        call
        for call in CALLS
        if call.tool == call_tool and arguments.items() <= {**call.arguments, "typed": call.typed}.items()
    )


GROW = on("update_machine", disk_size_gb=250)
SETTINGS = on("update_machine", auto_shutdown_enabled=False)
GRANT, REVOKE = on("add_machine_accessor"), on("remove_machine_accessor")
CHANGES = [
    *((DELETE, change) for change in WHOLE),
    *((GROW, change) for change in WHOLE if change != {"diskSize": 250}),
    (GROW, GIB_500),
    *((START, change) for change in POWER),
    *((SETTINGS, change) for change in POWER),
    *((STOP, change) for change in ({"name": "dev-x"}, {"state": "off"}, {"state": "stopping"})),
    (GRANT, {"name": "dev-bob"}),
    (REVOKE, {"name": "dev-x"}),
]


@pytest.mark.parametrize(("call", "change"), CHANGES, ids=lambda one: title(one) if isinstance(one, Call) else str(one))
async def test_changed_target_is_not_touched(bench: Bench, era: str, call: Call, change: dict[str, Any]) -> None:
    person = Person(types(call.typed), before=lambda: bench.sim.change(call.id, **change))
    answer = await bench.call(era, person, call.tool, call.arguments)
    assert bench.sent == []
    assert error_of(answer) == "target_changed"
    assert answer["error"]["changed"] == "no"


@pytest.mark.parametrize("call", [START, STOP, SETTINGS], ids=title)
async def test_after_a_change_the_next_call_asks_anew(bench: Bench, era: str, call: Call) -> None:
    arguments = {**call.arguments, "machine": call.id}
    person = Person(types(call.typed), before=lambda: bench.sim.change(call.id, name="renamed-by-a-colleague"))
    await bench.call(era, person, call.tool, arguments)
    answer = await bench.call(era, person, call.tool, arguments)
    assert answer["status"] == "done"
    assert len(set(person.codes)) == 2
    assert bench.did(call)


@pytest.mark.parametrize("state", ["ready", "serviceready", "restarting"])
async def test_starting_to_ready_is_no_change(bench: Bench, era: str, state: str) -> None:
    bench.sim.change("dev-anna", state="starting")
    person = Person(types("stop"), before=lambda: bench.sim.change("dev-anna", state=state))
    answer = await bench.call(era, person, "stop_machine", {"machine": "dev-anna"})
    assert error_of(answer) != "target_changed"
    assert tuple(bench.sent) == STOP.sent


@pytest.mark.parametrize("call", [call for call in CALLS if call.id], ids=title)
async def test_a_machine_deleted_behind_is_left_alone(bench: Bench, era: str, call: Call) -> None:
    person = Person(types(call.typed), before=lambda: bench.sim.delete_behind(call.id))
    answer = await bench.call(era, person, call.tool, call.arguments)
    assert bench.sent == []
    assert error_of(answer) == "target_changed"
    assert "exists" in answer["summary"]


@pytest.mark.parametrize("call", [GRANT, REVOKE], ids=title)
async def test_an_accessor_added_behind_is_a_change(bench: Bench, era: str, call: Call) -> None:
    person = Person(types(call.typed), before=lambda: bench.sim.grant_behind(call.id, "uc4rl0s9f"))
    answer = await bench.call(era, person, call.tool, call.arguments)
    assert bench.sent == []
    assert error_of(answer) == "target_changed"


async def test_a_name_that_moves_to_another_machine_takes_no_approval_along(bench: Bench, era: str) -> None:
    """`dev-ben` is deleted behind the question, and another machine is given its name."""

    def swap() -> None:
        bench.sim.delete_behind("ps8jo1fga")
        bench.sim.add_machine(id="psimpostor", name="dev-ben", state="off")

    answer = await bench.call(era, Person(types("dev-ben"), before=swap), DELETE.tool, DELETE.arguments)
    assert bench.sent == []
    assert error_of(answer) == "target_changed"


async def test_a_swap_of_two_names_deletes_neither(bench: Bench, era: str) -> None:
    def swap() -> None:
        bench.sim.change("ps8jo1fga", name="staging-api")
        bench.sim.change("psc8s2ug9z6p", name="dev-ben")

    await bench.call(era, Person(types("dev-ben"), before=swap), DELETE.tool, DELETE.arguments)
    assert bench.sent == []


async def test_two_machines_of_one_name_are_never_guessed(bench: Bench, era: str) -> None:
    person = Person(types("eval-runner"))
    answer = await bench.call(era, person, "delete_machine", {"machine": "eval-runner"})
    assert error_of(answer) == "ambiguous_machine"
    answer = await bench.call(era, person, "delete_machine", {"machine": "psu6p1za3k9d"})
    assert error_of(answer) == "mistyped", "a name that is not the only one is confirmed by id"
    assert len(person.questions) == 1
    assert bench.sent == []
    await bench.call(era, Person(types("psu6p1za3k9d")), "delete_machine", {"machine": "psu6p1za3k9d"})
    assert bench.sent == ["DELETE /machines/psu6p1za3k9d"]


HOSTILE_NAMES = [
    "dev-ben\u200b",
    "dev\u2010ben",
    " dev-ben",
    "dev-b\u0435n",
    "\u202edev-ben",
    'dev-ben"',
    "delete",
    "dev\nben",
]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
async def test_a_name_dressed_up_as_another_is_confirmed_by_its_own(bench: Bench, era: str, name: str) -> None:
    bench.sim.add_machine(id="pshostile", name=name, state="off")
    asked = Person(types("dev-ben"))
    await bench.call(era, asked, "delete_machine", {"machine": "pshostile"})
    assert bench.sent == []
    assert "id pshostile" in asked.questions[0]
    assert len(asked.questions[0].splitlines()) == 3
    expected = name if plain(name) else "pshostile"
    await bench.call(era, Person(types(expected)), "delete_machine", {"machine": "pshostile"})
    assert bench.sent == ["DELETE /machines/pshostile"]


def tombstone(bench: Bench) -> Callable[[], object]:
    return lambda: bench.sim.change("dev-ben", dtDeleted=bench.sim.clock.now())


@pytest.mark.parametrize("call", [START, DELETE, GROW], ids=title)
async def test_a_machine_marked_deleted_behind_is_left_alone(bench: Bench, era: str, call: Call) -> None:
    answer = await bench.call(era, Person(types(call.typed), before=tombstone(bench)), call.tool, call.arguments)
    assert bench.sent == []
    assert error_of(answer) == "target_changed"
