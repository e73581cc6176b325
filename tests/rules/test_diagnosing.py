"""One diagnosis from a state and events: a table of what is said when, and nothing at all that raises."""

from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest

from paperspace_mcp.contract.shapes import Event, Machine
from paperspace_mcp.rules import diagnosing
from paperspace_mcp.rules.diagnosing import Case, Doubt
from paperspace_mcp.rules.power import EVENT_STATES, MACHINE_STATES

NOW = 1_795_000_000.0
CAPACITY = "Uh oh. This machine type can't start due to insufficient capacity or higher than normal demand."


def date(seconds: float) -> str:
    return datetime.fromtimestamp(NOW - seconds, UTC).isoformat()


def machine(state: str, **fields: Any) -> Machine:
    return Machine(id="ps1", state=state, **fields)


def event(name: str, seconds: float = 7200, state: str = "done", **fields: Any) -> Event:
    """Made so many seconds ago; what has ended took 30 s."""
    ended = date(seconds - 30) if state in diagnosing.ENDED else None
    return Event(
        **{
            "id": f"{name}{seconds}",
            "name": name,
            "state": state,
            "dt_created": date(seconds),
            "dt_finished": ended,
            **fields,
        }
    )


@pytest.mark.parametrize(
    ("state", "events", "case"),
    [
        ("ready", [event("start")], Case.ON),
        ("serviceready", [event("start")], Case.ON),
        ("ready", [event("create")], Case.ON),
        ("ready", [event("stop")], Case.ON),
        ("ready", [], Case.ON),
        ("off", [event("stop")], Case.OFF),
        ("off", [event("vm-shutdown-force")], Case.OFF),
        ("off", [event("create")], Case.OFF),
        ("off", [event("start")], Case.OFF),
        ("off", [event("vm-upgrade", 100), event("stop")], Case.OFF),
        ("off", [], Case.OFF),
        ("off", [event("start", state="error", error=CAPACITY)], Case.NO_CAPACITY),
        ("off", [event("create", state="error", error=CAPACITY)], Case.NO_CAPACITY),
        ("off", [event("start", state="error", error="other")], Case.FAILED),
        ("off", [event("start", state="error")], Case.FAILED),
        ("ready", [event("start", state="error")], Case.ON),
        ("ready", [event("restart", state="error", error="no")], Case.FAILED),
        ("off", [event("stop", state="error")], Case.OFF),
        ("ready", [event("stop", state="error", error="no")], Case.FAILED),
        ("stopping", [event("stop", state="error", error="no")], Case.FAILED),
        ("off", [event("stop", 90), event("start", state="error", error=CAPACITY)], Case.OFF),
        ("starting", [event("start", 60, "in progress")], Case.RUNNING),
        ("off", [event("start", 2, "new")], Case.RUNNING),
        ("starting", [event("start", 601, "in progress")], Case.STUCK),
        ("ready", [event("brand-new", 60, "paused")], Case.RUNNING),
        ("stopping", [event("stop", 600)], Case.RUNNING),
        ("stopping", [event("stop", 700)], Case.STUCK),
        ("stopping", [], Case.RUNNING),
        ("ready", [event("stop", 35)], Case.RUNNING),
        ("ready", [event("stop", 45)], Case.ON),
        ("off", [event("start", 35)], Case.RUNNING),
        ("off", [event("start", 45)], Case.OFF),
        ("hibernated", [event("stop")], Case.UNKNOWN),
        ("ready", [event("stop", 60, "cancelled"), event("start")], Case.ON),
        ("off", [event("deactivate", 60, "in progress")], Case.RUNNING),
        ("off", [event("deactivate", 60)], Case.DELETED),
        ("ready", [event("bill-sessions", 5, "in progress"), event("start")], Case.ON),
        ("ready", [event("snapshot-create", 5, "in progress"), event("start")], Case.ON),
        ("ready", [event("start"), event("stop", 300)], Case.ON),
    ],
    ids=str,
)
def test_the_case(state: str, events: list[Event], case: Case) -> None:
    assert diagnosing.diagnose(machine(state), events, NOW).case is case


@pytest.mark.parametrize("turned", [False, True])
def test_the_order_of_the_list_does_not_matter(turned: bool) -> None:
    events = [event("stop", 7200), event("start", 300), event("create", 9000)]
    found = diagnosing.diagnose(machine("ready"), reversed(events) if turned else events, NOW)
    assert found.event == event("start", 300)


