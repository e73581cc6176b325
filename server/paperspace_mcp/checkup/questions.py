"""A question, tried: a server on a simulated fleet asks through a real client over stdio, in both eras.

What is tried is the way from the server to a person and back. Whether another client shows its user the question, only
that client can show: this is what it should look like there.
"""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from paperspace_mcp.checkup.rows import Level, Row

PART = "questions"
ERAS = {"legacy": "the handshake's", "2026-07-28": "2026-07-28"}
CALL = ("stop_machine", {"machine": "dev-anna"})
_MODES = "README says which mode fits a client that shows nothing: `inbox`."
Answer = Callable[[str], Awaitable[str]]
"""Shows a question and gives what the person types; an empty text is a no."""


@dataclass(slots=True)
class _Person:
    answer: Answer
    asked: list[str] = field(default_factory=list)

    async def __call__(self, _context: Any, params: Any) -> Any:
        from mcp_types import ElicitResult

        self.asked.append(params.message)
        typed = await self.answer(params.message)
        return ElicitResult(action="accept", content={"typed": typed}) if typed else ElicitResult(action="decline")


async def rows(answer: Answer) -> AsyncIterator[Row]:
    """One row an era: whether the question came, and what became of the answer. Nothing but the simulation changes."""
    for era, name in ERAS.items():
        person = _Person(answer)
        with TemporaryDirectory(prefix="paperspace-mcp-question-") as state:
            told = await _called(era, person, Path(state))
        yield _row(name, person.asked, told)


async def _called(era: str, person: _Person, state: Path) -> dict[str, Any]:
    from mcp import Client
    from mcp.client.stdio import StdioServerParameters

    words = ["-m", "paperspace_mcp.cli", "serve", "--demo", "--state-dir", str(state)]
    nowhere = {"PAPERSPACE_MCP_POLICY": str(_empty(state)), "PAPERSPACE_MCP_HOLD": "0"}
    server, asked, mode = StdioServerParameters(command=sys.executable, args=words, env=nowhere), person, era
    async with Client(server, mode=mode, elicitation_callback=asked, cache=None) as client:  # type: ignore[arg-type]
        return (await client.call_tool(*CALL)).structured_content or {}


def _empty(state: Path) -> Path:
    """The defaults, whatever the user's own policy says: a policy that never asks would try nothing."""
    policy = state / "policy.toml"
    policy.write_text("", encoding="utf-8")
    return policy


def _row(era: str, asked: list[str], told: dict[str, Any]) -> Row:
    if len(asked) != 1:
        return Row(PART, era, Level.FAIL, f"asked {len(asked)} times instead of once", _MODES)
    code = (told.get("error") or {}).get("code", "")
    if told.get("status") == "done":
        return Row(PART, era, Level.OK, "asked, answered, and done once, in the simulation")
    if code in {"declined", "mistyped"}:
        return Row(PART, era, Level.OK, f"asked; the answer was {_NO[code]}, and nothing was done", _MODES)
    return Row(PART, era, Level.FAIL, f"asked, and then: {told.get('summary', 'no answer')}")


_NO = {"declined": "a no", "mistyped": "another text"}
