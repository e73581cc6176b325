"""Each fault does on the wire what its name says, and the wire log tells whether the world changed."""

from __future__ import annotations

import json
import socket
import struct
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from paperspace_mcp.simulator import Fault, Simulator

if TYPE_CHECKING:
    from paperspace_mcp.simulator.server import Running


@pytest.fixture
def where(sim: Simulator) -> str:
    return f"/machines/{sim.machine('dev-ben').id}/start"


def raw(served: Running, method: str, path: str) -> tuple[bytes, BaseException | None]:
    """All bytes that come back on a plain socket, and what ended the connection (None: a clean end)."""
    request = f"{method} /v1{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer demo-key\r\n\r\n"
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as sock:
        sock.sendall(request.encode())
        received = b""
        try:
            while chunk := sock.recv(65536):
                received += chunk
        except ConnectionResetError as reset:
            return received, reset
    return received, None


def split(received: bytes) -> tuple[int, int]:
    """Content-Length told, body bytes received."""
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    return int(length.split(b":")[1]), len(body)


@pytest.mark.parametrize("kind", ["close", "reset"])
@pytest.mark.parametrize("stage", ["before", "after"])
def test_dropped_with_nothing_sent(served: Running, sim: Simulator, where: str, kind: str, stage: str) -> None:
    sim.faults.add(Fault(kind, "start", stage=stage))
    received, end = raw(served, "PATCH", where)
    assert received == b""
    assert isinstance(end, ConnectionResetError) == (kind == "reset")
    assert (sim.wire[-1].status, sim.wire[-1].applied, sim.wire[-1].fault) == (None, stage == "after", kind)
    assert (sim.machine("dev-ben").current is not None) == (stage == "after")


