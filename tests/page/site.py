"""The server on a real port, two users with tokens and secrets, their assistants and their browsers."""

import re
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import anyio
import httpx
import httpx2
import uvicorn
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from pydantic import SecretStr
from tests.conftest import provider
from tests.surface.talk import Answering, Era, Person, Reply

from paperspace_mcp.app import App, build
from paperspace_mcp.deployment import http_app
from paperspace_mcp.rules.guard.records import Record
from paperspace_mcp.settings import Settings, Upstream
from paperspace_mcp.simulator import Simulator
from paperspace_mcp.tokens import issue
from paperspace_mcp.wire.approvers import Approvers

USERS = ("anna", "ben")
UNVERIFIED = False
"""Loopback has no certificates; loading those of all authorities takes longer than a request."""
DELETE = {"machine": "dev-ben"}
DELETED = [("DELETE", "/machines/ps8jo1fga")]


def secret_of(user: str) -> str:
    return f"{user}'s own secret"


@dataclass
class Clock:
    """Real time unless it is given another, and what was added by hand."""

    added: float = 0.0
    real: Callable[[], float] = time.time

    def __call__(self) -> float:
        return self.real() + self.added


@dataclass
class Site:
    """A server that listens. `sent` is what reached the provider and changed something."""

    sim: Simulator
    app: App
    clock: Clock
    tokens_file: Path
    tokens: dict[str, str]
    url: str = ""

    @property
    def sent(self) -> list[tuple[str, str]]:
        return [(one.method, one.path.removeprefix("/v1")) for one in self.sim.mutations()]

    @asynccontextmanager
    async def assistant(
        self, user: str, era: Era = "2026-07-28", answering: Answering | None = None
    ) -> AsyncIterator[Client]:
        """A real MCP client with a user's token. It cannot show questions, so they wait for the page."""
        headers = {"Authorization": f"Bearer {self.tokens[user]}"} if user else {}
        person: Any = Person(answering) if answering else None
        async with (
            httpx2.AsyncClient(headers=headers, timeout=60.0, verify=UNVERIFIED) as http,
            Client(
                streamable_http_client(f"{self.url}/mcp", http_client=http),
                mode=era,
                elicitation_callback=person,
                cache=None,
            ) as client,
        ):
            yield client

    async def call(self, user: str, tool: str, era: Era = "2026-07-28", /, **arguments: Any) -> Reply:
        async with self.assistant(user, era) as client:
            return Reply(await client.call_tool(tool, arguments))

    async def ask(self, user: str = "anna", tool: str = "delete_machine", /, **arguments: Any) -> str:
        """A call that begins to wait; its code."""
        reply = await self.call(user, tool, **(arguments or DELETE))
        assert reply.data["status"] == "approval_required", reply.data
        return str(reply.data["approval"])

    @asynccontextmanager
    async def browser(self, user: str = "", *, at: str = "127.0.0.1") -> AsyncIterator["Browser"]:
        """A browser at an address of this machine; with a user, logged in."""
        way = httpx.AsyncHTTPTransport(local_address=at, verify=UNVERIFIED)
        async with httpx.AsyncClient(base_url=self.url, headers={"Origin": self.url}, transport=way) as http:
            browser = Browser(http)
            if user:
                answer = await browser.log_in(user, secret_of(user))
                assert answer.status_code == 303, answer.text
            yield browser

    async def record(self, code: str) -> Record:
        found = await self.app.conduct.record(code)
        assert found is not None
        return found


@dataclass
class Browser:
    """Fills in the forms that it was shown."""

    http: httpx.AsyncClient

    async def log_in(self, user: str, secret: str, **more: str) -> httpx.Response:
        return await self.http.post("/approvals/login", data={"user": user, "secret": secret, **more})

    async def get(self, path: str) -> httpx.Response:
        return await self.http.get(path)

    async def form(self, code: str) -> dict[str, str]:
        """The hidden fields of a question's form."""
        answer = await self.get(f"/approvals/{code}")
        assert answer.status_code == 200, answer.text
        return hidden(answer.text)

    async def decide(self, code: str, decision: str, typed: str, secret: str, form: dict[str, str]) -> httpx.Response:
        fields = {**form, "decision": decision, "typed": typed, "secret": secret}
        return await self.http.post(f"/approvals/{code}", data=fields)

    async def approve(self, user: str, code: str, typed: str = "dev-ben") -> httpx.Response:
        return await self.decide(code, "approve", typed, secret_of(user), await self.form(code))

    async def deny(self, user: str, code: str) -> httpx.Response:
        return await self.decide(code, "deny", "", secret_of(user), await self.form(code))


class _Hidden(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found = dict[str, str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "input" and said.get("type") == "hidden":
            self.found[said.get("name") or ""] = said.get("value") or ""


def hidden(page: str) -> dict[str, str]:
    parser = _Hidden()
    parser.feed(page)
    return parser.found


def title_of(answer: httpx.Response) -> str:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", answer.text, re.DOTALL)
    assert found is not None, answer.text
    return unescape(found[1])


class _Quiet(uvicorn.Server):
    """Leaves the signals to the test run."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def listening(web: Any) -> AsyncIterator[str]:
    """An ASGI application on a real port; its address."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        config = uvicorn.Config(web, log_level="error", access_log=False, ws="none", timeout_graceful_shutdown=1)
        server = _Quiet(config)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, [sock])
            while not server.started:
                await anyio.lowlevel.checkpoint()
            yield f"http://127.0.0.1:{sock.getsockname()[1]}"
            server.should_exit = True


@asynccontextmanager
async def standing(tmp_path: Path, sim: Simulator, **options: Any) -> AsyncIterator[Site]:
    """A site. `tokens=None` leaves the users without identity; other options are `Settings`'.

    The same path twice is the same server started anew; its users have new tokens.
    """
    file, state = tmp_path / "tokens.txt", tmp_path / "state"
    tokens = {user: issue(file, user) for user in USERS}
    approvers = Approvers(state)
    for user in USERS:
        approvers.set(user, secret_of(user))
    upstream = Upstream(url="http://simulator.invalid/v1", key=SecretStr("demo-key"))
    settings = Settings(**{"upstream": upstream, "state_dir": state, "tokens": file, **options})
    app, clock = build(settings, transport=httpx.ASGITransport(provider(sim))), Clock()
    app.conduct.rooms = replace(app.conduct.rooms, now=clock)
    web = http_app(app, "127.0.0.1", [], stateless=False)
    async with listening(web) as url:
        yield Site(sim, app, clock, file, tokens, url)
