"""The operations on one page, and what does not construct."""

import re
from typing import Any

import pytest

from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.operation import ID_PATTERN, Operation
from paperspace_mcp.contract.shapes import Machine

REFERENCE = [
    "GET /machines",
    "GET /machines/{id}",
    "POST /machines",
    "PUT /machines/{id}",
    "DELETE /machines/{id}",
    "PATCH /machines/{id}/start",
    "PATCH /machines/{id}/stop",
    "PATCH /machines/{id}/restart",
    "GET /machine-events",
    "GET /machine-events/{id}",
    "GET /machines/{id}/accessors",
    "GET /machines/{id}/accessors/{userId}",
    "POST /machines/{id}/accessors",
    "DELETE /machines/{id}/accessors/{userId}",
    "GET /machines/{id}/desktop",
]


def test_the_fifteen_of_the_reference() -> None:
    assert sorted(f"{one.method} {one.path}" for one in catalogue.REFERENCE) == sorted(REFERENCE)
    assert all(one.reference for one in catalogue.REFERENCE)
    assert not any(one.reference or one.mutates for one in catalogue.NEIGHBOURS)


def test_names_are_unique() -> None:
    assert len(catalogue.OPERATIONS) == len(catalogue.REFERENCE) + len(catalogue.NEIGHBOURS)
    assert all(catalogue.OPERATIONS[name].name == name for name in catalogue.OPERATIONS)


EFFECTS = {
    "create_machine": Effect.SPEND,
    "start_machine": Effect.SPEND,
    "update_machine": Effect.DISRUPT,
    "stop_machine": Effect.DISRUPT,
    "restart_machine": Effect.DISRUPT,
    "remove_machine_accessor": Effect.DISRUPT,
    "add_machine_accessor": Effect.GRANT,
    "delete_machine": Effect.DESTROY,
}


def test_every_mutation_has_its_class() -> None:
    assert {name: one.effect for name, one in catalogue.OPERATIONS.items() if one.mutates} == EFFECTS


@pytest.mark.parametrize("effect", list(Effect))
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_a_mutation_without_a_class_does_not_construct(method: Any, effect: Effect) -> None:
    fits = (method == "GET") == (effect is Effect.READ)
    if fits:
        assert Operation("x", method, "/x", Machine, effect, consequence="lost").mutates is (method != "GET")
    else:
        with pytest.raises(ValueError, match="does not go with"):
            Operation("x", method, "/x", Machine, effect, consequence="lost")


def test_what_destroys_says_what_is_lost() -> None:
    with pytest.raises(ValueError, match="what is lost"):
        Operation("x", "DELETE", "/x", Machine, Effect.DESTROY)


@pytest.mark.parametrize("operation", catalogue.OPERATIONS.values(), ids=lambda one: str(one.name))
def test_placeholders_are_those_of_the_path(operation: Operation[Any]) -> None:
    assert operation.placeholders == tuple(re.findall(r"\{(\w+)\}", operation.path))
    assert (operation.body is not None) == (operation.method in {"POST", "PUT"})


def test_no_id_names_another_endpoint() -> None:
    assert not re.fullmatch(ID_PATTERN, "a/b")
    for text in ("", ".", "..", "a/b", "a%2Fb", "a b", "a?b", "a#b", "é", "a" * 65):
        assert not re.fullmatch(ID_PATTERN, text)
