"""The real commands as processes of their own, before a simulated account on a port. Each is started once a module."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import provider as looked_up
from tests.forked import Background, command

from paperspace_mcp.simulator import Simulator
from paperspace_mcp.simulator.server import running

COMMAND = (sys.executable, "-m", "paperspace_mcp.cli")
KEY = "demo-key"
POLICY = Path(__file__).with_name("asks_always.toml")
Serving = Callable[..., "Process"]


@dataclass(frozen=True, slots=True)
class Provider:
    """A simulated account on a port."""

    sim: Simulator
    url: str


@dataclass(frozen=True, slots=True)
class Process:
    """`serve --transport http`, and the address that it said it listens on."""

    process: Background
    url: str

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2].partition("/")[0])


def environment(**more: str) -> dict[str, str]:
    """What a process is given: nothing of ours leaks into it, and no proxy stands before the loopback."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV") if name in os.environ}
    ours = {"PAPERSPACE_MCP_POLICY": str(POLICY), "PAPERSPACE_MCP_HOLD": "0"}
    return {**kept, "PAPERSPACE_API_KEY": KEY, **ours, **more}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    # The port serves what it first was given, so that is something which looks the account up.
    sim, front = Simulator(clock=lambda: 0.0), Simulator("empty")
    front.app = looked_up(sim)  # type: ignore[assignment]
    with running(front) as listening:
        yield Provider(sim, listening.url)


@contextmanager
def serving(provider: Provider, state: Path, *flags: str, **env: str) -> Iterator[Process]:
    """The HTTP server."""
    arguments = ["serve", "--transport", "http", "--port", "0", "--api-url", provider.url, "--state-dir", str(state)]
    process = Background([*arguments, *flags], environment(**env))
    try:
        line = next((line for line in process.stderr if "listening on http" in line), "")
        assert line
        yield Process(process, line.split()[-1])
    finally:
        process.end()


def end(process: subprocess.Popen[Any]) -> None:
    """A server on stdio ends with its input; killed where that does not help."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def run(*arguments: str, typed: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """A command of ours, to its end."""
    return command(arguments, typed, environment(**env))
