"""What goes wrong on the way: passing trouble is waited out, what only a person can mend is told at once."""

import pytest
from tests.watch.account import Account

from paperspace_mcp.contract.errors import CallerError, OperatorError, UpstreamError
from paperspace_mcp.rules.waiting import Verdict
from paperspace_mcp.simulator import Fault

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_trouble_that_passes(account: Account, status: int) -> None:
    event = await account.begin("stop", account.machine(state="ready"))
    account.sim.faults.add(Fault("status", "get_machine_event", times=6, after=3, status=status))
    (watched,) = await account.watch.wait([event], timeout_s=300)
    assert (watched.verdict, watched.failure) == (Verdict.DONE, None)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", "get_machine_event", times=None, after=2, status=429),
        Fault("status", "get_machine_event", times=None, after=2, status=503),
        Fault("malformed", "get_machine_event", times=None, after=2),
        Fault("close", "get_machine_event", times=None, after=2),
    ],
    ids=lambda fault: fault.kind,
)
async def test_trouble_that_stays_is_pending_with_its_failure(account: Account, fault: Fault) -> None:
    event = await account.begin("start", account.machine())
    account.sim.faults.add(fault)
    (watched,) = await account.watch.wait([event], timeout_s=45)
    assert watched.verdict is Verdict.PENDING
    assert isinstance(watched.failure, UpstreamError)
    assert watched.event is not None
    assert account.clock.at <= 50


async def test_trouble_from_the_first_look_on(account: Account) -> None:
    event = await account.begin("start", account.machine())
    account.sim.faults.add(Fault("status", "get_machine_event", times=None, status=503))
    (watched,) = await account.watch.wait([event], timeout_s=0)
    assert (watched.verdict, watched.event, watched.elapsed_s) == (Verdict.PENDING, None, None)
    assert isinstance(watched.failure, UpstreamError)


async def test_trouble_makes_looks_rarer(account: Account) -> None:
    account.sim.faults.add(Fault("status", "*", times=None, status=429, retry_after=100))
    await account.watch.wait(["e1"], timeout_s=60)
    assert account.reads["get_machine_event"] == 1


async def test_a_machine_that_cannot_be_read_for_a_while(account: Account) -> None:
    event = await account.begin("stop", account.machine(state="ready"))
    account.sim.faults.add(Fault("status", "get_machine", times=5, status=503))
    (watched,) = await account.watch.wait([event], timeout_s=300)
    assert (watched.verdict, watched.machine and watched.machine.state) == (Verdict.DONE, "off")


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [(401, OperatorError, "unauthorized"), (403, OperatorError, "forbidden"), (404, CallerError, "not_found")],
)
async def test_what_only_a_person_can_mend_settles_at_once(
    account: Account, status: int, kind: type[Exception], code: str
) -> None:
    event = await account.begin("start", account.machine())
    account.sim.faults.add(Fault("status", "get_machine_event", times=None, status=status))
    (watched,) = await account.watch.wait([event], timeout_s=300)
    assert (watched.verdict, watched.note, account.clock.at) == (Verdict.UNREADABLE, code, 0)
    assert isinstance(watched.failure, kind)
    account.sim.faults.clear()
    (mended,) = await account.watch.wait([event], timeout_s=0)
    assert mended.verdict is Verdict.PENDING


@pytest.mark.parametrize("event_id", ["no-such-event", "../machines", "", "a/b", "x" * 65])
async def test_an_id_that_is_none_settles_alone(account: Account, event_id: str) -> None:
    event = await account.begin("stop", account.machine(state="ready"))
    bad, good = await account.watch.wait([event_id, event], timeout_s=300)
    assert (bad.verdict, bad.event, good.verdict) == (Verdict.UNREADABLE, None, Verdict.DONE)
    assert isinstance(bad.failure, CallerError)


async def test_a_key_that_may_not_list_events_waits_by_the_machine(account: Account) -> None:
    event = await account.create(start=False)
    account.sim.faults.add(Fault("status", "list_machine_events", times=None, status=403))
    (watched,) = await account.watch.wait([event], timeout_s=300)
    assert (watched.verdict, watched.note) == (Verdict.DONE, "machine_off")


async def test_a_list_of_events_that_fails_for_a_while(account: Account) -> None:
    event = await account.create(start=False)
    account.sim.faults.add(Fault("status", "list_machine_events", times=5, status=503))
    (watched,) = await account.watch.wait([event], timeout_s=300)
    assert (watched.verdict, watched.note) == (Verdict.DONE, "machine_off")
