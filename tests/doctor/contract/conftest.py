"""Somebody who asks an account's API what its reference leaves open, through the command, in this process."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.doctor.conftest import KEY

from paperspace_mcp.cli import main
from paperspace_mcp.simulator import Simulator, Variant
from paperspace_mcp.simulator.server import running

Edit = Callable[[str, int, Any], Any]
"""From a path, a status and a parsed body to the body that goes out instead."""


@dataclass(frozen=True)
class Found:
    """What a run printed, and its exit code."""

    code: int
    text: str
    errors: str
    report: dict[str, Any]

    @property
    def readings(self) -> dict[str, Any]:
        return {one["name"]: one["reading"] for one in self.report["questions"] if one["settled"]}

    @property
    def why(self) -> dict[str, str]:
        """Of what is not settled, what was in the way."""
        return {one["name"]: one["why"] for one in self.report["questions"] if not one["settled"]}

    def told(self, name: str) -> str:
        return str(next(one["told"] for one in self.report["questions"] if one["name"] == name))

    def server(self, name: str) -> str:
        return str(next(one["server"] for one in self.report["questions"] if one["name"] == name))

    def shape(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(one for one in self.report["shapes"] if one["shape"] == name)
        return found


Contract = Callable[..., Found]


@pytest.fixture
def contract(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Contract:
    """Runs `doctor --contract` against an account on a port; each run is checked for what holds of all."""

    def run(sim: Simulator, *words: str, key: str = KEY) -> Found:
        assert home.is_dir()
        sim.wire.clear()
        monkeypatch.setenv("PAPERSPACE_API_KEY", key)
        with running(sim) as served:
            monkeypatch.setenv("PAPERSPACE_API_URL", served.url)
            code = main(["doctor", "--contract", "--json", *words])
        out, errors = capsys.readouterr()
        found = Found(code, out, errors, json.loads(out))
        polite(sim, found)
        return found

    return run


def polite(sim: Simulator, found: Found) -> None:
    """Nothing but GETs went out, not more than it says, and no more than a few."""
    assert {request.method for request in sim.wire} <= {"GET"}
    assert not any(request.applied or request.raw_body for request in sim.wire)
    gets = found.report["gets"]
    assert len(sim.wire) <= gets["gets"] <= gets["at_most"] <= 40
    assert found.report["ok"] is (found.code == 0)


def grown(**readings: Any) -> Simulator:
    """An account in which everything that GETs can settle can be settled."""
    sim = Simulator(clock=lambda: 0.0, variant=Variant(**readings))
    for machine in sim.machines.values():
        machine.accessors["u3z4be26"] = sim.clock.now() - 86400.0
    sim.delete_behind("ci-runner")
    sim.change("win-cad", state="off")
    return sim


class Wire:
    """Stands between an account and its port: keeps every answer, and may change it."""

    def __init__(self, sim: Simulator, edit: Edit | None = None) -> None:
        self.bodies = list[Any]()
        self._app, self._edit = sim.app, edit or (lambda _path, _status, body: body)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        started, content = dict[str, Any](), b""

        async def keep(message: Any) -> None:
            nonlocal content
            if message["type"] == "http.response.start":
                started.update(message)
            else:
                content += message.get("body", b"")

        await self._app(scope, receive, keep)
        await self._send(scope["path"].removeprefix("/v1"), started, content, send)

    async def _send(self, path: str, started: dict[str, Any], content: bytes, send: Any) -> None:
        body = self._edit(path, started["status"], json.loads(content))
        self.bodies.append(body)
        out = json.dumps(body).encode()
        headers = [pair for pair in started["headers"] if pair[0] != b"content-length"]
        await send({**started, "headers": [*headers, (b"content-length", str(len(out)).encode())]})
        await send({"type": "http.response.body", "body": out})


@contextmanager
def edited(sim: Simulator, edit: Edit | None = None) -> Iterator[Wire]:
    """The account with other answers."""
    wire, app = Wire(sim, edit), sim.app
    sim.app = wire  # type: ignore[assignment]
    yield wire
    sim.app = app
