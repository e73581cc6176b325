"""A whole server over the simulator, a clock moved by hand, and clients that answer as an attacker would."""

import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio
import httpx
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, ElicitResult, InputRequiredResult
from pydantic import SecretStr

from paperspace_mcp.app import build
from paperspace_mcp.rules.guard.records import Record, Status
from paperspace_mcp.rules.policy import Policy
from paperspace_mcp.settings import Settings, Upstream
from paperspace_mcp.simulator import Simulator

KEY = "demo-key"
DOOR = "paperspace_mcp:approval"
MODERN = "2026-07-28"

NEW = {"name": "fresh", "machine_type": "A4000", "template_id": "t0nspur5", "region": "ny2", "disk_size_gb": 50}


@dataclass(frozen=True)
class Call:
    """A guarded call on the default fleet: the text that approves it, and what then leaves, in order.

    id: the machine's id, `who`: the id of the person, where there is one.
    """

    tool: str
    arguments: Mapping[str, Any]
    typed: str
    sent: tuple[str, ...]
    name: str = ""
    id: str = ""

    @property
    def operation(self) -> str:
        """The operation that it leads to; a call for many machines leads to the one for each of them."""
        return f"{self.arguments['action']}_machine" if self.tool == "power_machines" else self.tool


CALLS = (
    Call("create_machine", NEW, "create", ("POST /machines",)),
    Call(
        "create_machine",
        {**NEW, "accessor_ids": ["ub3n7q2xd", "anna@example.com"]},
        "ben@example.com, anna@example.com",
        ("POST /machines",),
    ),
    Call(
        "start_machine", {"machine": "dev-ben"}, "start", ("PATCH /machines/ps8jo1fga/start",), "dev-ben", "ps8jo1fga"
    ),
    Call("stop_machine", {"machine": "dev-anna"}, "stop", ("PATCH /machines/psoxnh2i7/stop",), "dev-anna", "psoxnh2i7"),
    Call(
        "restart_machine",
        {"machine": "dev-anna"},
        "restart",
        ("PATCH /machines/psoxnh2i7/restart",),
        "dev-anna",
        "psoxnh2i7",
    ),
    Call(
        "update_machine",
        {"machine": "dev-ben", "auto_shutdown_enabled": False},
        "update",
        ("PUT /machines/ps8jo1fga",),
        "dev-ben",
        "ps8jo1fga",
    ),
    Call(
        "update_machine",
        {"machine": "dev-ben", "disk_size_gb": 250},
        "dev-ben",
        ("PUT /machines/ps8jo1fga",),
        "dev-ben",
        "ps8jo1fga",
    ),
    Call("delete_machine", {"machine": "dev-ben"}, "dev-ben", ("DELETE /machines/ps8jo1fga",), "dev-ben", "ps8jo1fga"),
    Call(
        "add_machine_accessor",
        {"machine": "dev-ben", "user": "ud1yam5t2"},
        "diya@example.com",
        ("POST /machines/ps8jo1fga/accessors",),
        "dev-ben",
        "ps8jo1fga",
    ),
    Call(
        "remove_machine_accessor",
        {"machine": "dev-anna", "user": "anna@example.com"},
        "remove",
        ("DELETE /machines/psoxnh2i7/accessors/ur7p0nb7n",),
        "dev-anna",
        "psoxnh2i7",
    ),
    Call(
        "power_machines",
        {"action": "start", "name_globs": ["dev-*"]},
        "start",
        ("PATCH /machines/ps8jo1fga/start",),
        "dev-ben",
        "ps8jo1fga",
    ),
    Call(
        "power_machines",
        {"action": "restart", "machines": ["dev-anna", "psw5y2hq8n6a"]},
        "restart 2",
        ("PATCH /machines/psoxnh2i7/restart", "PATCH /machines/psw5y2hq8n6a/restart"),
    ),
)
"""Every guarded tool, with each class of demand that an unprotected machine can meet."""
DELETE = next(call for call in CALLS if call.tool == "delete_machine")
START = next(call for call in CALLS if call.tool == "start_machine")
STOP = next(call for call in CALLS if call.tool == "stop_machine")
CREATE = CALLS[0]


def title(call: Call) -> str:
    return f"{call.tool}-{call.typed}"


class Clock:
    """The guard's clock. It stands still until it is moved."""

    def __init__(self) -> None:
        self.at = time.time()

    def __call__(self) -> float:
        return self.at


@dataclass
class Person:
    """Who sits at the client, and remembers each question. `before`: done while they think.

    answer: what they say, or what makes it from the number of the question, from 1.
    """

    answer: Any
    before: Callable[[], object] = lambda: None
    questions: list[str] = field(default_factory=list)

    async def __call__(self, _context: Any, params: Any) -> Any:
        self.questions.append(params.message)
        self.before()
        if callable(self.answer):
            return self.answer(len(self.questions))
        return self.answer

    @property
    def codes(self) -> list[str]:
        return [code_of(question) for question in self.questions]


