"""However many wait, an event is looked at as often as for one; and nobody takes the poll with him."""

import asyncio
from collections import Counter

import anyio
import pytest
from tests.watch.account import Account, tasks_of_the_watch

from paperspace_mcp.rules.waiting import Verdict
from paperspace_mcp.simulator import Fault
from paperspace_mcp.watch import AT_ONCE, Watched

pytestmark = pytest.mark.anyio


async def reads_of_one(account: Account, timeout_s: float) -> Counter[str | None]:
    """The reads that a single waiter needs for a start."""
    before = account.reads
    await account.watch.wait([await account.begin("start", account.machine("measure"))], timeout_s=timeout_s)
    return account.reads - before


async def test_a_hundred_waiters_read_as_often_as_one(account: Account) -> None:
    of_one = await reads_of_one(account, 300)
    event = await account.begin("start", account.machine())
    everyone = await asyncio.gather(*(account.watch.wait([event], timeout_s=300) for _ in range(100)))
    assert {watched.verdict for (watched,) in everyone} == {Verdict.DONE}
    assert account.reads == of_one + of_one


async def test_waiters_that_come_one_by_one_read_at_most_once_a_second(account: Account) -> None:
    event = await account.begin("start", account.machine())
    async with anyio.create_task_group() as group:
        for _ in range(200):
            group.start_soon(lambda: account.watch.wait([event], timeout_s=20.5))
            await account.clock.sleep(0.1)
    assert account.reads["get_machine_event"] <= 42


async def test_deadlines_close_together_share_the_last_look(account: Account) -> None:
    of_one = await reads_of_one(account, 30)
    event = await account.begin("start", account.machine())
    deadlines = [30 + number / 100 for number in range(90)]
    await asyncio.gather(*(account.watch.wait([event], timeout_s=seconds) for seconds in deadlines))
    assert account.reads["get_machine_event"] <= 2 * of_one["get_machine_event"] + 1


async def test_fifty_events_in_order_with_doubles_folded(account: Account) -> None:
    events = [await account.begin("start", account.machine(f"box-{number}")) for number in range(50)]
    asked = [*reversed(events), *events]
    all_watched = await account.watch.wait(asked, timeout_s=300)
    assert [watched.event_id for watched in all_watched] == events[::-1]
    assert {watched.verdict for watched in all_watched} == {Verdict.DONE}


