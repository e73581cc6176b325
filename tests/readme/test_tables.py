"""README's tables are what the server is: the generator's text, a row for each operation, and what is really asked."""

from typing import Any

import pytest
from mcp import Client
from tests.readme.accept import accepted
from tests.readme.document import readme, table

from paperspace_mcp import tables
from paperspace_mcp.app import App
from paperspace_mcp.contract.catalogue import REFERENCE
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.operation import Operation
from paperspace_mcp.simulator import Simulator

ANNA = {"user": "ur7p0nb7n"}
"""Nobody with access to the machine below."""
NEW = {"name": "x", "machine_type": "A4000", "template_id": "tiq8mhti", "region": "ny2", "disk_size_gb": "50"}

SAID = {"the machine's exact name": "dev-ben", "the person's e-mail": "anna@example.com"}

CALLS: dict[str, dict[str, Any]] = {
    "create_machine": NEW,
    "update_machine": {"machine": "dev-ben", "auto_shutdown_timeout_hours": 3},
    "delete_machine": {"machine": "dev-ben"},
    "start_machine": {"machine": "dev-ben"},
    "stop_machine": {"machine": "dev-diya"},
    "restart_machine": {"machine": "dev-diya"},
    "add_machine_accessor": {"machine": "dev-ben", **ANNA},
    "remove_machine_accessor": {"machine": "dev-diya", "user": "ud1yam5t2"},
}


@pytest.mark.parametrize("name", tables.TABLES)
def test_a_table_is_what_the_server_is_made_of(name: str) -> None:
    hint = "python -m tests.readme.accept"
    assert tables.filled(readme(), name, tables.TABLES[name]()) == readme(), hint


def test_accepting_changes_nothing_that_is_accepted() -> None:
    assert accepted(readme()) == readme()


def test_a_table_without_a_place_is_told() -> None:
    with pytest.raises(ValueError, match="no place"):
        tables.filled("no marks here", "tools", "")


@pytest.mark.parametrize("operation", REFERENCE, ids=lambda one: one.name)
def test_every_operation_has_its_row(operation: Operation[Any]) -> None:
    endpoints = {cells[0]: cells[1] for cells in table("tools")}
    assert endpoints[f"`{operation.method} {operation.path}`"] == f"`{operation.name}`"


def test_every_class_has_its_row() -> None:
    assert [cells[0] for cells in table("classes")] == [effect.value for effect in Effect]


def test_the_calls_below_are_all_that_change_something() -> None:
    assert set(CALLS) == {operation.name for operation in REFERENCE if operation.mutates}


@pytest.mark.anyio
@pytest.mark.parametrize("tool", CALLS)
async def test_what_the_table_says_is_typed_is_what_is_asked(served: App, sim: Simulator, tool: str) -> None:
    """The question of a real call, told to a client that cannot show it."""
    async with Client(served.server, cache=None) as client:
        answer = await client.call_tool(tool, CALLS[tool])
    assert answer.structured_content is not None
    typed = answer.structured_content["question"].rpartition(": ")[2]
    cell = next(cells[3] for cells in table("tools") if cells[1] == f"`{tool}`")
    assert SAID.get(cell, cell.partition(";")[0].strip("`")) == typed
    assert sim.mutations() == []
