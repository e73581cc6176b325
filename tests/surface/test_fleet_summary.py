"""One answer for a whole fleet, however large, and however the provider lists it."""

from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from tests.budgets.scale import halves
from tests.surface.stage import Stage
from tests.surface.talk import Assistant, Reply, talking

from paperspace_mcp.simulator import Simulator
from paperspace_mcp.simulator.faults import Fault

pytestmark = pytest.mark.anyio
PAGE = 120


async def summary(stage: Stage) -> Reply:
    async with talking(stage.served.server, "2026-07-28") as assistant:
        return await assistant.call("fleet_summary")


async def test_the_default_fleet_in_one_request(assistant: Assistant, sim: Simulator) -> None:
    reply = await assistant.call("fleet_summary")
    on = [machine for machine in sim.machines.values() if machine.state != "off"]
    assert (reply.data["machines"], reply.data["on"]) == (len(sim.machines), len(on))
    assert sum(group["machines"] for group in reply.data["types"]) == len(sim.machines)
    assert sum(group["on"] for group in reply.data["name_prefixes"]) == len(on)
    assert round(sum(group["usd_per_hour"] for group in reply.data["regions"]), 2) == reply.data["usd_per_hour"]
    assert len(sim.wire) == 1


async def test_ten_thousand_machines(stage: Stage) -> None:
    sim = stage.scene(Simulator(10_000, clock=lambda: 0.0))
    reply = await summary(stage)
    on = sum(machine.state == "ready" for machine in sim.machines.values())
    by_region = {group["name"]: group["machines"] for group in reply.data["regions"]}
    assert (reply.data["machines"], reply.data["on"]) == (10_000, on)
    assert by_region == {
        name: sum(machine.region == name for machine in sim.machines.values()) for name in ("ny2", "ca1", "ams1")
    }
    assert len(sim.wire) <= 10_000 // PAGE + 3
    assert max(halves(reply)) < 600


class Listing:
    """A provider that lists machines its own way: `order` may mean nothing to it, and pages may be refused."""

    def __init__(self, machines: list[dict[str, Any]], *, orders: bool = True) -> None:
        self.machines, self.orders, self.calls = machines, orders, 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        query = Request(scope, receive).query_params
        self.calls += 1
        rows = sorted(self.machines, key=lambda one: one["dtCreated"], reverse=self.orders and query["order"] == "desc")
        ids = [one["id"] for one in rows]
        start = ids.index(query["after"]) + 1 if "after" in query else 0
        items = rows[start : start + int(query["limit"])]
        more = start + len(items) < len(rows)
        answer = {"hasMore": more, "items": items, "nextPage": items[-1]["id"] if more else None}
        await JSONResponse(answer)(scope, receive, send)


def machines(number: int, created: str = "2026-01-{day:02}T00:00:00Z") -> list[dict[str, Any]]:
    """Many of them were created in the same moment."""
    return [
        {"id": f"ps{index}", "name": f"n{index}", "state": "ready", "dtCreated": created.format(day=index // 90 + 1)}
        for index in range(number)
    ]


@pytest.mark.parametrize("orders", [True, False])
@pytest.mark.parametrize("created", ["2026-01-{day:02}T00:00:00Z", "2026-01-01T00:00:00Z", "long ago"])
@pytest.mark.parametrize("number", [0, 1, 119, 120, 121, 240, 1501])
async def test_each_machine_is_counted_once(stage: Stage, orders: bool, created: str, number: int) -> None:
    stage.scene().app = provider = Listing(machines(number, created), orders=orders)  # type: ignore[assignment]
    reply = await summary(stage)
    assert reply.data["machines"] == number
    assert provider.calls <= 2 * (number // PAGE + 1)


async def test_a_fleet_that_cannot_be_read_to_its_end_is_no_number(stage: Stage) -> None:
    class Loop(Listing):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            answer = {"hasMore": True, "items": self.machines, "nextPage": "again"}
            await JSONResponse(answer)(scope, receive, send)

    stage.scene().app = Loop(machines(3))  # type: ignore[assignment]
    reply = await summary(stage)
    assert reply.code == "fleet_unreadable"
    assert "machines" not in reply.data


async def test_a_page_that_fails_is_told(stage: Stage) -> None:
    sim = stage.scene(Simulator(500, clock=lambda: 0.0))
    sim.faults.add(Fault("status", "list_machines", status=403, times=None))
    reply = await summary(stage)
    assert reply.code == "forbidden"


async def test_what_has_no_price_is_said(stage: Stage) -> None:
    sim = stage.scene(Simulator("empty", clock=lambda: 0.0))
    sim.add_machine(id="ps1", name="odd", state="ready", machineType="C5", usageRate=0)
    reply = await summary(stage)
    assert (reply.data["unpriced"], reply.data["usd_per_hour"]) == (1, 0)
    assert "price is unknown" in reply.data["summary"]
