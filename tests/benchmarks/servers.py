"""The processes of a run: the simulated upstream, and the two servers over it."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KEY = "demo-key"
FLOOR, OURS = "floor", "ours"
SIDES = (FLOOR, OURS)
_FLOOR = str(Path(__file__).with_name("floor.py"))
_CLI = [sys.executable, "-m", "paperspace_mcp.cli"]
_PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class Upstream:
    """The simulator in a process of its own."""

    url: str

    @property
    def root(self) -> str:
        return self.url.removesuffix("/v1")

    def slow(self, seconds: float) -> None:
        """Every answer takes that long, from now on; 0 ends it."""
        self._control("DELETE")
        if seconds:
            self._control("POST", {"kind": "slow", "operation": "*", "times": None, "seconds": seconds})

    def _control(self, method: str, body: dict[str, Any] | None = None) -> None:
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(f"{self.root}/_control/faults", data=data, method=method)
        urllib.request.urlopen(request, timeout=10).read()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def environment(upstream: Upstream, state: Path) -> dict[str, str]:
    given = {"PAPERSPACE_API_URL": upstream.url, "PAPERSPACE_API_KEY": KEY, "PAPERSPACE_MCP_STATE_DIR": str(state)}
    return {**os.environ, **given}


def stdio(side: str) -> list[str]:
    return [sys.executable, _FLOOR, "stdio"] if side == FLOOR else [*_CLI, "serve"]


def http(side: str, port: int) -> list[str]:
    if side == FLOOR:
        return [sys.executable, _FLOOR, "http", str(port)]
    return [*_CLI, "serve", "--transport", "http", "--port", str(port)]


@contextmanager
def started(command: Sequence[str], env: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A process that speaks on its pipes, ended afterwards."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=env, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, bufsize=0) as process:
        try:
            yield process
        finally:
            if process.stdin is not None:
                process.stdin.close()  # how a client on stdio says that it is done
            process.terminate()
            process.wait(10)


@contextmanager
def simulated(fleet: str = "default") -> Iterator[Upstream]:
    port = free_port()
    with started([*_CLI, "simulate", "--port", str(port), "--fleet", fleet]):
        _await_port(port)
        yield Upstream(f"http://127.0.0.1:{port}/v1")


@contextmanager
def listening(side: str, env: dict[str, str]) -> Iterator[tuple[int, int]]:
    """A server over HTTP: its port and its process id."""
    port = free_port()
    with started(http(side, port), env) as process:
        _await_port(port)
        yield port, process.pid


def _await_port(port: int) -> None:
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(f"nothing listens on {port}")


def resident_mb(pid: int) -> float | None:
    """Memory that a process holds, in MB; None where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return None
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))
