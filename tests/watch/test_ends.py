"""Where a wait ends: an event that is done is not yet a machine that is ready."""

import anyio
import pytest
from tests.watch.account import Account

from paperspace_mcp.rules.waiting import Verdict
from paperspace_mcp.simulator import Fault
from paperspace_mcp.watch import Watched

pytestmark = pytest.mark.anyio


async def wait(account: Account, event: str, timeout_s: float = 300) -> Watched:
    (watched,) = await account.watch.wait([event], timeout_s=timeout_s)
    return watched


def machine_state(watched: Watched) -> str | None:
    return watched.machine.state if watched.machine else None


@pytest.mark.parametrize(
    ("action", "before", "after"), [("start", "off", "ready"), ("restart", "ready", "ready"), ("stop", "ready", "off")]
)
async def test_power_ends_at_the_machine(account: Account, action: str, before: str, after: str) -> None:
    event = await account.begin(action, account.machine(state=before))
    watched = await wait(account, event)
    assert (watched.verdict, watched.note, machine_state(watched)) == (Verdict.DONE, "", after)
    duration = account.sim.durations[action]
    assert duration <= account.clock.at <= duration + 10, "the address comes four seconds later"
    assert watched.elapsed_s == pytest.approx(duration - 3, abs=1)
    assert watched.typical_s is not None


async def test_create_that_starts_ends_ready(account: Account) -> None:
    watched = await wait(account, await account.create(start=True))
    assert (watched.verdict, watched.note, machine_state(watched)) == (Verdict.DONE, "", "ready")


async def test_create_that_does_not_start_ends_off(account: Account) -> None:
    watched = await wait(account, await account.create(start=False))
    assert (watched.verdict, watched.note, machine_state(watched)) == (Verdict.DONE, "machine_off", "off")
    assert account.reads["list_machine_events"] == 1


async def test_create_whose_own_start_finds_no_room(account: Account) -> None:
    event = await account.create(start=True)
    account.sim.advance(account.sim.durations["create"] - 1)
    machine = account.sim.events[event].machineId
    start = next(e for e in account.sim.events.values() if e.name == "start")
    account.sim.change(machine, state="off")
    start.finish(account.sim.clock.now(), "error", "Out of capacity")
    watched = await wait(account, event)
    assert (watched.verdict, watched.note, machine_state(watched)) == (Verdict.FAILED, "capacity", "off")
    assert watched.start is not None
    assert watched.start.error == "Out of capacity"


async def test_event_done_machine_not_ready_is_said(account: Account) -> None:
    event = await account.begin("start", account.machine())
    watched = await wait(account, event, timeout_s=account.sim.durations["start"] - 1)
    assert (watched.verdict, watched.note) == (Verdict.PENDING, "event_done_machine_not_ready")
    assert watched.event is not None
    assert (watched.event.state, machine_state(watched)) == ("done", "serviceready")


async def test_the_machine_is_read_only_once_the_event_is_done(account: Account) -> None:
    event = await account.begin("restart", account.machine(state="ready"))
    watched = await wait(account, event, timeout_s=30)
    assert (watched.verdict, watched.machine) == (Verdict.PENDING, None)
    assert account.reads["get_machine"] == 0


async def test_an_old_start_whose_machine_was_stopped_since_is_over_at_once(account: Account) -> None:
    machine = account.machine()
    event = await account.begin("start", machine)
    account.sim.advance(3600)
    account.sim.change(machine, state="off")
    watched = await wait(account, event)
    assert (watched.verdict, watched.note) == (Verdict.DONE, "event_done_machine_not_ready")
    assert (machine_state(watched), account.clock.at) == ("off", 0)


async def test_deletion_ends_with_the_machine(account: Account) -> None:
    watched = await wait(account, await account.begin("delete", account.machine()))
    assert (watched.verdict, watched.note, watched.machine) == (Verdict.DONE, "machine_deleted", None)


