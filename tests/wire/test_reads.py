"""Reads: tried again where that helps, within the call's own time, on as few connections as possible."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx
import pytest
from tests.wire import rawserver
from tests.wire.calls import MACHINE, Bench, Canned, bench, canned
from tests.wire.rawserver import Behaviour, answer, close, cut, reset, running, stall

from paperspace_mcp.contract import catalogue as api
from paperspace_mcp.contract.errors import Failure, UpstreamError

pytestmark = pytest.mark.anyio
GOOD = answer(MACHINE)


@asynccontextmanager
async def against(*script: Behaviour, **times: Any) -> AsyncIterator[tuple[Bench, rawserver.RawServer]]:
    async with running(*script) as server, bench(server.url, **times) as wire:
        yield wire, server


ONCE: dict[str, Behaviour] = {
    "close": close,
    "reset": reset,
    "stall": stall,
    "cut": cut,
    "cut_head": rawserver.cut_head,
    "reset_in_body": rawserver.reset_in_body,
    "stall_in_body": rawserver.stall_in_body,
    "garbage": rawserver.raw(b"\x00\xff nothing like HTTP\r\n\r\n"),
    "429": answer(b"{}", 429),
    "502": answer(b"<html>", 502),
    "503": answer(b"", 503),
    "504": answer(b"{}", 504),
}


@pytest.mark.parametrize("end", ONCE)
async def test_a_read_recovers_from_one_failure(end: str) -> None:
    async with against(ONCE[end], GOOD) as (wire, server):
        assert (await wire.get()).name == "box"
    assert len(server.seen) == 2
    assert wire.slept == [0.25]


@pytest.mark.parametrize(
    ("end", "code", "cause"),
    [
        ("close", "unreachable", "lost"),
        ("reset", "unreachable", "lost"),
        ("cut", "unreachable", "lost"),
        ("reset_in_body", "unreachable", "lost"),
        ("garbage", "unreachable", "lost"),
        ("stall", "upstream_timeout", "timeout"),
        ("stall_in_body", "upstream_timeout", "timeout"),
        ("429", "rate_limited", None),
        ("503", "upstream_error", None),
    ],
)
async def test_a_read_gives_up_after_four_attempts(end: str, code: str, cause: str | None) -> None:
    async with against(ONCE[end], read_timeout_s=0.05) as (wire, server):
        with pytest.raises(UpstreamError) as told:
            await wire.get()
    assert (told.value.code, told.value.changed, told.value.retryable) == (code, "no", True)
    assert told.value.facts.get("cause") == cause
    assert told.value.facts["attempts"] == len(server.seen) == 4
    assert wire.slept == [0.25, 0.5, 1.0]


async def test_nobody_below_us_tries_again() -> None:
    """aiohttp would re-send a GET on a reused connection that died: a second layer of retries."""
    async with against(GOOD, close, max_attempts=1) as (wire, server):
        await wire.get()
        with pytest.raises(UpstreamError):
            await wire.get()
    assert len(server.seen) == 2


async def test_a_refused_connection_is_tried_again_and_told() -> None:
    async with bench(f"http://127.0.0.1:{rawserver.free_port()}") as wire:
        with pytest.raises(UpstreamError) as told:
            await wire.get()
    assert told.value.facts == {"operation": "get_machine", "cause": "refused", "attempts": 4}
    assert len(wire.slept) == 3


async def test_an_unknown_host_is_told_as_such() -> None:
    async with bench("http://nowhere.invalid/v1", connect_timeout_s=5.0, max_attempts=1) as wire:
        with pytest.raises(UpstreamError) as told:
            await wire.get()
    assert told.value.facts["cause"] == "dns"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 412, 413, 408, 418, 499, 500, 501, 301, 302, 307])
async def test_other_statuses_are_asked_once(status: int) -> None:
    async with against(answer(b"{}", status, location="/v1/machines")) as (wire, server):
        with pytest.raises(Failure):
            await wire.get()
    assert len(server.seen) == 1


async def test_connections_are_used_again() -> None:
    async with against(GOOD) as (wire, server):
        for _ in range(5):
            await wire.get()
    assert (len(server.seen), server.connections) == (5, 1)


async def test_a_connection_that_the_server_closed_meanwhile_costs_no_failure() -> None:
    async with against(answer(MACHINE, last=True), GOOD) as (wire, server):
        await wire.get()
        await anyio.wait_all_tasks_blocked()
        await wire.get()
    assert (len(server.seen), server.connections) == (2, 2)


async def test_forty_reads_at_once_all_get_their_own_answer() -> None:
    async def echo(turn: rawserver.Turn) -> bool:
        name = turn.seen.target.rpartition("/")[2]
        return await answer(f'{{"id": "{name}"}}'.encode())(turn)

    async with against(echo) as (wire, server):
        found = await asyncio.gather(*(wire.get(f"ps{n}") for n in range(40)))
    assert [machine.id for machine in found] == [f"ps{n}" for n in range(40)]
    assert len(server.seen) == 40


async def test_retry_after_is_waited_for() -> None:
    async with against(answer(b"{}", 429, retry_after="7"), GOOD) as (wire, _):
        await wire.get()
    assert wire.slept == [7.0]


async def test_retry_after_as_a_date_is_measured_by_the_answers_own_clock() -> None:
    date, later = "Tue, 24 Nov 2020 12:00:00 GMT", "Tue, 24 Nov 2020 12:00:05 GMT"
    async with against(answer(b"{}", 503, date=date, retry_after=later), GOOD) as (wire, _):
        await wire.get()
    assert wire.slept == [5.0]


async def test_a_retry_after_beyond_the_budget_is_told_and_not_slept() -> None:
    async with against(answer(b"{}", 429, retry_after="31")) as (wire, server):
        with pytest.raises(UpstreamError) as told:
            await wire.get()
    assert (told.value.code, told.value.facts["retry_after_s"]) == ("rate_limited", 31.0)
    assert (wire.slept, len(server.seen)) == ([], 1)


async def test_a_smaller_budget_of_the_call_counts() -> None:
    async with against(answer(b"{}", 429, retry_after="7")) as (wire, _):
        with pytest.raises(UpstreamError):
            await wire.paperspace.read(api.GET_MACHINE, {"id": "ps1"}, budget_s=6.0)
    assert wire.slept == []


async def test_the_budget_ends_an_attempt_on_its_way() -> None:
    async with against(stall, read_timeout_s=30.0) as (wire, server):
        with anyio.fail_after(5), pytest.raises(UpstreamError) as told:
            await wire.paperspace.read(api.GET_MACHINE, {"id": "ps1"}, budget_s=0.1)
    assert (told.value.code, told.value.facts["cause"]) == ("upstream_timeout", "budget")
    assert (len(server.seen), wire.slept) == (1, [])


async def test_a_cancelled_read_is_not_caught_and_the_next_one_works() -> None:
    async with against(stall, GOOD, read_timeout_s=30.0) as (wire, server):
        with anyio.move_on_after(0.1) as scope:
            await wire.get()
        assert scope.cancelled_caught
        await wire.get()
    assert server.connections == 2


async def test_an_embedded_app_that_breaks_counts_as_a_lost_answer() -> None:
    transport = Canned(ConnectionResetError("boom"), canned())
    async with bench(transport=transport) as wire:
        await wire.get()
    assert len(transport.requests) == 2


async def test_an_embedded_app_is_asked_like_a_server() -> None:
    async def app(scope: Any, _: Any, send: Any) -> None:
        assert scope["path"] == "/v1/machines/ps1"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": MACHINE})

    async with bench(transport=httpx.ASGITransport(app)) as wire:
        assert (await wire.get()).id == "ps1"


async def test_a_closed_client_opens_again() -> None:
    async with against(GOOD) as (wire, server):
        await wire.get()
        await wire.paperspace.aclose()
        await wire.paperspace.aclose()
        await wire.get()
    assert server.connections == 2
