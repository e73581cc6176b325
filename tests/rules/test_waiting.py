"""The waiting rule as a table: what a sighting means, and how long to rest."""

from dataclasses import replace
from typing import Any

import pytest

from paperspace_mcp.contract.errors import CallerError, OperatorError, UpstreamError
from paperspace_mcp.contract.shapes import Event, Machine
from paperspace_mcp.rules import waiting
from paperspace_mcp.rules.waiting import Pending, Settled, Sighting, Sleep, Verdict

CREATED, FINISHED = "2026-11-23T10:00:00.000Z", "2026-11-23T10:01:00.000Z"
END = waiting.seconds_of(FINISHED) or 0.0
NOW = END + 1
NO_ROOM = "Uh oh. This machine type can't start due to insufficient capacity or higher than normal demand."


def an_event(name: str = "start", state: str = "done", **fields: Any) -> Event:
    finished = FINISHED if state in {"done", "error", "cancelled"} else None
    given = {"machine_id": "m1", "dt_created": CREATED, "dt_started": CREATED, "dt_finished": finished, **fields}
    return Event(id="e1", name=name, state=state, **given)


def seen(name: str = "start", state: str = "done", *, machine: str | None = None, **fields: Any) -> Sighting:
    sighting = Sighting().with_event(an_event(name, state, **fields), NOW)
    return sighting if machine is None else sighting.with_machine(Machine(id="m1", state=machine))


@pytest.mark.parametrize(
    ("sighting", "settled"),
    [
        (seen("start", machine="ready"), Settled(Verdict.DONE)),
        (seen("create", machine="ready"), Settled(Verdict.DONE)),
        (seen("restart", machine="ready"), Settled(Verdict.DONE)),
        (seen("stop", machine="off"), Settled(Verdict.DONE)),
        (seen("vm-upgrade"), Settled(Verdict.DONE)),
        (seen("some-new-event"), Settled(Verdict.DONE)),
        (seen("start", machine="ready", dt_finished=None), Settled(Verdict.DONE)),
        (seen("start", machine_id=None), Settled(Verdict.DONE, "machine_unknown")),
        (seen("start", "error", error=NO_ROOM), Settled(Verdict.FAILED, "capacity")),
        (seen("start", "error", error="We are OUT OF CAPACITY"), Settled(Verdict.FAILED, "capacity")),
        (seen("start", "error", error="Disk on fire"), Settled(Verdict.FAILED)),
        (seen("start", "cancelled"), Settled(Verdict.CANCELLED)),
        (replace(seen("deactivate"), machine_missing=True), Settled(Verdict.DONE, "machine_deleted")),
        (replace(seen("start"), machine_missing=True), Settled(Verdict.MACHINE_GONE, "machine_deleted")),
        (seen("deactivate", machine_id=None), Settled(Verdict.DONE)),
        (replace(seen("start", "in progress"), event_missing=True), Settled(Verdict.VANISHED, "vanished")),
        (Sighting().with_failure(CallerError("not_found")), Settled(Verdict.UNREADABLE, "not_found")),
        (Sighting().with_failure(CallerError("bad_argument")), Settled(Verdict.UNREADABLE, "bad_argument")),
        (Sighting().with_failure(OperatorError("unauthorized")), Settled(Verdict.UNREADABLE, "unauthorized")),
        (seen("start").with_machine_failure(OperatorError("forbidden")), Settled(Verdict.UNREADABLE, "forbidden")),
    ],
)
def test_over(sighting: Sighting, settled: Settled) -> None:
    assert waiting.next(sighting, NOW) == settled
    assert waiting.next(replace(sighting, time_left_s=0), NOW) == settled


