"""Bad input: an error in the tool's own envelope, without the value, a traceback, an odd path or a needless request."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import Talking
from tests.surface.talk import Assistant, Era, talking

from paperspace_mcp.app import App
from paperspace_mcp.simulator import Simulator
from paperspace_mcp.surface.adapter import arguments_of
from paperspace_mcp.surface.tool import Tool
from paperspace_mcp.surface.tools import TOOLS

pytestmark = pytest.mark.anyio

LONG = "Zq7" * 700_000
ODD = (
    "m1/desktop",
    "../../users",
    "psoxnh2i7/../psw5y2hq8n6a",
    "ps%2F..%2Fq",
    "psoxnh2i7?x=1",
    "psoxnh2i7#frag",
    "psoxnh2i7%00",
    "pso xnh\t2i7",
    "psoxnh2i7\nX-Evil: 1",
    "..",
    ".",
    "-psoxnh2i7",
    "_x",
    "p" * 65,
    "p\uff53\uff0fx",
    "{id}",
    "psoxnh2i7;ls",
    "http://evil.example/v1",
    "\\\\evil\\x",
    "'; DROP TABLE machines; --",
)
"""What could name another endpoint, split a header, or break a template."""

BY_MACHINE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("get_machine", {}),
    ("update_machine", {"name": "x"}),
    ("delete_machine", {}),
    ("start_machine", {}),
    ("stop_machine", {}),
    ("restart_machine", {}),
    ("list_machine_events", {}),
    ("list_machine_accessors", {}),
    ("get_machine_accessor", {"user": "ub3n7q2xd"}),
    ("add_machine_accessor", {"user": "ub3n7q2xd"}),
    ("remove_machine_accessor", {"user": "ub3n7q2xd"}),
    ("get_machine_desktop", {}),
)
ORDER = {
    "name": "n", "machine_type": "A4000", "template_id": "t0nspur5", "region": "ny2", "disk_size_gb": 50,
}  # fmt: skip
RIGHT = {**ORDER, "machine": "dev-anna", "user": "ub3n7q2xd", "event_id": "e", "event_ids": ["e"], "action": "stop"}
KNOWN_PATH = re.compile(r"/(machines|machine-events)(/[A-Za-z0-9][A-Za-z0-9_-]{0,63})?|/os-templates|/auth/session")


def no_crash(text: str) -> bool:
    return "Traceback" not in text and "pydantic" not in text and "input_value" not in text and ".py" not in text


RAW = re.compile(
    r"Input should|[Ss]hould (be|have)|[Ff]ield required|unable to|Value error|valid (string|int|num|list|bool)"
)
"""What pydantic says; whoever reads an answer cannot do much with it."""
WRONG: dict[str, tuple[Any, ...]] = {
    "string": (["x"], {"a": 1}, True, 1.5, "s3cr3t" * 300),
    "integer": ("s3cr3t-value", "NaN", "1e3", 2.5, -1, True, [1], {"a": 1}, "12 parsecs"),
    "number": ("s3cr3t-value", "NaN", "-inf", "1e400", -1, 0, True, [1], {"a": 1}, "12 parsecs", 1e300),
    "boolean": ("s3cr3t-value", 7, [True], {"a": 1}, 1.5),
    "array": (7, True, {"a": 1}, [["x"]], [1.5], [None], ["s3cr3t" * 300], ["x"] * 201),
}


@pytest.mark.parametrize("tool", [tool for tool in TOOLS if tool.name != "fleet_summary"], ids=lambda tool: tool.name)
async def test_whatever_is_wrong_is_told_in_our_words(client: Talking, sim: Simulator, tool: Tool) -> None:
    schema = arguments_of(tool).model_json_schema()
    right = {name: RIGHT[name] for name in schema.get("required", ())}
    async with client("2026-07-28") as assistant:
        for name, one in schema["properties"].items():
            for wrong in WRONG[one["type"]]:
                reply = await assistant.call(tool.name, **{**right, name: wrong})
                assert reply.code == "bad_argument", (name, str(wrong)[:40])
                assert re.search(rf"(^|; ){name}: ", reply.error["message"]), reply.error["message"]
                assert not RAW.search(reply.everything), reply.error["message"]
                assert no_crash(reply.everything)
                assert "s3cr3t" not in reply.everything
                assert len(reply.error["message"]) < 600
        assert assistant.questions == []
    assert sim.wire == []


@pytest.mark.parametrize(("tool", "more"), BY_MACHINE, ids=[tool for tool, _ in BY_MACHINE])
async def test_odd_machines_are_not_found_and_make_no_odd_path(
    client: Talking, sim: Simulator, tool: str, more: dict[str, Any]
) -> None:
    async with client("2026-07-28") as assistant:
        for odd in ODD:
            reply = await assistant.call(tool, machine=odd, **more)
            assert (reply.code, reply.error["changed"]) == ("unknown_machine", "no")
            assert len(odd) < 5 or odd not in reply.everything
            assert no_crash(reply.everything)
        assert assistant.questions == []
    assert sim.mutations() == []
    assert all(KNOWN_PATH.fullmatch(request.path) for request in sim.wire)


@pytest.mark.parametrize(("tool", "more"), BY_MACHINE, ids=[tool for tool, _ in BY_MACHINE])
async def test_two_megabytes_are_refused_unsent(
    client: Talking, sim: Simulator, tool: str, more: dict[str, Any]
) -> None:
    async with client("2026-07-28") as assistant:
        reply = await assistant.call(tool, machine=LONG, **more)
    assert reply.code == "bad_argument"
    assert len(reply.everything) < 3000
    assert "machine" in reply.error["message"]
    assert sim.wire == []


@pytest.mark.parametrize("odd", [*ODD, LONG], ids=range(len(ODD) + 1))
async def test_an_odd_event_id_is_refused_unsent(client: Talking, sim: Simulator, odd: str) -> None:
    async with client("2026-07-28") as assistant:
        for tool, argument in (("get_machine_event", odd), ("wait_for_event", [odd]), ("wait_for_event", odd)):
            name = "event_id" if tool == "get_machine_event" else "event_ids"
            reply = await assistant.call(tool, **{name: argument})
            assert reply.code in {"bad_id", "bad_argument"}
            assert len(odd) < 5 or odd not in reply.everything
    assert sim.wire == []


@pytest.mark.parametrize("tool", ["get_machine_accessor", "add_machine_accessor", "remove_machine_accessor"])
async def test_odd_people_make_no_odd_path(client: Talking, sim: Simulator, tool: str) -> None:
    async with client("2026-07-28") as assistant:
        for odd in ODD:
            reply = await assistant.call(tool, machine="psoxnh2i7", user=odd)
            assert reply.code == "unknown_user"
            assert len(odd) < 5 or odd not in reply.everything
        assert (await assistant.call(tool, machine="psoxnh2i7", user=LONG)).code == "bad_argument"
    assert sim.mutations() == []
    known = re.compile(r"/machines/psoxnh2i7(/accessors)?|/auth/session|/teams/\w+/users")
    assert all(known.fullmatch(request.path) for request in sim.wire)


async def test_empty_and_blank_references(assistant: Assistant, sim: Simulator) -> None:
    assert (await assistant.call("get_machine", machine="")).code == "bad_argument"
    assert sim.wire == []
    assert (await assistant.call("stop_machine", machine="   ")).code == "unknown_machine"
    assert sim.mutations() == []


@pytest.mark.parametrize(
    ("tool", "given", "said"),
    [
        ("get_machine", {"machine": "x", "respnse_format": "concise"}, "did you mean response_format?"),
        ("get_machine", {"machine": "x", "verbose": True}, "known are machine, response_format"),
        ("get_machine", {"machine_id": "psoxnh2i7"}, "did you mean machine?"),
        ("stop_machine", {"machine": "dev-anna", "confirm": True}, "no argument"),
        ("delete_machine", {"machine": "dev-ben", "force": "s3cr3t-value"}, "no argument"),
        ("update_machine", {"machine": "dev-ben", "disk_size": 100}, "did you mean disk_size_gb?"),
        ("update_machine", {"machine": "dev-ben", "met": "x", "spoken": "y"}, "no argument"),
        ("list_machines", {"ctx": 1, "desk": 2}, "no argument"),
        ("wait_for_event", {"event_id": "x"}, "did you mean event_ids?"),
    ],
)
async def test_an_unknown_argument_is_named_and_nothing_is_sent(
    assistant: Assistant, sim: Simulator, tool: str, given: dict[str, Any], said: str
) -> None:
    reply = await assistant.call(tool, **given)
    assert reply.code == "bad_argument"
    assert said in reply.error["message"]
    assert "s3cr3t-value" not in reply.everything
    assert (sim.wire, assistant.questions) == ([], [])


@pytest.mark.parametrize(
    ("tool", "given"),
    [
        ("get_machine", {"machine": ["psoxnh2i7"]}),
        ("get_machine", {"machine": {"id": "psoxnh2i7"}}),
        ("get_machine", {"machine": None}),
        ("get_machine", {"machine": 7.5}),
        ("get_machine", {"machine": True}),
        ("list_machines", {"limit": "s3cr3t-value"}),
        ("list_machines", {"limit": 2.5}),
        ("list_machines", {"limit": 0}),
        ("list_machines", {"limit": True}),
        ("list_machines", {"region": "s3cr3t-value"}),
        ("list_machines", {"states": {"s3cr3t-value": 1}}),
        ("list_machines", {"states": [["off"]]}),
        ("list_machines", {"states": ["off"] * 21}),
        ("update_machine", {"machine": "dev-ben", "network_id": "../users"}),
        ("update_machine", {"machine": "dev-ben", "restore_point_snapshot_id": "a b"}),
        ("create_machine", {**ORDER, "startup_script_id": "x/y"}),
        ("create_machine", {**ORDER, "network_id": "n?x=1"}),
        ("list_machines", {"order": "s3cr3t-value"}),
        ("stop_machine", {"machine": "dev-anna", "wait_seconds": "s3cr3t-value"}),
        ("stop_machine", {"machine": "dev-anna", "wait_seconds": -1}),
        ("update_machine", {"machine": "dev-ben", "auto_shutdown_enabled": "s3cr3t-value"}),
        ("update_machine", {"machine": "dev-ben", "disk_size_gb": "1e400"}),
        ("update_machine", {"machine": "dev-ben", "name": {"s3cr3t-value": 1}}),
        ("update_machine", {"machine": "dev-ben", "auto_snapshot_save_count": 0}),
        ("get_machine_desktop", {"machine": "dev-diya", "reveal_password": "s3cr3t-value"}),
    ],
)
async def test_a_wrong_type_is_told_without_its_value_and_nothing_is_sent(
    assistant: Assistant, sim: Simulator, tool: str, given: dict[str, Any]
) -> None:
    reply = await assistant.call(tool, **given)
    assert (reply.code, reply.error["changed"]) == ("bad_argument", "no")
    assert "s3cr3t-value" not in reply.everything
    assert no_crash(reply.everything)
    named = next(name for name in reversed(list(given)))
    assert named in reply.error["message"]
    assert (sim.wire, assistant.questions) == ([], [])


@pytest.mark.parametrize("states", [["off", "ready"], '["off", "ready"]', "off", ' ["off"]', "[off]", "[[["])
async def test_json_in_a_string_is_taken_for_a_list_only(client: Talking, sim: Simulator, states: object) -> None:
    async with client("2026-07-28") as assistant:
        reply = await assistant.call("list_machines", states=states)
    assert (not reply.code and len(sim.wire) == 1) or (reply.code == "bad_argument" and sim.wire == [])


@pytest.mark.parametrize("text", ["null", "true", "7", "{}", '{"a":1}', '["x"]'])
async def test_text_that_looks_like_json_stays_text(client: Talking, sim: Simulator, text: str) -> None:
    async with client("2026-07-28") as assistant:
        await assistant.call("update_machine", machine="staging-api", name=text)
    assert [request.body for request in sim.mutations()] == [{"name": text}]


@pytest.mark.parametrize(("tool", "meant"), [("start_machines", "start_machine"), ("x", None), (LONG[:5000], None)])
async def test_an_unknown_tool_is_told(assistant: Assistant, sim: Simulator, tool: str, meant: str | None) -> None:
    result = await assistant.client.call_tool(tool, {})
    assert result.is_error
    assert result.structured_content is not None
    message = result.structured_content["summary"]
    assert (f"Did you mean {meant}?" in message) == (meant is not None)
    assert len(message) < 200
    assert sim.wire == []


# -- the key ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "code", "requests"),
    [
        (None, "no_key", 0),
        ("", "no_key", 0),
        ("wr0ng-k3y-v4lue", "unauthorized", 1),
        ("k3y\nwith-a-line", "bad_key", 0),
    ],
)
async def test_without_a_good_key_tools_are_listed_and_calls_teach(
    serving: Callable[..., App], sim: Simulator, era: Era, key: str | None, code: str, requests: int
) -> None:
    async with talking(serving(sim, key=key).server, era) as assistant:
        assert len((await assistant.client.list_tools()).tools) >= 17
        for tool, given in (
            ("list_machines", {}),
            ("start_machine", {"machine": "psoxnh2i7"}),
            ("create_machine", ORDER),
            ("wait_for_event", {"event_ids": ["e1"], "timeout_seconds": 0}),
        ):
            sim.wire.clear()
            reply = await assistant.call(tool, **given)
            if tool == "wait_for_event":
                assert reply.data["events"][0]["verdict"] == "unreadable"
                assert code in reply.everything
            else:
                assert (reply.code, reply.error["changed"], reply.error["retryable"]) == (code, "no", False)
                assert "key" in reply.error["message"].lower()
                assert reply.error["next"].startswith("A person ")
            assert len(sim.wire) == requests
            assert not key or key not in reply.everything
        assert assistant.questions == []
    assert sim.mutations() == []
