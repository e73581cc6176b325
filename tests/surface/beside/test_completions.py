"""Completions: what is offered while a person types, and what a keystroke costs upstream."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, Completion, PromptReference, ResourceTemplateReference
from tests.guard.bench import Bench
from tests.surface.talk import Era

from paperspace_mcp.rules.guard.cleaning import plain
from paperspace_mcp.rules.naming import is_id
from paperspace_mcp.rules.policy import Policy
from paperspace_mcp.simulator import Fault, Simulator
from paperspace_mcp.surface import completions
from paperspace_mcp.surface.prompts import PROMPTS

pytestmark = pytest.mark.anyio

WHY, PLAN = PromptReference(name="why_did_it_stop"), PromptReference(name="shutdown_plan")
ONE = ResourceTemplateReference(uri="paperspace://machines/{id}")
ITS_EVENTS = ResourceTemplateReference(uri="paperspace://machines/{id}/events")
Asking = Callable[..., Any]


@asynccontextmanager
async def typing(bench: Bench, era: Era) -> AsyncIterator[Asking]:
    """A client that completes: the reference, its argument, and what was typed so far."""
    async with bench.client(era) as client:

        async def ask(ref: PromptReference | ResourceTemplateReference, argument: str, typed: str) -> Completion:
            return (await client.complete(ref, {"name": argument, "value": typed})).completion

        yield ask


async def refused(ask: Asking, *request: Any) -> str:
    with pytest.raises(MCPError) as caught:
        await ask(*request)
    assert caught.value.error.code == INVALID_PARAMS
    return caught.value.error.message


MACHINES = {
    "dev-a": ["dev-anna"],
    "DEV-A": ["dev-anna"],
    " dev-b ": ["dev-ben"],
    "ben": ["dev-ben"],
    "psox": ["dev-anna"],
    "h100": ["train-h100", "train-h100x8"],
    "eval": ["psb2c7ve8w5l", "psu6p1za3k9d"],  # two machines have the name
    "mod": ["psh4q0td6y1s"],  # it cannot be typed
    "nobody": [],
    "\x00": [],
    "x" * 5000: [],
}


async def test_machines_by_name_or_id(bench: Bench, era: Era) -> None:
    async with typing(bench, era) as ask:
        for typed, values in MACHINES.items():
            found = await ask(WHY, "machine", typed)
            assert (found.values, found.total, found.has_more) == (values, len(values), False)


async def test_a_template_takes_ids(bench: Bench, era: Era) -> None:
    async with typing(bench, era) as ask:
        for ref in (ONE, ITS_EVENTS):
            assert (await ask(ref, "id", "dev-a")).values == ["psoxnh2i7"]
            every = (await ask(ref, "id", "")).values
            assert sorted(every) == sorted(bench.sim.machines)


async def test_what_is_offered_means_one_machine(bench: Bench, era: Era) -> None:
    bench.sim.add_machine(name="a; type: yes", state="off")
    bench.sim.add_machine(name="psoxnh2i7", state="off")
    bench.sim.add_machine(name="x" * 200, state="off")
    async with typing(bench, era) as ask:
        values = (await ask(WHY, "machine", "")).values
        assert len(values) == len(bench.sim.machines)
        assert all(plain(value) for value in values)
        async with bench.client(era) as client:
            answers = [await client.call_tool("get_machine", {"machine": value}) for value in values]
    found = [(answer.structured_content or {})["machine"]["id"] for answer in answers]
    assert sorted(found) == sorted(bench.sim.machines)


async def test_a_deleted_machine_that_is_still_listed_is_not_offered(bench: Bench, era: Era) -> None:
    bench.sim.variant.set(deleted_machines="listed")
    bench.sim.delete_behind("dev-ben")
    async with typing(bench, era) as ask:
        assert "dev-ben" not in (await ask(WHY, "machine", "")).values


SCOPES = {
    "ny": ["ny2"],
    "new york": ["ny2"],
    "dev": ["dev*", "dev-anna", "dev-ben", "dev-carlos", "dev-diya", "dev-new-gpu"],
    "RTX": ["RTX4000", "RTX5000"],
    "eval": ["eval*", "psb2c7ve8w5l", "psu6p1za3k9d"],
}


async def test_scopes(bench: Bench, era: Era) -> None:
    async with typing(bench, era) as ask:
        for typed, values in SCOPES.items():
            assert (await ask(PLAN, "scope", typed)).values == values


async def test_a_name_that_a_scope_would_read_otherwise_is_told_by_id(bench: Bench, era: Era) -> None:
    """Else a plan for the machine `A4000` would be one for all machines of that type."""
    made = [bench.sim.add_machine(name=name, state="off").id for name in ("A4000", "Europe", "what?")]
    async with typing(bench, era) as ask:
        values = (await ask(PLAN, "scope", "")).values
        assert set(made) <= set(values)
        assert (await ask(WHY, "machine", "what")).values == ["what?"]
    assert not {"Europe", "what?"} & set(values)
    assert values.count("A4000") == 1  # the type


async def test_a_small_fleet_is_read_once(bench: Bench, era: Era) -> None:
    async with typing(bench, era) as ask:
        for typed in ("", "d", "de", "dev", "dev-", "zzz"):
            await ask(WHY, "machine", typed)
            await ask(PLAN, "scope", typed)
            await ask(ONE, "id", typed)
        assert len(bench.sim.wire) == 1
        bench.sim.add_machine(name="zzz", state="off")
        bench.clock.at += completions.KEPT_S
        assert (await ask(WHY, "machine", "zzz")).values == ["zzz"]
    assert len(bench.sim.wire) == 2


async def test_a_large_fleet_costs_no_more_than_two_pages(benches: Callable[..., Bench], era: Era) -> None:
    """The name is looked for upstream; once all that begins so was seen, what is typed further costs nothing."""
    bench = benches(sim=Simulator(10_000, clock=lambda: 0.0))
    async with typing(bench, era) as ask:
        first = await ask(WHY, "machine", "")
        assert (len(first.values), first.total, first.has_more) == (100, None, True)
        spent = list[int]()
        for typed in ("node-0", "node-09", "node-099", "node-0999", "node-09999"):
            before = len(bench.sim.wire)
            found = await ask(WHY, "machine", typed)
            spent.append(len(bench.sim.wire) - before)
        assert (found.values, found.has_more) == (["node-09999"], False)
    assert spent == [1, 1, 1, 0, 0]
    asked = [(request.query["limit"], request.query.get("name")) for request in bench.sim.wire]
    assert asked == [("120", None), ("120", "node-0"), ("120", "node-09"), ("120", "node-099")]


async def test_what_no_name_has_is_not_looked_for_upstream(benches: Callable[..., Bench], era: Era) -> None:
    bench = benches(sim=Simulator(1_000, clock=lambda: 0.0))
    async with typing(bench, era) as ask:
        assert (await ask(WHY, "machine", "n" * 129)).values == []
        assert bench.sim.wire == []
        for typed in ("\x00", "n\u202e", "ä", 'a"; b'):
            assert (await ask(WHY, "machine", typed)).values == []
    assert len(bench.sim.wire) == 1


async def test_what_is_kept_is_bounded(benches: Callable[..., Bench], era: Era) -> None:
    """More pages than are kept are forgotten, the oldest first."""
    bench = benches(sim=Simulator(1_000, clock=lambda: 0.0))
    async with typing(bench, era) as ask:
        for number in range(60):
            await ask(WHY, "machine", f"nobody-{number}")
        before = len(bench.sim.wire)
        await ask(WHY, "machine", "nobody-59")
        assert len(bench.sim.wire) == before
        await ask(WHY, "machine", "nobody-0")
        assert len(bench.sim.wire) > before


async def test_the_machines_that_a_name_finds_are_no_more_than_fit(benches: Callable[..., Bench], era: Era) -> None:
    async with typing(benches(sim=Simulator(1_000, clock=lambda: 0.0)), era) as ask:
        for ref, argument in ((WHY, "machine"), (PLAN, "scope"), (ONE, "id")):
            found = await ask(ref, argument, "node-0")
            assert (len(found.values), found.has_more) == (100, True)


async def test_keys_pressed_at_once_share_a_read(bench: Bench, era: Era) -> None:
    bench.gate.holds = lambda _request: True
    found = list[list[str]]()

    async def press(ask: Asking, typed: str) -> None:
        found.append((await ask(WHY, "machine", typed)).values)

    async with typing(bench, era) as ask, anyio.create_task_group() as tasks:
        for typed in ("dev-a", "dev-an", "dev-ann"):
            tasks.start_soon(press, ask, typed)
        await bench.gate.reached.wait()
        bench.gate.opened.set()
    assert found == [["dev-anna"]] * 3
    assert len(bench.sim.wire) == 1


NOTHING = [("no key", {"key": ""}, 0), ("wrong key", {"key": "wrong"}, 1)]


@pytest.mark.parametrize(("_name", "given", "requests"), NOTHING, ids=[one[0] for one in NOTHING])
async def test_without_a_good_key_no_machine_is_offered(
    benches: Callable[..., Bench], era: Era, _name: str, given: dict[str, Any], requests: int
) -> None:
    bench = benches(**given)
    async with typing(bench, era) as ask:
        for typed in ("", "d", "de"):
            for ref, argument in ((WHY, "machine"), (ONE, "id")):
                assert await ask(ref, argument, typed) == Completion(values=[], total=None, has_more=False)
        assert (await ask(PLAN, "scope", "n")).values == ["ny2"]
    assert len(bench.sim.wire) == requests


@pytest.mark.parametrize(
    "fault", [{"kind": "status", "status": 429, "retry_after": 60}, {"kind": "malformed"}], ids=str
)
async def test_an_upstream_that_fails_is_left_alone_for_a_moment(bench: Bench, era: Era, fault: dict[str, Any]) -> None:
    bench.sim.faults.add(Fault(operation="*", times=None, **fault))
    async with typing(bench, era) as ask:
        assert (await ask(WHY, "machine", "d")).values == []
        sent = len(bench.sim.wire)
        for typed in ("de", "dev", "dev-"):
            assert (await ask(WHY, "machine", typed)).values == []
        assert len(bench.sim.wire) == sent
        bench.sim.faults.clear()
        bench.clock.at += completions.KEPT_S
        assert (await ask(WHY, "machine", "dev-a")).values == ["dev-anna"]


async def test_nobody_waits_for_a_suggestion(bench: Bench, era: Era, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completions, "PATIENCE_S", 0.01)
    bench.gate.holds = lambda _request: True
    async with typing(bench, era) as ask:
        with anyio.fail_after(2):
            assert (await ask(WHY, "machine", "dev")).values == []


NOWHERE: list[tuple[Any, str]] = [
    (PromptReference(name="Zq7"), "machine"),
    (PromptReference(name="fleet_report"), "machine"),
    (PromptReference(name="why_did_it_stop"), "Zq7"),
    (PromptReference(name="why_did_it_stop"), "id"),
    (ResourceTemplateReference(uri="paperspace://machines/Zq7"), "id"),
    (ResourceTemplateReference(uri="paperspace://machines/{id}"), "machine"),
    (ResourceTemplateReference(uri=""), "id"),
]


async def test_where_nothing_is_completed(bench: Bench, era: Era) -> None:
    async with typing(bench, era) as ask:
        for ref, argument in NOWHERE:
            message = await refused(ask, ref, argument, "Zq7")
            assert "why_did_it_stop" in message
            assert "Zq7" not in message
    assert bench.sim.wire == []


async def test_a_prompt_that_is_not_offered_is_not_completed(benches: Callable[..., Bench], era: Era) -> None:
    bench = benches(policy=Policy(read_only=True))
    async with typing(bench, era) as ask:
        assert "does not offer" in await refused(ask, PLAN, "scope", "n")
        assert (await ask(WHY, "machine", "dev-a")).values == ["dev-anna"]


async def test_every_argument_of_a_prompt_is_completed(bench: Bench, era: Era) -> None:
    async with typing(bench, era) as ask:
        for prompt in PROMPTS:
            if prompt.argument:
                assert (await ask(PromptReference(name=prompt.name), prompt.argument.name, "")).values


async def test_only_ids_that_may_stand_in_a_path_are_offered(bench: Bench, era: Era) -> None:
    async with typing(bench, era) as ask:
        assert all(is_id(value) for value in (await ask(ONE, "id", "")).values)


@pytest.mark.parametrize(("shut", "left"), [("get_machine", ITS_EVENTS), ("list_machine_events", ONE)])
async def test_a_template_that_is_shut_is_not_completed(
    benches: Callable[..., Bench], era: Era, shut: str, left: ResourceTemplateReference
) -> None:
    async with typing(benches(policy=Policy(tools_deny=(shut,))), era) as ask:
        assert (await ask(left, "id", "ps")).values
        gone = ONE if left == ITS_EVENTS else ITS_EVENTS
        assert "Nothing is completed there" in await refused(ask, gone, "id", "ps")
