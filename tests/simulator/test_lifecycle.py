"""Events and states move as observed: states lag events, at both ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from paperspace_mcp.simulator import Fault, Simulator

if TYPE_CHECKING:
    import httpx

ORDER = {"name": "new", "machineType": "A4000", "region": "ny2", "diskSize": 100, "templateId": "t0nspur5"}


class Watch:
    """One machine and one event, polled."""

    def __init__(self, api: httpx.Client, sim: Simulator, answer: httpx.Response) -> None:
        assert answer.status_code == 200, answer.text
        self.api, self.sim, self.answer = api, sim, answer.json()
        self.id, self.event_id = self.answer["data"]["id"], self.answer["event"]["id"]

    def machine(self) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get(f"/machines/{self.id}").json()
        return found

    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get(f"/machine-events/{self.event_id}").json()
        return found

    def after(self, seconds: float) -> tuple[str, str]:
        self.sim.advance(seconds)
        return self.event()["state"], self.machine()["state"]

    def names(self) -> list[str]:
        items = self.api.get("/machine-events", params={"machineId": self.id, "order": "asc"}).json()["items"]
        return [event["name"] for event in items]


def patch(api: httpx.Client, sim: Simulator, name: str, action: str) -> Watch:
    return Watch(api, sim, api.patch(f"/machines/{sim.machine(name).id}/{action}"))


def test_start(api: httpx.Client, sim: Simulator) -> None:
    watch = patch(api, sim, "dev-ben", "start")
    assert watch.answer["data"]["state"] == "off"  # the answer shows the machine as of the request
    assert watch.answer["event"]["state"] == "new"
    assert watch.after(1) == ("in progress", "off")
    assert watch.after(2) == ("in progress", "starting")
    assert watch.after(43) == ("in progress", "serviceready")
    assert watch.after(7) == ("done", "serviceready")  # done is not yet ready
    assert watch.after(2) == ("done", "ready")
    assert watch.machine()["publicIp"] is None  # a dynamic address comes later still
    sim.advance(5)
    assert watch.machine()["publicIp"] is not None
    assert watch.event()["dtFinished"] > watch.event()["dtStarted"]


def test_stop_drops_a_dynamic_address_and_keeps_a_static_one(api: httpx.Client, sim: Simulator) -> None:
    dynamic, static = patch(api, sim, "dev-anna", "stop"), patch(api, sim, "prod-api-1", "stop")
    assert dynamic.after(3) == ("in progress", "stopping")
    assert dynamic.after(30) == ("done", "off")
    assert dynamic.machine()["publicIp"] is None
    assert static.machine()["publicIp"] == static.answer["data"]["publicIp"]


def test_restart_stays_ready_for_a_few_seconds(api: httpx.Client, sim: Simulator) -> None:
    watch = patch(api, sim, "dev-anna", "restart")
    assert watch.after(3) == ("in progress", "ready")
    assert watch.after(2) == ("in progress", "restarting")
    assert watch.after(40) == ("done", "ready")


def test_create_then_a_start_event_of_its_own(api: httpx.Client, sim: Simulator) -> None:
    watch = Watch(api, sim, api.post("/machines", json=ORDER))
    assert watch.answer["data"]["state"] == "provisioning"
    assert watch.after(50) == ("in progress", "provisioning")
    assert watch.names() == ["create"]
    assert watch.after(50) == ("done", "provisioning")
    assert watch.names() == ["create", "start"]
    started = next(event for event in sim.events.values() if (event.machineId, event.name) == (watch.id, "start"))
    assert 0 < (sim.events[watch.event_id].dtFinished or 0) - started.dtCreated < 0.01
    assert watch.after(50) == ("done", "ready")


def test_create_without_start_ends_off(api: httpx.Client, sim: Simulator) -> None:
    order = {**ORDER, "startOnCreate": False, "takeInitialSnapshot": True, "publicIpType": "static"}
    watch = Watch(api, sim, api.post("/machines", json=order))
    assert watch.answer["data"]["publicIp"]  # static: in the answer already
    assert watch.after(100) == ("done", "off")
    assert sorted(watch.names()) == ["create", "snapshot-create"]


def test_resize_takes_at_the_end(api: httpx.Client, sim: Simulator) -> None:
    where = f"/machines/{sim.machine('dev-ben').id}"
    watch = Watch(api, sim, api.put(where, json={"diskSize": 250, "name": "ben"}))
    assert (watch.answer["data"]["name"], watch.answer["data"]["storageTotal"]) == ("ben", str(100 * 2**30))
    assert watch.after(3) == ("in progress", "upgrading")
    assert watch.after(60) == ("done", "off")
    assert watch.machine()["storageTotal"] == str(250 * 2**30)
    assert "bill-upgrade" in watch.names()


def test_changing_the_network_migrates(api: httpx.Client, sim: Simulator) -> None:
    watch = Watch(api, sim, api.put(f"/machines/{sim.machine('dev-anna').id}", json={"networkId": "nwhoe4ox"}))
    assert watch.answer["event"]["name"] == "vm-migrate"
    sim.advance(60)
    assert watch.machine()["networkId"] == "nwhoe4ox"


def test_a_deleted_machine_stays_readable_until_its_event_is_done(api: httpx.Client, sim: Simulator) -> None:
    watch = Watch(api, sim, api.delete(f"/machines/{sim.machine('dev-anna').id}"))
    assert watch.after(10) == ("in progress", "stopping")
    sim.advance(10)
    assert watch.event()["state"] == "done"
    assert api.get(f"/machines/{watch.id}").status_code == 404
    assert api.get("/machines", params={"name": "dev-anna"}).json()["items"] == []
    assert api.get(f"/machines/{watch.id}/accessors").status_code == 404


def test_deleting_cancels_what_was_under_way(api: httpx.Client, sim: Simulator) -> None:
    started = patch(api, sim, "dev-ben", "start")
    sim.advance(10)
    api.delete(f"/machines/{started.id}")
    assert started.event()["state"] == "cancelled"
    sim.advance(100)
    assert api.get(f"/machines/{started.id}").status_code == 404


def test_a_capacity_failure_comes_in_the_event(api: httpx.Client, sim: Simulator) -> None:
    sim.faults.add(Fault("capacity", "start"))
    watch = patch(api, sim, "dev-ben", "start")
    assert watch.after(5) == ("in progress", "starting")
    assert watch.after(50) == ("error", "off")
    assert watch.event()["error"].startswith("Uh oh. This machine type can't start due to insufficient capacity")
    assert patch(api, sim, "dev-ben", "start").after(60) == ("done", "ready")


def test_a_type_without_capacity_fails_by_itself(api: httpx.Client, sim: Simulator) -> None:
    assert patch(api, sim, "train-h100x8", "start").after(60) == ("error", "off")


@pytest.mark.parametrize("action", ["create_machine", "create"])
def test_a_create_without_capacity_ends_off(api: httpx.Client, sim: Simulator, action: str) -> None:
    sim.faults.add(Fault("capacity", action))
    assert Watch(api, sim, api.post("/machines", json=ORDER)).after(200) == ("error", "off")


def test_a_stuck_event_never_ends(api: httpx.Client, sim: Simulator) -> None:
    sim.faults.add(Fault("stuck", "start"))
    assert patch(api, sim, "dev-ben", "start").after(1e6) == ("in progress", "starting")


def test_an_event_may_fail_without_saying_why(api: httpx.Client, sim: Simulator) -> None:
    sim.faults.add(Fault("event_error_null", "stop", finished=False))
    watch = patch(api, sim, "dev-anna", "stop")
    assert watch.after(60) == ("error", "ready")
    assert (watch.event()["error"], watch.event()["dtFinished"]) == (None, None)


def test_an_error_may_be_transient(api: httpx.Client, sim: Simulator) -> None:
    sim.faults.add(Fault("event_error_null", "start", transient=True))
    watch = patch(api, sim, "dev-ben", "start")
    assert watch.after(30) == ("error", "starting")
    assert watch.after(30) == ("done", "ready")


def test_an_event_may_vanish(api: httpx.Client, sim: Simulator) -> None:
    sim.faults.add(Fault("event_vanish", "start"))
    watch = patch(api, sim, "dev-ben", "start")
    assert watch.after(1)[0] == "in progress"
    sim.advance(60)
    assert api.get(f"/machine-events/{watch.event_id}").status_code == 404
    assert watch.machine()["state"] == "ready"


def test_an_event_may_be_done_without_a_date(api: httpx.Client, sim: Simulator) -> None:
    sim.faults.add(Fault("done_unfinished", "start"))
    watch = patch(api, sim, "dev-ben", "start")
    assert watch.after(60) == ("done", "ready")
    assert watch.event()["dtFinished"] is None


def test_a_revoked_key(api: httpx.Client, sim: Simulator) -> None:
    sim.keys.clear()
    assert api.get("/machines").status_code == 401


def test_the_time_scale() -> None:
    seconds = [0.0]
    sim = Simulator(clock=lambda: seconds[0], time_scale=60)
    began = sim.now()
    seconds[0] = 2.0
    assert (sim.now() - began).total_seconds() == 120
    sim.time_scale = 1.0
    seconds[0] = 5.0
    assert (sim.now() - began).total_seconds() == 123
