"""One operation, one tool, one stored schema, one simulated route, one row in README."""

import re
from pathlib import Path

import pytest

from paperspace_mcp.contract.catalogue import OPERATIONS, REFERENCE
from paperspace_mcp.contract.effects import highest
from paperspace_mcp.schemas import differences
from paperspace_mcp.simulator.api import route
from paperspace_mcp.surface.tool import Tool
from paperspace_mcp.surface.tools import TOOLS

ROOT = Path(__file__).parents[2]
ROWS = re.compile(r"<!-- tools:begin -->(.*?)<!-- tools:end -->", re.DOTALL)
BESIDE = {"explain_machine", "find_waste", "fleet_summary", "list_templates", "power_machines", "wait_for_event"}
"""Tools that are no operation of the reference."""


def test_the_reference_has_fifteen_operations_and_each_is_a_tool() -> None:
    assert len(REFERENCE) == 15
    assert {tool.name for tool in TOOLS} == {operation.name for operation in REFERENCE} | BESIDE
    assert len({tool.name for tool in TOOLS}) == len(TOOLS)


@pytest.mark.parametrize("name", [operation.name for operation in REFERENCE])
def test_a_tool_names_its_own_operation(name: str) -> None:
    [tool] = [tool for tool in TOOLS if tool.operation is OPERATIONS[name]]
    assert tool.name == name


@pytest.mark.parametrize("tool", [tool for tool in TOOLS if tool.acts], ids=lambda tool: tool.name)
def test_a_tool_for_many_acts_only_as_the_tools_for_one_do(tool: Tool) -> None:
    """What it is made of has a tool of its own, with the same class; and it is shut where the worst of them is."""
    alone = {one.operation.name: one for one in TOOLS if one.operation is not None}
    assert {act.name for act in tool.acts} <= set(alone)
    assert tool.operation is None
    assert tool.effect is highest([alone[act.name].effect for act in tool.acts])


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_has_a_simulated_route(name: str) -> None:
    operation = OPERATIONS[name]
    path = operation.path.format(**dict.fromkeys(operation.placeholders, "x1"))
    found = route(operation.method, path)
    assert found is not None
    assert found.operation == name


def test_the_stored_schemas_are_those_that_are_served() -> None:
    assert differences(ROOT / "tool_schemas") == []


def test_each_tool_has_its_row_in_the_readme() -> None:
    table = ROWS.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert table is not None
    rows = re.findall(r"^\| (?:`(\w+ \S+)`|-) \| `(\w+)` \|", table[1], re.MULTILINE)
    operations = {tool.name: tool.operation for tool in TOOLS if tool.operation and tool.operation.reference}
    expected = {name: f"{one.method} {one.path}" for name, one in operations.items()}
    assert {tool: endpoint for endpoint, tool in rows} == {tool.name: expected.get(tool.name, "") for tool in TOOLS}
    assert len(rows) == len(TOOLS)
