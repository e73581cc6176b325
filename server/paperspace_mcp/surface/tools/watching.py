"""Waiting inside a call, and how a watched event stands, as a view."""

from collections import Counter
from collections.abc import Sequence

from paperspace_mcp.rules.waiting import Verdict
from paperspace_mcp.surface import views
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.watch import Watched

FAILED = frozenset({Verdict.FAILED, Verdict.CANCELLED, Verdict.MACHINE_GONE})
"""What was begun will not come to its end any more."""


async def waited(desk: Desk, event_ids: Sequence[str], wait_seconds: float) -> list[Watched]:
    """Wait for events inside a call, as long as one call may; progress goes to a client that asked for it."""
    seconds = min(wait_seconds, desk.max_wait_s)

    async def progress(elapsed: float, watched: Sequence[Watched]) -> None:
        await desk.report(elapsed, seconds, _stand(watched))

    return await desk.watch.wait(event_ids, timeout_s=seconds, progress=progress)


def _stand(watched: Sequence[Watched]) -> str:
    """One event with its machine, or how many stand how."""
    if len(watched) != 1:
        return verdicts(watched)
    [one] = watched
    what = f"{views.text(one.event.name, 64)} {one.verdict.value}" if one.event else one.verdict.value
    return f"{what}, machine {views.text(one.machine.state, 40)}" if one.machine else what


def verdicts(watched: Sequence[Watched]) -> str:
    counts = Counter(one.verdict.value for one in watched)
    return ", ".join(f"{number} {verdict}" for verdict, number in counts.items())


def capped(desk: Desk, wait_seconds: float) -> str:
    """That a call may not wait so long as it was asked to; for what is still pending then."""
    return f" (capped at {desk.max_wait_s:.0f} s)" if wait_seconds - desk.max_wait_s >= 1 else ""


def watched_view(watched: Watched) -> views.WatchedView:
    """An event that could not be read has its id and the reason, and nothing invented."""
    machine = watched.machine
    fields = (
        views.event_fields(watched.event)
        if watched.event
        else {"id": views.text(watched.event_id), "name": "", "state": ""}
    )
    started = watched.start
    if started is not None and started.error and not fields.get("error"):
        fields["error"] = views.text(started.error, 512)
    return views.WatchedView(
        **fields,
        verdict=watched.verdict.value,
        elapsed_s=None if watched.elapsed_s is None else round(watched.elapsed_s, 1),
        typical_s=watched.typical_s,
        note=watched.note or None,
        machine_name=views.text(machine.name) if machine else None,
        machine_state=views.text(machine.state, 40) if machine else None,
        public_ip=views.text(machine.public_ip, 64) if machine else None,
    )
