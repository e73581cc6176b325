"""From a tool of ours to a tool of the SDK: schema from the signature, the door as resolvers, strict arguments."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, get_type_hints

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.resolve import Resolve, build_resolver_plans
from mcp.server.mcpserver.tools import Tool as SdkTool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp_types import CallToolResult, ToolAnnotations
from pydantic import BaseModel, ConfigDict, create_model, model_validator

from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.surface import consent
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.outputs import output_schema
from paperspace_mcp.surface.render import Answer, result
from paperspace_mcp.surface.spoken import understood
from paperspace_mcp.surface.tool import Tool
from paperspace_mcp.surface.tools.params import CAPS

DeskOf = Callable[[Context[Any, Any]], Desk]


class StrictArguments(ArgModelBase):
    """Arguments by name only: an unknown one is refused, not ignored. What people write is understood first."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    @model_validator(mode="before")
    @classmethod
    def _understood(cls, data: Any) -> Any:
        return understood(data, cls.model_fields) if isinstance(data, dict) else data


class Metadata(FuncMetadata):
    """The SDK reads any string that looks like JSON as JSON, so `name: "null"` became no name at all: not here."""

    def pre_parse_json(self, data: dict[str, Any]) -> dict[str, Any]:
        return data


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
        granted, capped = _granted(arguments)
        answer = await tool.function(desk, **granted)
        if not isinstance(answer, Answer):
            raise TypeError(tool.name)
        return result(_told(answer, capped), demo=demo)

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


def _granted(arguments: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The arguments with every wish cut to what is granted, and a word on what was cut.

    A wait is cut where it is waited: only there it is known whether it would have mattered.
    """
    over = {name: cap for name, cap in CAPS.items() if arguments.get(name, 0) > cap}
    return {**arguments, **over}, "".join(f" {name} was capped at {cap}." for name, cap in over.items())


def _told(answer: Answer, capped: str) -> Answer:
    return answer if answer.is_error else replace(answer, summary=answer.summary + capped)


def _sign(resolver: Any, names: list[str]) -> None:
    """Resolvers take a tool's arguments by name only, so this one is given the tool's names."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter(name, keyword) for name in ("ctx", *names)]
    resolver.__signature__ = inspect.Signature(parameters)
    resolver.__annotations__ = {"ctx": Context[Any, Any], **dict.fromkeys(names, Any)}


def input_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The flat input schema as it is published: what a model can use.

    Bounds are left to the validation, which refuses what is beyond them in words, or grants less and says so: a
    client that checks them itself does neither.
    """
    schema = model.model_json_schema()
    properties = {name: _slim(one) for name, one in schema.get("properties", {}).items()}
    required = {"required": schema["required"]} if schema.get("required") else {}
    return {"type": "object", "properties": properties, **required, "additionalProperties": False}


_TOLD = ("default", "description", "enum", "const", "type")
_NOTHING: tuple[Any, ...] = (None, "", [])
"""Defaults that say no more than that an argument may be left out."""


def _slim(schema: dict[str, Any]) -> dict[str, Any]:
    told = {key: schema[key] for key in _TOLD if key in schema}
    if told.get("default", 0) in _NOTHING:
        del told["default"]
    return {**told, "items": {"type": schema["items"]["type"]}} if "items" in schema else told
