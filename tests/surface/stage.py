"""One server for many short scenes: built once, with a fresh account and fresh records for each."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr
from tests.surface.talk import ASKS_ALWAYS

from paperspace_mcp.app import App, build
from paperspace_mcp.settings import Settings, Upstream
from paperspace_mcp.simulator import Simulator
from paperspace_mcp.simulator.server import running


class Stage:
    """The ASGI application of whatever account is on, and the server before it."""

    def __init__(self) -> None:
        self.sim = Simulator("empty")
        self.served: App
        self._state = Path()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.sim.app(scope, receive, send)

    def scene(self, sim: Simulator | None = None) -> Simulator:
        """A new account, and no approval left of the last one."""
        self.served.store.shut()
        for left in self._state.glob("approvals*"):
            left.unlink()
        self.sim = sim or Simulator(clock=lambda: 0.0)
        return self.sim

    def serve(self, upstream: Upstream, state: Path, transport: httpx.AsyncBaseTransport | None) -> None:
        self._state = state
        self.served = build(Settings(upstream=upstream, state_dir=state, policy=ASKS_ALWAYS), transport=transport)


@contextmanager
def in_process(state: Path, **upstream: Any) -> Iterator[Stage]:
    stage = Stage()
    reached = Upstream(url="http://simulator.invalid/v1", key=SecretStr("demo-key"), **upstream)
    stage.serve(reached, state, httpx.ASGITransport(stage))
    yield stage
    stage.served.store.shut()


@contextmanager
def on_a_port(state: Path, **upstream: Any) -> Iterator[Stage]:
    """Where connections can be dropped."""
    stage, front = Stage(), Simulator("empty")
    front.app = stage  # type: ignore[assignment]
    with running(front) as listening:
        stage.serve(Upstream(url=listening.url, key=SecretStr("demo-key"), max_attempts=1, **upstream), state, None)
        yield stage
        stage.served.store.shut()
