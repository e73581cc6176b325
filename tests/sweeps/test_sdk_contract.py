"""The private names of the MCP SDK that the server leans on. A new SDK that moves one fails here first."""

import inspect

from mcp.server.mcpserver import MCPServer, resolve
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities import func_metadata

from paperspace_mcp.surface.server import Server

OVERRIDDEN = (
    *("_handle_list_resources", "_handle_list_resource_templates", "read_resource"),
    *("call_tool", "list_prompts", "get_prompt"),
)


def test_the_overridden_handlers_are_the_sdks() -> None:
    for name in OVERRIDDEN:
        theirs, ours = getattr(MCPServer, name), getattr(Server, name)
        assert theirs is not ours
        assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters)
        assert inspect.iscoroutinefunction(theirs)


def test_the_server_has_a_manager_of_tools() -> None:
    manager = MCPServer[object]("x")._tool_manager
    assert manager.get_tool("none") is None
    assert manager.list_tools() == []


def test_a_tool_is_made_of_the_parts_that_we_give() -> None:
    fields = set(Tool.model_fields)
    assert {"fn", "parameters", "fn_metadata", "is_async", "context_kwarg"} <= fields
    assert {"resolved_params", "resolver_plans", "annotations"} <= fields


def test_arguments_are_read_by_a_model_of_ours() -> None:
    assert set(func_metadata.FuncMetadata.model_fields) >= {"arg_model", "output_schema", "output_model"}
    assert list(inspect.signature(func_metadata.FuncMetadata.pre_parse_json).parameters) == ["self", "data"]
    assert hasattr(func_metadata.ArgModelBase, "model_dump_one_level")


def test_resolvers_are_planned_by_name() -> None:
    assert list(inspect.signature(resolve.build_resolver_plans).parameters)[:2]
    assert {"Resolve", "Elicit", "ElicitationResult"} <= set(dir(resolve))
    assert {"AcceptedElicitation", "DeclinedElicitation", "CancelledElicitation"} <= set(dir(resolve))
