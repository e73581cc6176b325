"""No result is larger than 40 kB, whatever the account is like. What was cut is said, and lists go on after it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.budgets.scale import size
from tests.guard.bench import MODERN, Bench
from tests.surface.stage import Stage
from tests.surface.talk import Reply, talking

from paperspace_mcp.simulator import Fault, Simulator

pytestmark = pytest.mark.anyio

CAP = 40_000
WIDE = "\U00020000"
"""A letter of four bytes."""
MANY = 60
"""More machines than one call of power takes."""
ON, OFF = ([f"pswide{state}{number:02d}" for number in range(MANY)] for state in ("on", "off"))


def hostile() -> Simulator:
    """Names and errors as long and as wide as they are passed on, and one machine with a long history."""
    sim = Simulator("empty", clock=lambda: 0.0)
    now = sim.clock.now()
    for state, ids in (("ready", ON), ("off", OFF)):
        for one in ids:
            machine = sim.add_machine(id=one, name=WIDE * 120 + one, state=state, machineType="C5", dtCreated=now - 1e8)
            failed(sim, one, now - 1e7)
            machine.overrides |= {"os": WIDE * 500, "restorePointSnapshotId": WIDE * 500}
    for minute in range(100):
        failed(sim, ON[0], now - 60 * minute)
    return sim


def failed(sim: Simulator, machine: str, at: float) -> None:
    sim.world.event("start", sim.machine(machine), at, state="error", error=WIDE * 600, dtStarted=at, dtFinished=at + 1)


@pytest.fixture(scope="module")
def account() -> Simulator:
    return hostile()


def cut(reply: Reply) -> bool:
    return "Cut to" in reply.data.get("next", "") and "Cut to" in reply.text


LISTS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("list_machines", "machines", {}),
    ("list_machines", "machines", {"response_format": "detailed"}),
    ("list_machine_events", "events", {}),
    ("list_machine_events", "events", {"response_format": "detailed"}),
    ("list_machine_events", "events", {"machine": ON[0]}),
)


@pytest.mark.parametrize(("tool", "rows", "given"), LISTS)
async def test_a_list_that_is_cut_goes_on_until_all_was_shown(
    stage: Stage, account: Simulator, tool: str, rows: str, given: dict[str, Any]
) -> None:
    sim = stage.scene(account)
    seen, cursor = list[str](), ""
    async with talking(stage.served.server, "2026-07-28") as assistant:
        while not seen or cursor:
            reply = await assistant.call(tool, limit=200, cursor=cursor, **given)
            assert size(reply.result) <= CAP
            assert reply.data["returned"] == len(reply.data[rows]) > 0
            assert cut(reply) == ("next_cursor" in reply.data)
            seen += [row["id"] for row in reply.data[rows]]
            cursor = reply.data.get("next_cursor", "")
    owned = [one.id for one in sim.events.values() if one.machineId == given.get("machine", one.machineId)]
    assert sorted(seen) == sorted(sim.machines if rows == "machines" else owned)


async def test_two_hundred_ordinary_machines_in_detail(stage: Stage) -> None:
    stage.scene(Simulator(250, clock=lambda: 0.0))
    async with talking(stage.served.server, "2026-07-28") as assistant:
        reply = await assistant.call("list_machines", limit=200, response_format="detailed")
        whole = await assistant.call("list_machines", limit=200)
    assert size(reply.result) <= CAP
    assert cut(reply)
    assert reply.data["returned"] >= 40
    assert (whole.data["returned"], cut(whole)) == (200, False)


async def test_fifty_events_that_failed(stage: Stage, account: Simulator) -> None:
    sim = stage.scene(account)
    ids = list(sim.events)[:50]
    async with talking(stage.served.server, "2026-07-28") as assistant:
        reply = await assistant.call("wait_for_event", event_ids=ids, timeout_seconds=0)
    assert size(reply.result) <= CAP
    assert reply.data["overall"] == "failed"
    assert "50 failed" in reply.data["summary"]
    assert cut(reply)
    assert "wait for fewer" in reply.data["next"]


SINGLE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("get_machine", {"machine": ON[0], "response_format": "detailed"}),
    ("get_machine", {"machine": "nowhere"}),
    ("explain_machine", {"machine": ON[0]}),
    ("fleet_summary", {}),
    ("find_waste", {"min_on_hours": 1, "min_off_days": 1}),
    ("stop_machine", {"machine": ON[0]}),
)


@pytest.mark.parametrize(("tool", "given"), SINGLE)
async def test_one_answer_is_whole(stage: Stage, account: Simulator, tool: str, given: dict[str, Any]) -> None:
    stage.scene(account)
    async with talking(stage.served.server, "2026-07-28", None) as assistant:
        reply = await assistant.call(tool, **given)
    assert size(reply.result) <= CAP
    assert not cut(reply)


# -- fifty machines at once -------------------------------------------------------------------------------------------


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path, sim=hostile())
    yield made
    await made.app.aclose()


async def power(bench: Bench, **given: Any) -> Reply:
    """The answer to a client that cannot show a question."""
    async with bench.client(MODERN) as client:
        reply = Reply(await client.call_tool("power_machines", given))
    assert size(reply.result) <= CAP
    return reply


async def approved(bench: Bench, **given: Any) -> Reply:
    """The answer after a person has decided elsewhere."""
    assert await bench.approve((await power(bench, **given)).data["approval"])
    return await power(bench, **given)


async def test_fifty_machines_are_planned_started_and_found_started(bench: Bench) -> None:
    planned = await power(bench, action="start", machines=OFF[:50], dry_run=True)
    assert planned.data["counts"] == {"planned": 50}
    assert cut(planned)
    started = await approved(bench, action="start", machines=OFF[:50])
    assert started.data["counts"] == {"done": 50}
    assert cut(started)
    assert "name fewer machines at a time" in started.data["next"]
    again = await power(bench, action="start", machines=[*OFF[:50], ON[0]])
    assert again.data["counts"] == {"unchanged": 51}
    assert len(bench.sim.mutations()) == 50


async def test_fifty_machines_that_all_fail(bench: Bench) -> None:
    bench.sim.faults.add(Fault("status", "start_machine", status=409, times=None))
    reply = await approved(bench, action="start", machines=OFF[:50])
    assert reply.code
    assert reply.data["counts"] == {"failed": 50}
    assert cut(reply)


async def test_a_question_about_fifty_machines(bench: Bench) -> None:
    """What a model is told of it is cut; who decides sees it whole."""
    reply = await power(bench, action="stop", machines=ON[:50])
    assert reply.data["status"] == "approval_required"
    assert reply.data["question"].endswith("(cut)")
    assert len((await bench.record(reply.data["approval"])).question) > len(reply.data["question"])
