"""What the fleet costs without a sign of use."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import anyio
from pydantic import Field

from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.errors import Failure, UpstreamError
from paperspace_mcp.contract.requests import PAGE_LIMIT, EventsQuery
from paperspace_mcp.contract.shapes import Event, Machine
from paperspace_mcp.rules import pricing, wasting
from paperspace_mcp.rules.guard.protection import matching
from paperspace_mcp.rules.waiting import seconds_of
from paperspace_mcp.rules.wasting import Signal, Since, Totals, Turns, Waste, Windows
from paperspace_mcp.surface import views
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.render import Answer
from paperspace_mcp.surface.tool import Tool
from paperspace_mcp.surface.tools import params
from paperspace_mcp.sweeping import sweep
from paperspace_mcp.walking import walk

EVENT_ROWS = 5_000
"""How far the account's events are read: 42 pages, in the time that a fleet of 10,000 machines takes anyway."""
AT_ONCE = 5
"""Machines whose own events are read at the same time."""

Globs = Annotated[list[Annotated[str, Field(max_length=params.NAME_CAP)]], Field(max_length=50)]


class WasteRow(views.View):
    id: str
    name: str
    signal: str
    since: str | None = None
    usd_per_hour: float | None = None
    disk_size_gb: float | None = None
    reserved: bool | None = None
    protected: bool | None = None


class WasteFound(views.Envelope):
    machines: list[WasteRow] | None = None
    found: int | None = None
    returned: int | None = None
    usd_per_hour: float | None = Field(default=None, description="Saved by stopping all that is found on.")
    usd_per_month: float | None = None
    unpriced: int | None = None
    reserved: int | None = None
    protected: int | None = None
    disk_size_gb: float | None = Field(default=None, description="Of all that is found off.")
    static_ips: int | None = None
    uncertain: int | None = None
    excluded: int | None = None
    signals: dict[str, str] | None = None
    events_since: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """The call's thresholds, and when the windows that follow from them begin."""

    on_hours: int
    off_days: int
    windows: Windows


@dataclass(slots=True)
class Found:
    """What was found, dearest first, and what had to be left out. dates: of the rows that are shown."""

    all: list[Waste]
    dates: dict[str, Since]
    uncertain: int
    excluded: int
    horizon: float

    @property
    def rows(self) -> list[Waste]:
        return [one for one in self.all if one.machine.id in self.dates]


async def find_waste(
    desk: Desk,
    min_off_days: Annotated[int, Field(description="Off for at least so many days.", ge=1, le=3650), params.Days] = 14,
    min_on_hours: Annotated[
        int, Field(description="On for at least so many hours.", ge=1, le=87600), params.Hours
    ] = 72,
    exclude_globs: Annotated[Globs, Field(description="Names to leave out.")] = [],  # noqa: B006 - the schema's default
) -> Answer:
    """Find machines on for long without an auto-shutdown timer, or off for long with a disk or static address. Each row
    names its signal and USD; whether a machine is at work, or whose it is, cannot be known. Stops nothing."""
    windows = Windows.of(desk.conduct.rooms.now(), min_on_hours, min_off_days)
    found = await _found(desk, windows, tuple(filter(str.strip, exclude_globs)))
    return _answer(desk, Asked(min_on_hours, min_off_days, windows), found)


async def _found(desk: Desk, windows: Windows, excluding: Sequence[str]) -> Found:
    candidates, turns = await _looked(desk, windows)
    verdicts = [(one, wasting.lasts(one.machine, one.signal, windows, turns)) for one in candidates]
    lasting = [one for one, verdict in verdicts if verdict]
    kept = [one for one in lasting if not matching(excluding, one.machine.name)]
    ranked = wasting.ranked(kept)
    dates = await _dates(desk, wasting.shown(ranked), windows)
    wrong = {machine_id for machine_id, since in dates.items() if not since.holds}
    return Found(
        all=[one for one in ranked if one.machine.id not in wrong],
        dates=dates,
        uncertain=sum(verdict is None for _, verdict in verdicts) + len(wrong),
        excluded=len(lasting) - len(kept),
        horizon=turns.horizon,
    )


async def _looked(desk: Desk, windows: Windows) -> tuple[list[Waste], Turns]:
    """The machines whose settings show a signal, and the account's power events: both lists at the same time."""
    candidates, turns = list[Waste](), Turns()

    def see(machine: Machine) -> None:
        if signal := wasting.signal(machine, windows):
            candidates.append(wasting.waste(machine, signal, desk.prices))

    async def fleet() -> None:
        swept = await sweep(desk.conduct, see)
        if not swept.complete:
            raise UpstreamError("fleet_unreadable", facts={"seen": swept.machines})

    await _together(fleet, partial(_events, desk, windows, turns))
    return candidates, turns


async def _events(desk: Desk, windows: Windows, turns: Turns) -> None:
    """The account's events back to the longer window, or as far as one call goes."""

    def beyond(event: Event) -> bool:
        return (seconds_of(event.dt_created) or windows.earliest) < windows.earliest

    query = EventsQuery(order="desc", limit=PAGE_LIMIT)
    await walk(desk.conduct, catalogue.LIST_MACHINE_EVENTS, query, rows=EVENT_ROWS, keep=turns.take, beyond=beyond)


