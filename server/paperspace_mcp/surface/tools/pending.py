"""Waiting for a person: the code of a question is waited for like an event."""

import re

import anyio

from paperspace_mcp.rules.guard.records import Record, Status
from paperspace_mcp.surface import views
from paperspace_mcp.surface.desk import Desk

POLL_S = 1.0
_CODE = re.compile(r"[A-HJ-NP-TV-Z2-9]{4}")
_VERDICTS = {
    Status.OPEN: ("pending", "a person has not decided yet"),
    Status.APPROVED: ("done", "approved: repeat the call that it is for"),
    Status.SPENT: ("done", "approved and used"),
    Status.DECLINED: ("failed", "declined"),
    Status.MISTYPED: ("failed", "not confirmed"),
    Status.SUPERSEDED: ("failed", "done by another approval"),
}


async def codes_in(desk: Desk, ids: list[str]) -> list[str]:
    """Those of the ids that are codes of this caller's own questions; another's are not told apart from nothing."""
    looks = [one for one in dict.fromkeys(ids) if _CODE.fullmatch(one)]
    return [code for code in looks if await _mine(desk, code) is not None]


async def _mine(desk: Desk, code: str) -> Record | None:
    record = await desk.conduct.record(code)
    return record if record is not None and record.principal == desk.caller.principal else None


async def decided(desk: Desk, code: str, timeout_s: float) -> views.WatchedView:
    """How a question stands, as soon as it is decided or the time is up."""
    with anyio.move_on_after(timeout_s):
        while (record := await _mine(desk, code)) is not None and _open(desk, record):
            await anyio.sleep(POLL_S)
    record = await _mine(desk, code)
    if record is None:
        return views.WatchedView(id=code, name="approval", state="unknown", verdict="vanished")
    expired = record.status is Status.OPEN and not _open(desk, record)
    verdict, note = ("failed", "expired") if expired else _VERDICTS[record.status]
    return views.WatchedView(id=code, name="approval", state=record.status.value, verdict=verdict, note=note)


def _open(desk: Desk, record: Record) -> bool:
    return record.status is Status.OPEN and desk.conduct.waits(record)