async def test_no_capacity(account: Account) -> None:
    account.sim.faults.add(Fault("capacity", "start"))
    watched = await wait(account, await account.begin("start", account.machine()))
    assert (watched.verdict, watched.note) == (Verdict.FAILED, "capacity")
    assert account.clock.at < 20


async def test_done_without_an_end(account: Account) -> None:
    account.sim.faults.add(Fault("done_unfinished", "start"))
    watched = await wait(account, await account.begin("start", account.machine()))
    assert (watched.verdict, machine_state(watched)) == (Verdict.DONE, "ready")
    assert watched.elapsed_s == pytest.approx(account.sim.durations["start"], abs=6)


async def test_error_without_text_is_looked_at_twice(account: Account) -> None:
    account.sim.faults.add(Fault("event_error_null", "start", finished=False))
    watched = await wait(account, await account.begin("start", account.machine()))
    assert (watched.verdict, watched.note) == (Verdict.FAILED, "error_without_text")


async def test_error_without_text_that_passes(account: Account) -> None:
    account.sim.durations["stop"] = 4.0
    account.sim.faults.add(Fault("event_error_null", "stop", transient=True, finished=False))
    watched = await wait(account, await account.begin("stop", account.machine(state="ready")))
    assert (watched.verdict, machine_state(watched)) == (Verdict.DONE, "off")


async def test_an_event_that_vanishes(account: Account) -> None:
    account.sim.faults.add(Fault("event_vanish", "start"))
    watched = await wait(account, await account.begin("start", account.machine()))
    assert (watched.verdict, watched.note, watched.failure) == (Verdict.VANISHED, "vanished", None)
    assert watched.event is not None
    assert machine_state(watched) is not None


async def test_a_machine_that_is_deleted_meanwhile(account: Account) -> None:
    machine = account.machine()
    event = await account.begin("start", machine)
    account.sim.delete_behind(machine)
    watched = await wait(account, event)
    assert (watched.verdict, watched.note, watched.machine) == (Verdict.MACHINE_GONE, "machine_deleted", None)


async def test_a_machine_that_is_deleted_before_it_is_ready(account: Account) -> None:
    event = await account.begin("start", account.machine("box"))
    slice_s = account.sim.durations["start"] - 1
    async with anyio.create_task_group() as group:

        async def delete_later() -> None:
            await account.clock.sleep(slice_s)
            account.sim.delete_behind("box")

        group.start_soon(delete_later)
        watched = await wait(account, event)
    assert (watched.verdict, watched.machine) == (Verdict.MACHINE_GONE, None)
    assert account.reads["get_machine"] > 1


async def test_a_deletion_cancels_what_was_under_way(account: Account) -> None:
    machine = account.machine()
    start, deletion = await account.begin("start", machine), await account.begin("delete", machine)
    cancelled, done = await account.watch.wait([start, deletion], timeout_s=60)
    assert (cancelled.verdict, done.verdict) == (Verdict.CANCELLED, Verdict.DONE)


async def test_a_stuck_event_of_a_deleted_machine_is_found_out(account: Account) -> None:
    account.sim.faults.add(Fault("stuck", "start"))
    machine = account.machine()
    event = await account.begin("start", machine)
    made = account.sim.events[event]
    account.sim.delete_behind(machine)
    made.state, made.dtFinished = "in progress", None
    watched = await wait(account, event, timeout_s=700)
    assert watched.verdict is Verdict.MACHINE_GONE
    assert account.clock.at == pytest.approx(600, abs=6)


async def test_a_state_that_nobody_documented_is_waited_out(account: Account) -> None:
    event = await account.begin("stop", account.machine(state="ready"))
    account.sim.events[event].state = "paused"
    watched = await wait(account, event, timeout_s=0)
    assert watched.verdict is Verdict.PENDING
    assert (await wait(account, event)).verdict is Verdict.DONE
