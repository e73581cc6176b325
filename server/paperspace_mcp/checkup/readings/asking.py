"""Sends the GETs, one after the other, and stops where going on would be rude or of no use."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import anyio

from paperspace_mcp.checkup import reaching
from paperspace_mcp.checkup.readings.answers import Answers, Unsettled
from paperspace_mcp.checkup.readings.gets import GETS, Ask, Get
from paperspace_mcp.checkup.rows import Level, Row
from paperspace_mcp.contract.errors import OperatorError
from paperspace_mcp.settings import Upstream
from paperspace_mcp.wire.probing import Probe, Seen

PART = "asking"
GET_S = 10.0
"""For one answer: the provider's description alone may be a megabyte."""
ALL_S = 90.0
PATIENCE = 3
"""So many requests without an answer, and no more are sent."""
UNAUTHORIZED, TOO_MANY = 401, 429
_HOPELESS = frozenset({"connection", "proxy", "unsendable"})


@dataclass(slots=True)
class Asked:
    """What was asked. stopped: why not all of it; `elapsed_s` is for everything."""

    answers: Answers
    stopped: list[Row] = field(default_factory=list)
    elapsed_s: float = 0.0

    @property
    def why(self) -> str:
        """Why the rest was not asked, in a few words; empty where all was."""
        return f"not asked ({self.stopped[0].about}: {self.stopped[0].seen})" if self.stopped else ""


async def ask(upstream: Upstream, *, transport: Any = None, gets: Sequence[Get] = GETS) -> Asked:
    """The answers to these GETs. `transport` is the embedded simulator. Nothing is raised for what goes wrong."""
    asked, began = Asked(Answers(datetime.now(UTC))), time.monotonic()
    try:
        with anyio.move_on_after(ALL_S) as limit:
            asked.stopped = await _asked(upstream, transport, asked.answers, gets)
        if limit.cancelled_caught:
            asked.stopped = [Row(PART, "stopped", Level.WARN, f"{ALL_S:g} s were over", "Try again later.")]
    except OperatorError as error:
        asked.stopped = [_fail(f"{error.facts.get('setting')} cannot be used", "Mend or unset it.")]
    asked.elapsed_s = time.monotonic() - began
    return asked


async def _asked(upstream: Upstream, transport: Any, answers: Answers, gets: Sequence[Get]) -> list[Row]:
    """Why it was broken off; nothing where all was asked."""
    probe = Probe(upstream, transport=transport, timeout_s=GET_S)
    try:
        for get in gets:
            if stopped := await _one(probe, upstream, answers, get):
                return stopped
    finally:
        with anyio.CancelScope(shield=True):
            await probe.aclose()
    return []


async def _one(probe: Probe, upstream: Upstream, answers: Answers, get: Get) -> list[Row]:
    """Send one, unless the answers so far say that it cannot be sent or need not be."""
    try:
        asking = get.ask(answers)
    except Unsettled as why:
        answers.leave(get.name, str(why))
        return []
    answers.sent += 1
    seen = await probe.get(asking.path, asking.query, key=upstream.key if asking.keyed else None)
    answers.take(get.name, seen)
    return _later(asking, seen, answers) if len(answers.asked) > 1 else _first(seen, upstream)


def _first(seen: Seen, upstream: Upstream) -> list[Row]:
    """The first answer says whether this is the API, and the key good; what else the rows tell is no reason to stop."""
    rows = reaching.answer(seen, upstream)
    good = not seen.trouble and any(row.about == "key" and row.level is Level.OK for row in rows)
    return [] if good else [row for row in rows if row.level is not Level.OK]


def _later(asking: Ask, seen: Seen, answers: Answers) -> list[Row]:
    if seen.trouble in _HOPELESS or sum(bool(one.trouble) for one in answers.asked) >= PATIENCE:
        return [_fail(f"no answers come any more ({seen.trouble})", "Try again.")]
    if seen.status == UNAUTHORIZED and asking.keyed:
        return [_fail("the API refuses the key now (401)", "Was it revoked just now?")]
    if seen.status == TOO_MANY:
        return [Row(PART, "stopped", Level.WARN, "the API limits requests (429)", "Try again in a few minutes.")]
    return []


def unasked() -> Asked:
    """Nothing is sent without a key."""
    row = Row(PART, "key", Level.FAIL, "none is found", "paperspace-mcp doctor tells where it is looked for.")
    return Asked(Answers(datetime.now(UTC)), [row])


def _fail(seen: str, do: str) -> Row:
    return Row(PART, "stopped", Level.FAIL, seen, do)
