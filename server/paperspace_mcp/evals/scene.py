"""A fresh account for one request, the server over it, and the person at the client."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import httpx
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, ElicitResult
from pydantic import SecretStr

from paperspace_mcp.app import build
from paperspace_mcp.evals.request import Request
from paperspace_mcp.settings import Settings, Upstream
from paperspace_mcp.simulator import Simulator

KEY = "demo-key"
SPEED = 2000.0
"""How much faster the simulated account's time goes: a wait takes a moment."""
Era = Literal["legacy", "2026-07-28"]


@dataclass(slots=True)
class Person:
    """Types what the request says, in order; everything else is a no."""

    typed: Sequence[str | None]
    questions: list[str] = field(default_factory=list)

    async def __call__(self, _context: Any, params: Any) -> ElicitResult:
        self.questions.append(params.message)
        answer = self.typed[len(self.questions) - 1] if len(self.questions) <= len(self.typed) else None
        if answer is None:
            return ElicitResult(action="decline")
        return ElicitResult(action="accept", content={"typed": answer})


@dataclass(slots=True)
class Scene:
    """One request under way: what was called and answered, and what the provider saw."""

    sim: Simulator
    client: Client
    person: Person
    instructions: str = ""
    """What the server says of itself: a client that pins the newer era is not told by the protocol."""
    answers: list[Mapping[str, Any]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> CallToolResult | None:
        """One tool call, kept; None where the protocol itself refused it."""
        try:
            result = await self.client.call_tool(tool, dict(arguments))
        except MCPError as error:
            self.answers.append({"summary": error.error.message})
            self.texts.append(error.error.message)
            return None
        self.answers.append(result.structured_content or {})
        self.texts.append("\n".join(getattr(part, "text", "") for part in result.content))
        return result

    @property
    def sent(self) -> list[str]:
        """The mutations that arrived at the provider: the only truth here."""
        return [f"{request.method} {request.path}" for request in self.sim.mutations()]


@asynccontextmanager
async def scene(request: Request, era: Era = "2026-07-28") -> AsyncIterator[Scene]:
    """A scene for a request, ended afterwards."""
    sim, person = Simulator(keys=(KEY,), time_scale=SPEED), Person(request.typed)
    upstream = Upstream(url="http://account.invalid/v1", key=SecretStr(KEY))
    with TemporaryDirectory() as state:
        settings = Settings(upstream=upstream, state_dir=Path(state))
        app = build(settings, transport=httpx.ASGITransport(sim.app))
        asked: Any = person
        async with Client(app.server, mode=era, elicitation_callback=asked, cache=None) as client:
            yield Scene(sim, client, person, app.server.instructions or "")
        await app.aclose()
