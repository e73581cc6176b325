"""The waits between the steps of a plan: one deadline for all those of a call, and reports meanwhile."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import anyio

REPORT_EVERY_S = 3.0
"""A client hears at least every 5 s, and the steps look every 2."""
REPORT_WITHIN_S = 2.0
"""A report that a client does not take in that time is given up; the wait goes on."""

Report = Callable[[float, float, str], Awaitable[None]]


async def _unheard(_elapsed: float, _total: float, _message: str) -> None:
    """Nobody asked for progress."""


class Pauses:
    """The waits of one call, from now on.

    most_s: how long they may take altogether. report: elapsed and total seconds and a message, for the client.
    """

    def __init__(self, most_s: float = float("inf"), report: Report = _unheard) -> None:
        self._most_s, self._report = most_s, report
        self._begun = self._due = anyio.current_time()

    def ends(self, within_s: float) -> float:
        """Until when a step may be waited for that takes so long at most; a moment of the event loop."""
        return self._begun + min(within_s, self._most_s)

    async def rest(self, seconds: float, ends: float, message: str) -> None:
        """Sleep between two looks, and tell the client now and then."""
        now = anyio.current_time()
        if now >= self._due:
            self._due = now + REPORT_EVERY_S
            with suppress(Exception), anyio.move_on_after(REPORT_WITHIN_S):
                await self._report(now - self._begun, round(ends - self._begun, 1), message)
        await anyio.sleep(seconds)
