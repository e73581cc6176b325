"""From a tool of ours to a tool of the SDK: schema from the signature, the door as resolvers, strict arguments."""

import inspect
import json
from collections.abc import Callable
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.resolve import Resolve, build_resolver_plans
from mcp.server.mcpserver.tools import Tool as SdkTool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp_types import CallToolResult, ToolAnnotations
from pydantic import BaseModel, ConfigDict, create_model

from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.surface import consent
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.outputs import output_schema
from paperspace_mcp.surface.render import Answer, result
from paperspace_mcp.surface.tool import Tool

DeskOf = Callable[[Context[Any, Any]], Desk]


class StrictArguments(ArgModelBase):
    """Arguments by name only: an unknown one is refused, not ignored."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class Metadata(FuncMetadata):
    """The SDK reads any string that looks like JSON as JSON, so `name: "null"` became no name at all.

    Here only a parameter that is a list takes JSON in a string, and a bare string for a list is its one item.
    """

    def pre_parse_json(self, data: dict[str, Any]) -> dict[str, Any]:
        fields = self.arg_model.model_fields
        lists = {name for name, info in fields.items() if _is_list(info.annotation)}
        return {name: _listed(value) if name in lists else value for name, value in data.items()}


def _is_list(annotation: Any) -> bool:
    """Whether a list is among the annotation's arms, under whatever it is wrapped in."""
    return get_origin(annotation) is list or any(
        _is_list(arm) for arm in get_args(annotation) if get_origin(annotation) is not Literal
    )


def _listed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        parsed = json.loads(value) if value.lstrip().startswith("[") else [value]
    except (ValueError, RecursionError):
        return [value]
    return parsed if isinstance(parsed, list) else [value]


def adapt(tool: Tool, desk_of: DeskOf, *, demo: bool = False) -> SdkTool:
    """The SDK's tool. Its name, schema, hints and door all follow from ours."""
    arguments, parameters = _arguments(tool)
    guarded = tool.effect is not Effect.READ
    resolved, body = _guarded(tool, desk_of, list(parameters), demo) if guarded else ({}, _reader(tool, desk_of, demo))
    return SdkTool(
        fn=body,
        name=tool.name,
        title=tool.title,
        description=tool.description,
        parameters=input_schema(arguments),
        fn_metadata=Metadata(arg_model=arguments, output_schema=output_schema(tool.gives), output_model=None),
        is_async=True,
        context_kwarg="ctx",
        resolved_params=resolved,
        resolver_plans=build_resolver_plans(resolved, set(parameters)),
        annotations=annotations(tool),
    )


def annotations(tool: Tool) -> ToolAnnotations:
    """All four hints, from the worst that the tool can do."""
    return ToolAnnotations(
        title=tool.title,
        read_only_hint=tool.touches is Effect.READ,
        destructive_hint=tool.effect in {Effect.DISRUPT, Effect.DESTROY},
        idempotent_hint=tool.idempotent,
        open_world_hint=True,
    )


def arguments_of(tool: Tool) -> type[ArgModelBase]:
    """The model that a tool's arguments are validated by."""
    return _arguments(tool)[0]


def _arguments(tool: Tool) -> tuple[type[ArgModelBase], dict[str, inspect.Parameter]]:
    hints = get_type_hints(tool.function, include_extras=True)
    parameters = {name: one for name, one in inspect.signature(tool.function).parameters.items() if name != "desk"}
    fields: dict[str, Any] = {
        name: (hints[name], ... if one.default is inspect.Parameter.empty else one.default)
        for name, one in parameters.items()
    }
    return create_model(f"{tool.name}Arguments", __base__=StrictArguments, **fields), parameters


def _reader(tool: Tool, desk_of: DeskOf, demo: bool) -> Callable[..., Any]:
    async def read(ctx: Context[Any, Any], **arguments: Any) -> CallToolResult:
        desk = desk_of(ctx)
        desk.permit(tool.name, tool.touches)
        answer = await tool.function(desk, **arguments)
        if not isinstance(answer, Answer):
            raise TypeError(tool.name)
        return result(answer, demo=demo)

    return read


def _guarded(
    tool: Tool, desk_of: DeskOf, names: list[str], demo: bool
) -> tuple[dict[str, tuple[Resolve, bool]], Callable[..., Any]]:
    async def plan(ctx: Context[Any, Any], **arguments: Any) -> consent.Met:
        return await consent.meet(desk_of(ctx), tool, arguments, asks=consent.can_ask(ctx))

    _sign(plan, names)

    async def approval(met: Annotated[consent.Met, Resolve(plan)]) -> Any:
        return consent.question(met)

    approval.__annotations__ = {"met": Annotated[consent.Met, Resolve(plan)], "return": Any}
    for resolver in (plan, approval):  # the SDK shows a resolver's module and name to clients
        resolver.__module__, resolver.__qualname__ = "paperspace_mcp", resolver.__name__

    async def walk(ctx: Context[Any, Any], met: consent.Met, spoken: Any, **_arguments: Any) -> CallToolResult:
        del ctx
        return result(await consent.walk(met, spoken), demo=demo)

    return {"met": (Resolve(plan), False), "spoken": (Resolve(approval), True)}, walk


def _sign(resolver: Any, names: list[str]) -> None:
    """Resolvers take a tool's arguments by name only, so this one is given the tool's names."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter(name, keyword) for name in ("ctx", *names)]
    resolver.__signature__ = inspect.Signature(parameters)
    resolver.__annotations__ = {"ctx": Context[Any, Any], **dict.fromkeys(names, Any)}


def input_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The flat input schema: pydantic's titles and null defaults are tokens that tell a model nothing."""
    schema = model.model_json_schema()
    properties = {name: _slim(one) for name, one in schema.get("properties", {}).items()}
    required = {"required": schema["required"]} if schema.get("required") else {}
    return {"type": "object", "properties": properties, **required, "additionalProperties": False}


def _slim(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != "title" and (key, value) != ("default", None)}
