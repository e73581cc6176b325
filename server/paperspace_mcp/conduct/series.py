"""The steps of a plan that need each other: one after another, each once, each after the one before took effect."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, suppress
from functools import partial

import anyio

from paperspace_mcp.conduct.outcomes import Outcome, dump_outcomes, load_outcomes
from paperspace_mcp.conduct.parts import Rooms
from paperspace_mcp.conduct.pauses import Pauses
from paperspace_mcp.conduct.steps import Steps
from paperspace_mcp.conduct.storing import stored
from paperspace_mcp.contract.errors import Failure, OperatorError, Refusal
from paperspace_mcp.rules.guard import plans
from paperspace_mcp.rules.guard.plans import Step
from paperspace_mcp.rules.guard.records import INBOX_S, Record

BROKEN_OFF_S = 60.0
"""From when on a step without an outcome counts as broken off: its reads and its one request have timed out by then."""


class Series:
    """The steps of one spent record.

    busy: entered while a step is between its intent and its outcome. judge: raises where the policy says no by now.
    """

    def __init__(
        self,
        rooms: Rooms,
        record: Record,
        busy: Callable[[], AbstractContextManager[None]],
        judge: Callable[[], Awaitable[object]],
    ) -> None:
        self._rooms, self._record, self._busy, self._judge = rooms, record, busy, judge
        self._plan = plans.load(record.plan)
        self._done = load_outcomes(record.outcome)
        self._facts = {"approval": record.code}

    async def run(self, pauses: Pauses, *, judged: bool) -> list[Outcome]:
        """Take the steps that are left. `judged`: the policy has just let the first of them through.

        Raises:
            Refusal: the policy says no by now, or `unfinished`: a step is under way, or may be.
        """
        if self._done and self._done[-1].status != "done" and not await self._found():
            return self._done
        for step in self._plan.steps[len(self._done) :]:
            if self._done and not await self._ready(pauses):
                break
            if self._done or not judged:
                await self._still()
            with anyio.CancelScope(shield=True):  # a client that hangs up must not leave a sent step unwritten
                await self._take(step)
            if self._done[-1].status != "done":
                break
        return self._done

    async def look_again(self) -> list[Outcome]:
        """Look once more for the trace of a step whose answer was lost; the outcomes as they are known now."""
        lost, step = self._done[-1], self._plan.steps[len(self._done) - 1]
        after = [*self._done[:-1], await Steps(self._rooms).reconciled(self._record, step, lost)]
        if after[-1].status == "done":
            await self._note(after, settled=True)
        return after

    async def _found(self) -> bool:
        """Whether a step that was begun long ago, and whose outcome nobody wrote down, is seen in the account."""
        begun, step = self._done[-1], self._plan.steps[len(self._done) - 1]
        if begun.status != "intent" or not BROKEN_OFF_S <= self._rooms.now() - begun.at <= INBOX_S:
            raise Refusal("unfinished", changed="unknown", facts=self._facts)
        outcome = await Steps(self._rooms).broken_off(self._record, step, begun)
        if not await self._end(outcome):
            raise Refusal("unfinished", changed="unknown", facts=self._facts)
        return outcome.status == "done"

    async def _still(self) -> None:
        try:
            await self._judge()
        except Refusal as refusal:
            raise Refusal(refusal.code, changed="yes" if self._done else "no", facts=refusal.facts) from None

    async def _take(self, step: Step) -> None:
        """One step: intent written down, target re-read, sent once, outcome written down."""
        target_id = step.target.id if step.target else ""
        intent = Outcome(step.operation, "intent", target_id, at=self._rooms.now())
        if not await self._note([*self._done, intent]):
            raise Refusal("unfinished", changed="unknown", facts=self._facts)  # another call is at it
        with self._busy():
            outcome = await Steps(self._rooms).take(self._record, step)
        with suppress(OperatorError):  # what happened is told, also where it cannot be written down any more
            if made := outcome.made:
                await stored(partial(self._rooms.store.landed, self._record.code, made))
            await self._end(outcome)
        self._done = [*self._done[:-1], outcome]

    async def _end(self, outcome: Outcome) -> bool:
        """Write down what became of the step that was begun last."""
        after = [*self._done[:-1], outcome]
        ended = outcome.status != "done" or len(after) == len(self._plan.steps)
        return await self._note(after, settled=ended, repeatable=outcome.status in {"failed", "changed"})

    async def _ready(self, pauses: Pauses) -> bool:
        """Wait until the last step has taken effect on the target of the next; False when it takes longer, or fails.

        One that has failed ends the plan: the same call is asked about anew.
        """
        last = self._done[-1]
        before, step = self._plan.steps[len(self._done) - 1 : len(self._done) + 1]
        steps, ends = Steps(self._rooms), pauses.ends(before.awaits)
        try:
            with anyio.CancelScope(deadline=ends):
                while not await steps.finished(last) or await steps.moved(step.target) == ["state"]:
                    await pauses.rest(self._rooms.settling_poll_s, ends, f"{before.operation} is under way")
                return True
        except Failure as failure:
            if failure.code == "step_failed":
                await self._note(self._done, settled=True, repeatable=True)
        return False

    async def _note(self, after: list[Outcome], *, settled: bool = False, repeatable: bool = False) -> bool:
        """Write the outcomes down, unless another call has meanwhile."""
        store, before = self._rooms.store, dump_outcomes(self._done)
        note = partial(store.note, self._record.code, before, dump_outcomes(after), settled=settled)
        noted = await stored(partial(note, repeatable=repeatable))
        if noted:
            self._done = after
        return noted
