"""Pages, orders and filters, as the provider's lists have them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from paperspace_mcp.simulator import Simulator

if TYPE_CHECKING:
    import httpx


def pages(api: httpx.Client, path: str, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = api.get(path, params=query).json()
        found += page["items"]
        if not page["hasMore"]:
            return found
        query["after"] = page["nextPage"]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("by", ["dtCreated", "name", "state"])
def test_pages_join_to_the_whole_list_in_order(api: httpx.Client, sim: Simulator, by: str, order: str) -> None:
    found = pages(api, "/machines", limit=7, orderBy=by, order=order)
    assert {machine["id"] for machine in found} == sim.machines.keys()
    values = [machine[by] for machine in found]
    assert values == sorted(values, reverse=order == "desc")


def test_the_order_by_state_follows_the_states(api: httpx.Client, sim: Simulator) -> None:
    query: dict[str, str | int] = {"orderBy": "state", "order": "asc", "limit": 120}
    api.patch(f"/machines/{sim.machine('dev-anna').id}/stop")
    for _ in range(3):
        states = [machine["state"] for machine in api.get("/machines", params=query).json()["items"]]
        assert states == sorted(states)
        sim.advance(20)
    assert "stopping" not in states


def test_newest_first_by_default(api: httpx.Client) -> None:
    made = [machine["dtCreated"] for machine in api.get("/machines").json()["items"]]
    assert made == sorted(made, reverse=True)
    assert len(made) == 20


def test_events_of_one_machine(api: httpx.Client, sim: Simulator) -> None:
    machine = sim.machine("dev-anna").id
    found = pages(api, "/machine-events", limit=2, machineId=machine)
    assert {event["machineId"] for event in found} == {machine}
    assert len(found) > 4
    assert len(pages(api, "/machine-events", limit=120)) == len(sim.events)


@pytest.mark.parametrize(
    "query",
    [
        *({"limit": 0}, {"limit": 121}, {"limit": "many"}, {"limit": "1.5"}, {"limit": ""}, {"limit": "nan"}),
        *({"order": "up"}, {"orderBy": "id"}),
    ],
)
def test_bad_queries(api: httpx.Client, query: dict[str, Any]) -> None:
    answer = api.get("/machines", params=query)
    assert (answer.status_code, answer.json()["message"]) == (400, "Input validation failed")


def test_the_limits_themselves_are_allowed(api: httpx.Client) -> None:
    assert len(api.get("/machines", params={"limit": 1}).json()["items"]) == 1
    assert api.get("/machines", params={"limit": 120}).json()["hasMore"] is False


def test_of_repeated_keys_the_first_wins(api: httpx.Client) -> None:
    assert len(api.get("/machines?limit=1&limit=5").json()["items"]) == 1


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"name": "prod"}, 6),  # contains, not equals: the hostile name holds it too
        ({"name": "eval-runner"}, 2),
        ({"region": "ams1"}, 3),
        ({"region": "AMS1"}, 3),
        ({"region": "Europe (AMS1)"}, 3),
        ({"region": "mars"}, 0),
        ({"agentType": "WindowsDesktop"}, 1),
        ({"machineType": "A4000"}, 3),
        ({"machineType": "a4000", "region": "ny2"}, 2),
        ({"machineType": "A40"}, 0),
    ],
)
def test_filters(api: httpx.Client, query: dict[str, str], count: int) -> None:
    assert len(pages(api, "/machines", limit=2, **query)) == count


@pytest.mark.parametrize(("form", "tail"), [("null", {"nextPage": None}), ("empty", {"nextPage": ""}), ("absent", {})])
def test_the_last_page_by_variant(api: httpx.Client, sim: Simulator, form: Any, tail: dict[str, Any]) -> None:
    sim.variant.next_page_on_last = form
    page = api.get("/machines", params={"limit": 120}).json()
    assert {name: page[name] for name in page.keys() - {"hasMore", "items"}} == tail


def test_a_cursor_outlives_its_machine(api: httpx.Client, sim: Simulator) -> None:
    first = api.get("/machines", params={"limit": 5}).json()
    sim.delete_behind(first["nextPage"])
    rest = pages(api, "/machines", limit=5, after=first["nextPage"])
    assert len(first["items"]) + len(rest) == len(sim.machines) + 1


def test_an_unknown_cursor_finds_nothing(api: httpx.Client) -> None:
    assert api.get("/machines", params={"after": "psunknown"}).json()["items"] == []


def test_a_large_fleet_pages_quickly(api: httpx.Client, sim: Simulator) -> None:
    large = Simulator(5_000, clock=lambda: 0.0)
    assert (len(large.machines), len(large.events)) == (5_000, 10_000)
    sim.world = large.world
    began = time.perf_counter()
    assert len(pages(api, "/machines", limit=120)) == 5_000
    assert time.perf_counter() - began < 3
