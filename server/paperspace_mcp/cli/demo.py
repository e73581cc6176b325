"""`demo`: a walk through the server on a simulated fleet, with a real client over stdio.

The person at the terminal answers what the server asks. Without a terminal, `--answers` gives the answers in order;
without either, each question is shown and declined.
"""

import argparse
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from paperspace_mcp.cli.arguments import time_scale

Answerer = Callable[[], Awaitable[str | None]]
"""What the person types at a question; None where there is nobody to ask."""

TIME_SCALE = 20.0
POLICY = "confirm_usd_per_hour = 0\n"
"""The walk shows a start's question; by default so cheap a one is not asked about."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--answers",
        type=lambda text: text.split(","),
        metavar="A,B",
        help="what to answer, in order, for a run without a person: start,legacy-jenkins",
    )
    parser.add_argument("--time-scale", type=time_scale, default=TIME_SCALE, help="simulated seconds per second")
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="paperspace-mcp-demo-") as state:
        anyio.run(_walk, _answerer(arguments.answers), _server(arguments.time_scale, state))
    return 0


def _server(time_scale: float, state: str) -> Any:
    from mcp.client.stdio import StdioServerParameters

    policy = Path(state) / "policy.toml"
    policy.write_text(POLICY, encoding="utf-8")
    flags = ["serve", "--demo", "--time-scale", f"{time_scale:g}", "--state-dir", state]
    env = {"PAPERSPACE_MCP_POLICY": str(policy)}
    return StdioServerParameters(command=sys.executable, args=["-m", "paperspace_mcp.cli", *flags], env=env)


async def _walk(answer: Answerer, server: Any) -> None:
    from mcp import Client

    from paperspace_mcp.cli.walkthrough import Screen, Walk

    screen = Screen(sys.stdout)
    async with Client(server, elicitation_callback=partial(_ask, screen, answer), cache=None) as client:
        await Walk(client, screen).through()


async def _ask(screen: Any, answer: Answerer, _context: Any, params: Any) -> Any:
    """The server's question on the screen, and what the person says to it. Nothing typed is a no."""
    from mcp_types import ElicitResult

    screen.question(params.message)
    typed = await answer()
    screen.typed(typed, echoed=answer is _terminal)
    return ElicitResult(action="accept", content={"typed": typed}) if typed else ElicitResult(action="decline")


def _answerer(answers: list[str] | None) -> Answerer:
    if answers is not None:
        return _Given(answers)
    return _terminal if sys.stdin.isatty() else _nobody


class _Given:
    """Answers given on the command line, each once; then there is nobody."""

    def __init__(self, answers: list[str]) -> None:
        self._left = list(answers)

    async def __call__(self) -> str | None:
        return self._left.pop(0) if self._left else None


async def _nobody() -> None:
    return None


async def _terminal() -> str:
    """A line from the terminal. It waits on the loop, so that Ctrl-C ends the demo at once."""
    sys.stdout.flush()
    with suppress(OSError, NotImplementedError):  # where a terminal cannot be waited for, reading it waits
        await anyio.wait_readable(sys.stdin)
    return sys.stdin.readline().strip()
