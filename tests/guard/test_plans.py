"""Plans, their digests and records, warrants, protection."""

import json
import unicodedata
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.rules.guard import plans, warrants
from paperspace_mcp.rules.guard.plans import Plan, Step, Target, changes
from paperspace_mcp.rules.guard.protection import matching, protecting, unprotects
from paperspace_mcp.rules.guard.warrants import Warrant, Warrants

TARGET = Target("ps1", "dev-ben", "ny2 · A4000", {"name": "dev-ben", "power": "off"}, protected=True, type_id=True)
BODY = {"diskSize": 100.0, "name": 'é\u2028"', "on": False}
STEPS = (
    Step("stop_machine", {"path": {"id": "ps1"}}, Effect.DISRUPT, TARGET, 45.0),
    Step("update_machine", {"path": {"id": "ps1"}, "body": BODY}, Effect.DESTROY, TARGET),
    Step("create_machine", {"path": {}, "body": {"accessorIds": ["u1"], "nothing": None}}, Effect.GRANT),
)  # fmt: skip
PLAN = Plan("update_machine", {"machine": "ps1", "size": 1e-9}, "update", STEPS, ("A", "B"), "ben@example.com", 0.5)


def test_a_plan_comes_back_as_it_was() -> None:
    assert plans.load(plans.dump(PLAN)) == PLAN
    assert plans.dump(plans.load(plans.dump(PLAN))) == plans.dump(PLAN)
    bare = replace(PLAN, steps=(), usd_per_hour=None, person="")
    assert plans.load(plans.dump(bare)) == bare


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"tool": "x"}', plans.dump(PLAN)[:-1], "🙂"])
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="validation"):
        plans.load(text)


def test_an_unknown_class_is_no_plan() -> None:
    written = json.loads(plans.dump(PLAN))
    written["steps"][1]["effect"] = "harmless"
    with pytest.raises(ValidationError):
        plans.load(json.dumps(written))


def test_a_plan_knows_its_class_and_targets() -> None:
    assert PLAN.effect is Effect.DESTROY
    assert PLAN.targets == (TARGET,)
    assert replace(PLAN, steps=()).effect is Effect.READ
    assert (TARGET.typed, replace(TARGET, type_id=False).typed) == ("ps1", "dev-ben")


CALL: dict[str, Any] = {"machine": "ps1", "size": 50, "on": False}
OTHERS: list[dict[str, Any]] = [
    {"machine": "ps2", "size": 50, "on": False},
    {"machine": "ps1", "size": 51, "on": False},
    {"machine": "ps1", "size": "50", "on": False},
    {"machine": "ps1", "size": 50, "on": True},
    {"machine": "ps1", "size": 50, "on": 0},
    {"machine": "ps1", "size": 50, "on": None},
    {"machine": "ps1", "size": 50},
    {"machine": "ps1", "size": 50, "on": False, "more": ""},
    {"machine": "Ps1", "size": 50, "on": False},
    {"machine": "ps1 ", "size": 50, "on": False},
    {"machine": ["ps1"], "size": 50, "on": False},
]


def test_a_digest_is_the_same_in_every_round_and_process() -> None:
    assert plans.digest("t", CALL) == plans.digest("t", dict(reversed(CALL.items())))
    known = "371d982e5c3a5e4d2d2e1ae0a4e02409a7f0ed6789881010acee40004f92e34f"
    assert plans.digest("t", {"a": 1}) == known, "records outlive a release"


@pytest.mark.parametrize("other", OTHERS, ids=str)
def test_another_call_has_another_digest(other: dict[str, Any]) -> None:
    assert plans.digest("t", other) != plans.digest("t", CALL)
    assert warrants.digest("t", other) != warrants.digest("t", CALL)


def test_tool_and_arguments_do_not_run_into_each_other() -> None:
    digests = {plans.digest("t", {}), plans.digest("t,{}", {}), plans.digest("", {"t": ""}), plans.digest("T", {})}
    assert len(digests) == 4


def test_changes_are_named() -> None:
    then = {"name": "a", "power": "on"}
    assert changes(then, then) == ()
    assert changes(then, {"power": "off", "name": "b"}) == ("name", "power")
    assert changes(then, {"name": "a"}) == ("power",)
    assert changes(then, {**then, "more": "x"}) == ()
    assert changes({}, then) == ()


# -- warrants ---------------------------------------------------------------------------------------------------------

ARGUMENTS = {"path": {"id": "ps1"}, "body": {}}


