"""An assistant as the server meets one: a real MCP client, and the person who sits at it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from mcp import Client
from mcp_types import CallToolResult, ElicitRequestFormParams, ElicitResult

from paperspace_mcp.rules.policy import Policy

ASKS_ALWAYS = Policy(confirm_usd_per_hour=0.0, questions=1000)
"""Every start is asked about, however cheap, and as often as the tests like."""
Era = Literal["legacy", "2026-07-28"]
MODERN: Era = "2026-07-28"
ERAS: tuple[Era, ...] = ("legacy", MODERN)
Answering = Callable[[str], ElicitResult]


def asked_for(question: str) -> str:
    """What a question asks to be typed."""
    return question.rpartition(": ")[2]


def agrees(question: str) -> ElicitResult:
    """The person types what the question asks for."""
    return ElicitResult(action="accept", content={"typed": asked_for(question)})


def declines(_question: str) -> ElicitResult:
    return ElicitResult(action="decline")


def cancels(_question: str) -> ElicitResult:
    return ElicitResult(action="cancel")


def types(text: str) -> Answering:
    """The person types this, whatever is asked."""
    return lambda _question: ElicitResult(action="accept", content={"typed": text})


@dataclass(slots=True)
class Person:
    """Answers the questions of a client, and keeps them."""

    answering: Answering
    questions: list[str] = field(default_factory=list)

    async def __call__(self, context: Any, params: Any) -> ElicitResult:
        del context
        assert isinstance(params, ElicitRequestFormParams)
        self.questions.append(params.message)
        return self.answering(params.message)


@dataclass(slots=True)
class Reports:
    """Keeps the progress of a call: the total, and what was said."""

    told: list[tuple[float | None, str | None]] = field(default_factory=list)

    async def __call__(self, progress: float, total: float | None, message: str | None) -> None:
        assert progress >= 0
        self.told.append((total, message))


@dataclass(frozen=True, slots=True)
class Reply:
    """Both halves of a tool's answer."""

    result: CallToolResult

    @property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] | None = self.result.structured_content
        assert found is not None
        return found

    @property
    def text(self) -> str:
        return "\n".join(block.text for block in self.result.content if block.type == "text")

    @property
    def error(self) -> dict[str, Any]:
        """The error of the envelope; empty where there is none."""
        found: dict[str, Any] = self.data.get("error", {})
        assert bool(found) == bool(self.result.is_error)
        return found

    @property
    def code(self) -> str:
        return str(self.error.get("code", ""))

    @property
    def candidates(self) -> list[str]:
        return [one["id"] for one in self.error.get("candidates", [])]

    @property
    def everything(self) -> str:
        """All that reaches the model or the person, as one text."""
        return self.result.model_dump_json()


@dataclass(slots=True)
class Assistant:
    """A connected client. The SDK's client checks every answer against the tool's published output schema."""

    client: Client
    person: Person | None

    @property
    def questions(self) -> list[str]:
        return self.person.questions if self.person else []

    async def call(self, tool: str, /, **arguments: Any) -> Reply:
        return Reply(await self.client.call_tool(tool, arguments))


@asynccontextmanager
async def talking(server: Any, era: Era, answering: Answering | None = agrees) -> AsyncIterator[Assistant]:
    """A client of this era at a server, a transport, a command or an address. None: it cannot show questions."""
    person = None if answering is None else Person(answering)
    async with Client(server, mode=era, elicitation_callback=person, cache=None) as client:
        yield Assistant(client, person)
