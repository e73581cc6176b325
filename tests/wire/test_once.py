"""A mutation is sent once, whatever becomes of it, and its end is told truthfully."""

import asyncio

import anyio
import pytest
from tests.wire import rawserver
from tests.wire.calls import DONE, MUTATIONS, Call, bench
from tests.wire.rawserver import Behaviour, Turn, answer, close, cut, reset, running, stall

from paperspace_mcp.contract.errors import Failure, OutcomeUnknown, UpstreamError

pytestmark = pytest.mark.anyio

ENDS: dict[str, tuple[Behaviour, str]] = {
    "close": (close, "lost"),
    "reset": (reset, "lost"),
    "stall": (stall, "timeout"),
    "cut": (cut, "lost"),
    "cut_head": (rawserver.cut_head, "lost"),
    "reset_in_body": (rawserver.reset_in_body, "lost"),
    "stall_in_body": (rawserver.stall_in_body, "timeout"),
    "garbage": (rawserver.raw(b"\x00\xff nothing like HTTP\r\n\r\n"), "lost"),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("call", MUTATIONS, ids=str)
async def test_a_lost_answer_leaves_the_outcome_unknown_after_one_request(call: Call, end: str) -> None:
    behaviour, cause = ENDS[end]
    async with running(behaviour) as server, bench(server.url) as wire:
        with pytest.raises(OutcomeUnknown) as told:
            await wire.mutate(call)
    assert [seen.method for seen in server.seen] == [call.operation.method]
    assert (told.value.code, told.value.changed, told.value.retryable) == ("outcome_unknown", "unknown", False)
    assert told.value.facts == {"operation": call.operation.name, "cause": cause}
    assert wire.slept == []


@pytest.mark.parametrize("call", MUTATIONS, ids=str)
async def test_a_refused_connection_changed_nothing(call: Call) -> None:
    async with bench(f"http://127.0.0.1:{rawserver.free_port()}") as wire:
        with pytest.raises(UpstreamError) as told:
            await wire.mutate(call)
    assert (told.value.code, told.value.changed, told.value.retryable) == ("unreachable", "no", True)
    assert told.value.facts["cause"] == "refused"
    assert wire.slept == []


async def test_an_unknown_host_changed_nothing() -> None:
    async with bench("http://nowhere.invalid/v1", connect_timeout_s=5.0) as wire:
        with pytest.raises(UpstreamError) as told:
            await wire.mutate(MUTATIONS[0])
    assert (told.value.changed, told.value.facts["cause"]) == ("no", "dns")


@pytest.mark.parametrize("call", MUTATIONS, ids=str)
async def test_a_connection_that_the_server_closed_meanwhile_is_not_used(call: Call) -> None:
    async with running(answer(DONE, last=True), answer(DONE)) as server, bench(server.url) as wire:
        await wire.mutate(Call(MUTATIONS[2].operation, {"id": "ps0"}))
        await anyio.wait_all_tasks_blocked()
        body = b'{"user": {"id": "u1"}, "data": {"id": "ps1"}}'
        server.then(answer(body))
        await wire.mutate(call)
    assert len(server.seen) == 2
    assert server.connections == 2


async def test_a_connection_that_dies_under_a_mutation_is_no_reason_to_send_it_again() -> None:
    """The race that no look beforehand can exclude: the request arrives on the old connection, then that ends."""
    async with running(answer(DONE), close, answer(DONE)) as server, bench(server.url) as wire:
        await wire.mutate(MUTATIONS[3])
        with pytest.raises(OutcomeUnknown):
            await wire.mutate(MUTATIONS[4])
    assert [seen.connection for seen in server.seen] == [1, 1]


async def test_mutations_in_a_row_share_a_connection() -> None:
    async with running(answer(DONE)) as server, bench(server.url) as wire:
        for call in MUTATIONS[:6]:
            await wire.mutate(call)
    assert (len(server.seen), server.connections) == (6, 1)


async def test_an_answer_that_trickles_for_ever_ends_as_unknown() -> None:
    async def trickle(turn: Turn) -> bool:
        turn.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not turn.over.is_set():
            turn.writer.write(b" ")
            await turn.writer.drain()
            await asyncio.sleep(0.02)
        return False

    async with running(trickle) as server, bench(server.url, connect_timeout_s=0.1, budget_s=0.1) as wire:
        with pytest.raises(OutcomeUnknown) as told:
            await wire.mutate(MUTATIONS[0])
    assert told.value.facts["cause"] == "timeout"
    assert len(server.seen) == 1


async def test_a_cancelled_mutation_is_not_caught_and_lets_go_of_its_connection() -> None:
    async with running(stall) as server, bench(server.url, read_timeout_s=30.0) as wire:
        with anyio.move_on_after(0.1) as scope:
            await wire.mutate(MUTATIONS[0])
        assert scope.cancelled_caught
        server.then(answer(DONE))
        await wire.mutate(MUTATIONS[3])
    assert server.methods == ["POST", "PATCH"]
    assert server.connections == 2


@pytest.mark.parametrize("read", [True, False])
async def test_a_server_that_hangs_up_before_reading_is_never_asked_twice_to_change_something(read: bool) -> None:
    accepted = 0

    async def slam(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal accepted
        accepted += 1
        writer.transport.abort()

    server = await asyncio.start_server(slam, "127.0.0.1", 0)
    async with server, bench(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as wire:
        with pytest.raises(Failure) as told:
            await (wire.get() if read else wire.mutate(MUTATIONS[0]))
    assert told.value.changed == ("no" if read else "unknown")
    assert accepted == (4 if read else 1)