def test_a_warrant_pays_for_one_call() -> None:
    office = Warrants()
    warrant = office.mint("delete_machine", ARGUMENTS, "K7Q2")
    office.redeem(warrant, "delete_machine", {"body": {}, "path": {"id": "ps1"}})
    with pytest.raises(PermissionError):
        office.redeem(warrant, "delete_machine", ARGUMENTS)


def test_no_warrant_pays_for_nothing() -> None:
    with pytest.raises(PermissionError):
        Warrants().redeem(None, "delete_machine", ARGUMENTS)


def test_a_copy_or_a_foreign_warrant_pays_for_nothing() -> None:
    office = Warrants()
    warrant = office.mint("delete_machine", ARGUMENTS, "K7Q2")
    foreign = Warrants().mint("delete_machine", ARGUMENTS, "K7Q2")
    for forged in (foreign, Warrant(warrant.digest, warrant.code), replace(warrant)):
        with pytest.raises(PermissionError):
            office.redeem(forged, "delete_machine", ARGUMENTS)
    office.redeem(warrant, "delete_machine", ARGUMENTS)


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("stop_machine", ARGUMENTS),
        ("delete_machine", {"path": {"id": "ps2"}, "body": {}}),
        ("delete_machine", {"path": {"id": "ps1"}, "body": {"force": True}}),
        ("delete_machine", {"path": {"id": "ps1"}}),
    ],
)
def test_a_warrant_for_another_call_is_used_up_by_trying(operation: str, arguments: dict[str, Any]) -> None:
    office = Warrants()
    warrant = office.mint("delete_machine", ARGUMENTS, "K7Q2")
    with pytest.raises(PermissionError):
        office.redeem(warrant, operation, arguments)
    with pytest.raises(PermissionError):
        office.redeem(warrant, "delete_machine", ARGUMENTS)


def test_two_warrants_for_one_call_are_two() -> None:
    office = Warrants()
    first, second = (office.mint("delete_machine", ARGUMENTS, "K7Q2") for _ in range(2))
    assert first != second
    office.redeem(first, "delete_machine", ARGUMENTS)
    office.redeem(second, "delete_machine", ARGUMENTS)


# -- protection -------------------------------------------------------------------------------------------------------

MATCHES = [
    ("prod*", "prod-db", True),
    ("prod*", "PROD-DB", True),
    ("PROD*", "prod-db", True),
    ("prod*", "my-prod", False),
    ("prod*", "prod", True),
    ("prod*", "prod\nx", True),
    ("prod*", "", False),
    ("*", "", True),
    ("modèle*", unicodedata.normalize("NFD", "MODÈLE-1"), True),
    (unicodedata.normalize("NFD", "modèle*"), "modèle-1", True),
    ("straße", "STRASSE", True),
    ("ps?", "ps1", True),
    ("ps[12]", "ps3", False),
]


@pytest.mark.parametrize(("glob", "name", "matches"), MATCHES)
def test_globs_match_in_any_case_and_composition(glob: str, name: str, matches: bool) -> None:
    assert matching([glob], name) == (frozenset({glob}) if matches else frozenset())


def test_either_id_or_name_protects() -> None:
    assert matching(("ps1", "prod*", "x"), "ps1", "prod-db") == {"ps1", "prod*"}
    assert matching((), "ps1", "prod-db") == frozenset()


def test_what_people_see_of_a_name_protects() -> None:
    for name in ("\u200bprod-db", " prod-db", "pr\u00adod-db"):
        assert matching(("prod*",), "ps1", name) == frozenset()
        assert protecting(("prod*",), "ps1", name) == {"prod*"}


RENAMES = [
    (("prod*",), "prod-db", "dev-db", True),
    (("prod*",), "dev-db", "prod-db", True),
    (("prod*",), "prod-db", "prod-db-2", False),
    (("prod*",), "dev-a", "dev-b", False),
    (("prod*",), "prod-db", "PROD-DB", False),
    (("prod*",), "prod-db", "p\u200brod-db", True),
    (("prod*", "*-db"), "prod-db", "prod-x", True),
    (("ps1",), "a", "b", False),
    ((), "prod-db", "dev-db", False),
]


@pytest.mark.parametrize(("globs", "old", "new", "refused"), RENAMES)
def test_renames_that_change_protection(globs: tuple[str, ...], old: str, new: str, refused: bool) -> None:
    assert unprotects(globs, "ps1", old, new) is refused
    assert unprotects((one for one in globs), "ps1", old, new) is refused
