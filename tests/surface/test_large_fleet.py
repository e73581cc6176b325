"""Lists on large fleets: bounded at each call, complete over all of them, steady while machines come and go."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from tests.surface.stage import Stage
from tests.surface.talk import Assistant, Era, talking

from paperspace_mcp.simulator import Simulator

pytestmark = pytest.mark.anyio
MODERN: Era = "2026-07-28"
FLEET = 1301
PAGES = 5
"""Upstream calls for the 500 rows that one call looks at."""


@pytest.fixture
def large(stage: Stage) -> Simulator:
    return stage.scene(Simulator(FLEET, clock=lambda: 0.0))


@pytest.fixture
def serving(stage: Stage) -> Callable[[], Any]:
    return lambda: talking(stage.served.server, MODERN)


async def listed(assistant: Assistant, sim: Simulator, calls: int = PAGES, **given: Any) -> list[str]:
    """Every row that a client sees that goes on to the end; no call costs more than a window, or `calls`."""
    seen, cursor = list[str](), ""
    while True:
        before = len(sim.wire)
        reply = await assistant.call("list_machines", cursor=cursor, **given)
        assert len(sim.wire) - before <= calls
        assert len(reply.text.encode()) <= 40_000
        seen += [row["id"] for row in reply.data["machines"]]
        assert reply.data["returned"] == len(reply.data["machines"])
        cursor = reply.data.get("next_cursor", "")
        assert reply.data["complete"] == (not cursor)
        if not cursor:
            return seen


@pytest.mark.parametrize("given", [{"limit": 200}, {"limit": 200, "response_format": "detailed"}])
async def test_going_on_shows_each_machine_once(
    serving: Callable[[], Any], large: Simulator, given: dict[str, Any]
) -> None:
    async with serving() as assistant:
        seen = await listed(assistant, large, **given)
    assert sorted(seen) == sorted(large.machines)


async def test_a_filter_of_ours_reaches_to_the_end(serving: Callable[[], Any], large: Simulator) -> None:
    for machine in list(large.machines):
        large.change(machine, state="ready")
    wanted = sorted(list(large.machines)[::400])
    for machine in wanted:
        large.change(machine, state="upgrading")
    async with serving() as assistant:
        assert sorted(await listed(assistant, large, states=["upgrading"])) == wanted


async def test_in_a_long_list_the_provider_compares_names(serving: Callable[[], Any], large: Simulator) -> None:
    async with serving() as assistant:
        reply = await assistant.call("list_machines", name_contains="node-0120")
    assert {row["name"] for row in reply.data["machines"]} == {f"node-0120{last}" for last in range(10)}
    assert (reply.data["complete"], len(large.wire)) == (True, PAGES + 1)
    assert large.wire[-1].query["name"] == "node-0120"
    assert "by its own rule" in reply.data["next"]
    assert "by its own rule" in reply.text


async def test_names_are_compared_in_the_list_that_is_gone_on_with(
    serving: Callable[[], Any], large: Simulator
) -> None:
    async with serving() as assistant:
        seen = await listed(assistant, large, name_contains="node-0", limit=200, calls=2 * PAGES)
    assert len(seen) == len(set(seen)) == 1301


async def test_more_than_one_call_looks_at_has_no_total(serving: Callable[[], Any], large: Simulator) -> None:
    async with serving() as assistant:
        reply = await assistant.call("list_machines")
    assert (reply.data["complete"], "total" in reply.data, len(large.wire)) == (False, False, PAGES)
    assert "fleet_summary" in reply.data["next"]
    assert [int(request.query["limit"]) for request in large.wire] == [120, 120, 120, 120, 20]


async def test_a_list_stays_while_machines_come_and_go(serving: Callable[[], Any], stage: Stage) -> None:
    sim = stage.scene(Simulator(60, clock=lambda: 0.0))
    async with serving() as assistant:
        first = await assistant.call("list_machines", limit=20)
        shown = [row["id"] for row in first.data["machines"]]
        for machine in (shown[-1], shown[-2], shown[3]):
            sim.delete_behind(machine)
        sim.add_machine(id="psnewest", name="newest", dtCreated=sim.clock.now())
        rest = await assistant.call("list_machines", limit=200, cursor=first.data["next_cursor"])
    others = [row["id"] for row in rest.data["machines"]]
    assert not set(shown) & set(others)
    assert set(shown) | set(others) == {*sim.machines, *shown} - {"psnewest"}


class Pages:
    """A provider whose pages are written down: what follows what may be nonsense."""

    def __init__(self, pages: dict[str, tuple[list[str], str | None]]) -> None:
        self.pages, self.asked = pages, list[str]()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        after = Request(scope, receive).query_params.get("after", "")
        self.asked.append(after)
        ids, following = self.pages[after]
        items = [{"id": one, "name": one, "state": "ready"} for one in ids]
        await JSONResponse({"hasMore": bool(following), "items": items, "nextPage": following})(scope, receive, send)


@pytest.mark.parametrize(
    ("pages", "rows", "complete"),
    [
        ({"": (["ps1", "ps2"], "b"), "b": (["ps2", "ps3"], None)}, ["ps1", "ps2", "ps3"], True),
        ({"": (["ps1", "ps2"], "b"), "b": (["ps3"], "b")}, ["ps1", "ps2", "ps3"], False),
        ({"": (["ps1"], "b"), "b": (["ps2"], "c"), "c": (["ps1"], "b")}, ["ps1", "ps2"], False),
        ({"": (["ps1"], "b"), "b": ([], "c"), "c": (["ps2"], None)}, ["ps1"], False),
    ],
    ids=["doubles", "itself", "circle", "empty"],
)
async def test_a_provider_that_repeats_itself(
    serving: Callable[[], Any], stage: Stage, pages: Any, rows: list[str], complete: bool
) -> None:
    provider = Pages(pages)
    stage.scene().app = provider  # type: ignore[assignment]
    async with serving() as assistant:
        reply = await assistant.call("list_machines")
    assert [row["id"] for row in reply.data["machines"]] == rows
    assert reply.data["complete"] is complete
    assert ("lead back" in reply.data.get("next", "")) is not complete
    assert len(provider.asked) <= len(pages)


async def test_recent_events_are_found_without_reading_all(serving: Callable[[], Any], stage: Stage) -> None:
    sim = stage.scene(Simulator(clock=lambda: 0.0))
    now = sim.clock.now()
    for age in range(20_000):
        sim.world.event("stop", sim.machine("psoxnh2i7"), now - 60 * (age + 1))
    moment = datetime.fromtimestamp(now - 3600, UTC).isoformat()
    async with serving() as assistant:
        reply = await assistant.call("list_machine_events", since=moment, names="stop", limit=200)
    assert (reply.data["total"], reply.data["complete"]) == (60, True)
    assert len(sim.wire) == 1