def test_since_is_the_end_of_what_turned_it() -> None:
    found = diagnosing.diagnose(machine("off"), [event("bill-sessions", 60), event("stop", 7200)], NOW)
    assert (found.since, found.event) == (NOW - 7170, event("stop", 7200))


def test_without_an_end_it_is_the_beginning() -> None:
    found = diagnosing.diagnose(machine("off"), [event("stop", 7200, dt_finished=None)], NOW)
    assert (found.since, found.doubts) == (NOW - 7200, frozenset({Doubt.UNFINISHED}))


@pytest.mark.parametrize(
    ("state", "events", "fields", "doubts"),
    [
        ("off", [event("stop")], {"auto_shutdown_enabled": True}, [Doubt.TIMER]),
        ("off", [event("stop")], {"auto_shutdown_enabled": False}, []),
        ("ready", [event("start")], {"auto_shutdown_enabled": True}, []),
        ("off", [event("create")], {"auto_shutdown_enabled": True}, []),
        ("off", [event("start")], {"auto_shutdown_enabled": True}, [Doubt.TIMER, Doubt.UNTOLD]),
        ("off", [event("start")], {}, [Doubt.UNTOLD]),
        ("ready", [event("stop")], {}, [Doubt.UNTOLD]),
        ("ready", [], {}, [Doubt.UNTOLD]),
        ("ready", [event("start")], {"updates_pending": True}, [Doubt.UPDATES]),
        ("ready", [event("stop", state="error", error=" ")], {}, [Doubt.TEXTLESS]),
        ("ready", [event("stop", state="error", error="no")], {}, []),
    ],
    ids=str,
)
def test_what_is_left_open(state: str, events: list[Event], fields: dict[str, Any], doubts: list[Doubt]) -> None:
    assert diagnosing.diagnose(machine(state, **fields), events, NOW).doubts == set(doubts)


def test_typical_beside_elapsed() -> None:
    found = diagnosing.diagnose(machine("stopping"), [event("stop", 10_800, "in progress")], NOW)
    assert (found.case, found.elapsed_s, found.typical_s) == (Case.STUCK, 10_800, 60)
    odd = diagnosing.diagnose(machine("ready"), [event("brand-new", 10, "new")], NOW)
    assert (odd.elapsed_s, odd.typical_s) == (10, None)


def test_a_provider_whose_clock_is_ahead() -> None:
    assert diagnosing.diagnose(machine("stopping"), [event("stop", -60, "new")], NOW).elapsed_s == 0


@pytest.mark.parametrize(
    ("known", "events", "since"),
    [
        (None, [event("deactivate", 600)], NOW - 570),
        (None, [event("deactivate", 600, "in progress")], NOW - 600),
        (None, [], None),
        (machine("off", dt_deleted=date(50)), [event("stop")], NOW - 50),
    ],
)
def test_deleted(known: Machine | None, events: list[Event], since: float | None) -> None:
    found = diagnosing.diagnose(known, events, NOW)
    assert (found.case, found.since) == (Case.DELETED, since)


NAMES = ("create", "start", "stop", "restart", "vm-upgrade", "deactivate", "bill-sessions", "brand-new")


def test_every_two_events_in_every_state_make_one_diagnosis() -> None:
    """Nothing raises, and no case contradicts what the provider says."""
    shapes = [*product(NAMES, (*EVENT_STATES, "odd"), (None,)), *product(NAMES, ("error",), (CAPACITY,))]
    for state, last, before in product((*MACHINE_STATES, "odd"), shapes, shapes):
        events = [event(one[0], ago, one[1], error=one[2]) for one, ago in ((last, 60), (before, 9000))]
        found = diagnosing.diagnose(machine(state), events, NOW)
        assert found.case is not Case.OFF or state == "off"
        assert found.case is not Case.ON or state in {"ready", "serviceready"}
        assert found.case is not Case.UNKNOWN or state == "odd"
        assert found.case not in {Case.FAILED, Case.NO_CAPACITY} or (found.event and found.event.state == "error")
        assert found.case is not Case.DELETED or found.event
        assert found.since is None or found.since <= NOW


@pytest.mark.parametrize(
    ("fields", "took"),
    [({}, 30), ({"dt_finished": None}, None), ({"dt_finished": "?"}, None), ({"dt_finished": date(9000)}, 0)],
)
def test_how_long_an_event_took(fields: dict[str, Any], took: float | None) -> None:
    assert diagnosing.took_s(event("stop", **fields)) == took
