"""The definitions for function calling without MCP, in three vendors' shapes, and the calls that come back. Pure.

Definitions come in as `tools/list` carries them. A vendor's schema says less than ours: what it cannot say (a default,
a bound) is told in the parameter's description. The server checks all of it in any case.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Definition = Mapping[str, Any]
"""A tool: `name`, `description`, `inputSchema`, and what else is published of it."""
Exported = list[dict[str, Any]]

_NULL = "Null means not given."


def anthropic(definitions: Sequence[Definition]) -> Exported:
    """`tools` of Anthropic's Messages API: JSON Schema 2020-12 as it is."""
    return [
        {"name": one["name"], "description": one["description"], "input_schema": one["inputSchema"]}
        for one in definitions
    ]


def openai(definitions: Sequence[Definition]) -> Exported:
    """`tools` of OpenAI's Chat Completions and of what is compatible with it, all strict.

    Strict means that every property is required and that few keywords are known; those for bounds not to all who speak
    this API. A property with a default is given, one without may be null, which the server takes for not given.
    """
    return [{"type": "function", "function": _function(one)} for one in definitions]


def _function(definition: Definition) -> dict[str, Any]:
    properties, required = definition["inputSchema"]["properties"], definition["inputSchema"].get("required", ())
    optional = {name for name, one in properties.items() if name not in required and "default" not in one}
    strict = {name: _nullable(_told(one)) if name in optional else _told(one) for name, one in properties.items()}
    parameters = {"type": "object", "properties": strict, "required": list(strict), "additionalProperties": False}
    about = f"{definition['description']} {_NULL if optional else ''}".strip()
    return {"name": definition["name"], "description": about, "parameters": parameters, "strict": True}


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    closed = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, "type": [schema["type"], "null"], **closed}


def gemini(definitions: Sequence[Definition]) -> Exported:
    """`tools` of Gemini's generateContent: its subset of OpenAPI's schema.

    The bounds of lists add up there until all of it is refused, and so is the schema of a tool without arguments.
    """
    return [{"functionDeclarations": [_declaration(one) for one in definitions]}]


def _declaration(definition: Definition) -> dict[str, Any]:
    schema = definition["inputSchema"]
    declared = {"name": definition["name"], "description": definition["description"]}
    if not schema["properties"]:
        return declared
    properties = {name: _upper(_told(one)) for name, one in schema["properties"].items()}
    required = {"required": schema["required"]} if "required" in schema else {}
    return {**declared, "parameters": {"type": "OBJECT", "properties": properties, **required}}


def _upper(schema: dict[str, Any]) -> dict[str, Any]:
    items = {"items": _upper(schema["items"])} if "items" in schema else {}
    return {**schema, "type": schema["type"].upper(), **items}


FORMATS: dict[str, Callable[[Sequence[Definition]], Exported]] = {
    "openai": openai,
    "anthropic": anthropic,
    "gemini": gemini,
}


# -- a parameter ------------------------------------------------------------------------------------------------------


def _told(schema: Mapping[str, Any]) -> dict[str, Any]:
    """What every vendor knows: a type, closed values, the type of a list's items. The rest is in the description."""
    about = " ".join(filter(None, (schema.get("description"), _default(schema), _bounds(schema))))
    values = schema.get("enum") or ([schema["const"]] if "const" in schema else [])
    closed = {"enum": list(values)} if values else {}
    items = {"items": {"type": schema["items"]["type"]}} if "items" in schema else {}
    return {"type": schema["type"], **({"description": about} if about else {}), **closed, **items}


def _default(schema: Mapping[str, Any]) -> str:
    return f"Default: {json.dumps(schema['default'], ensure_ascii=False)}." if "default" in schema else ""


def _bounds(schema: Mapping[str, Any]) -> str:
    """The bounds of a number or of a list. A text's are wider than anything that is meant."""
    low, high = schema.get("minimum", schema.get("minItems")), schema.get("maximum", schema.get("maxItems"))
    above = f"more than {schema['exclusiveMinimum']}" if "exclusiveMinimum" in schema else ""
    least = f"at least {low}" if low is not None else above
    words = ", ".join(filter(None, (least, f"at most {high}" if high is not None else "")))
    return f"{words.capitalize()}{' items' if 'items' in schema else ''}." if words else ""


# -- a call -----------------------------------------------------------------------------------------------------------


def asked(call: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The tool and the arguments of a model's call, as any of the three sends it.

    OpenAI: `{"function": {"name", "arguments": "{...}"}}` or `{"name", "arguments": "{...}"}`; Anthropic: `{"name",
    "input": {...}}`; Gemini: `{"functionCall": {"name", "args": {...}}}`. No arguments at all are none.

    Raises:
        ValueError: it is none of these.
    """
    match next((call[key] for key in _WRAPPED if key in call), call):
        case {"name": str(name), **rest}:
            sent: Any = next((rest[key] for key in _ARGUMENTS if rest.get(key)), {})
        case _:
            raise ValueError("no name")
    match json.loads(sent) if isinstance(sent, str) else sent:
        case dict(arguments):
            return name, arguments
    raise ValueError("no arguments")


_WRAPPED = ("function", "functionCall", "function_call")
_ARGUMENTS = ("arguments", "input", "args")
