"""Every tool as a client sees it: flat input, a lenient envelope out, and all four hints."""

import re
from pathlib import Path
from typing import Any

import anyio
import pytest

from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.schemas import listed
from paperspace_mcp.surface.adapter import arguments_of
from paperspace_mcp.surface.arguments import takes
from paperspace_mcp.surface.tool import Tool
from paperspace_mcp.surface.tools import TOOLS

NAMES = [tool.name for tool in TOOLS]
OURS: dict[str, Tool] = {tool.name: tool for tool in TOOLS}
BROKEN_BY_CLIENTS = ("anyOf", "oneOf", "allOf", "$ref", "$defs", "not", "if", "patternProperties")


@pytest.fixture(scope="module")
def served() -> dict[str, dict[str, Any]]:
    return anyio.run(listed)


def keys(node: Any) -> set[str]:
    """Every key at any depth, but for the names of properties."""
    if isinstance(node, list):
        return set().union(*map(keys, node))
    if not isinstance(node, dict):
        return set()
    below = [keys(list(value.values()) if name == "properties" else value) for name, value in node.items()]
    return set(node) | set().union(*below)


def test_the_order_is_ours(served: dict[str, dict[str, Any]]) -> None:
    assert list(served) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_input_is_flat(served: dict[str, dict[str, Any]], name: str) -> None:
    schema = served[name]["inputSchema"]
    assert (schema["type"], schema["additionalProperties"]) == ("object", False)
    assert not keys(schema) & set(BROKEN_BY_CLIENTS)
    for one in schema["properties"].values():
        assert one["type"] in {"string", "integer", "number", "boolean", "array"}
        assert one.get("items", {"type": "string"})["type"] == "string"
        assert one.get("default", "") is not None
        assert None not in one.get("enum", [])


@pytest.mark.parametrize("name", NAMES)
def test_every_argument_is_told(served: dict[str, dict[str, Any]], name: str) -> None:
    for argument, one in served[name]["inputSchema"]["properties"].items():
        assert len(one.get("description", "")) >= 8, argument
        assert one["description"].endswith("."), argument


@pytest.mark.parametrize("name", NAMES)
def test_only_what_a_model_can_use_is_published(served: dict[str, dict[str, Any]], name: str) -> None:
    """A client that checked a bound itself would neither be taught nor be granted less."""
    for one in served[name]["inputSchema"]["properties"].values():
        assert set(one) <= {"type", "description", "default", "enum", "const", "items"}
        assert set(one.get("items", {})) <= {"type"}


@pytest.mark.parametrize("name", NAMES)
def test_every_text_is_bounded(name: str) -> None:
    for argument, one in arguments_of(OURS[name]).model_json_schema()["properties"].items():
        if one["type"] == "string":
            assert "maxLength" in one or "enum" in one or "const" in one, argument
        if one["type"] == "array":
            assert "maxItems" in one, argument
            assert "maxLength" in one["items"], argument


@pytest.mark.parametrize("name", NAMES)
def test_every_number_is_bounded_from_below(name: str) -> None:
    for argument, one in arguments_of(OURS[name]).model_json_schema()["properties"].items():
        if one["type"] in {"integer", "number"}:
            assert "minimum" in one or "exclusiveMinimum" in one, argument


@pytest.mark.parametrize("name", NAMES)
def test_what_an_argument_takes_can_be_said(name: str) -> None:
    for argument, one in arguments_of(OURS[name]).model_json_schema()["properties"].items():
        assert len(takes(one)) > 3, argument


def test_no_description_orders_another_call_first(served: dict[str, dict[str, Any]]) -> None:
    """Directories of servers take `call X first` for an injection."""
    for name, tool in served.items():
        assert not re.search(r"\bmust\b|\balways\b|_\w+ first\b", tool["description"]), name


@pytest.mark.parametrize("name", NAMES)
def test_output_asks_for_a_summary_only(served: dict[str, dict[str, Any]], name: str) -> None:
    schema = served[name]["outputSchema"]
    assert schema["required"] == ["summary"]
    assert {"summary", "next", "error", "demo"} <= set(schema["properties"])


@pytest.mark.parametrize("name", NAMES)
def test_title_description_and_all_four_hints(served: dict[str, dict[str, Any]], name: str) -> None:
    tool, effect = served[name], OURS[name].effect
    hints = tool["annotations"]
    assert tool["title"]
    assert 20 < len(tool["description"]) < 300
    assert tool["description"].endswith(".")
    assert {"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"} <= set(hints)
    assert hints["readOnlyHint"] == (effect in {Effect.READ, Effect.REVEAL})
    assert hints["destructiveHint"] == (effect in {Effect.DISRUPT, Effect.DESTROY})


@pytest.mark.parametrize("name", NAMES)
def test_a_guarded_tool_has_no_argument_of_consent(served: dict[str, dict[str, Any]], name: str) -> None:
    arguments = set(served[name]["inputSchema"]["properties"])
    assert not arguments & {"confirm", "confirmed", "yes", "force", "approve", "approval", "token", "typed", "met"}


def test_read_tools_say_nothing_of_a_person() -> None:
    for tool in TOOLS:
        asks = "person confirms" in tool.description or "confirms" in tool.description
        assert asks == (tool.touches is not Effect.READ), tool.name


def test_the_sdk_serves_what_is_stored(served: dict[str, dict[str, Any]]) -> None:
    stored = {path.stem for path in (Path(__file__).parents[2] / "tool_schemas").glob("*.json")}
    assert stored == set(served)