def test_closed_in_the_middle_of_the_answer(served: Running, sim: Simulator, where: str) -> None:
    sim.faults.add(Fault("close", "start", stage="during"))
    received, end = raw(served, "PATCH", where)
    told, got = split(received)
    assert (end, got) == (None, told // 2)
    assert sim.wire[-1].applied


def test_reset_in_the_middle_of_the_answer(served: Running, sim: Simulator, where: str) -> None:
    sim.faults.add(Fault("reset", "start", stage="during"))
    _, end = raw(served, "PATCH", where)
    assert isinstance(end, ConnectionResetError)
    assert sim.wire[-1].applied


def test_cut_short_of_its_content_length(served: Running, sim: Simulator, where: str) -> None:
    sim.faults.add(Fault("cut", "start"))
    received, end = raw(served, "PATCH", where)
    told, got = split(received)
    assert (end, told - got) == (None, 1024)
    assert json.loads(received.partition(b"\r\n\r\n")[2])["event"]["name"] == "start"


@pytest.mark.parametrize("stage", ["before", "after"])
def test_stalled_until_the_client_gives_up(api: httpx.Client, sim: Simulator, where: str, stage: str) -> None:
    sim.faults.add(Fault("stall", "start", stage=stage))
    with pytest.raises(httpx.ReadTimeout):
        api.patch(where, timeout=0.1)
    assert (sim.wire[-1].status, sim.wire[-1].applied) == (None, stage == "after")
    assert api.get("/machines").status_code == 200


def test_a_stall_does_not_hold_up_the_end(served: Running, sim: Simulator, where: str) -> None:
    sim.faults.add(Fault("stall", "start"))
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as sock:
        sock.sendall(f"PATCH /v1{where} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        while not sim.wire:
            time.sleep(0.001)
        began = time.perf_counter()
        served.stop()
        assert time.perf_counter() - began < 1
        with pytest.raises(ConnectionResetError):  # noqa: PT012 - either the first read or a later one is told
            while sock.recv(1024):
                pass
            raise ConnectionResetError


@pytest.mark.parametrize("apply", [False, True])
def test_a_slow_answer(api: httpx.Client, sim: Simulator, where: str, apply: bool) -> None:
    sim.faults.add(Fault("slow", "start", seconds=0.1, apply=apply))
    with pytest.raises(httpx.ReadTimeout):
        api.patch(where, timeout=0.03)
    assert sim.wire[-1].applied == apply
    deadline = time.monotonic() + 3
    while not sim.wire[-1].applied and time.monotonic() < deadline:
        time.sleep(0.005)
    assert sim.wire[-1].applied  # a slow provider carries on though the client is gone


@pytest.mark.parametrize("apply", [False, True])
def test_an_error_before_or_after_the_effect(api: httpx.Client, sim: Simulator, where: str, apply: bool) -> None:
    sim.faults.add(Fault("status", "start", status=503, apply=apply))
    answer = api.patch(where)
    assert (answer.status_code, answer.json()["code"]) == (503, "INTERNAL_SERVER_ERROR")
    assert (sim.wire[-1].status, sim.wire[-1].applied) == (503, apply)


def test_too_many_requests(api: httpx.Client, sim: Simulator) -> None:
    sim.faults.add(Fault("status", "list_machines", times=2, status=429, retry_after=7))
    answers = [api.get("/machines") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["retry-after"] == "7"
    assert answers[0].json() == {"message": "Too Many Requests", "code": "TOO_MANY_REQUESTS"}


def test_a_proxy_error_page(api: httpx.Client, sim: Simulator) -> None:
    sim.faults.add(Fault("status", status=502, body="<html>Bad gateway</html>"))
    answer = api.get("/machines")
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html")


@pytest.mark.parametrize(
    ("params", "text"),
    [({}, '{"hasMore": false, "items": ['), ({"body": "<html>"}, "<html>"), ({"body": {"items": 5}}, '{"items": 5}')],
)
def test_malformed(api: httpx.Client, sim: Simulator, where: str, params: dict[str, Any], text: str) -> None:
    sim.faults.add(Fault("malformed", "start", **params))
    answer = api.patch(where)
    assert (answer.status_code, answer.text) == (200, text)
    assert sim.wire[-1].applied


def test_empty(api: httpx.Client, sim: Simulator, where: str) -> None:
    sim.faults.add(Fault("empty", "start"))
    answer = api.patch(where)
    assert (answer.status_code, answer.content, sim.wire[-1].applied) == (200, b"", True)


def test_oversized(api: httpx.Client, sim: Simulator) -> None:
    sim.faults.add(Fault("oversized", size=3 * 2**20))
    answer = api.get("/machines")
    assert len(answer.content) == 3 * 2**20
    assert answer.json()["items"] == []


def test_an_oversized_answer_ends_when_the_client_goes(api: httpx.Client, sim: Simulator) -> None:
    sim.faults.add(Fault("oversized"))
    with api.stream("GET", "/machines") as answer:
        assert len(next(answer.iter_raw())) > 0
    assert api.get("/machines").status_code == 200


# -- which requests ---------------------------------------------------------------------------------------------------


def test_a_fault_waits_for_its_operation_its_turn_and_its_machine(api: httpx.Client, sim: Simulator) -> None:
    anna, ben = sim.machine("dev-anna").id, sim.machine("dev-ben").id
    sim.faults.add(Fault("status", "get_machine", after=2, machine=ben))
    paths = ["/machines", f"/machines/{ben}", f"/machines/{anna}", *[f"/machines/{ben}"] * 3]
    assert [api.get(path).status_code for path in paths] == [200, 200, 200, 200, 500, 200]


def test_faults_are_taken_in_order_and_can_be_cleared(api: httpx.Client, sim: Simulator) -> None:
    for status in (500, 502):
        sim.faults.add(Fault("status", status=status))
    sim.faults.add(Fault("status", status=504, times=None))
    assert [api.get("/machines").status_code for _ in range(4)] == [500, 502, 504, 504]
    sim.faults.clear()
    assert api.get("/machines").status_code == 200


def test_an_event_fault_for_everything_waits_for_an_operation_with_an_event(
    api: httpx.Client, sim: Simulator, where: str
) -> None:
    sim.faults.add(Fault("stuck"))
    api.get("/machines")
    api.patch(where)
    assert [request.fault for request in sim.wire] == [None, "stuck"]


@pytest.mark.parametrize(
    "wrong", [{"kind": "explode"}, {"kind": "close", "stage": "later"}, {"kind": "slow", "operation": "x"}]
)
def test_a_fault_that_does_not_exist(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no such"):
        Fault(**wrong)


def test_the_reset_is_a_reset_for_the_kernel(served: Running, sim: Simulator) -> None:
    sim.faults.add(Fault("reset"))
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as sock:
        sock.sendall(b"GET /v1/machines HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
        assert struct.unpack("B", sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1))[0] == 7  # TCP_CLOSE
