"""What must be typed, for every class on every ground."""

from itertools import product

import pytest

from paperspace_mcp.contract.effects import Effect, highest
from paperspace_mcp.rules.guard.demands import TABLE, WEAK, Ask, Demand, Rule, demand
from paperspace_mcp.rules.guard.plans import Plan, Step, Target

V, N, P, O = Ask.VERB, Ask.NAME, Ask.PERSON, Ask.NOTHING  # noqa: E741 - a table is read by its columns
CONTRACT = {
    # class: (asks, asks on protected ground, out of band only there, refused there)
    Effect.READ: (O, O, False, False),
    Effect.SPEND: (V, V, False, False),
    Effect.DISRUPT: (V, N, False, False),
    Effect.GRANT: (P, P, True, False),
    Effect.REVEAL: (N, N, True, False),
    Effect.DESTROY: (N, N, False, True),
}


@pytest.mark.parametrize("effect", list(Effect))
def test_table_is_the_contract(effect: Effect) -> None:
    open_ground, protected, apart, refused = CONTRACT[effect]
    assert TABLE[effect, False] == Rule(open_ground)
    assert TABLE[effect, True] == Rule(protected, out_of_band_only=apart, refused=refused)


def test_table_has_every_cell_and_no_other() -> None:
    assert set(TABLE) == set(product(Effect, (False, True)))
    assert {Effect.SPEND, Effect.DISRUPT} == WEAK


def target(number: int = 1, *, protected: bool = False, type_id: bool = False) -> Target:
    return Target(f"ps{number}", f"dev-{number}", protected=protected, type_id=type_id)


def plan(effect: Effect, *targets: Target, person: str = "ben@example.com") -> Plan:
    steps = tuple(Step("operation", {}, effect, one) for one in targets or (None,))
    return Plan("tool", {}, "verb", steps, ("LINE",), person)


TEXTS = {Ask.NOTHING: "", Ask.VERB: "verb", Ask.NAME: "dev-1", Ask.PERSON: "ben@example.com"}


@pytest.mark.parametrize(("effect", "protected"), list(TABLE))
def test_demand_of_one_target(effect: Effect, protected: bool) -> None:
    rule = TABLE[effect, protected]
    assert demand(plan(effect, target(protected=protected))) == Demand(TEXTS[rule.ask], rule, rule.ask)


@pytest.mark.parametrize(("effect", "protected"), list(TABLE))
def test_demand_of_one_target_that_is_known_by_id(effect: Effect, protected: bool) -> None:
    text = demand(plan(effect, target(protected=protected, type_id=True))).text
    assert text == (TEXTS | {Ask.NAME: "ps1"})[TABLE[effect, protected].ask]


@pytest.mark.parametrize("effect", [one for one in Effect if one is not Effect.READ])
def test_one_protected_target_among_many_decides(effect: Effect) -> None:
    many = [target(number, protected=number == 3) for number in range(4)]
    found = demand(plan(effect, *many))
    assert found.rule == TABLE[effect, True]
    texts = {Ask.PERSON: "ben@example.com", Ask.VERB: "verb 4", Ask.NAME: "dev-0, dev-1, dev-2, dev-3"}
    assert found.text == texts[found.ask]


def test_no_target_at_all_takes_the_verb() -> None:
    assert demand(plan(Effect.SPEND)).text == "verb"


def test_a_target_of_several_steps_is_one_target() -> None:
    assert demand(plan(Effect.DISRUPT, target(), target(), target())).text == "verb"


def test_the_highest_class_decides() -> None:
    order = [Effect.READ, Effect.SPEND, Effect.DISRUPT, Effect.GRANT, Effect.REVEAL, Effect.DESTROY]
    for low, high in product(order, order):
        assert highest([low, high]) is order[max(order.index(low), order.index(high))]
    assert highest([]) is Effect.READ


@pytest.mark.parametrize(("effect", "protected"), [cell for cell in TABLE if cell[0] is not Effect.READ])
def test_no_guarded_cell_asks_for_nothing(effect: Effect, protected: bool) -> None:
    assert demand(plan(effect, target(protected=protected))).text
