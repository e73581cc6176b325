"""stdio: every tool in both eras, garbage, and the end of the input."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import StdioServerParameters
from tests.surface.meanwhile import when
from tests.surface.talk import Era, Reports, talking
from tests.transports.conftest import COMMAND, Provider, end, environment
from tests.transports.tour import tour

pytestmark = pytest.mark.anyio

GARBAGE = [
    b"",
    b"not json",
    b"{",
    b"[]",
    b"null",
    b'{"jsonrpc":"1.0"}',
    b"\xff\xfe\x00",
    b"[" * 5000,
    b'"' + b"x" * 70_000,
]


def serve(provider: Provider, state: Path) -> StdioServerParameters:
    arguments = [*COMMAND[1:], "serve", "--api-url", provider.url, "--state-dir", str(state)]
    return StdioServerParameters(command=COMMAND[0], args=arguments, env=environment())


async def test_every_tool_over_stdio(provider: Provider, tmp_path: Path, era: Era) -> None:
    async with talking(serve(provider, tmp_path), era) as assistant:
        listed = {tool.name for tool in (await assistant.client.list_tools()).tools}
        assert await tour(assistant, provider.sim, f"stdio-{era}") == listed
        page = await assistant.client.list_resources()
        assert len(page.resources) > 20


async def test_a_long_wait_is_kept_alive_by_progress(provider: Provider, tmp_path: Path, era: Era) -> None:
    """Where the client asks for progress a wait may take longer than the usual cap."""
    reports = Reports()
    machine = provider.sim.add_machine(name=f"waits-{era}", state="off").id
    when(provider.sim, "/machine-events/", lambda: provider.sim.advance(40), times=2)
    async with talking(serve(provider, tmp_path), era) as assistant:
        started = await assistant.call("start_machine", machine=machine)
        result = await assistant.client.call_tool(
            "wait_for_event",
            {"event_ids": [started.data["event"]["id"]], "timeout_seconds": 120},
            progress_callback=reports,
        )
    assert result.structured_content is not None
    assert result.structured_content["overall"] == "done"
    assert "capped" not in result.structured_content["summary"]
    assert reports.told[-1] == (120, "1 done")


# -- a process in our hands -------------------------------------------------------------------------------------------


@pytest.fixture
def process(provider: Provider, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    parameters = serve(provider, tmp_path)
    started = subprocess.Popen(
        [parameters.command, *parameters.args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=environment(),
    )  # fmt: skip
    yield started
    assert started.stdin is not None
    started.stdin.close()
    end(started)


def send(process: subprocess.Popen[bytes], line: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(line + b"\n")
    process.stdin.flush()


def message(number: int, method: str, **params: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode()


HELLO = message(
    1, "initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={"name": "t", "version": "1"}
)  # fmt: skip


def receive(process: subprocess.Popen[bytes], number: int) -> dict[str, Any]:
    """The answer to a request; whatever else is said before is passed over."""
    assert process.stdout is not None
    for line in process.stdout:
        found: dict[str, Any] = json.loads(line)
        if found.get("id") == number:
            return found
    raise AssertionError("the server hung up")


def shake_hands(process: subprocess.Popen[bytes]) -> None:
    send(process, HELLO)
    assert receive(process, 1)["result"]["serverInfo"]["name"] == "paperspace"
    send(process, b'{"jsonrpc":"2.0","method":"notifications/initialized"}')


def test_garbage_on_standard_input_ends_nothing(process: subprocess.Popen[bytes]) -> None:
    for line in GARBAGE:
        send(process, line)
    shake_hands(process)
    for line in GARBAGE:
        send(process, line)
    send(process, message(2, "tools/list"))
    assert len(receive(process, 2)["result"]["tools"]) >= 17


def test_the_end_of_input_ends_the_server(process: subprocess.Popen[bytes]) -> None:
    shake_hands(process)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(3) == 0
