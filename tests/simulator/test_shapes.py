"""Every answer has the fields the provider's reference requires, in the types it was seen to send."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from paperspace_mcp.simulator import faults
from paperspace_mcp.simulator.api import OPERATIONS

if TYPE_CHECKING:
    import httpx

    from paperspace_mcp.simulator import Simulator

# The reference of 18 Mar 2026: 31 required machine fields; accelerators is the only other one.
MACHINE: dict[str, tuple[type | None, ...]] = {
    "agentType": (str,),
    "autoShutdownEnabled": (bool,),
    "autoShutdownForce": (bool, None),
    "autoShutdownTimeout": (int, None),
    "autoSnapshotEnabled": (bool,),
    "autoSnapshotFrequency": (str, None),
    "autoSnapshotSaveCount": (int, None),
    "cpus": (int,),
    "dtCreated": (str,),
    "dtDeleted": (str, None),
    "dtModified": (str,),
    "id": (str,),
    "machineType": (str,),
    "name": (str,),
    "networkId": (str, None),
    "os": (str,),
    "privateIp": (str, None),
    "publicIp": (str, None),
    "publicIpType": (str,),
    "ram": (str,),
    "region": (str,),
    "reservation": (dict, None),
    "restorePointEnabled": (bool,),
    "restorePointFrequency": (str, None),
    "restorePointSnapshotId": (str, None),
    "state": (str,),
    "storageRate": (int, float),
    "storageTotal": (str,),
    "storageUsed": (str,),
    "updatesPending": (bool,),
    "usageRate": (int, float),
}
STATES = {"off", "starting", "stopping", "restarting", "serviceready", "ready", "upgrading", "provisioning"}
EVENT = {"dtCreated", "dtFinished", "dtStarted", "error", "id", "machineId", "name", "state"}
EVENT_STATES = {"new", "in progress", "done", "error", "cancelled"}
RESERVATION = {"dtFinished", "dtStarted", "id", "isActive", "name"}
ACCESSOR = {"dtDeleted", "user"}
USER = {"email", "firstName", "id", "lastName", "publicProfileImageUrl"}
THE_FIFTEEN = {
    *("list_machine_events", "get_machine_event", "list_machines", "create_machine", "get_machine", "update_machine"),
    *("delete_machine", "list_machine_accessors", "add_machine_accessor", "get_machine_accessor"),
    *("remove_machine_accessor", "get_machine_desktop", "restart_machine", "start_machine", "stop_machine"),
}
ORDER = {"name": "new", "machineType": "A4000", "region": "ny2", "diskSize": 100, "templateId": "t0nspur5"}


def assert_machine(machine: dict[str, Any]) -> None:
    assert machine.keys() - {"accelerators"} == MACHINE.keys()
    for name, kinds in MACHINE.items():
        assert (type(machine[name]) if machine[name] is not None else None) in kinds, (name, machine[name])
    assert machine["state"] in STATES
    assert re.fullmatch(r"ps[0-9a-z]+", machine["id"])
    for row in machine["accelerators"] or ():
        assert row.keys() == {"name", "memory", "count"}
    if machine["reservation"]:
        assert machine["reservation"].keys() == RESERVATION


def assert_event(event: dict[str, Any]) -> None:
    assert event.keys() == EVENT
    assert event["state"] in EVENT_STATES
    assert datetime.fromisoformat(event["dtCreated"]).tzinfo is not None
    assert event["dtCreated"].endswith("Z")


def test_there_are_the_fifteen_operations_and_their_five_neighbours() -> None:
    neighbours = {"list_templates", "machine_availability", "auth_session", "list_team_users", "openapi_document"}
    assert set(OPERATIONS) == THE_FIFTEEN | neighbours
    assert len(OPERATIONS) == 20
    assert set(OPERATIONS) == faults.OPERATIONS


def test_lists_are_envelopes_of_whole_items(api: httpx.Client) -> None:
    machines = api.get("/machines", params={"limit": 120}).json()
    events = api.get("/machine-events", params={"limit": 120}).json()
    assert machines.keys() == events.keys() == {"hasMore", "items", "nextPage"}
    for machine in machines["items"]:
        assert_machine(machine)
    for event in events["items"]:
        assert_event(event)


def test_each_asynchronous_operation_answers_data_and_event(api: httpx.Client, sim: Simulator) -> None:
    sim.durations.update(dict.fromkeys(sim.durations, 10.0))
    made = api.post("/machines", json=ORDER).json()
    where = f"/machines/{made['data']['id']}"
    steps = [("PATCH", "/restart", None), ("PATCH", "/stop", None), ("PUT", "", {"diskSize": 250})]
    steps += [("PATCH", "/start", None), ("DELETE", "", None)]
    answers = [made]
    for method, action, body in steps:
        sim.advance(60)
        answers.append(api.request(method, where + action, json=body).json())
    assert [answer["event"]["name"] for answer in answers] == [
        *("create", "restart", "stop", "vm-upgrade", "start", "deactivate"),
    ]
    for answer in answers:
        assert answer.keys() == {"data", "event"}
        assert_machine(answer["data"])
        assert_event(answer["event"])


@pytest.mark.parametrize("body", [{"name": "renamed"}, {"autoShutdownEnabled": True, "autoShutdownTimeout": 8}])
def test_a_settings_update_has_no_event_key(api: httpx.Client, sim: Simulator, body: dict[str, Any]) -> None:
    answer = api.put(f"/machines/{sim.machine('dev-anna').id}", json=body).json()
    assert answer.keys() == {"data"}
    assert {name: answer["data"][name] for name in body} == body


def test_accessors(api: httpx.Client, sim: Simulator) -> None:
    where = f"/machines/{sim.machine('dev-anna').id}/accessors"
    added = api.post(where, json={"userId": "ub3n7q2xd"}).json()
    assert added == api.get(f"{where}/ub3n7q2xd").json()
    assert added.keys() == ACCESSOR
    assert added["user"].keys() == USER
    assert {item["user"]["id"] for item in api.get(where).json()["items"]} == {"ub3n7q2xd", "ur7p0nb7n"}


def test_desktops(api: httpx.Client, sim: Simulator) -> None:
    shown = {n: api.get(f"/machines/{sim.machine(n).id}/desktop").json() for n in ("dev-diya", "win-cad", "prod-db")}
    assert shown["dev-diya"]["vnc"].keys() == {"hostname", "port", "password"}
    assert shown["win-cad"]["windows"].keys() == {"hostname", "port", "publicIp"}
    assert shown["prod-db"] == {}


def test_templates_need_no_key(api: httpx.Client) -> None:
    first = api.get("/os-templates", headers={"Authorization": ""}).json()["items"][0]
    assert first["availableMachineTypes"][0].keys() == {"machineTypeLabel", "isAvailable"}
    assert {"id", "name", "agentType", "operatingSystemLabel", "defaultSizeGb", "dtCreated"} < first.keys()


def test_availability(api: httpx.Client) -> None:
    def available(kind: str, region: str) -> bool:
        answer = api.get("/machine-availability", params={"machineType": kind, "region": region}).json()
        return bool(answer["available"])

    assert available("A4000", "ams1")
    assert not available("H100", "ams1")  # not sold there
    assert not available("H100x8", "East Coast (NY2)")  # sold there, none left
    assert api.get("/machine-availability", params={"machineType": "A4000"}).status_code == 400


def test_the_session_is_null_without_a_key(api: httpx.Client) -> None:
    assert api.get("/auth/session").json().keys() == {"user", "team"}
    assert api.get("/auth/session", headers={"Authorization": "Bearer wrong"}).json() is None


def test_team_users_and_their_roles(api: httpx.Client) -> None:
    team = api.get("/auth/session").json()["team"]["id"]
    admins = api.get(f"/teams/{team}/users", params={"role": "admin"}).json()["items"]
    assert len(api.get(f"/teams/{team}/users").json()["items"]) == 6
    assert all(member["isAdmin"] for member in admins)
    assert api.get("/teams/tother/users").status_code == 404


def test_variants_of_the_wire(api: httpx.Client, sim: Simulator) -> None:
    vars(sim.variant).update(digits_as_strings=False, long_regions=True, omit_null_accelerators=True)
    cpu = api.get(f"/machines/{sim.machine('prod-db').id}").json()
    assert cpu["ram"] == 120 * 2**30
    assert cpu["region"] == "East Coast (NY2)"
    assert "accelerators" not in cpu