async def test_at_most_eight_reads_at_once(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    running, most, read = 0, 0, account.wire.read

    async def counted(*args: object, **options: object) -> object:
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            await account.clock.sleep(0.05)
            return await read(*args, **options)  # type: ignore[arg-type]
        finally:
            running -= 1

    monkeypatch.setattr(account.wire, "read", counted)
    events = [await account.begin("start", account.machine(f"box-{number}")) for number in range(50)]
    all_watched = await account.watch.wait(events, timeout_s=0)
    assert (most, running) == (AT_ONCE, 0)
    assert all(watched.event for watched in all_watched)


async def test_one_that_is_cancelled_leaves_the_others_their_poll(account: Account) -> None:
    of_one = await reads_of_one(account, 300)
    event = await account.begin("start", account.machine())
    first = asyncio.create_task(account.watch.wait([event], timeout_s=300))
    second = asyncio.create_task(account.watch.wait([event], timeout_s=300))
    await account.clock.sleep(10)
    first.cancel()
    (watched,) = await second
    assert first.cancelled()
    assert watched.verdict is Verdict.DONE
    assert account.reads == of_one + of_one


async def test_a_first_one_cancelled_in_the_midst_of_a_look_takes_nothing_along(account: Account) -> None:
    event = await account.begin("start", account.machine())
    account.sim.faults.add(Fault("slow", "get_machine_event", seconds=0.02))
    first = asyncio.create_task(account.watch.wait([event], timeout_s=0))
    second = asyncio.create_task(account.watch.wait([event], timeout_s=0))
    while not account.reads:
        await asyncio.sleep(0)
    first.cancel()
    # Time stands still while the provider is slow: the overtime of a wait is no part of this test.
    account.clock.hold = True
    await asyncio.sleep(0.05)
    account.clock.hold = False
    (watched,) = await second
    assert watched.event is not None
    assert account.reads["get_machine_event"] == 1


async def test_all_cancelled_leaves_no_task(account: Account) -> None:
    events = [await account.begin("start", account.machine(f"box-{number}")) for number in range(5)]
    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(lambda: account.watch.wait(events, timeout_s=300))
        await account.clock.sleep(7)
        group.cancel_scope.cancel()
    assert tasks_of_the_watch() == []
    before = account.reads.total()
    await account.clock.sleep(30)
    assert account.reads.total() == before


async def test_an_anyio_deadline_around_a_wait_leaves_no_task(account: Account) -> None:
    event = await account.begin("start", account.machine())
    account.clock.hold = True
    with anyio.move_on_after(0.02):
        await account.watch.wait([event], timeout_s=300)
    assert tasks_of_the_watch() == []


async def test_a_latecomer_is_answered_from_memory_then_anew(account: Account) -> None:
    event = await account.begin("stop", account.machine(state="ready"))
    await account.watch.wait([event], timeout_s=300)
    before = account.reads.total()
    await account.clock.sleep(4)
    (late,) = await account.watch.wait([event], timeout_s=0)
    assert (late.verdict, account.reads.total()) == (Verdict.DONE, before)
    await account.clock.sleep(2)
    (later,) = await account.watch.wait([event], timeout_s=0)
    assert (later.verdict, account.reads.total()) == (Verdict.DONE, before + 2)


async def test_what_is_pending_is_never_remembered(account: Account) -> None:
    event = await account.begin("stop", account.machine(state="ready"))
    (early,) = await account.watch.wait([event], timeout_s=0)
    account.sim.advance(60)
    (late,) = await account.watch.wait([event], timeout_s=0)
    assert (early.verdict, late.verdict) == (Verdict.PENDING, Verdict.DONE)


async def test_a_newcomer_looks_at_once_and_does_not_wait_for_the_rest(account: Account) -> None:
    event = await account.begin("start", account.machine())
    long = asyncio.create_task(account.watch.wait([event], timeout_s=60))
    await account.clock.sleep(26)
    before = account.reads["get_machine_event"]
    (seen,) = await account.watch.wait([event], timeout_s=0)
    assert (seen.verdict, account.clock.at) == (Verdict.PENDING, 26)
    assert account.reads["get_machine_event"] == before + 1
    await long


async def test_a_mistake_in_a_look_reaches_every_waiter(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_args: object, **_options: object) -> Watched:
        raise ZeroDivisionError

    monkeypatch.setattr(account.wire, "read", broken)
    waits = [account.watch.wait(["e1"], timeout_s=30) for _ in range(3)]
    outcomes = await asyncio.gather(*waits, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ZeroDivisionError] * 3


async def test_a_newcomer_with_time_is_told_at_once_what_the_others_learn_later(account: Account) -> None:
    event = await account.begin("start", account.machine())
    long = asyncio.create_task(account.watch.wait([event], timeout_s=60))
    await account.clock.sleep(26)
    account.sim.advance(60)
    (seen,) = await account.watch.wait([event], timeout_s=50)
    assert (seen.verdict, account.clock.at) == (Verdict.DONE, 26)
    assert (await long)[0].verdict is Verdict.DONE


async def test_what_settled_long_ago_is_read_anew_though_somebody_still_waits_for_more(account: Account) -> None:
    stop, start = (
        await account.begin("stop", account.machine("a", "ready")),
        await account.begin("start", account.machine("b")),
    )
    both = asyncio.create_task(account.watch.wait([stop, start], timeout_s=300))
    await account.clock.sleep(45)
    before = account.reads["get_machine_event"]
    await account.watch.wait([stop], timeout_s=0)
    assert account.reads["get_machine_event"] == before + 1
    assert {watched.verdict for watched in await both} == {Verdict.DONE}


async def test_a_wait_outlives_its_reads(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection takes a moment to let go; a wait that is cancelled stays for it."""
    event, reach, open_now = await account.begin("start", account.machine()), account.transport, 0

    async def slow_to_close(_request: object) -> None:
        nonlocal open_now
        open_now += 1
        try:
            await asyncio.sleep(10)
        finally:
            for _ in range(50):
                await asyncio.sleep(0)
            open_now -= 1

    monkeypatch.setattr(reach, "handle_async_request", slow_to_close)
    account.clock.hold = True
    with anyio.move_on_after(0.02):
        await account.watch.wait([event], timeout_s=300)
    assert (open_now, tasks_of_the_watch()) == (0, [])
