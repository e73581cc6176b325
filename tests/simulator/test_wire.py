"""The wire log, the hands on the world, and the control surface that offers both over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from paperspace_mcp.simulator import Fault, Simulator

if TYPE_CHECKING:
    from paperspace_mcp.simulator.server import Running

KEY = {"Authorization": "Bearer demo-key"}


def test_the_log_holds_what_arrived(api: httpx.Client, sim: Simulator) -> None:
    machine = sim.machine("dev-anna")
    api.put(f"/machines/{machine.id}?x=1", json={"name": "anna"})
    api.get("/machines/a%2Fb/desktop")
    first, second = sim.wire
    assert (first.seq, first.method, first.path, first.operation) == (
        1,
        "PUT",
        f"/machines/{machine.id}",
        "update_machine",
    )
    assert (first.query, first.body, first.raw_body) == ({"x": "1"}, {"name": "anna"}, b'{"name":"anna"}')
    assert (first.status, first.applied, first.fault) == (200, True, None)
    assert (second.path, second.status, second.applied) == ("/machines/a%2Fb/desktop", 404, False)
    assert sim.mutations() == [first]


def test_the_log_holds_no_key(api: httpx.Client, sim: Simulator) -> None:
    api.get("/machines")
    assert sim.wire[0].headers["authorization"] == "<bearer>"
    assert "demo-key" not in repr(sim.wire)


def test_the_count_goes_on_when_the_log_is_cleared(api: httpx.Client, sim: Simulator) -> None:
    api.get("/machines")
    sim.wire.clear()
    api.get("/machines")
    assert [request.seq for request in sim.wire] == [2]


def test_unknown_paths_are_logged_too(api: httpx.Client, sim: Simulator) -> None:
    api.get("/nothing")
    assert (sim.wire[0].operation, sim.wire[0].status) == (None, 404)


# -- behind the client's back -----------------------------------------------------------------------------------------


def test_changes_behind_the_back(api: httpx.Client, sim: Simulator) -> None:
    anna = sim.machine("dev-anna")
    sim.change("dev-anna", name="renamed", machineType="P4000", usageRate=9.99)
    shown = api.get(f"/machines/{anna.id}").json()
    assert (shown["name"], shown["machineType"], shown["usageRate"], shown["cpus"]) == ("renamed", "P4000", 9.99, 8)
    sim.grant_behind(anna.id, "ud1yam5t2")
    assert api.get(f"/machines/{anna.id}/accessors/ud1yam5t2").status_code == 200
    sim.delete_behind(anna.id)
    assert api.get(f"/machines/{anna.id}").status_code == 404
    assert not sim.mutations()


def test_a_new_state_ends_what_was_in_flight(api: httpx.Client, sim: Simulator) -> None:
    ben = sim.machine("dev-ben")
    api.patch(f"/machines/{ben.id}/start")
    sim.change(ben.id, state="off")
    sim.advance(1000)
    assert (ben.state, ben.publicIp, ben.current) == ("off", None, None)
    assert api.patch(f"/machines/{ben.id}/start").status_code == 200


def test_machines_can_be_added(api: httpx.Client, sim: Simulator) -> None:
    made = sim.add_machine(name="mine", state="ready", region="ca1", machineType="A6000")
    assert api.get("/machines", params={"name": "mine"}).json()["items"][0]["id"] == made.id
    assert made.publicIp


def test_what_does_not_exist_is_an_error(sim: Simulator) -> None:
    with pytest.raises(KeyError):
        sim.machine("nobody")
    with pytest.raises(KeyError):
        sim.grant_behind("dev-anna", "unobody")
    with pytest.raises(ValueError, match="no such machine type"):
        sim.change("dev-anna", machineType="Z9")
    with pytest.raises(TypeError, match="spells no field"):
        sim.change("dev-anna", machine_type="A4000")
    with pytest.raises(ValueError, match="no such fleet"):
        Simulator("huge")  # type: ignore[arg-type]


# -- the control surface ----------------------------------------------------------------------------------------------


def test_control_over_http(api: httpx.Client, control: httpx.Client, sim: Simulator) -> None:
    control.post("/faults", json={"kind": "status", "operation": "start", "status": 429, "retry_after": 3})
    assert api.patch(f"/machines/{sim.machine('dev-ben').id}/start").status_code == 429
    control.patch("/machines/dev-ben", json={"state": "ready"})
    control.post("/machines", json={"name": "mine"})
    control.delete("/machines/dev-anna")
    control.post("/machines/prod-db/accessors", json={"userId": "ub3n7q2xd"})
    state = control.get("/state").json()
    states = {machine["name"]: machine["state"] for machine in state["machines"]}
    assert (states["dev-ben"], states["mine"], "dev-anna" in states) == ("ready", "off", False)
    assert "ub3n7q2xd" in sim.machine("prod-db").accessors
    assert (state["requests"], state["faults"]) == (1, [])


def test_control_of_time_and_log(api: httpx.Client, control: httpx.Client, sim: Simulator) -> None:
    api.patch(f"/machines/{sim.machine('dev-ben').id}/start")
    assert [entry["operation"] for entry in control.get("/wire").json()] == ["start_machine"]
    control.post("/wire/clear")
    assert sim.wire == []
    control.post("/advance", json={"seconds": 60})
    assert sim.machine("dev-ben").state == "ready"
    assert control.post("/time_scale", json={"scale": 60}).json() == {"scale": 60.0}
    assert sim.time_scale == 60
    sim.faults.add(Fault("stuck"))
    control.delete("/faults")
    assert sim.faults.planned() == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/faults", {"kind": "explode"}, 400),
        ("POST", "/faults", {}, 400),
        ("PATCH", "/machines/nobody", {"state": "off"}, 404),
        ("POST", "/advance", {}, 404),
        ("POST", "/time_scale", {"scale": -1}, 400),
        ("GET", "/nothing", {}, 404),
    ],
)
def test_control_refuses(control: httpx.Client, method: str, path: str, body: dict[str, Any], status: int) -> None:
    assert control.request(method, path, json=body).status_code == status


# -- in process -------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_in_process(sim: Simulator) -> None:
    transport = httpx.ASGITransport(sim.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sim/v1", headers=KEY) as api:
        assert len((await api.get("/machines")).json()["items"]) == 20
        for kind in ("close", "reset", "cut"):
            sim.faults.add(Fault(kind, stage="after"))
            with pytest.raises(ConnectionResetError):
                await api.get("/machines")
    assert [request.fault for request in sim.wire] == [None, "close", "reset", "cut"]


@pytest.mark.anyio
@pytest.mark.parametrize("at", ["/", "/sim"])
async def test_mounted_in_an_app(sim: Simulator, at: str) -> None:
    app = Starlette(routes=[Mount(at, app=sim.app)])
    base = "http://host" + at.rstrip("/")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base, headers=KEY) as client:
        assert (await client.get("/v1/machines/psoxnh2i7")).json()["name"] == "dev-anna"
        assert (await client.get("/_control/state")).json()["requests"] == 1
    assert sim.wire[0].path == "/machines/psoxnh2i7"


def test_two_servers_do_not_mix(served: Running, sim: Simulator) -> None:
    assert served.sim is sim
    assert served.url == f"http://127.0.0.1:{served.port}/v1"
