"""Power for many machines under what an operator sets."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.guard.bench import Bench, Person, error_of, types
from tests.surface.many import ANNA, ASKS, DEVS, DIYA, STOP, call, crowd, together, told

from paperspace_mcp.conduct import batch
from paperspace_mcp.conduct.judging import FROZEN
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.rules.policy import Budgets, Standing, Strictness

pytestmark = pytest.mark.anyio
Make = Callable[..., Bench]


async def test_a_freeze_in_the_middle_leaves_the_rest(benches: Make, monkeypatch: pytest.MonkeyPatch, era: str) -> None:
    monkeypatch.setattr(batch, "AT_ONCE", 1)
    bench, person = benches(), Person(types("stop 3"))

    def freeze(request: Any) -> bool:
        if request.url.path.endswith("/stop"):
            bench.app.store.set_flag(FROZEN, bench.clock() + 3600, "an incident")
        return False

    bench.gate.holds = freeze
    answer = await call(bench, era, person, STOP)
    assert sum(told(bench).values()) == 1
    assert (answer["status"], answer["counts"]["done"], answer["counts"]["not_begun"]) == ("partial", 1, 2)
    bench.gate.holds = lambda _request: False
    assert (await call(bench, era, person, STOP))["counts"]["not_begun"] == 2
    assert sum(told(bench).values()) == 1
    bench.app.store.set_flag(FROZEN, 0.0, "")
    assert (await call(bench, era, person, STOP))["counts"]["done"] == 3
    assert told(bench) == dict.fromkeys(DEVS, 1)
    assert len(person.questions) == 1


BEN_AND_V100 = {"action": "start", "machines": ["dev-ben", "pse3n8ok5b2h"]}


async def test_a_budget_refuses_the_whole_and_asks_nobody(benches: Make, era: str) -> None:
    running = 38.0  # USD/h that run already leave room for one of the two
    bench = benches(policy=replace(ASKS, budgets=Budgets(usd_per_hour=running)))
    for machine in bench.sim.machines.values():
        bench.sim.change(machine.id, usageRate=0.0 if machine.state == "off" else 1.0)
    for name, rate in (("dev-ben", 15.0), ("train-v100-eu", 15.0)):
        bench.sim.change(name, usageRate=rate)
    person = Person(types("start 2"))
    for arguments in (BEN_AND_V100, {**BEN_AND_V100, "dry_run": True}):
        answer = await call(bench, era, person, arguments)
        assert "budget" in (answer.get("would_ask") or answer["summary"])
    assert (bench.sent, person.questions) == ([], [])
    person.answer = types("start")
    assert (await call(bench, era, person, {**BEN_AND_V100, "machines": ["dev-ben"]}))["status"] == "done"
    assert (await call(bench, era, person, {**BEN_AND_V100, "machines": ["pse3n8ok5b2h"]}))["error"]["code"] == (
        "over_budget"
    )
    assert told(bench) == {"ps8jo1fga": 1}


def standing(bench: Bench, **changed: Any) -> Standing:
    who = bench.app.desk.caller.principal
    one = Standing("STAND", ("stop", "start"), ("dev-*",), bench.clock() + 3600, 20, None, "anna", who)
    return replace(one, **changed)


async def test_a_standing_approval_covers_a_list(benches: Make, era: str) -> None:
    bench = benches(policy=ASKS)
    bench.app.store.allow(standing(bench))
    dry = await call(bench, era, None, {**STOP, "dry_run": True})
    assert dry["would_ask"] == "nobody (standing:STAND)"
    answer = await call(bench, era, None, STOP)
    assert answer["status"] == "done"
    assert told(bench) == dict.fromkeys(DEVS, 1)
    assert bench.app.store.total("standing:STAND", 0.0) == 3.0, "each takes one use"


UNCOVERED: list[tuple[dict[str, Any], Mapping[str, Any]]] = [
    ({"uses": 2}, STOP),
    ({"names": ("dev-a*",)}, STOP),
    ({"verbs": ("start",)}, STOP),
    ({"until": 1.0}, STOP),
    ({}, {"action": "stop", "machines": ["dev-anna", "dev-diya", "ci-runner"]}),
    ({"names": ("*",)}, {"action": "stop", "machines": ["dev-anna", "dev-diya", "psb2c7ve8w5l"]}),
    ({"verbs": ("restart",), "names": ("dev-c*", "dev-d*")}, {"action": "restart", "name_globs": ["dev-*"]}),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "arguments"), UNCOVERED, ids=str)
async def test_where_one_is_not_covered_the_whole_is_asked_about(
    benches: Make, era: str, changed: dict[str, Any], arguments: Mapping[str, Any]
) -> None:
    bench = benches(policy=ASKS)
    bench.app.store.allow(standing(bench, **changed))
    person = Person(types(f"{arguments['action']} 3"))
    answer = await call(bench, era, person, arguments)
    assert len(person.questions) == 1
    assert answer["counts"]["done"] == 3
    assert bench.app.store.total("standing:STAND", 0.0) == 0.0


async def test_a_standing_approval_has_a_price_for_each_start(benches: Make, era: str) -> None:
    bench, person = benches(policy=ASKS), Person(types("start 2"))
    for name, usd in (("dev-anna", 2.0), ("dev-diya", 1.0)):
        bench.sim.change(name, state="off", usageRate=usd)
    arguments = {"action": "start", "machines": ["dev-anna", "dev-diya"]}
    bench.app.store.allow(standing(bench, usd_per_hour=1.9))
    await call(bench, era, person, arguments)
    assert len(person.questions) == 1, "one of them is dearer"
    for name in ("dev-anna", "dev-diya"):
        bench.sim.change(name, state="off")
    bench.app.store.allow(standing(bench, code="MORE2", usd_per_hour=2.0))
    bench.clock.at += 200
    await call(bench, era, person, arguments)
    assert len(person.questions) == 1
    assert told(bench) == {ANNA: 2, DIYA: 2}


async def test_standing_approvals_cover_a_list_together(benches: Make, era: str) -> None:
    bench = benches(policy=ASKS)
    bench.app.store.allow(standing(bench, code="AAAA2", names=("dev-a*", "dev-c*"), uses=2))
    bench.app.store.allow(standing(bench, code="DDDD2", names=("dev-*",)))
    answer = await call(bench, era, None, STOP)
    assert answer["status"] == "done"
    assert told(bench) == dict.fromkeys(DEVS, 1)
    assert [bench.app.store.total(f"standing:{code}", 0.0) for code in ("AAAA2", "DDDD2")] == [2.0, 1.0]


async def test_a_list_takes_the_uses_that_are_left_and_not_one_more(benches: Make, era: str) -> None:
    """Two lists at once, and uses for one of them."""
    bench = benches(policy=ASKS)
    bench.app.store.allow(standing(bench, names=("crowd-*",), uses=5))
    ids = crowd(bench.sim, 8)
    halves = [{"action": "stop", "machines": ids[:4]}, {"action": "stop", "machines": ids[4:]}]
    await together(*(call(bench, era, None, half) for half in halves))
    assert len(told(bench)) == 4
    assert bench.app.store.total("standing:STAND", 0.0) == 4.0


async def test_an_operator_who_wants_names_gets_all_of_them(benches: Make, era: str) -> None:
    bench = benches(policy=replace(ASKS, classes={Effect.DISRUPT: Strictness.NAME}))
    person = Person(types("stop 3"))
    assert error_of(await call(bench, era, person, STOP)) == "mistyped"
    assert bench.sent == []
    assert person.questions[0].endswith("type the exact names: dev-anna, dev-carlos, dev-diya")
    person.answer = types("dev-anna, dev-carlos, dev-diya")
    await call(bench, era, person, STOP)
    assert told(bench) == dict.fromkeys(DEVS, 1)


async def test_protection_that_came_meanwhile_stops_all(benches: Make, era: str) -> None:
    bench = benches(policy=ASKS)

    def protect() -> None:
        bench.refit(policy=replace(ASKS, protect=("dev-a*",)))

    person = Person(types("stop 3"), before=protect)
    answer = await call(bench, era, person, STOP)
    asked_anew = len(set(person.codes)) == 2  # in one era the next round is another question, about those that are left
    assert error_of(answer) == ("mistyped" if asked_anew else "policy_changed")
    assert bench.sent == []


async def test_a_smaller_batch_of_the_operator_holds(benches: Make, era: str) -> None:
    bench = benches(policy=replace(ASKS, batch=2))
    answer = await call(bench, era, Person(types("stop 3")), STOP)
    assert error_of(answer) == "too_many"
    assert "may touch 2" in answer["error"]["message"]
    assert bench.sent == []


async def test_each_effect_is_audited_under_the_one_code(bench: Bench, era: str) -> None:
    answer = await call(bench, era, Person(types("stop 3")), STOP)
    entries = [one for one in bench.app.audit.read() if one["code"] == answer["approval"]]
    outcomes = [one for one in entries if one["phase"] == "outcome"]
    assert {one["targets"][0]["id"] for one in outcomes} == DEVS
    assert len(outcomes) == 3
    assert Counter(one["phase"] for one in entries) == {"asked": 1, "approved": 1, "intent": 3, "outcome": 3}
    assert bench.app.audit.verify()


async def test_a_long_list_is_approved_where_all_of_it_is_seen(benches: Make, era: str) -> None:
    bench, person = benches(policy=ASKS), Person(types("stop 50"))
    ids = crowd(bench.sim, 50)
    arguments = {"action": "stop", "name_globs": ["crowd-*"]}
    asked = await call(bench, era, person, arguments)
    assert (asked["status"], asked["executed"], bench.sent) == ("approval_required", False, [])
    assert all(f"id {one} " in asked["question"] for one in ids)
    assert asked["question"].endswith("type: stop 50")
    assert await bench.approve(asked["approval"])
    bench.sim.change(ids[7], state="off")
    bench.sim.add_machine(id="pslate", name="crowd-late", state="ready", machineType="C7")
    answer = await call(bench, era, person, arguments)
    assert told(bench) == dict.fromkeys(set(ids) - {ids[7]}, 1), "the list that was seen, and not what fits by now"
    assert (answer["counts"], person.questions) == ({"done": 49, "changed_meanwhile": 1}, [])