@pytest.mark.parametrize(
    ("sighting", "note"),
    [
        (Sighting(), "unread"),
        (seen("start", "new"), ""),
        (seen("start", "in progress"), ""),
        (seen("start", "a state of tomorrow"), ""),
        (seen("start"), "event_done_machine_not_ready"),
        (seen("start", machine="starting"), "event_done_machine_not_ready"),
        (seen("start", machine="serviceready"), "event_done_machine_not_ready"),
        (seen("start", machine="off"), "event_done_machine_not_ready"),
        (seen("restart", machine="restarting"), "event_done_machine_not_ready"),
        (seen("create", machine="provisioning"), "event_done_machine_not_ready"),
        (seen("create", machine="off"), "event_done_machine_not_ready"),
        (seen("stop", machine="stopping"), "event_done_machine_not_off"),
        (seen("stop", machine="ready"), "event_done_machine_not_off"),
        (seen("deactivate", machine="off"), ""),
        (seen("start", "error"), "error_without_text"),
        (seen("start", "error", error="  "), "error_without_text"),
        (Sighting().with_failure(UpstreamError("rate_limited")), ""),
        (seen("start", "in progress").with_failure(UpstreamError("unreachable")), ""),
        (seen("start").with_machine_failure(UpstreamError("upstream_error")), "event_done_machine_not_ready"),
    ],
)
def test_runs_on(sighting: Sighting, note: str) -> None:
    assert isinstance(waiting.next(sighting, NOW), Sleep)
    assert waiting.next(replace(sighting, time_left_s=0), NOW) == Pending(note)


@pytest.mark.parametrize(
    ("name", "machine", "patience_s", "note"),
    [
        ("start", "off", waiting.LAG_S, "event_done_machine_not_ready"),
        ("start", "starting", waiting.READY_WITHIN_S, "event_done_machine_not_ready"),
        ("create", "off", waiting.LAG_S, "machine_off"),
        ("create", "provisioning", waiting.READY_WITHIN_S, "event_done_machine_not_ready"),
        ("stop", "ready", waiting.LAG_S, "event_done_machine_not_off"),
        ("stop", "stopping", waiting.READY_WITHIN_S, "event_done_machine_not_off"),
        ("deactivate", "off", waiting.LAG_S, ""),
    ],
)
def test_patience_with_a_machine_that_does_not_follow(name: str, machine: str, patience_s: float, note: str) -> None:
    sighting = seen(name, machine=machine)
    assert isinstance(waiting.next(sighting, END + patience_s - 0.5), Sleep)
    assert waiting.next(sighting, END + patience_s) == Settled(Verdict.DONE, note)


def test_patience_counts_from_the_first_sight_where_the_provider_gives_no_end() -> None:
    sighting = seen("start", machine="off", dt_finished=None)
    assert isinstance(waiting.next(sighting, NOW + waiting.LAG_S - 1), Sleep)
    assert isinstance(waiting.next(sighting, NOW + waiting.LAG_S), Settled)


def test_patience_does_not_outlast_a_clock_that_is_behind() -> None:
    early = END - 3600
    sighting = Sighting().with_event(an_event(), early).with_machine(Machine(id="m1", state="off"))
    assert isinstance(waiting.next(sighting, early + waiting.LAG_S - 1), Sleep)
    assert isinstance(waiting.next(sighting, early + waiting.LAG_S), Settled)


def test_a_restart_that_is_done_in_no_time_has_not_begun_on_the_machine() -> None:
    made = waiting.seconds_of(CREATED) or 0.0
    event = an_event("restart", dt_finished="2026-11-23T10:00:02.000Z")
    still_ready = Sighting().with_event(event, made + 3).with_machine(Machine(id="m1", state="ready"))
    assert isinstance(waiting.next(still_ready, made + 3), Sleep)
    assert waiting.next(still_ready, made + 11) == Settled(Verdict.DONE)


def test_a_textless_error_is_believed_at_the_second_look_two_seconds_later() -> None:
    first = seen("start", "error")
    assert waiting.next(first, NOW) == Sleep(2.0)
    too_soon = first.with_event(an_event(state="error"), NOW + 1)
    assert isinstance(waiting.next(too_soon, NOW + 1), Sleep)
    second = first.with_event(an_event(state="error"), NOW + 2)
    assert waiting.next(second, NOW + 2) == Settled(Verdict.FAILED, "error_without_text")


