"""What counts as waste: the signal, how long it lasts, and what is shown of many. Times are hours before now."""

from datetime import UTC, datetime
from typing import Any

import pytest

from paperspace_mcp.contract.shapes import Event, Machine, Reservation
from paperspace_mcp.rules import wasting
from paperspace_mcp.rules.wasting import Signal, Since, Turns, Waste, Windows

NOW = 1_795_000_000.0
WINDOWS = Windows.of(NOW, on_hours=72, off_days=14)
DISK = 50 * 2**30


def date(hours: float) -> str:
    return datetime.fromtimestamp(NOW - hours * 3600, UTC).isoformat()


def machine(**fields: Any) -> Machine:
    told = {"id": "ps1", "state": "ready", "auto_shutdown_enabled": False, "storage_total": DISK}
    return Machine(**{**told, "dt_created": date(10_000), **fields})


def event(name: str = "start", hours: float = 100, **fields: Any) -> Event:
    return Event(
        **{"id": f"e{hours}", "name": name, "state": "done", "machine_id": "ps1", "dt_created": date(hours), **fields}
    )


def turns(*events: Event) -> Turns:
    seen = Turns()
    for one in events:
        assert not seen.take(one)
    return seen


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, Signal.ON),
        *[({"state": state}, Signal.ON) for state in ("serviceready", "starting", "stopping", "provisioning")],
        ({"state": "unheard of"}, None),
        ({"auto_shutdown_enabled": True}, None),
        ({"auto_shutdown_enabled": None}, None),
        ({"dt_created": date(71)}, None),
        ({"dt_created": date(73)}, Signal.ON),
        ({"dt_created": "long ago"}, Signal.ON),
        ({"state": "off"}, Signal.OFF),
        ({"state": "off", "dt_created": date(13 * 24)}, None),
        ({"state": "off", "public_ip_type": "static"}, Signal.OFF_STATIC),
        ({"state": "off", "public_ip_type": "dynamic"}, Signal.OFF),
        ({"state": "off", "public_ip_type": "static", "storage_total": None}, Signal.STATIC),
        ({"state": "off", "storage_total": 0}, None),
    ],
)
def test_the_signal_of_settings_and_dates(fields: dict[str, Any], found: Signal | None) -> None:
    assert wasting.signal(machine(**fields), WINDOWS) == found


@pytest.mark.parametrize(
    ("events", "lasts"),
    [
        ([event(hours=100)], True),
        ([event(hours=71)], False),
        ([event("bill-sessions", 1), event(hours=100)], True),
        ([event("stop", 1), event(hours=100)], False),
        ([event("stop", 1, state="error", error="no"), event(hours=100)], True),
        ([event("stop", 1, state="error", error=" "), event(hours=100)], False),
        ([event("stop", 1, state="cancelled"), event(hours=100)], True),
        ([event("start", 1, machine_id="ps2"), event(hours=100)], True),
        ([event("start", 1, machine_id=None), event(hours=100)], True),
        ([event(dt_created="?"), event(hours=100)], False),
        ([event("bill-sessions", 71)], None),
        ([event(hours=100), event("bill-sessions", 1)], None),
        ([], None),
    ],
    ids=str,
)
def test_whether_it_lasts(events: list[Event], lasts: bool | None) -> None:
    """None: the events do not reach back, or came in another order."""
    assert wasting.lasts(machine(), Signal.ON, WINDOWS, turns(*events)) is lasts


def test_each_signal_has_its_window() -> None:
    seen = turns(event("stop", 10 * 24), event("create", 15 * 24))
    assert wasting.lasts(machine(), Signal.ON, WINDOWS, seen) is True
    assert wasting.lasts(machine(), Signal.OFF, WINDOWS, seen) is False
    assert WINDOWS.earliest == WINDOWS.off == Windows.of(NOW, 14 * 24, 1).on


@pytest.mark.parametrize(
    ("events", "signal", "since"),
    [
        ([], Signal.ON, Since(holds=True)),
        ([event("bill-sessions")], Signal.ON, Since(holds=True)),
        ([event("start", 100), event("stop", 200)], Signal.ON, Since(True, NOW - 360_000)),
        ([event("start", 100, dt_finished=date(99))], Signal.ON, Since(True, NOW - 99 * 3600)),
        ([event("restart", 100)], Signal.ON, Since(True, NOW - 360_000)),
        ([event("stop", 100)], Signal.ON, Since(False, NOW - 360_000)),
        ([event("start", 10)], Signal.ON, Since(False, NOW - 36_000)),
        ([event("stop", 1, state="cancelled"), event("start", 100)], Signal.ON, Since(True, NOW - 360_000)),
        ([event("stop", 400)], Signal.OFF, Since(True, NOW - 1_440_000)),
        ([event("create", 400)], Signal.OFF, Since(True, NOW - 1_440_000)),
        ([event("start", 400)], Signal.OFF, Since(False, NOW - 1_440_000)),
    ],
    ids=str,
)
def test_since_when(events: list[Event], signal: Signal, since: Since) -> None:
    assert wasting.since(events, signal, WINDOWS) == since


def on(name: str, usd: float | None, **fields: Any) -> Waste:
    return Waste(machine(id=name, name=name, **fields), Signal.ON, usd)


def off(name: str, disk: int, signal: Signal = Signal.OFF) -> Waste:
    return Waste(machine(id=name, name=name, state="off", storage_total=disk), signal)


def test_dearest_first_then_unknown_prices_then_disks() -> None:
    rows = [off("small", 1), on("odd", None), off("large", 9), on("cheap", 0.1), on("dear", 3.0), on("also", 0.1)]
    names = [one.machine.name for one in wasting.ranked(rows)]
    assert names == ["dear", "also", "cheap", "odd", "large", "small"]


@pytest.mark.parametrize(
    ("ons", "offs", "shown"), [(3, 2, (3, 2)), (30, 0, (25, 0)), (30, 3, (22, 3)), (30, 30, (20, 5)), (2, 30, (2, 23))]
)
def test_some_of_those_off_are_always_shown(ons: int, offs: int, shown: tuple[int, int]) -> None:
    rows = [*[on(f"a{n}", 1) for n in range(ons)], *[off(f"b{n}", 1) for n in range(offs)]]
    found = wasting.shown(wasting.ranked(rows))
    assert (sum(one.on for one in found), sum(not one.on for one in found)) == shown


def test_totals_leave_out_what_nobody_can_know() -> None:
    held = Reservation(id="r", is_active=True)
    over = Reservation(id="r", is_active=False)
    rows = [
        on("a", 1.5),
        on("b", 2.0, reservation=over),
        on("c", None),
        on("d", 3.0, reservation=held),
        off("e", 10, Signal.OFF_STATIC),
        off("f", 5),
        off("g", 0, Signal.STATIC),
    ]
    found = wasting.totals(rows)
    assert (found.on, found.off, found.usd_per_hour) == (4, 3, 3.5)
    assert (found.unpriced, found.reserved, found.disk_bytes, found.static_ips) == (1, 1, 15, 2)


def test_what_stopping_saves_is_known_only_of_what_is_on() -> None:
    assert wasting.waste(machine(machine_type="A4000"), Signal.ON).usd_per_hour == 0.76
    assert wasting.waste(machine(machine_type="A4000"), Signal.ON, {"A4000": 0.5}).usd_per_hour == 0.5
    assert wasting.waste(machine(machine_type="A4000"), Signal.OFF).usd_per_hour is None
