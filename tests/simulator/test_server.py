"""The simulator as a program of its own."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from paperspace_mcp.simulator import Simulator
from paperspace_mcp.simulator.server import Running, running, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = """
from paperspace_mcp.simulator.server import serve
serve(port=0, time_scale=60, keys=("k",), ready=lambda url: print(url, flush=True))
"""


@pytest.fixture
def program() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-W", "error", "-c", PROGRAM]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_told_to_stop(program: subprocess.Popen[str], number: signal.Signals) -> None:
    assert program.stdout
    assert program.stderr
    url = program.stdout.readline().strip()
    with httpx.Client(base_url=url, headers={"Authorization": "Bearer k"}, verify=False) as api:
        assert api.get("/machines").status_code == 200
        began = time.monotonic()
        program.send_signal(number)
        assert program.wait(5) == 0
    assert time.monotonic() - began < 2
    assert (program.stdout.read(), program.stderr.read()) == ("", "")


GARBAGE = (b"", b"\x16\x03\x01\x02\x00\x01", b"GET", b"nonsense\r\n\r\n", b"GET /v1/machines HTTP/1.1\r\n\r\n")
UPGRADE = b"GET /v1/machines HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
HALF = b"POST /v1/machines HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf"
PLAIN = b"GET /v1/machines HTTP/1.1\r\nHost: x\r\n\r\n"
FAULTS: tuple[dict[str, Any], ...] = (
    *({"kind": kind, "stage": stage} for kind in ("close", "reset") for stage in ("before", "during", "after")),
    *({"kind": kind} for kind in ("cut", "oversized", "stall")),
    {"kind": "slow", "seconds": 30},
)


def test_it_says_nothing_whatever_happens(program: subprocess.Popen[str]) -> None:
    assert program.stdout
    assert program.stderr
    url = httpx.URL(program.stdout.readline().strip())
    for raw in (*GARBAGE, UPGRADE, HALF):
        _send(url, raw)
    for fault in FAULTS:
        httpx.post(url.join("/_control/faults"), json=fault)
        _send(url, PLAIN)
    program.terminate()
    assert program.wait(5) == 0
    assert (program.stdout.read(), program.stderr.read()) == ("", "")


def _send(url: httpx.URL, raw: bytes) -> None:
    """Send, wait a moment for anything to come back, go away."""
    with socket.create_connection((url.host, url.port), timeout=0.05) as sock, contextlib.suppress(OSError):
        sock.sendall(raw)
        sock.recv(65536)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com"])
def test_it_listens_on_loopback_only(host: str) -> None:
    with pytest.raises(ValueError, match="not a loopback address"):
        serve(host, 0)


def test_a_taken_port_is_told() -> None:
    with running(Simulator("empty")) as served, pytest.raises(OSError, match="in use"):
        Running(Simulator("empty"), served.port)


def test_importing_the_package_imports_no_server() -> None:
    code = "import sys, paperspace_mcp.simulator; print('starlette' in sys.modules, 'uvicorn' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False", "False"]


def test_it_imports_nothing_else_of_the_package() -> None:
    code = (
        "import sys, paperspace_mcp.simulator.server\n"
        "own = [m for m in sys.modules if m.startswith('paperspace_mcp.') and '.simulator' not in m]\n"
        "print(own, [m for m in ('httpx', 'pydantic', 'mcp') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[] []"


def test_answers_do_not_wait_for_an_acknowledgement() -> None:
    """Without TCP_NODELAY each answer on a kept connection takes 40 ms."""
    with running(Simulator("empty")) as served, httpx.Client(base_url=served.url, verify=False) as api:
        began = time.perf_counter()
        for _ in range(20):
            api.get("/os-templates", params={"limit": 1})
        assert time.perf_counter() - began < 0.6