def code_of(question: str) -> str:
    found = re.search(r"Approval ([A-Z2-9]{4})\.", question)
    assert found, question
    return found[1]


def types(text: Any) -> ElicitResult:
    return ElicitResult(action="accept", content={"typed": text})


def raw(content: Any) -> ElicitResult:
    """An answer as a client's own code would put it on the wire, checked by nobody on the way."""
    return ElicitResult.model_construct(action="accept", content=content)


class Gate(httpx.AsyncBaseTransport):
    """The way to the provider, with a barrier: what `holds` names waits there, before it leaves or after its answer."""

    def __init__(self, sim: Simulator) -> None:
        self._inner = httpx.ASGITransport(sim.app)
        self.holds: Callable[[httpx.Request], bool] = lambda _request: False
        self.after = False
        self.reached, self.opened = anyio.Event(), anyio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        held = self.holds(request)
        if held and not self.after:
            await self._wait()
        response = await self._inner.handle_async_request(request)
        if held and self.after:
            await self._wait()
        return response

    async def _wait(self) -> None:
        self.reached.set()
        await self.opened.wait()


class Bench:
    def __init__(self, state: Path, *, sim: Simulator | None = None, key: str = KEY, **settings: Any) -> None:
        self.sim = sim or Simulator(clock=lambda: 0.0, keys=(KEY, "other-key"))
        upstream = Upstream(url="http://double.test/v1", key=SecretStr(key))
        policy = Policy(protect=settings.pop("protect", ("prod*",)), confirm_usd_per_hour=0.0, questions=1000)
        given = Settings(upstream=upstream, state_dir=state, **{"policy": policy, **settings})
        self.gate = Gate(self.sim)
        self.app = build(given, transport=self.gate)
        self.clock = Clock()
        self.refit(now=self.clock, settling_poll_s=0.001)

    def refit(self, **rooms: Any) -> None:
        """Put another clock or store under the corridor."""
        self.app.conduct.rooms = replace(self.app.conduct.rooms, **rooms)

    @property
    def sent(self) -> list[str]:
        """The mutations that arrived at the provider: the only truth here."""
        return [f"{request.method} {request.path}" for request in self.sim.mutations()]

    def did(self, call: Call) -> bool:
        """Whether the provider saw what the call is, once. Steps that need no other come in any order."""
        return sorted(self.sent) == sorted(call.sent)

    @asynccontextmanager
    async def client(self, era: str, person: Person | None = None) -> AsyncIterator[Client]:
        """A real client in process; without a person it cannot be asked."""
        async with Client(self.app.server, mode=era, elicitation_callback=person, cache=None) as client:  # type: ignore[arg-type]
            yield client

    async def call(self, era: str, person: Person | None, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """One call of one client; a protocol error is told as `{"protocol": ...}`."""
        async with self.client(era, person) as client:
            return await said(client, tool, arguments)

    async def ask(self, call: Call) -> "Round":
        """The first round of the modern era, held open."""
        async with self.client(MODERN, Person(types(""))) as client:
            answer = await client.session.call_tool(call.tool, dict(call.arguments), allow_input_required=True)
        assert isinstance(answer, InputRequiredResult)
        assert answer.input_requests
        question: Any = answer.input_requests[DOOR]
        return Round(self, call, question.params.message, answer.request_state)

    async def approve(self, code: str) -> bool:
        """A person says yes out of band."""
        return await self.app.conduct.close(await self.record(code), Status.APPROVED, "a person")

    async def record(self, code: str) -> Record:
        record = await self.app.conduct.record(code)
        assert record is not None
        return record


@dataclass(frozen=True)
class Round:
    """A question of the modern era, with the state that the server sealed."""

    bench: Bench
    call: Call
    question: str
    state: str | None

    @property
    def code(self) -> str:
        return code_of(self.question)

    async def answer(
        self, response: Any, *, tool: str = "", arguments: Mapping[str, Any] | None = None, key: str = DOOR, **more: Any
    ) -> dict[str, Any]:
        """Send an answer with the state; each call is one replay of it."""
        state = more.get("state", self.state)
        bench = more.get("bench", self.bench)
        async with bench.client(MODERN, Person(types(""))) as client:
            try:
                found = await client.session.call_tool(
                    tool or self.call.tool,
                    dict(self.call.arguments if arguments is None else arguments),
                    input_responses={key: response},
                    request_state=state,
                    allow_input_required=True,
                )
            except MCPError as error:
                return {"protocol": error.error.code}
        return told(found)


def told(answer: CallToolResult | InputRequiredResult) -> dict[str, Any]:
    if isinstance(answer, InputRequiredResult):
        assert answer.input_requests
        question: Any = answer.input_requests[DOOR]
        return {"asked": question.params.message}
    return dict(answer.structured_content or {})


async def said(client: Client, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return told(await client.call_tool(tool, dict(arguments)))
    except MCPError as error:
        return {"protocol": error.error.code}


def error_of(answer: Mapping[str, Any]) -> str:
    return str(answer.get("error", {}).get("code", ""))
