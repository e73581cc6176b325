"""The operator's commands as processes of their own, before a simulated account on a port."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from tests.forked import command

from paperspace_mcp.simulator import Simulator

COMMAND = (sys.executable, "-m", "paperspace_mcp.cli")
KEY = "demo-key"
SECRET = "secret-of-mine"


def environment(**more: str) -> dict[str, str]:
    """What a process is given: nothing of ours leaks into it."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV") if name in os.environ}
    return {**kept, "PAPERSPACE_API_KEY": KEY, "XDG_CONFIG_HOME": "/nowhere", **more}


@dataclass(frozen=True, slots=True)
class Account:
    """A simulated account on a port."""

    sim: Simulator
    url: str

    @property
    def sent(self) -> list[str]:
        """What reached it and changes something."""
        return [f"{one.method} {one.path}" for one in self.sim.mutations()]


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody at a shell. `state` is the state directory of every command, `url` the address of the account."""

    state: Path
    url: str = ""

    def run(self, *words: str, typed: str = "", **env: str) -> CompletedProcess[str]:
        """A command, to its end. It never shows a traceback, whatever it was given."""
        ours = {"PAPERSPACE_MCP_STATE_DIR": str(self.state), **({"PAPERSPACE_API_URL": self.url} if self.url else {})}
        ended = command(words, typed, environment(**ours | env))
        assert "Traceback" not in ended.stderr, ended.stderr
        return ended

    def did(self, *words: str, typed: str = "", **env: str) -> str:
        """What a command printed that did what it was asked for."""
        ended = self.run(*words, typed=typed, **env)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def init(self) -> "Operator":
        self.did("approve", "--init", typed=f"{SECRET}\n{SECRET}\n")
        return self

    def calls(self, tool: str, **arguments: Any) -> int:
        """A tool call from the shell, where nobody can be asked; the exit code: 75 while a person must decide."""
        given = [word for name, value in arguments.items() for word in ("--arg", f"{name}={value}")]
        return self.run("run", tool, *given).returncode


@contextmanager
def without_privileges() -> Iterator[None]:
    """As a user who may not do everything: the modes of files mean nothing to root."""
    if os.getuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
