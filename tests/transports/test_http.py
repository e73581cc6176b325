"""Streamable HTTP: every tool in both eras, who may knock, and a SIGTERM at any moment."""

import contextlib
import signal
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx
import httpx2
import pytest
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from tests.forked import Background
from tests.surface.meanwhile import when
from tests.surface.talk import Answering, Assistant, Era, Reports, agrees, talking
from tests.transports.conftest import Process, Provider, run, serving
from tests.transports.tour import tour

from paperspace_mcp import __version__
from paperspace_mcp.audit import Audit
from paperspace_mcp.simulator import Fault

pytestmark = pytest.mark.anyio

HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    },
}
HEADERS = {"Accept": "application/json, text/event-stream"}


@pytest.fixture(scope="module")
def server(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with serving(provider, tmp_path_factory.mktemp("state")) as process:
        yield process


@pytest.fixture(scope="module")
def stateless(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with serving(provider, tmp_path_factory.mktemp("state"), "--stateless", "--allowed-host", "mcp.example") as process:
        yield process


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A user's token, made by the command, and the file that knows its hash."""
    path = tmp_path_factory.mktemp("tokens") / "tokens"
    made = run("token", "anna", "--file", str(path))
    assert made.returncode == 0, made.stderr
    return made.stdout.strip(), path


@asynccontextmanager
async def as_anna(url: str, token: str, era: Era) -> AsyncIterator[Assistant]:
    """A client that says who it is."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, verify=False, trust_env=False, timeout=30) as web,
        talking(streamable_http_client(url, http_client=web), era) as assistant,
    ):
        yield assistant


@pytest.fixture(scope="module")
def web() -> Iterator[httpx.Client]:
    with httpx.Client(verify=False, trust_env=False, timeout=5) as client:
        yield client


async def test_every_tool_over_http(
    provider: Provider, token: tuple[str, Path], era: Era, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with serving(provider, tmp_path_factory.mktemp("state"), "--tokens", str(token[1])) as server:
        async with as_anna(server.url, token[0], era) as assistant:
            listed = {tool.name for tool in (await assistant.client.list_tools()).tools}
            assert await tour(assistant, provider.sim, f"http-{era}") == listed
            assert len((await assistant.client.list_resources()).resources) > 20


async def test_every_tool_without_sessions(
    provider: Provider, token: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    flags = ("--stateless", "--tokens", str(token[1]))
    with serving(provider, tmp_path_factory.mktemp("state"), *flags) as server:
        async with as_anna(server.url, token[0], "2026-07-28") as assistant:
            listed = {tool.name for tool in (await assistant.client.list_tools()).tools}
            assert await tour(assistant, provider.sim, "stateless") == listed


async def test_without_tokens_nobody_is_given_access(server: Process, provider: Provider, era: Era) -> None:
    """Nobody vouches for who calls. The rest goes on as it does on stdio."""
    machine = provider.sim.add_machine(name=f"nobodys-{era}", state="ready").id
    before = len(provider.sim.mutations())
    async with talking(server.url, era) as assistant:
        refused = await assistant.call("add_machine_accessor", machine=machine, user="ben@example.com")
        assert (refused.code, assistant.questions) == ("identity_needed", [])
        assert (await assistant.call("stop_machine", machine=machine)).data["changed"] is True
    assert [one.path for one in provider.sim.mutations()[before:]] == [f"/machines/{machine}/stop"]


async def test_without_sessions_an_older_client_is_sent_to_a_person(stateless: Process, provider: Provider) -> None:
    machine = provider.sim.add_machine(name="older", state="ready").id
    before = len(provider.sim.mutations())
    async with talking(stateless.url, "legacy") as assistant:
        assert (await assistant.call("get_machine", machine=machine)).data["machine"]["name"] == "older"
        reply = await assistant.call("stop_machine", machine=machine)
        assert (reply.data["status"], reply.data["executed"], reply.code) == ("approval_required", False, "")
        assert assistant.questions == []
    assert len(provider.sim.mutations()) == before


async def test_a_long_wait_is_kept_alive_by_progress(server: Process, provider: Provider, era: Era) -> None:
    reports = Reports()
    machine = provider.sim.add_machine(name=f"waits-{era}", state="off").id
    async with talking(server.url, era) as assistant:
        started = await assistant.call("start_machine", machine=machine)
        when(provider.sim, "/machine-events/", lambda: provider.sim.advance(40), times=2)
        given = {"event_ids": [started.data["event"]["id"]], "timeout_seconds": 120}
        result = await assistant.client.call_tool("wait_for_event", given, progress_callback=reports)
    assert result.structured_content is not None
    assert result.structured_content["overall"] == "done"
    assert "capped" not in result.structured_content["summary"]
    assert reports.told[-1] == (120, "1 done")


# -- who may knock ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.", ""])
def test_a_strange_host_is_refused(server: Process, web: httpx.Client, host: str) -> None:
    assert web.post(server.url, json=HELLO, headers={**HEADERS, "Host": host}).status_code == 421


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://localhost.evil.example", "file://"])
def test_a_strange_origin_is_refused(server: Process, web: httpx.Client, origin: str) -> None:
    assert web.post(server.url, json=HELLO, headers={**HEADERS, "Origin": origin}).status_code == 403


@pytest.mark.parametrize("more", [{}, {"Origin": "http://localhost:3000"}, {"Host": "localhost"}])
def test_a_neighbour_is_let_in(server: Process, web: httpx.Client, more: dict[str, str]) -> None:
    assert web.post(server.url, json=HELLO, headers={**HEADERS, **more}).status_code == 200


def test_an_allowed_host_is_let_in(stateless: Process, web: httpx.Client) -> None:
    for host, status in (("mcp.example", 200), ("mcp.example:443", 200), ("other.example", 421)):
        assert web.post(stateless.url, json=HELLO, headers={**HEADERS, "Host": host}).status_code == status


def test_the_health_of_the_process(server: Process, web: httpx.Client, provider: Provider) -> None:
    before = len(provider.sim.wire)
    answer = web.get(server.url.removesuffix("/mcp") + "/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "version": __version__})
    assert len(provider.sim.wire) == before


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"not json", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"", "application/json", 400),
        (b"{}", "text/plain", 400),
        (b'{"a":"' + b"x" * (5 * 2**20) + b'"}', "application/json", 413),
    ],
)
def test_garbage_is_refused_and_ends_nothing(
    server: Process, web: httpx.Client, content: bytes, kind: str, status: int
) -> None:
    answer = web.post(server.url, content=content, headers={**HEADERS, "Content-Type": kind})
    assert answer.status_code == status
    assert "Traceback" not in answer.text
    assert web.post(server.url, json=HELLO, headers=HEADERS).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "mcp.example"])
def test_an_address_beyond_loopback_needs_a_name(host: str, tmp_path: object) -> None:
    ended = run("serve", "--transport", "http", "--host", host, "--port", "0", "--state-dir", str(tmp_path))
    assert ended.returncode == 2
    assert "--allowed-host" in ended.stderr
    assert "Traceback" not in ended.stderr


# -- the end ----------------------------------------------------------------------------------------------------------


def ended_in(process: Background) -> float:
    """Seconds from a SIGTERM to the end, which is an ordinary one and says nothing."""
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait(5)
    took = time.monotonic() - begun
    assert (process.returncode, process.stderr.read()) == (0, "")
    return took


def test_a_sigterm_ends_an_idle_server(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> None:
    with serving(provider, tmp_path_factory.mktemp("state")) as server:
        assert ended_in(server.process) < 2


def test_a_sigterm_ends_an_open_stream(
    provider: Provider, web: httpx.Client, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with serving(provider, tmp_path_factory.mktemp("state")) as server:
        session = web.post(server.url, json=HELLO, headers=HEADERS).headers["mcp-session-id"]
        with web.stream("GET", server.url, headers={**HEADERS, "Mcp-Session-Id": session}) as stream:
            assert stream.status_code == 200
            assert ended_in(server.process) < 2


async def test_a_sigterm_ends_a_call_in_flight(provider: Provider, era: Era, tmp_path: Path) -> None:
    under_way = threading.Event()
    when(provider.sim, "/os-templates", under_way.set)
    provider.sim.faults.add(Fault("stall", "list_templates"))
    with serving(provider, tmp_path) as server:
        async with calling(server, era, "list_templates"):
            assert await anyio.to_thread.run_sync(under_way.wait, 5)
            assert await anyio.to_thread.run_sync(ended_in, server.process) < 2


async def test_a_sigterm_ends_a_change_in_flight_and_its_intent_is_written(
    provider: Provider, era: Era, tmp_path: Path
) -> None:
    machine, under_way = provider.sim.add_machine(name=f"cut-{era}", state="ready").id, threading.Event()
    when(provider.sim, f"{machine}/stop", under_way.set)
    provider.sim.faults.add(Fault("stall", "stop_machine", machine=machine))
    with serving(provider, tmp_path) as server:
        async with calling(server, era, "stop_machine", machine=machine):
            assert await anyio.to_thread.run_sync(under_way.wait, 5)
            assert await anyio.to_thread.run_sync(ended_in, server.process) < 2
    phases = [entry["phase"] for entry in Audit(tmp_path).read(newest_first=False)]
    assert phases[:3] == ["asked", "approved", "intent"]


async def test_a_sigterm_ends_a_call_that_is_held_for_a_person(provider: Provider, era: Era, tmp_path: Path) -> None:
    machine = provider.sim.add_machine(name=f"held-{era}", state="ready").id
    before = len(provider.sim.mutations())
    with serving(provider, tmp_path, PAPERSPACE_MCP_HOLD="40") as server:
        async with calling(server, era, "stop_machine", None, machine=machine):
            told = await anyio.to_thread.run_sync(server.process.stderr.readline)
            assert "waits for a person" in told
            assert await anyio.to_thread.run_sync(ended_in, server.process) < 2
    assert len(provider.sim.mutations()) == before


def test_ctrl_c_ends_it_as_ctrl_c_does(provider: Provider, tmp_path: Path) -> None:
    with serving(provider, tmp_path) as server:
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(5) == 130


@asynccontextmanager
async def calling(
    server: Process, era: Era, tool: str, answering: Answering | None = agrees, **arguments: object
) -> AsyncIterator[None]:
    """A client that calls meanwhile, and is cut off."""
    with contextlib.suppress(httpx2.HTTPError, MCPError, OSError):
        async with talking(server.url, era, answering) as assistant, anyio.create_task_group() as tasks:
            tasks.start_soon(call_and_be_cut_off, assistant, tool, arguments)
            yield
            tasks.cancel_scope.cancel()


async def call_and_be_cut_off(assistant: Assistant, tool: str, arguments: dict[str, object]) -> None:
    with contextlib.suppress(Exception):
        await assistant.call(tool, **arguments)
