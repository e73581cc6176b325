"""Whatever is sent, and from however many threads, the simulator answers and keeps its world in order."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from paperspace_mcp.simulator import Simulator, validation

if TYPE_CHECKING:
    from paperspace_mcp.simulator.server import Running

ODD: tuple[Any, ...] = (None, True, 0, -1, 1.5, 10**30, "", "x", "ny2", "A4000", "\x00", [], [1], ["ub3n7q2xd"], {})
GOOD = {"name": "new", "machineType": "A4000", "region": "ny2", "diskSize": 100, "templateId": "t0nspur5"}
KEY = {"Authorization": "Bearer demo-key"}


def odd_body(dice: random.Random, rules: dict[str, Any]) -> Any:
    if dice.random() < 0.1:
        return dice.choice(ODD)
    chosen = dice.sample(sorted(rules), dice.randint(0, 4))
    return {**GOOD, **{name: dice.choice(ODD) for name in chosen}}


@pytest.mark.anyio
async def test_odd_bodies_are_answered(sim: Simulator) -> None:
    dice = random.Random(11)
    transport = httpx.ASGITransport(sim.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sim/v1", headers=KEY) as api:
        for _ in range(400):
            machine = dice.choice(sorted(sim.machines))
            answers = [
                await api.post("/machines", json=odd_body(dice, validation.CREATE)),
                await api.put(f"/machines/{machine}", json=odd_body(dice, validation.UPDATE)),
                await api.get("/machines", params={"limit": dice.choice(("5", "x", "9e999", "-0", "٣"))}),
            ]
            sim.advance(dice.random() * 40)
            assert {answer.status_code for answer in answers} <= {200, 400, 404}
            assert all(answer.json() is not None for answer in answers)


def walk(url: str, seed: int) -> set[int]:
    """Forty random steps of one client; the statuses it met."""
    dice, met = random.Random(seed), set()
    with httpx.Client(base_url=url, headers=KEY, verify=False, trust_env=False) as api:
        for _ in range(40):
            items = api.get("/machines", params={"limit": 50, "orderBy": "state"}).json()["items"]
            where = f"/machines/{dice.choice(items)['id']}"
            action = dice.choice(("/start", "/stop", "/restart", "/accessors", "/desktop"))
            method = "GET" if action in {"/accessors", "/desktop"} else "PATCH"
            met.add(api.request(method, where + action).status_code)
    return met


def test_threads(served: Running, sim: Simulator) -> None:
    with ThreadPoolExecutor(4) as pool:
        clients = [pool.submit(walk, served.url, seed) for seed in range(4)]
        while wait(clients, timeout=0.002).not_done:
            sim.advance(1)
            sim.change("dev-anna", name="dev-anna")
            assert len(sim.machines) == 22
    assert set().union(*(client.result() for client in clients)) <= {200, 400}
    assert [request.seq for request in sim.wire] == list(range(1, 321))
    assert all(request.status for request in sim.wire)
