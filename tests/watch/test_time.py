"""Slices, deadlines and progress."""

from collections.abc import Sequence

import anyio
import pytest
from tests.watch.account import Account

from paperspace_mcp.rules.waiting import Verdict
from paperspace_mcp.simulator import Fault
from paperspace_mcp.watch import OVERTIME_S, Watch, Watched

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("timeout_s", [0, -1])
async def test_no_time_is_one_look(account: Account, timeout_s: float) -> None:
    event = await account.begin("start", account.machine())
    (watched,) = await account.watch.wait([event], timeout_s=timeout_s)
    assert (watched.verdict, watched.note, watched.failure) == (Verdict.PENDING, "", None)
    assert watched.event is not None
    assert (account.reads.total(), account.clock.at) == (1, 0)


async def test_the_real_clocks_by_default(account: Account) -> None:
    event = await account.begin("start", account.machine())
    (watched,) = await Watch(account.wire).wait([event], timeout_s=0.05)
    assert watched.verdict is Verdict.PENDING
    assert account.reads.total() == 1  # what was seen a second ago at most is the last look


async def test_nothing_to_wait_for(account: Account) -> None:
    assert await account.watch.wait([], timeout_s=45) == []


async def test_the_last_look_is_taken_at_the_deadline(account: Account) -> None:
    event = await account.begin("stop", account.machine(state="ready"))
    slice_s = account.sim.durations["stop"] + 0.25
    (watched,) = await account.watch.wait([event], timeout_s=slice_s)
    assert (watched.verdict, account.clock.at) == (Verdict.DONE, slice_s)


async def test_a_slice_ends_in_time(account: Account) -> None:
    event = await account.begin("start", account.machine())
    (watched,) = await account.watch.wait([event], timeout_s=45)
    assert (watched.verdict, account.clock.at) == (Verdict.PENDING, 45)
    assert watched.elapsed_s == pytest.approx(45)
    assert account.reads["get_machine_event"] <= 14


async def test_three_slices_on_three_replicas(account: Account) -> None:
    account.sim.durations["start"] = 118.0
    event = await account.begin("start", account.machine())
    slices = [(await account.replica().wait([event], timeout_s=40))[0] for _ in range(3)]
    assert [watched.verdict for watched in slices] == [Verdict.PENDING, Verdict.PENDING, Verdict.DONE]
    assert [watched.elapsed_s for watched in slices] == [pytest.approx(s, abs=5) for s in (40, 80, 115)]
    assert account.clock.at == pytest.approx(118, abs=5)


async def test_any_ends_with_the_first(account: Account) -> None:
    stop, start = (
        await account.begin("stop", account.machine("a", "ready")),
        await account.begin("start", account.machine("b")),
    )
    first, second = await account.watch.wait([start, stop], timeout_s=300, until="any")
    assert (first.verdict, second.verdict) == (Verdict.PENDING, Verdict.DONE)
    assert first.event is not None
    assert account.clock.at < account.sim.durations["start"]


async def test_any_has_looked_at_all(account: Account) -> None:
    event = await account.begin("start", account.machine())
    account.sim.faults.add(Fault("slow", "get_machine_event", after=1, seconds=0.02))
    account.clock.hold = True
    unknown, slow = await account.watch.wait(["unknown-event", event], timeout_s=300, until="any")
    assert (unknown.verdict, slow.verdict) == (Verdict.UNREADABLE, Verdict.PENDING)
    assert slow.event is not None


async def test_a_provider_that_hangs_does_not_hold_the_answer(account: Account) -> None:
    event = await account.begin("start", account.machine())
    account.sim.faults.add(Fault("stall", "get_machine_event", times=None))
    (watched,) = await account.watch.wait([event], timeout_s=10)
    assert (watched.verdict, watched.note, watched.event) == (Verdict.PENDING, "unread", None)
    assert account.clock.at == 10 + OVERTIME_S


class Told:
    """What a client is told, and when."""

    def __init__(self) -> None:
        self.moments: list[float] = []
        self.states: list[tuple[str | None, ...]] = []

    async def __call__(self, waited_s: float, watched: Sequence[Watched]) -> None:
        self.moments.append(waited_s)
        self.states.append(tuple(w.event.state if w.event else None for w in watched))


async def test_progress_on_each_change_and_every_five_seconds(account: Account) -> None:
    told = Told()
    await account.clock.sleep(3)
    event = await account.begin("start", account.machine())
    await account.watch.wait([event], timeout_s=300, progress=told)
    gaps = [after - before for before, after in zip([0.0, *told.moments], told.moments, strict=False)]
    assert max(gaps) <= 5
    assert list(dict.fromkeys(told.states)) == [("new",), ("in progress",), ("done",)]
    assert told.moments[0] == 0
    assert len(told.moments) < 20


async def test_progress_is_told_while_nothing_can_be_read(account: Account) -> None:
    told = Told()
    account.sim.faults.add(Fault("stall", "*", times=None))
    await account.watch.wait(["e1"], timeout_s=20, progress=told)
    assert told.moments == [5, 10, 15, 20, 25]


async def test_a_client_that_is_gone_harms_nobody(account: Account) -> None:
    event = await account.begin("start", account.machine())
    told, calls, answers = Told(), 0, []

    async def gone(_waited_s: float, _watched: Sequence[Watched]) -> None:
        nonlocal calls
        calls += 1
        raise anyio.BrokenResourceError

    async def wait(progress: Told | None) -> None:
        answers.extend(await account.watch.wait([event], timeout_s=300, progress=progress or gone))

    async with anyio.create_task_group() as group:
        group.start_soon(wait, None)
        group.start_soon(wait, told)
    assert [watched.verdict for watched in answers] == [Verdict.DONE] * 2
    assert calls == 1
    assert len(told.moments) > 5


async def test_a_client_that_does_not_listen_is_told_no_more(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paperspace_mcp.watch.REPORT_WITHIN_S", 0.01)
    event = await account.begin("start", account.machine())
    calls = 0

    async def deaf(_waited_s: float, _watched: Sequence[Watched]) -> None:
        nonlocal calls
        calls += 1
        await anyio.sleep_forever()

    (watched,) = await account.watch.wait([event], timeout_s=20, progress=deaf)
    assert watched.event is not None
    assert calls == 1
