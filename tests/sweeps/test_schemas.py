"""Every tool as a client sees it: flat input, a lenient envelope out, and all four hints."""

from pathlib import Path
from typing import Any

import anyio
import pytest

from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.schemas import listed
from paperspace_mcp.surface.tool import Tool
from paperspace_mcp.surface.tools import TOOLS

NAMES = [tool.name for tool in TOOLS]
OURS: dict[str, Tool] = {tool.name: tool for tool in TOOLS}
SPEAKS_FOR_ITSELF = frozenset(
    {"name", "order", "order_by", "until", "response_format", "name_contains", "timeout_seconds", "event_ids"}
)
"""Arguments whose name, values or unit tell it all."""
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
        told = one.get("description") or one.get("enum") or one["type"] == "boolean" or argument in SPEAKS_FOR_ITSELF
        assert told or argument in OPTIONAL_FIELDS, argument


OPTIONAL_FIELDS = frozenset(
    {"accessor_ids", "auto_shutdown_timeout_hours", "auto_snapshot_save_count", "network_id", "startup_script_id"}
    | {"restore_point_snapshot_id", "restore_point_frequency"}
)
"""Body fields under the reference's own names; `_hours` and `_count` say their units."""


@pytest.mark.parametrize("name", NAMES)
def test_every_text_is_bounded(served: dict[str, dict[str, Any]], name: str) -> None:
    for argument, one in served[name]["inputSchema"]["properties"].items():
        if one["type"] == "string":
            assert "maxLength" in one or "enum" in one or "const" in one, argument
        if one["type"] == "array":
            assert "maxItems" in one, argument


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
