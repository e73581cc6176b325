"""An account in the simulator, the real wire to it, and time that passes only when nobody has anything else to do."""

import asyncio
import heapq
from collections import Counter
from itertools import count
from typing import Any

import httpx
from pydantic import SecretStr

from paperspace_mcp.rules.guard.warrants import Warrants
from paperspace_mcp.settings import Upstream
from paperspace_mcp.simulator import Simulator
from paperspace_mcp.watch import Watch
from paperspace_mcp.wire.paperspace import Paperspace

URL = "http://double.test/v1"


class HandClock:
    """Monotonic seconds. A sleeper wakes once every task of the loop waits for something; then it is that late."""

    def __init__(self) -> None:
        self.at = 0.0
        self.hold = False
        """Time stands still: what happens now is the loop's own doing."""
        self._numbers = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def __call__(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.at + seconds, next(self._numbers), woken))
        await woken

    async def run(self) -> None:
        loop: Any = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(0)
            if loop._ready:
                continue
            if self._sleepers and not self.hold:
                self._wake()
            else:
                await asyncio.sleep(0.001)

    def _wake(self) -> None:
        moment, _, woken = heapq.heappop(self._sleepers)
        if not woken.done():
            self.at = max(self.at, moment)
            woken.set_result(None)


def tasks_of_the_watch() -> list[str]:
    """What runs in this loop for a watch: polls, rests, waits."""
    return [name for task in asyncio.all_tasks() if "Watch." in (name := getattr(task.get_coro(), "__qualname__", ""))]


class Account:
    def __init__(self) -> None:
        self.clock = HandClock()
        self.sim = Simulator("empty", clock=self.clock)
        self.transport = httpx.ASGITransport(self.sim.app)
        self.wire = Paperspace(
            Upstream(url=URL, key=SecretStr("demo-key")),
            Warrants(),
            transport=self.transport,
            sleep=self.clock.sleep,
            clock=self.clock,
            jitter=lambda: 0.5,
        )
        self.watch = self.replica()

    def replica(self) -> Watch:
        """Another process: it knows nothing but what the provider tells."""
        return Watch(self.wire, sleep=self.clock.sleep, clock=self.clock, now=self.sim.now)

    def machine(self, name: str = "box", state: str = "off") -> str:
        return self.sim.add_machine(name=name, state=state).id

    async def begin(self, action: str, machine: str) -> str:
        """Start, stop, restart or delete a machine; the id of the event."""
        method, path = ("DELETE", "") if action == "delete" else ("PATCH", f"/{action}")
        return await self._event(method, f"/machines/{machine}{path}")

    async def create(self, *, start: bool) -> str:
        body = {"name": "new", "machineType": "C5", "templateId": "t0nspur5", "region": "ny2", "diskSize": 50}
        return await self._event("POST", "/machines", {**body, "startOnCreate": start})

    async def _event(self, method: str, path: str, body: Any = None) -> str:
        async with httpx.AsyncClient(transport=self.transport) as client:
            headers = {"Authorization": "Bearer demo-key"}
            answer = await client.request(method, URL + path, headers=headers, json=body)
        return str(answer.raise_for_status().json()["event"]["id"])

    @property
    def reads(self) -> Counter[str | None]:
        """How often each GET arrived, by operation."""
        return Counter(request.operation for request in self.sim.wire if request.method == "GET")
