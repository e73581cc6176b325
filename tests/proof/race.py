"""The race that remains: how long a target may change unseen, between its second reading and the call.

Measured at the provider, whose answer to the reading is the last moment that the guard knows of: from there to the
arrival of the mutation. The server and the account are in one process here, and the connection is loopback.
"""

import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from tests.guard.bench import MODERN, STOP, Person, types
from tests.proof.wire import ground as grounds
from tests.proof.wire.lost import OnPort

READING, CHANGING = "GET", "PATCH"


@dataclass(frozen=True, slots=True)
class Race:
    """Milliseconds, one for each call that went through."""

    windows: tuple[float, ...]
    machine: str

    @property
    def p50(self) -> float:
        return median(self.windows)

    @property
    def p95(self) -> float:
        return quantiles(self.windows, n=20)[-1]


async def measured(folder: Path, times: int) -> Race:
    """So many stops, each approved; what is held up meanwhile is what this machine holds up."""
    ground, watch = OnPort(folder), _Watch()
    for _ in range(times):
        ground.renew()
        ground.sim.app = watch.over(ground.sim.app)
        async with ground.client(MODERN, Person(types(STOP.typed))) as client:
            await grounds.call(client, STOP.tool, STOP.arguments)
    await ground.aclose()
    cores = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    return Race(tuple(watch.windows), f"{platform.system()} {platform.machine()}, {cores}")


class _Watch:
    """Sees requests come and answers go."""

    def __init__(self) -> None:
        self.windows: list[float] = []
        self._read = 0.0

    def over(self, inner: Any) -> Any:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            async def answering(message: Any) -> None:
                if scope["method"] == READING and message["type"] == "http.response.start":
                    self._read = time.perf_counter()
                await send(message)

            if scope["method"] == CHANGING:
                self.windows.append((time.perf_counter() - self._read) * 1000)
            await inner(scope, receive, answering)

        return app
