"""Whatever the provider does where its reference is silent, the report reads it as it is, or says why it cannot."""

from typing import Any

import httpx
import pytest
from tests.doctor.contract.conftest import Contract, Found, grown
from tests.variants import ALL, FIELDS, OTHERS, words

from paperspace_mcp.checkup.readings.gets import GETS
from paperspace_mcp.checkup.readings.questions import CHANGES, QUESTIONS
from paperspace_mcp.simulator import Variant
from paperspace_mcp.simulator.server import running

NEEDS_A_CHANGE = {
    *("resize_refusal", "delete_needs_off", "auto_shutdown_bug", "strict_bodies", "console_rules", "start_on_create"),
    "public_ip_type",
}
"""What no GET can settle."""
CANNOT_BE_TOLD: dict[tuple[str, Any], str] = {
    ("tombstones_listed", False): "perhaps nobody was removed",
}
"""Values that a GET cannot tell from an account in which there is nothing of the kind."""
BESIDE: dict[tuple[str, Any], set[str]] = {
    ("neighbours", False): {"open_disk_size", "session_without_key", "id_forms"},
    ("tombstones_listed", False): {"removed_accessor"},
}
"""What a variant takes away beside its own reading."""
ASKED = [one for one in ALL if one[0] not in NEEDS_A_CHANGE]


@pytest.mark.parametrize(("field", "value"), ASKED, ids=words)
def test_each_reading_is_settled_as_it_is(contract: Contract, field: str, value: Any) -> None:
    found = contract(grown(**{field: value}))
    if (field, value) in CANNOT_BE_TOLD:
        assert field not in found.readings
        assert CANNOT_BE_TOLD[field, value] in found.why[field]
    else:
        assert (found.readings[field], type(found.readings[field])) == (value, type(value)), found.told(field)
    assert found.code == 0
    others_are_as_by_default(found, field, BESIDE.get((field, value), set()))


def others_are_as_by_default(found: Found, field: str, beside: set[str]) -> None:
    default = vars(Variant())
    for name in default.keys() - NEEDS_A_CHANGE - beside - {field}:
        assert found.readings[name] == default[name], (name, found.told(name))


def test_what_shows_in_changes_only_is_told_and_makes_no_difference(contract: Contract) -> None:
    changed = {field: value for field, value in OTHERS if field in NEEDS_A_CHANGE}
    found = contract(grown(**changed))
    told = {one["name"] for one in found.report["needs_a_change"]}
    assert told >= NEEDS_A_CHANGE
    assert not told & (found.readings.keys() | found.why.keys())
    others_are_as_by_default(found, "", set())


def test_no_variant_is_left_out(contract: Contract) -> None:
    """A new field of the simulator is a question here, or told to need a change."""
    found = contract(grown())
    questions = {one["name"] for one in found.report["questions"]}
    changes = {one["name"] for one in found.report["needs_a_change"]}
    assert set(FIELDS) <= questions | changes
    assert not questions & changes
    assert set(FIELDS) & changes == NEEDS_A_CHANGE


def test_every_question_names_gets_that_there_are_and_no_two_are_the_same() -> None:
    names = [get.name for get in GETS]
    assert len(set(names)) == len(names) <= 40
    assert {name for question in QUESTIONS for name in question.gets} <= set(names)
    asked = [question.name for question in QUESTIONS] + [change.name for change in CHANGES]
    assert len(set(asked)) == len(asked)


def test_a_variant_that_is_chosen_on_the_port_is_read(contract: Contract) -> None:
    sim = grown()
    assert contract(sim).readings["deleted_machines"] == "gone"
    with running(sim) as served:
        chosen = {"deleted_machines": "listed", "cursors": "opaque"}
        httpx.post(served.url.removesuffix("/v1") + "/_control/variant", json=chosen).raise_for_status()
    found = contract(sim)
    assert (found.readings["deleted_machines"], found.readings["cursors"]) == ("listed", "opaque")
