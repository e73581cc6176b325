"""Prompts, completions and resources over stdio and HTTP, in both eras: the same capabilities, the same words."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import httpx
import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, PromptReference, ResourceTemplateReference, TextContent, TextResourceContents
from tests.transports.conftest import COMMAND, Process, Provider, environment, run, serving

pytestmark = pytest.mark.anyio

Mode = Literal["legacy", "auto"]
Connect = Callable[[Mode], AbstractAsyncContextManager[Client]]
MODES: tuple[Mode, ...] = ("legacy", "auto")
NAMES = ["fleet_report", "cost_review", "why_did_it_stop", "shutdown_plan"]
MODERN = "2026-07-28"
TEMPLATE = "paperspace://machines/{id}"


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    path = tmp_path_factory.mktemp("tokens") / "tokens"
    return run("token", "anna", "--file", str(path)).stdout.strip(), path


@pytest.fixture(scope="module")
def guarded(provider: Provider, token: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with serving(provider, tmp_path_factory.mktemp("state"), "--tokens", str(token[1])) as process:
        yield process


@pytest.fixture(scope="module")
def stateless(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with serving(provider, tmp_path_factory.mktemp("state"), "--stateless") as process:
        yield process


@pytest.fixture(params=["stdio", "http with tokens", "http stateless"])
def connect(request: pytest.FixtureRequest, provider: Provider, tmp_path: Path) -> Connect:
    """Connects a client of an era over this transport."""

    @asynccontextmanager
    async def connected(mode: Mode) -> AsyncIterator[Client]:
        if request.param == "http with tokens":
            token, _ = request.getfixturevalue("token")
            headers = {"Authorization": f"Bearer {token}"}
            async with httpx2.AsyncClient(headers=headers, verify=False, trust_env=False, timeout=30) as web:
                url = request.getfixturevalue("guarded").url
                async with Client(streamable_http_client(url, http_client=web), mode=mode, cache=None) as client:
                    yield client
            return
        server: Any = stdio(provider, tmp_path)
        if request.param == "http stateless":
            server = request.getfixturevalue("stateless").url
        async with Client(server, mode=mode, cache=None) as client:
            yield client

    return connected


def stdio(provider: Provider, state: Path) -> StdioServerParameters:
    arguments = [*COMMAND[1:], "serve", "--api-url", provider.url, "--state-dir", str(state)]
    return StdioServerParameters(command=COMMAND[0], args=arguments, env=environment())


@pytest.mark.parametrize("mode", MODES)
async def test_prompts_completions_and_resources(connect: Connect, mode: Mode) -> None:
    async with connect(mode) as client:
        able = client.server_capabilities.model_dump(exclude_none=True)
        assert (able["prompts"], able["completions"]) == ({"list_changed": False}, {})
        assert able["resources"] == {"list_changed": False, "subscribe": False}
        assert "wait_for_event" in (client.instructions or "")

        assert [prompt.name for prompt in (await client.list_prompts()).prompts] == NAMES
        [message] = (await client.get_prompt("why_did_it_stop", {"machine": "dev-ben"})).messages
        assert isinstance(message.content, TextContent)
        assert message.content.text.endswith('data: {"machine": "dev-ben"}')
        for name, given in (("nothing", {}), ("why_did_it_stop", {}), ("fleet_report", {"scope": "a"})):
            with pytest.raises(MCPError) as caught:
                await client.get_prompt(name, given)
            assert (caught.value.error.code, "handler" in caught.value.error.message) == (INVALID_PARAMS, False)

        uris = [one.uri for one in (await client.list_resources()).resources]
        assert uris[:2] == ["paperspace://machines", "paperspace://fleet/summary"]
        [content] = (await client.read_resource("paperspace://fleet/summary")).contents
        assert isinstance(content, TextResourceContents)
        assert '"machines":22' in content.text

        typed = await client.complete(PromptReference(name="why_did_it_stop"), {"name": "machine", "value": "dev-a"})
        assert typed.completion.values == ["dev-anna"]
        typed = await client.complete(ResourceTemplateReference(uri=TEMPLATE), {"name": "id", "value": "dev-a"})
        assert typed.completion.values == ["psoxnh2i7"]
        with pytest.raises(MCPError) as caught:
            await client.complete(PromptReference(name="nothing"), {"name": "machine", "value": "dev-a"})
        assert caught.value.error.code == INVALID_PARAMS


def post(url: str, method: str, params: dict[str, Any], **headers: str) -> httpx.Response:
    """A request of the era without a handshake, as no client of the SDK would write it."""
    name = params.get("name") or params.get("uri")
    told = {
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": MODERN,
        "Mcp-Method": method,
        **({"Mcp-Name": name} if name else {}),
    }
    prefix = "io.modelcontextprotocol"
    meta = {f"{prefix}/protocolVersion": MODERN, f"{prefix}/clientCapabilities": {}}
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
    with httpx.Client(verify=False, trust_env=False, timeout=5) as web:
        return web.post(url, json=request, headers={**told, **headers})


@pytest.mark.parametrize(
    "arguments", [{"machine": 7}, {"machine": None}, {"machine": ["Zq7"]}, ["Zq7"], "Zq7"], ids=str
)
def test_arguments_that_are_no_texts_are_refused(stateless: Process, arguments: Any) -> None:
    answer = post(stateless.url, "prompts/get", {"name": "why_did_it_stop", "arguments": arguments})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, INVALID_PARAMS)
    assert "Zq7" not in answer.text


REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("prompts/get", {"name": "fleet_report"}),
    (
        "completion/complete",
        {"ref": {"type": "ref/prompt", "name": "why_did_it_stop"}, "argument": {"name": "machine", "value": "d"}},
    ),
    ("resources/read", {"uri": "paperspace://fleet/summary"}),
]


@pytest.mark.parametrize(("method", "params"), REQUESTS, ids=[method for method, _ in REQUESTS])
@pytest.mark.parametrize("authorization", [{}, {"Authorization": "Bearer nobodys"}], ids=["none", "wrong"])
def test_where_there_are_tokens_nothing_is_told_without_one(
    guarded: Process, provider: Provider, method: str, params: dict[str, Any], authorization: dict[str, str]
) -> None:
    before = len(provider.sim.wire)
    assert post(guarded.url, method, params, **authorization).status_code == 401
    assert len(provider.sim.wire) == before
