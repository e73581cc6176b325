"""The exported definitions are what each vendor takes: by its own types, by who checks for it, and by its reference.

The vendors' packages take seconds to import, so only the tests that need them do.
"""

import re
from copy import deepcopy
from typing import Any, Literal

import anyio
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pydantic import BaseModel, ConfigDict, TypeAdapter, model_validator
from tests.exports.calls import VENDORS, Vendor

from paperspace_mcp import exports
from paperspace_mcp.schemas import listed
from paperspace_mcp.surface.tools import TOOLS

NAMES = [tool.name for tool in TOOLS]
DESCRIPTION_CAP = 1024
"""Characters that OpenAI takes."""


@pytest.fixture(scope="module")
def served() -> dict[str, dict[str, Any]]:
    return anyio.run(listed)


def sound(schema: Any) -> None:
    Draft202012Validator.check_schema(schema)


# -- OpenAI -----------------------------------------------------------------------------------------------------------

STRICT = {"type", "properties", "required", "additionalProperties", "description", "enum", "items"}
"""Known to all who speak strict; the keywords for bounds are not."""


@pytest.mark.parametrize("name", NAMES)
def test_openai_takes_it_as_strict(served: dict[str, dict[str, Any]], name: str) -> None:
    from openai.types.chat import ChatCompletionFunctionToolParam

    [tool] = exports.openai([served[name]])
    assert dict(TypeAdapter(ChatCompletionFunctionToolParam).validate_python(deepcopy(tool))) == tool
    function = tool["function"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", function["name"])
    assert len(function["description"]) <= DESCRIPTION_CAP
    assert function["strict"] is True
    schema: Any = function["parameters"]
    sound(schema)
    assert (schema["required"], schema["additionalProperties"]) == (list(schema["properties"]), False)
    assert set(schema).union(*schema["properties"].values()) <= STRICT


@pytest.mark.parametrize("name", NAMES)
def test_those_who_make_schemas_strict_find_nothing_to_do(served: dict[str, dict[str, Any]], name: str) -> None:
    from openai.lib._pydantic import _ensure_strict_json_schema
    from pydantic_ai.profiles.openai import OpenAIJsonSchemaTransformer

    schema = exports.openai([served[name]])[0]["function"]["parameters"]
    assert _ensure_strict_json_schema(deepcopy(schema), path=(), root=schema) == schema
    transformer = OpenAIJsonSchemaTransformer(deepcopy(schema), strict=None)
    assert transformer.walk() == schema
    assert transformer.is_strict_compatible


def test_what_is_strict_is_told_apart() -> None:
    """The checker above is not content with anything."""
    from pydantic_ai.profiles.openai import OpenAIJsonSchemaTransformer

    loose = {"type": "object", "properties": {"a": {"type": "string", "default": ""}}, "additionalProperties": False}
    transformer = OpenAIJsonSchemaTransformer(loose, strict=None)
    transformer.walk()
    assert not transformer.is_strict_compatible


@pytest.mark.parametrize("name", NAMES)
def test_null_is_taken_exactly_where_nothing_may_be_given(served: dict[str, dict[str, Any]], name: str) -> None:
    schema = served[name]["inputSchema"]
    function = exports.openai([served[name]])[0]["function"]
    optional = {
        argument
        for argument, one in schema["properties"].items()
        if argument not in schema.get("required", ()) and "default" not in one
    }
    nullable = {argument for argument, one in function["parameters"]["properties"].items() if "null" in one["type"]}
    assert nullable == optional
    assert ("Null means not given." in function["description"]) == bool(optional)


# -- Anthropic --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_anthropic_takes_it(served: dict[str, dict[str, Any]], name: str) -> None:
    from anthropic.types import ToolParam

    [tool] = exports.anthropic([served[name]])
    assert dict(TypeAdapter(ToolParam).validate_python(deepcopy(tool))) == tool
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,128}", tool["name"])
    sound(tool["input_schema"])
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", one) for one in tool["input_schema"]["properties"])
    assert not {"anyOf", "oneOf", "allOf", "$ref"} & set(tool["input_schema"])


# -- Gemini -----------------------------------------------------------------------------------------------------------


class Exact(BaseModel):
    """A message of Gemini's API: a field that it does not know refuses the whole request."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Schema(Exact):
    """Of the reference's `Schema` what is of use without composition, with what its server checks."""

    type: Literal["STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT"]
    description: str | None = None
    enum: list[str] | None = None
    items: "Schema | None" = None
    properties: "dict[str, Schema] | None" = None
    required: list[str] | None = None

    @model_validator(mode="after")
    def fits_its_type(self) -> "Schema":
        assert (self.items is not None) == (self.type == "ARRAY")
        assert bool(self.properties) == (self.type == "OBJECT"), "an object without properties is refused"
        assert self.enum is None or (self.type == "STRING" and all(self.enum))
        assert set(self.required or ()) <= set(self.properties or ())
        return self


class FunctionDeclaration(Exact):
    name: str
    description: str
    parameters: Schema | None = None


class Tool(Exact):
    functionDeclarations: list[FunctionDeclaration]  # noqa: N815 - the wire's name


def test_gemini_takes_it(served: dict[str, dict[str, Any]]) -> None:
    [tool] = exports.gemini(list(served.values()))
    declared = Tool.model_validate(tool).functionDeclarations
    assert [one.name for one in declared] == NAMES
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}", one.name) for one in declared)
    assert [one.name for one in declared if one.parameters is None] == ["fleet_summary"]
    assert Tool.model_validate(tool).model_dump(exclude_none=True) == tool


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "OBJECT", "properties": {}},
        {"type": "string"},
        {"type": "STRING", "const": "x"},
        {"type": "NUMBER", "exclusiveMinimum": 0},
        {"type": "INTEGER", "enum": [1]},
        {"type": "STRING", "items": {"type": "STRING"}},
    ],
)
def test_what_gemini_refuses_is_told_apart(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Schema"):
        Schema.model_validate(wrong)


# -- all --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda one: one.name)
@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_an_argument_is_lost(served: dict[str, dict[str, Any]], vendor: Vendor, name: str) -> None:
    """Its type and closed values are in the schema; a default and a bound are there, or told."""
    ours = served[name]["inputSchema"]["properties"]
    theirs = vendor.parameters(served[name])["properties"]
    assert list(theirs) == list(ours)
    for argument, one in ours.items():
        shown = theirs[argument]
        assert one["type"] in shown["type"]
        assert set(one.get("enum", ())) <= set(shown.get("enum", ()))
        told = f"{shown.get('description', '')} {shown}"
        assert one.get("description", "") in told
        bounds = [one[key] for key in ("minimum", "maximum", "exclusiveMinimum", "minItems", "maxItems") if key in one]
        assert all(str(bound) in told for bound in bounds), told
        assert "default" not in one or "default" in told.casefold()