async def _together(*readings: Callable[[], Awaitable[None]]) -> None:
    """All of them at once. Raises the first `Failure`, and ends the others then."""
    failures = list[Failure]()

    async def one(reading: Callable[[], Awaitable[None]], scope: anyio.CancelScope) -> None:
        try:
            await reading()
        except Failure as failure:
            failures.append(failure)
            scope.cancel()

    async with anyio.create_task_group() as tasks:
        for reading in readings:
            tasks.start_soon(one, reading, tasks.cancel_scope)
    if failures:
        raise failures[0]


async def _dates(desk: Desk, shown: Sequence[Waste], windows: Windows) -> dict[str, Since]:
    """What the machines' own events say of the rows of an answer, by id."""
    dates, limit = dict[str, Since](), anyio.CapacityLimiter(AT_ONCE)

    async def one(waste: Waste) -> None:
        async with limit:
            events = await _own_events(desk, waste.machine.id)
        dates[waste.machine.id] = wasting.since(events, waste.signal, windows)

    await _together(*(partial(one, waste) for waste in shown))
    return dates


async def _own_events(desk: Desk, machine_id: str) -> list[Event]:
    """The newest page of one machine's events."""
    query = EventsQuery(machine_id=machine_id, order="desc", limit=PAGE_LIMIT)
    return (await desk.conduct.read(catalogue.LIST_MACHINE_EVENTS, {}, query)).items


def _answer(desk: Desk, asked: Asked, found: Found) -> Answer:
    total = wasting.totals(found.all)
    data = {
        "machines": [_row(desk, one, found.dates[one.machine.id].at) for one in found.rows],
        **_numbers(total, found),
        "protected": sum(desk.protected(one.machine) for one in found.all) or None,
        "signals": _signals(asked, found.all) or None,
        "events_since": _utc(found.horizon),
    }
    return Answer(_said(asked, total, found), data, next=_next(total), rows="machines")


def _row(desk: Desk, waste: Waste, since: float | None) -> WasteRow:
    machine = waste.machine
    return WasteRow(
        id=views.text(machine.id) or "",
        name=views.text(machine.name) or "",
        signal=waste.signal.value,
        since=_utc(since),
        usd_per_hour=waste.usd_per_hour,
        disk_size_gb=None if waste.on else views.gib(machine.storage_total),
        reserved=(waste.on and waste.reserved) or None,
        protected=desk.protected(machine) or None,
    )


def _utc(seconds: float | None) -> str | None:
    if seconds is None or seconds == float("inf"):
        return None
    return views.utc(datetime.fromtimestamp(seconds, UTC).isoformat())


def _numbers(total: Totals, found: Found) -> Mapping[str, object]:
    usd = round(total.usd_per_hour, 4)
    return {
        "found": len(found.all),
        "returned": len(found.rows),
        "usd_per_hour": usd,
        "usd_per_month": pricing.per_month(usd),
        "unpriced": total.unpriced or None,
        "reserved": total.reserved or None,
        "disk_size_gb": views.gib(total.disk_bytes),
        "static_ips": total.static_ips,
        "uncertain": found.uncertain or None,
        "excluded": found.excluded or None,
    }


def _signals(asked: Asked, found: Sequence[Waste]) -> dict[str, str]:
    """What each signal in the rows says, and what it does not."""
    off = f"off; no power event for {asked.off_days} d; billed all the same, at a price that the API does not tell:"
    meanings = {
        Signal.ON: f"on; auto-shutdown off; no start, stop or restart for {asked.on_hours} h",
        Signal.OFF: f"{off} a disk",
        Signal.OFF_STATIC: f"{off} a disk and a static address",
        Signal.STATIC: f"{off} a static address",
    }
    present = {one.signal for one in found}
    return {signal.value: words for signal, words in meanings.items() if signal in present}


def _said(asked: Asked, total: Totals, found: Found) -> str:
    usd = pricing.words(round(total.usd_per_hour, 2))
    on = f"{total.on:,} on for {asked.on_hours} h or more without an auto-shutdown timer: stopping saves {usd}"
    off = f"{total.off:,} off for {_count(asked.off_days, 'day')} or more"
    disks = f" that keep {views.gib(total.disk_bytes):,.0f} GB of disk and {_count(total.static_ips, 'static address')}"
    parts = [f"{on}{_beside(total)}" if total.on else f"0 on for {asked.on_hours} h or more without a timer"]
    parts.append(f"{off}{disks if total.off else ''}")
    return f"{'; '.join(parts)}.{_left_out(found)}"


def _beside(total: Totals) -> str:
    """What the sum leaves out."""
    unknown = f"; the price of {total.unpriced:,} is unknown" if total.unpriced else ""
    reserved = f"; {total.reserved:,} reserved, not in the sum" if total.reserved else ""
    return f"{unknown}{reserved}"


def _left_out(found: Found) -> str:
    if not found.uncertain:
        return ""
    reached = _utc(found.horizon)
    back = f"events were read back to {reached}" if reached else "the events do not tell"
    return f" Left out: {_count(found.uncertain, 'machine')} of which it is not known for how long ({back})."


def _count(number: int, noun: str) -> str:
    plural = "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}{'' if number == 1 else plural}"


def _next(total: Totals) -> str:
    on = "stop_machine or power_machines stops, update_machine sets auto-shutdown." if total.on else ""
    off = "delete_machine gives up a disk for good; a static address stays billed after it." if total.off else ""
    load = "A machine that is on may be at work: ask its people (list_machine_accessors)." if total.on else ""
    return " ".join(filter(None, (load, on, off)))


WASTE: tuple[Tool, ...] = (Tool(find_waste, "Find waste", WasteFound),)
