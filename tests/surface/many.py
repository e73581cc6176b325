"""Many machines and what became of each of them."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import anyio
from tests.guard.bench import Bench, Person

from paperspace_mcp.rules.policy import Policy
from paperspace_mcp.simulator import Simulator

STOP: Mapping[str, Any] = {"action": "stop", "name_globs": ["dev-*"]}
ANNA, CARLOS, DIYA = "psoxnh2i7", "psfj3c701", "psw5y2hq8n6a"
DEVS = {ANNA, CARLOS, DIYA}
"""Those of `dev-*` that run; dev-ben is off, dev-new-gpu is being made."""
ASKS = Policy(confirm_usd_per_hour=0.0, questions=1000)
"""Every start is asked about, however cheap."""


def told(bench: Bench) -> Counter[str]:
    """How often each machine was told to do something."""
    return Counter(request.path.split("/")[2] for request in bench.sim.mutations())


def acted(sim: Simulator, verb: str) -> set[str]:
    """The machines that were told to, each once, and nothing else was sent."""
    sent = Counter(request.path for request in sim.mutations())
    assert set(sent.values()) <= {1}, "none twice"
    assert all(path.endswith(f"/{verb}") for path in sent)
    return {path.split("/")[2] for path in sent}


def results(answer: dict[str, Any]) -> dict[str, str]:
    return {row["id"]: row["result"] for row in answer["machines"]}


def row(answer: dict[str, Any], machine_id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in answer["machines"] if one["id"] == machine_id)
    return found


def crowd(sim: Simulator, number: int, **fields: Any) -> list[str]:
    """Further machines, called crowd-000 and so on."""
    ids = [f"pscrowd{index:03d}" for index in range(number)]
    given = {"state": "ready", "machineType": "C7", "usageRate": 1.0, "region": "ca1", **fields}
    for index, one in enumerate(ids):
        sim.add_machine(id=one, name=f"crowd-{index:03d}", **given)
    return ids


async def call(bench: Bench, era: str, person: Person | None, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return await bench.call(era, person, "power_machines", arguments)


async def together(*calls: Any) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = []

    async def one(act: Any) -> None:
        answers.append(await act)

    async with anyio.create_task_group() as tasks:
        for act in calls:
            tasks.start_soon(one, act)
    return answers
