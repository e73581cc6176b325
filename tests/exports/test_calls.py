"""What a model calls with an exported definition reaches the provider as the same call does over MCP."""

import json
import re
from itertools import count
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pydantic import BaseModel, ValidationError
from tests.exports.calls import CASES, EVENT, OPENAI, VENDORS, Given, Vendor
from tests.surface.stage import Stage
from tests.surface.talk import Reply, talking

from paperspace_mcp.exports import asked
from paperspace_mcp.schemas import listed
from paperspace_mcp.simulator import Simulator
from paperspace_mcp.surface.adapter import arguments_of
from paperspace_mcp.surface.tools import TOOLS

OURS = {tool.name: tool for tool in TOOLS}


@pytest.fixture(scope="module")
def served() -> dict[str, dict[str, Any]]:
    return anyio.run(listed)


def conforms(vendor: Vendor, definition: dict[str, Any], arguments: Given) -> bool:
    return bool(Draft202012Validator(vendor.parameters(definition)).is_valid(arguments))


def test_every_tool_has_a_case() -> None:
    assert {name for name, _ in CASES} == set(OURS)


_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SEEDS = count(1)


def heard(sim: Simulator) -> list[str]:
    """What the provider was sent, but for the ids of events. Several readings of one call may come in any order."""
    sent = [(one.method, one.path, sorted(one.query.items()), one.body) for one in sim.wire]
    return sorted(_UUID.sub(EVENT, str(one)) for one in sent)


async def said(stage: Stage, name: str, arguments: Given) -> tuple[Reply, list[str]]:
    """The answer, and what the provider was sent, on a fresh account."""
    sim = stage.scene(Simulator(clock=lambda: 0.0, seed=next(_SEEDS)))
    event = next(iter(sim.events))
    real = {key: json.loads(json.dumps(value).replace(f'"{EVENT}"', f'"{event}"')) for key, value in arguments.items()}
    async with talking(stage.served.server, "2026-07-28") as assistant:
        return await assistant.call(name, **real), heard(sim)


@pytest.mark.anyio
@pytest.mark.parametrize("vendor", VENDORS, ids=lambda one: one.name)
@pytest.mark.parametrize(("name", "arguments"), CASES, ids=[f"{name}-{len(given)}" for name, given in CASES])
async def test_a_call_means_the_same(
    stage: Stage, served: dict[str, dict[str, Any]], vendor: Vendor, name: str, arguments: Given
) -> None:
    filled = vendor.fills(served[name], arguments)
    assert conforms(vendor, served[name], filled)
    called, given = asked(json.loads(json.dumps(vendor.sends(name, filled))))
    plain, theirs = await said(stage, name, arguments), await said(stage, called, given)
    assert (plain[0].code, theirs[0].code) == ("", "")
    assert theirs[1] == plain[1]
    assert theirs[1], "nothing was sent that could differ"


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["list_machines", "power_machines", "find_waste"])
async def test_null_for_what_has_a_default_conforms_to_none_and_is_read_as_not_given(
    stage: Stage, served: dict[str, dict[str, Any]], name: str
) -> None:
    arguments = next(given for called, given in CASES if called == name)
    for argument, schema in served[name]["inputSchema"]["properties"].items():
        if "default" in schema and argument not in arguments:
            nulled = {**OPENAI.fills(served[name], arguments), argument: None}
            assert not any(conforms(vendor, served[name], nulled) for vendor in VENDORS)
            reply, sent = await said(stage, name, nulled)
            assert (reply.code, sent) == ("", (await said(stage, name, arguments))[1])


# -- any arguments at all ---------------------------------------------------------------------------------------------


def values(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Whatever the schema allows, with the bounds that are not published."""
    if "const" in schema or "enum" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    low, high = schema.get("minimum"), schema.get("maximum")
    match schema["type"]:
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(low, 10_000 if high is None else high)  # a vendor may send floats
        case "number":
            return st.floats(schema.get("exclusiveMinimum", low), high, exclude_min="exclusiveMinimum" in schema)
        case "array":
            return st.lists(values(schema["items"]), min_size=schema.get("minItems", 0), max_size=3)
    return st.text(min_size=schema.get("minLength", 0), max_size=min(schema.get("maxLength", 20), 20))


def arguments_by(schema: dict[str, Any]) -> st.SearchStrategy[Given]:
    required = {name: values(schema["properties"][name]) for name in schema.get("required", ())}
    optional = {name: values(one) for name, one in schema["properties"].items() if name not in required}
    return st.fixed_dictionaries(required, optional=optional)


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda one: one.name)
@pytest.mark.parametrize("name", OURS)
def test_whatever_conforms_is_read_as_the_same_arguments(
    served: dict[str, dict[str, Any]], vendor: Vendor, name: str
) -> None:
    definition, model = served[name], arguments_of(OURS[name])

    @settings(max_examples=25, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(arguments_by(model.model_json_schema()))
    def same(arguments: Given) -> None:
        filled = vendor.fills(definition, arguments)
        assert conforms(vendor, definition, filled)
        called, sent = asked(json.loads(json.dumps(vendor.sends(name, filled))))
        assert called == name
        assert read(model, sent) == read(model, arguments)

    same()


def read(model: type[BaseModel], given: Given) -> dict[str, Any] | list[str]:
    """The arguments as the server takes them, or the names of those that it refuses."""
    try:
        return model.model_validate(given).model_dump()
    except ValidationError as error:
        return sorted(str(one["loc"][0]) for one in error.errors())


# -- the shape of a call ----------------------------------------------------------------------------------------------


@pytest.fixture(
    params=[
        {"type": "function_call", "call_id": "c", "name": "get_machine", "arguments": '{"machine": "x"}'},
        {"id": "c", "function": {"name": "get_machine", "arguments": {"machine": "x"}}},
        {"id": "c", "function": {"name": "get_machine", "arguments": '{"machine": "x"}', "parameters": None}},
        {"function_call": {"id": None, "name": "get_machine", "args": {"machine": "x"}}},
        {"name": "get_machine", "args": {"machine": "x"}},
        {"name": "get_machine", "input": {"machine": "x"}, "caller": {"type": "direct"}},
    ],
    ids=["responses", "ollama", "extras", "gemini-sdk", "gemini-bare", "anthropic"],
)
def sent(request: pytest.FixtureRequest) -> Given:
    found: Given = request.param
    return found


def test_a_call_is_understood(sent: Given) -> None:
    assert asked(sent) == ("get_machine", {"machine": "x"})


@pytest.mark.parametrize("left_out", [{}, {"arguments": ""}, {"arguments": "{}"}, {"args": None}, {"input": {}}])
def test_a_call_may_have_no_arguments(left_out: Given) -> None:
    assert asked({"name": "fleet_summary", **left_out}) == ("fleet_summary", {})


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"name": 7},
        {"function": "get_machine"},
        {"name": "x", "arguments": "[1]"},
        {"name": "x", "arguments": "{"},
        {"name": "x", "input": [1]},
        {"name": "x", "args": 7},
    ],
)
def test_what_is_no_call_is_told_apart(wrong: Given) -> None:
    with pytest.raises(ValueError, match=r"no name|no arguments|Expecting"):
        asked(wrong)