def test_a_textless_error_that_passes_is_forgotten() -> None:
    recovered = seen("start", "error").with_event(an_event(state="in progress"), NOW + 2)
    assert isinstance(waiting.next(recovered, NOW + 2), Sleep)
    again = recovered.with_event(an_event(state="error"), NOW + 4)
    assert waiting.next(again, NOW + 4) == Sleep(2.0)


def test_an_old_textless_error_needs_one_look() -> None:
    assert waiting.next(seen("start", "error"), END + 30) == Settled(Verdict.FAILED, "error_without_text")


def test_a_text_that_comes_late_is_told() -> None:
    told = seen("start", "error").with_event(an_event(state="error", error=NO_ROOM), NOW + 2)
    assert waiting.next(told, NOW + 2) == Settled(Verdict.FAILED, "capacity")


@pytest.mark.parametrize(
    ("start", "settled"),
    [
        (None, Settled(Verdict.DONE, "machine_off")),
        (an_event("start", "error", error=NO_ROOM), Settled(Verdict.FAILED, "capacity")),
        (an_event("start", "error", error="Disk on fire"), Settled(Verdict.FAILED, "start_failed")),
        (an_event("start", "in progress"), None),
        (an_event("start", "error"), None),
        (an_event("start", "error", dt_created="2026-11-24T10:00:00Z"), Settled(Verdict.DONE, "machine_off")),
        (an_event("stop", "error"), Settled(Verdict.DONE, "machine_off")),
    ],
)
def test_a_created_machine_that_is_off(start: Event | None, settled: Settled | None) -> None:
    sighting = seen("create", machine="off").with_machine_events([start] if start else [])
    step = waiting.next(sighting, NOW)
    assert step == settled or (settled is None and isinstance(step, Sleep))


def test_rests_grow_from_one_to_five_seconds() -> None:
    sighting, rests = Sighting(), []
    for _ in range(7):
        sighting = sighting.with_event(an_event(state="in progress"), NOW)
        step = waiting.next(sighting, NOW)
        rests.append(step.seconds if isinstance(step, Sleep) else None)
    assert rests == [1.0, 1.5, 2.25, 3.375, 5.0, 5.0, 5.0]


def test_a_rest_ends_with_the_time() -> None:
    assert waiting.next(replace(seen(state="new"), looks=9, time_left_s=0.25), NOW) == Sleep(0.25)


def test_rests_after_failures_are_longer_and_heed_the_provider() -> None:
    sighting, rests = seen("start", "in progress"), []
    for _ in range(5):
        sighting = sighting.with_failure(UpstreamError("upstream_error"))
        rests.append(waiting.next(sighting, NOW))
    assert rests == [Sleep(5), Sleep(10), Sleep(20), Sleep(30), Sleep(30)]
    told = sighting.with_failure(UpstreamError("rate_limited", facts={"retry_after_s": 90}))
    assert waiting.next(told, NOW) == Sleep(90)


def test_failures_of_the_machine_slow_down_too_and_success_forgets_them() -> None:
    sighting = seen("start")
    for _ in range(2):
        sighting = sighting.with_event(an_event(), NOW).with_machine_failure(UpstreamError("upstream_error"))
    assert waiting.next(sighting, NOW) == Sleep(10)
    back = sighting.with_event(an_event(), NOW).with_machine(Machine(id="m1", state="ready"))
    assert (back.failures, waiting.next(back, NOW)) == (0, Settled(Verdict.DONE))


def test_a_failed_look_settles_nothing_by_what_was_seen_before() -> None:
    stale = seen("start", machine="off").with_failure(UpstreamError("unreachable"))
    assert isinstance(waiting.next(stale, END + 60), Sleep)


def test_only_a_404_on_an_event_that_was_seen_is_a_vanishing() -> None:
    gone = seen("start", "in progress").with_failure(CallerError("not_found"))
    assert (gone.event_missing, gone.failure) == (True, None)
    assert not gone.with_event(an_event(), NOW).event_missing


