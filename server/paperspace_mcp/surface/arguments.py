"""What is wrong with the arguments of a call: by name, in our own words, and never with their values."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from paperspace_mcp.rules.guard.cleaning import quoted
from paperspace_mcp.rules.naming import did_you_mean

_PROBLEMS = 5


def problems(error: ValidationError, model: type[BaseModel]) -> str:
    """A sentence of what is wrong, and of what each argument takes."""
    properties = model.model_json_schema().get("properties", {})
    found: list[Any] = list(error.errors(include_url=False, include_context=False))
    found = [one for one in found if one["type"] != "none_required"] or found  # the null arm of an optional field
    told = list(dict.fromkeys(_problem(one, properties) for one in found))
    more = f"; {len(told) - _PROBLEMS} more" if len(told) > _PROBLEMS else ""
    return "; ".join(told[:_PROBLEMS]) + more + "."


def _problem(one: Mapping[str, Any], properties: Mapping[str, Any]) -> str:
    name = str(one["loc"][0]) if one["loc"] else ""
    if name not in properties:
        return f"{quoted(name, 40)} is no argument ({_instead(name, properties)})"
    if one["type"] == "value_error":
        return f"{name}: {one['msg'].removeprefix('Value error, ')}"
    needed = " is needed," if one["type"] == "missing" else ""
    return f"{name}:{needed} {takes(properties[name])}{_near(one['input'], properties[name])}"


def _instead(name: str, properties: Mapping[str, Any]) -> str:
    meant = did_you_mean(name, list(properties))
    return f"did you mean {meant}?" if meant else f"known are {', '.join(properties) or 'none'}"


def _near(value: Any, schema: Mapping[str, Any]) -> str:
    """The choice that a mistyped word is like."""
    choices = schema.get("enum", [])
    meant = did_you_mean(value, choices) if isinstance(value, str) else None
    return f"; did you mean {meant}?" if meant else ""


def takes(schema: Mapping[str, Any]) -> str:
    """What an argument takes, from its schema."""
    if choices := schema.get("enum") or ([schema["const"]] if "const" in schema else []):
        return ", ".join(choices[:-1]) + f"{' or ' if len(choices) > 1 else ''}{choices[-1]}"
    if schema["type"] == "array":
        each = schema["items"]["maxLength"]
        least = f"{schema['minItems']} to" if "minItems" in schema else "at most"
        return f"a list of {least} {schema['maxItems']} texts, each of at most {each} characters"
    if schema["type"] == "string":
        least = f"{schema['minLength']} to" if "minLength" in schema else "at most"
        return f"text of {least} {schema['maxLength']} characters"
    return _KINDS[schema["type"]] + _range(schema)


_KINDS = {"boolean": "true or false", "integer": "a whole number", "number": "a number"}


def _range(schema: Mapping[str, Any]) -> str:
    """The bounds of a number, in words."""
    words = {"minimum": "at least", "exclusiveMinimum": "more than", "maximum": "at most"}
    bounds = [f"{said} {schema[bound]}" for bound, said in words.items() if bound in schema]
    return f" of {' and '.join(bounds)}" if bounds else ""
