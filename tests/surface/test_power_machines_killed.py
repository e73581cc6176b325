"""A server that is killed while it stops a list of machines: the next one goes on, and tells no machine twice."""

from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import pytest
from tests.surface.many import crowd
from tests.surface.talk import Era, agrees, talking
from tests.transports.conftest import Provider, serving

from paperspace_mcp.simulator import Fault, Simulator
from paperspace_mcp.simulator.server import running

pytestmark = pytest.mark.anyio
LIST = {"action": "stop", "name_globs": ["crowd-*"]}


def told(sim: Simulator) -> Counter[str]:
    return Counter(request.path.split("/")[2] for request in sim.mutations())


QUICK, AT_ONCE = 2, 8
"""How many are answered before the provider becomes slow, and how many are under way when the server is killed."""


async def test_a_list_goes_on_after_a_kill(tmp_path: Path, era: Era) -> None:
    sim = Simulator(clock=lambda: 0.0)
    ids = crowd(sim, 12)
    sim.faults.add(Fault("slow", "stop", after=QUICK, times=None, seconds=60, apply=False))
    with running(sim) as listening:
        provider = Provider(sim, listening.url)
        with serving(provider, tmp_path) as first:
            await killed_halfway(sim, first, era)
        sent = told(sim)
        assert sum(sent.values()) == QUICK + AT_ONCE
        sim.faults.clear()
        with serving(provider, tmp_path) as second:
            async with talking(second.url, era) as assistant:
                reply = await assistant.call("power_machines", **LIST)
                assert assistant.questions == [], "it was approved already"
    assert told(sim) == dict.fromkeys(ids, 1), "the rest was done, and nothing twice"
    results = {row["id"]: row["result"] for row in reply.data["machines"]}
    assert {results[one] for one in ids if one not in sent} == {"done"}
    assert Counter(results[one] for one in sent) == {"unknown": AT_ONCE, "done": QUICK}


async def killed_halfway(sim: Simulator, server: Any, era: Era) -> None:
    """One call, and a kill once nothing more can be sent."""
    async with anyio.create_task_group() as tasks:

        async def call() -> None:
            with suppress(Exception):
                async with talking(server.url, era, agrees) as assistant:
                    await assistant.call("power_machines", **LIST)

        tasks.start_soon(call)
        with anyio.fail_after(20):
            while len(sim.mutations()) < QUICK + AT_ONCE:
                await anyio.sleep(0.02)
        server.process.kill()
        tasks.cancel_scope.cancel()
