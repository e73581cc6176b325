"""What every session stands on: the account, the server before it as clients start or reach it, and the packages."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.clients.account import Account
from tests.clients.lines import Lines
from tests.clients.packages import Packages

Transport = Literal["stdio", "http"]
TRANSPORTS: tuple[Transport, ...] = ("stdio", "http")
KEY = "demo-key"
START_S = 30.0
"""How long a process may take to say where it listens."""
CALL_S = 60.0
"""How long one command of a client may take."""
_CLI = (sys.executable, "-m", "paperspace_mcp.cli")
_POLICY = "confirm_usd_per_hour = 0\nquestions = 1000\n"
"""Every start is asked about, however cheap, and as often as the sessions like."""


def inherited() -> dict[str, str]:
    """The environment, without what a user of ours has configured."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PAPERSPACE_")}


class NotStarted(Exception):
    """A process of ours ended, or said nothing, before it listened."""


@dataclass(frozen=True, slots=True)
class Server:
    """The server as a client is told of it: an address, or a command and its environment."""

    transport: Transport
    state: Path
    given: dict[str, str]
    url: str = ""

    @property
    def command(self) -> list[str]:
        return [*_CLI, "serve"]

    @property
    def environment(self) -> dict[str, str]:
        """For the server and for commands of the operator beside it."""
        return {**inherited(), **self.given}


@dataclass(frozen=True, slots=True)
class Ground:
    """scratch: a directory that goes with this run; clients take it for the user's home."""

    account: Account
    packages: Packages
    scratch: Path

    @contextmanager
    def server(self, transport: Transport, **more: str) -> Iterator[Server]:
        """A server with a state of its own: no approval of another session is in it."""
        state = self.scratch / f"state-{len(list(self.scratch.glob('state-*')))}"
        state.mkdir()
        found = Server(transport, state, {**self._given(state), **more})
        if transport == "stdio":
            yield found
            return
        with listening([*found.command, "--transport", "http", "--port", "0"], found.environment) as url:
            yield Server(transport, state, found.given, url)

    def _given(self, state: Path) -> dict[str, str]:
        """What a client's configuration names. Calls are not held: nobody decides while these clients wait."""
        policy = self.scratch / "policy.toml"
        policy.write_text(_POLICY, encoding="utf-8")
        return {
            "PAPERSPACE_API_URL": self.account.url,
            "PAPERSPACE_API_KEY": KEY,
            "PAPERSPACE_MCP_STATE_DIR": str(state),
            "PAPERSPACE_MCP_POLICY": str(policy),
            "PAPERSPACE_MCP_HOLD": "0",
        }

    @property
    def environment(self) -> dict[str, str]:
        """For a client: this Node, and a home of its own, so that nothing is left in the user's."""
        path = f"{self.packages.node.parent}{os.pathsep}{os.environ['PATH']}"
        return {**inherited(), "PATH": path, "HOME": str(self.scratch), "NO_COLOR": "1"}

    def run(self, words: Sequence[str], **more: str) -> subprocess.CompletedProcess[str]:
        """A client's command, to its end."""
        return subprocess.run(
            words, env={**self.environment, **more}, stdin=subprocess.DEVNULL, cwd=self.scratch,
            capture_output=True, text=True, timeout=CALL_S, check=False,
        )  # fmt: skip


@contextmanager
def simulated(fleet: str = "default") -> Iterator[Account]:
    with listening([*_CLI, "simulate", "--port", "0", "--fleet", fleet], inherited()) as url:
        yield Account(url.removesuffix("/v1"))


@contextmanager
def listening(command: Sequence[str], environment: dict[str, str]) -> Iterator[str]:
    """A process that says on standard error where it listens; the address."""
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as one:
        try:
            yield _announced(one)
        finally:
            one.terminate()
            try:
                one.wait(10)
            except subprocess.TimeoutExpired:
                one.kill()


def _announced(process: subprocess.Popen[str]) -> str:
    line = Lines(process.stderr).next(START_S)
    if " on http" not in line:
        raise NotStarted(line.strip() or "it ended")
    return line.rpartition(" on ")[2].split()[0]
