"""A server under attack, and the account behind it: ours, or one of the weak baselines."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import httpx
from mcp import Client
from mcp.client import InputRequiredRoundsExceededError
from mcp.shared.exceptions import MCPError
from mcp_types import InputRequiredResult
from tests.guard.bench import CALLS, KEY, MODERN, Bench, Call, Clock

from paperspace_mcp.settings import Settings
from paperspace_mcp.simulator import Simulator

ERAS = ("legacy", MODERN)
KEYS = (KEY, "other-key")
FRESH_EVERY = 200
"""After how many scenes the records are thrown away: until then the clock is moved on, which is cheaper."""


class Form(NamedTuple):
    """What approves a call: the field of the form, and its right content."""

    field: str
    right: Any


class Ground(Protocol):
    """A server that an attacker's clients reach, and the wire log that tells what came of it."""

    sim: Simulator
    clock: Clock
    calls: tuple[Call, ...]
    """The guarded calls that it knows."""

    @property
    def sent(self) -> list[str]: ...

    def form(self, call: Call) -> Form: ...

    def client(self, era: str, person: Any = None) -> AbstractAsyncContextManager[Client]: ...

    def renew(self) -> None:
        """A fresh account, and no approval of an earlier scene that still counts."""
        ...

    async def aclose(self) -> None: ...


def simulated(**options: Any) -> Simulator:
    """The default fleet. Its time stands still."""
    return Simulator(**{"clock": lambda: 0.0, "keys": KEYS, **options})


def provider(sim: Callable[[], Simulator]) -> Callable[..., Awaitable[None]]:
    """The account of the present scene, looked up at each request: a family may put something before it."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await sim().app(scope, receive, send)

    return app


def impatient(settings: Settings) -> Settings:
    """Reads are tried once: nothing here is about how long a server waits for a provider that is ill."""
    return replace(settings, upstream=replace(settings.upstream, max_attempts=1))


class Ours(Bench):
    """The product's own server."""

    calls: tuple[Call, ...] = CALLS

    def __init__(self, state: Path, **settings: Any) -> None:
        super().__init__(state, **{"sim": simulated(), **settings})
        self.gate._inner = httpx.ASGITransport(provider(lambda: self.sim))
        self.app.wire._settings = impatient(self.app.settings)
        self.scenes = 0

    def form(self, call: Call) -> Form:
        return Form("typed", call.typed)

    def renew(self) -> None:
        self.scenes += 1
        self.clock.at += 3600.0
        if self.scenes % FRESH_EVERY == 0:
            self.forget()
        self.sim = simulated()

    def join(self, other: "Ours") -> None:
        """Serve the same account at the same time as another server does."""
        self.sim, self.gate._inner = other.sim, other.gate._inner
        self.refit(now=other.clock)

    def forget(self) -> None:
        """Throw all records away."""
        self.app.store.shut()
        for left in self.app.settings.state_dir.glob("approvals*"):
            left.unlink()

    async def aclose(self) -> None:
        await self.app.aclose()


def exactly(ground: Ground, call: Call) -> bool:
    """Whether this call went out, once and nothing else; the steps of a batch in whatever order."""
    return sorted(ground.sent) == sorted(call.sent)


# -- what an attacker's client does -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the modern era and the state that the server sealed: what an attacker keeps."""

    key: str
    question: str
    state: str | None


async def call(client: Client, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """One call to its end. A protocol error is an answer too."""
    try:
        answer = await client.call_tool(tool, dict(arguments))
    except MCPError as error:
        return {"protocol": error.error.code}
    except InputRequiredRoundsExceededError:
        return {"protocol": "rounds"}
    return dict(answer.structured_content or {})


async def ask(client: Client, call: Call) -> Asked | None:
    """The first round, held open; None where nothing is asked."""
    answer = await client.session.call_tool(call.tool, dict(call.arguments), allow_input_required=True)
    if not isinstance(answer, InputRequiredResult) or not answer.input_requests:
        return None
    key, request = next(iter(answer.input_requests.items()))
    params: Any = request.params
    return Asked(key, params.message, answer.request_state)


async def reply(client: Client, call: Call, asked: Asked, response: Any) -> dict[str, Any]:
    """The second round, with whatever the attacker has: each is one use of the sealed state."""
    try:
        found = await client.session.call_tool(
            call.tool,
            dict(call.arguments),
            input_responses={asked.key: response},
            request_state=asked.state,
            allow_input_required=True,
        )
    except MCPError as error:
        return {"protocol": error.error.code}
    if isinstance(found, InputRequiredResult):
        return {"asked": True}
    return dict(found.structured_content or {})
