"""Errors, illegal transitions and the quirks of bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx

    from paperspace_mcp.simulator import Simulator

LOGGED_OUT = '{"message":"You must be logged in to access this method.","code":"UNAUTHORIZED"}'
NOT_FOUND = '{"message":"Not found","code":"NOT_FOUND"}'
ORDER = {"name": "new", "machineType": "A4000", "region": "ny2", "diskSize": 100, "templateId": "t0nspur5"}
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("header", ["", "Bearer wrong", "Basic demo-key", "demo-key"])
def test_a_missing_and_a_wrong_key_are_told_alike(api: httpx.Client, header: str) -> None:
    answer = api.get("/machines", headers={"Authorization": header})
    assert (answer.status_code, answer.text) == (401, LOGGED_OUT)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", "/nothing"), ("GET", "/machines/psnobody"), ("POST", "/machines/psnobody"), ("PUT", "/machines")),
        *(("GET", "/machines/psnobody/start"), ("PATCH", "/machines//start"), ("GET", "/machine-events/none")),
        *(("PATCH", "/machines/psnobody/start"), ("DELETE", "/machines/psnobody"), ("GET", "/private-networks")),
        ("GET", "/machines/a%2Fb"),
    ],
)
def test_unknown_path_wrong_method_and_unknown_thing_are_told_alike(api: httpx.Client, method: str, path: str) -> None:
    answer = api.request(method, path)
    assert (answer.status_code, answer.text) == (404, NOT_FOUND)


def test_an_encoded_slash_stays_in_the_id(api: httpx.Client, sim: Simulator) -> None:
    answer = api.patch(f"/machines/{sim.machine('dev-anna').id}%2Fstop")
    assert (answer.status_code, sim.machine("dev-anna").current) == (404, None)


def test_outside_the_api_there_is_nothing(api: httpx.Client) -> None:
    root = str(api.base_url).removesuffix("/v1/")
    assert api.get(root + "/machines").text == NOT_FOUND
    assert api.get(root + "/").status_code == 404


def refused(answer: httpx.Response, status: int = 400, code: str = "BAD_REQUEST") -> str:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert list(answer.json())[:2] == ["message", "code"]
    return str(answer.json()["message"])


@pytest.mark.parametrize(
    ("name", "action", "message"),
    [
        ("dev-anna", "start", "This machine is already running."),
        ("dev-ben", "stop", "This machine is already off."),
        ("dev-ben", "restart", "This machine is off."),
        ("dev-new-gpu", "start", "This machine is currently provisioning."),
        ("dev-new-gpu", "stop", "This machine is currently provisioning."),
    ],
)
def test_illegal_transitions(api: httpx.Client, sim: Simulator, name: str, action: str, message: str) -> None:
    assert refused(api.patch(f"/machines/{sim.machine(name).id}/{action}")) == message
    assert not sim.wire[-1].applied


def test_a_start_in_flight_refuses_another_though_the_state_is_still_off(api: httpx.Client, sim: Simulator) -> None:
    where = f"/machines/{sim.machine('dev-ben').id}"
    api.patch(where + "/start")
    assert api.get(where).json()["state"] == "off"
    assert refused(api.patch(where + "/start")) == "This machine is currently starting."
    api.delete(where)
    assert refused(api.delete(where)) == "This machine is currently being deleted."


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("dev-anna", {"diskSize": 250}),  # running
        ("dev-ben", {"diskSize": 50}),  # a disk only grows
        ("dev-ben", {"machineType": "C5"}),  # another family
        ("dev-ben", {"machineType": "NoSuch"}),
        ("dev-ben", {"diskSize": 75}),
        ("dev-ben", {"name": None}),
    ],
)
def test_illegal_updates(api: httpx.Client, sim: Simulator, name: str, body: dict[str, Any]) -> None:
    refused(api.put(f"/machines/{sim.machine(name).id}", json=body))
    assert not sim.wire[-1].applied


def test_resizing_a_running_machine_may_be_a_failed_precondition(api: httpx.Client, sim: Simulator) -> None:
    sim.variant.resize_refusal = 412
    answer = api.put(f"/machines/{sim.machine('dev-anna').id}", json={"diskSize": 250})
    refused(answer, 412, "PRECONDITION_FAILED")


def test_deleting_may_need_the_machine_off(api: httpx.Client, sim: Simulator) -> None:
    sim.variant.delete_needs_off = True
    refused(api.delete(f"/machines/{sim.machine('dev-anna').id}"))
    assert api.delete(f"/machines/{sim.machine('dev-ben').id}").status_code == 200


@pytest.mark.parametrize("network", ["ndef1ny2", "nunknown", "nca1wst5"])
def test_the_default_network_an_unknown_one_and_one_elsewhere_are_not_found(
    api: httpx.Client, sim: Simulator, network: str
) -> None:
    refused(api.put(f"/machines/{sim.machine('dev-anna').id}", json={"networkId": network}), 404, "NOT_FOUND")


# -- bodies -----------------------------------------------------------------------------------------------------------


def test_a_patch_that_declares_json_and_sends_none_fails_to_parse(api: httpx.Client, sim: Simulator) -> None:
    where = f"/machines/{sim.machine('dev-anna').id}/restart"
    assert refused(api.patch(where, headers=JSON), 400, "PARSE_ERROR") == "Failed to parse request body"
    assert api.patch(where, json={}).status_code == 200


def test_a_patch_without_a_content_type_or_with_another_is_fine(api: httpx.Client, sim: Simulator) -> None:
    assert api.patch(f"/machines/{sim.machine('dev-anna').id}/restart").status_code == 200
    plain = {"Content-Type": "text/plain"}
    assert api.patch(f"/machines/{sim.machine('prod-db').id}/restart", headers=plain).status_code == 200


@pytest.mark.parametrize("raw", [b"{", b"", b"\xff", b"[" * 50_000, b'{"name": NaN}'])
def test_what_is_no_json_fails_to_parse(api: httpx.Client, raw: bytes) -> None:
    refused(api.post("/machines", content=raw, headers=JSON), 400, "PARSE_ERROR")


def test_a_large_body_is_refused(api: httpx.Client) -> None:
    body = {**ORDER, "name": "x" * 110_000}
    refused(api.post("/machines", json=body), 413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"name": 5}, ["name"]),
        ({"name": ""}, ["name"]),
        ({"diskSize": "100"}, ["diskSize"]),
        ({"diskSize": True}, ["diskSize"]),
        ({"publicIpType": "floating"}, ["publicIpType"]),
        ({"accessorIds": [["u"]]}, ["accessorIds"]),
        ({"autoShutdownTimeout": None}, ["autoShutdownTimeout"]),
    ],
)
def test_a_wrong_field_is_named_in_the_issues(api: httpx.Client, change: dict[str, Any], path: list[str]) -> None:
    answer = api.post("/machines", json={**ORDER, **change})
    assert refused(answer) == "Input validation failed"
    assert [issue["path"] for issue in answer.json()["issues"]] == [path]


@pytest.mark.parametrize("missing", ["name", "machineType", "region", "diskSize", "templateId"])
def test_required_fields(api: httpx.Client, missing: str) -> None:
    answer = api.post("/machines", json={name: value for name, value in ORDER.items() if name != missing})
    assert answer.json()["issues"][0]["path"] == [missing]
    assert answer.json()["issues"][0]["message"] == "Required"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"templateId": "tnone"}, 404),
        ({"accessorIds": ["unobody"]}, 404),
        ({"networkId": "ndef1ny2"}, 404),
        ({"machineType": "NoSuch"}, 400),
        ({"machineType": "H100", "region": "ca1"}, 400),
        ({"region": "mars"}, 400),
    ],
)
def test_orders_that_cannot_be(api: httpx.Client, change: dict[str, Any], status: int) -> None:
    assert api.post("/machines", json={**ORDER, **change}).status_code == status


@pytest.mark.parametrize("region", ["ca1", "CA1", "West Coast (CA1)"])
def test_every_spelling_of_a_region_is_taken(api: httpx.Client, region: str) -> None:
    answer = api.post("/machines", json={**ORDER, "machineType": "a4000", "region": region}).json()
    assert (answer["data"]["region"], answer["data"]["machineType"]) == ("ca1", "A4000")


def test_unknown_fields_are_ignored_unless_strict(api: httpx.Client, sim: Simulator) -> None:
    where = f"/machines/{sim.machine('dev-anna').id}"
    assert api.put(where, json={"id": "psx", "name": "anna"}).status_code == 200
    sim.variant.strict_bodies = True
    refused(api.put(where, json={"id": "psx", "name": "anna"}))


def test_a_lone_surrogate_in_a_name_survives(api: httpx.Client, sim: Simulator) -> None:
    where = f"/machines/{sim.machine('dev-anna').id}"
    assert api.put(where, content=b'{"name": "\\ud800"}', headers=JSON).json()["data"]["name"] == "\ud800"


def test_the_console_rules(api: httpx.Client, sim: Simulator) -> None:
    where, odd = f"/machines/{sim.machine('dev-carlos').id}", {"autoShutdownEnabled": True, "autoShutdownTimeout": 6}
    assert api.put(where, json=odd).status_code == 200
    sim.variant.console_rules = True
    refused(api.put(where, json=odd))
    refused(api.put(where, json={"autoSnapshotEnabled": True}))


def test_the_auto_shutdown_bug(api: httpx.Client, sim: Simulator) -> None:
    sim.variant.auto_shutdown_bug = True
    where = f"/machines/{sim.machine('dev-anna').id}"
    assert api.put(where, json={"autoShutdownTimeout": 24}).json()["data"]["autoShutdownTimeout"] == 8
    api.put(where, json={"autoShutdownEnabled": False})
    body = {"autoShutdownEnabled": True, "autoShutdownTimeout": 24}
    assert api.put(where, json=body).json()["data"]["autoShutdownTimeout"] == 24


# -- accessors --------------------------------------------------------------------------------------------------------


def test_accessors_are_deleted_softly(api: httpx.Client, sim: Simulator) -> None:
    where = f"/machines/{sim.machine('dev-anna').id}/accessors"
    removed = api.delete(f"{where}/ur7p0nb7n").json()
    assert removed["dtDeleted"]
    assert api.get(where).json()["items"] == [removed]
    refused(api.delete(f"{where}/ur7p0nb7n"), 404, "NOT_FOUND")
    sim.variant.tombstones_listed = False
    assert api.get(where).json()["items"] == []
    refused(api.get(f"{where}/ur7p0nb7n"), 404, "NOT_FOUND")
    assert api.post(where, json={"userId": "ur7p0nb7n"}).json()["dtDeleted"] is None


def test_adding_twice_changes_nothing_and_strangers_are_not_found(api: httpx.Client, sim: Simulator) -> None:
    where = f"/machines/{sim.machine('dev-anna').id}/accessors"
    assert api.post(where, json={"userId": "ur7p0nb7n"}).status_code == 200
    assert not sim.wire[-1].applied
    refused(api.post(where, json={"userId": "unobody"}), 404, "NOT_FOUND")
    refused(api.delete(f"{where}/unobody"), 404, "NOT_FOUND")
    refused(api.post(where, json={}))