@pytest.mark.parametrize(
    ("sighting", "read"),
    [
        (Sighting(), False),
        (seen("start", "in progress"), False),
        (seen("start"), True),
        (seen("create"), True),
        (seen("restart"), True),
        (seen("stop"), True),
        (seen("deactivate"), True),
        (seen("vm-upgrade"), False),
        (seen("start", machine_id=None), False),
        (seen("start", "error"), False),
        (seen("start", "cancelled"), False),
        (replace(seen("start", "in progress"), event_missing=True), True),
    ],
)
def test_the_machine_is_read_only_where_it_decides(sighting: Sighting, read: bool) -> None:
    assert waiting.machine_to_read(sighting, NOW) == ("m1" if read else None)


def test_an_event_that_runs_far_too_long_is_asked_for_its_machine() -> None:
    stuck = seen("start", "in progress")
    assert waiting.machine_to_read(stuck, END + waiting.OVERDUE_S + 1) == "m1"
    deleted = stuck.with_machine_failure(CallerError("not_found"))
    assert waiting.next(deleted, NOW) == Settled(Verdict.MACHINE_GONE, "machine_deleted")


def _at_the_address(looks: int, kind: str = "dynamic", state: str = "ready", at: str | None = None) -> Sighting:
    sighting = seen("start")
    for _ in range(looks):
        sighting = sighting.with_machine(Machine(id="m1", state=state, public_ip_type=kind, public_ip=at))
    return sighting


def test_a_dynamic_address_is_waited_for_a_little() -> None:
    for looks in range(1, waiting.ADDRESS_LOOKS):
        early = _at_the_address(looks)
        assert isinstance(waiting.next(early, NOW), Sleep)
        assert waiting.next(replace(early, time_left_s=0), NOW) == Settled(Verdict.DONE, "no_public_ip_yet")
        assert waiting.next(early, END + waiting.READY_WITHIN_S) == Settled(Verdict.DONE, "no_public_ip_yet")
    late = _at_the_address(waiting.ADDRESS_LOOKS)
    assert waiting.next(late, NOW) == Settled(Verdict.DONE, "no_public_ip_yet")
    come = late.with_machine(Machine(id="m1", state="ready", public_ip_type="dynamic", public_ip="192.0.2.1"))
    assert waiting.next(come, NOW) == Settled(Verdict.DONE)


@pytest.mark.parametrize("kind", ["none", "static"])
def test_no_other_address_is_waited_for(kind: str) -> None:
    assert waiting.next(_at_the_address(1, kind), NOW) == Settled(Verdict.DONE)


def test_a_tombstone_is_a_deleted_machine() -> None:
    sighting = seen("deactivate").with_machine(Machine(id="m1", state="off", dt_deleted=FINISHED))
    assert waiting.next(sighting, NOW) == Settled(Verdict.DONE, "machine_deleted")


@pytest.mark.parametrize(
    ("sighting", "elapsed"),
    [
        (seen("start", "in progress"), 61.0),
        (seen("start"), 60.0),
        (seen("start", "new", dt_created=None), 61.0),
        (seen("start", "new", dt_created="not a date", dt_started=None), None),
        (seen("start", "new", dt_created="2026-11-23T12:00:00Z"), 0.0),
        (seen("start", "new", dt_created="2026-11-23T10:00:31"), 30.0),
        (seen("start", dt_finished=None), None),
        (seen("start", "new").with_event(an_event(dt_finished=None), NOW + 4), 65.0),
        (Sighting(), None),
    ],
)
def test_elapsed(sighting: Sighting, elapsed: float | None) -> None:
    assert waiting.elapsed_s(sighting, NOW) == elapsed


def test_what_is_remembered_for_latecomers() -> None:
    lasting = {verdict for verdict in Verdict if Settled(verdict).lasts}
    assert lasting == {Verdict.DONE, Verdict.FAILED, Verdict.CANCELLED}
    assert not Settled(Verdict.FAILED, "error_without_text").lasts
