"""The steps of a plan that need no other: several at once, each claimed once, and each told for itself.

A step is claimed in the record before it is sent, so two calls that go on with one approval share its steps out
between them, and a step whose call was broken off is looked for in the account and never sent again.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from functools import partial

import anyio

from paperspace_mcp.conduct.judging import refused
from paperspace_mcp.conduct.outcomes import Outcome, dump_outcomes, load_outcomes
from paperspace_mcp.conduct.parts import Rooms, owner
from paperspace_mcp.conduct.steps import Steps
from paperspace_mcp.conduct.storing import stored
from paperspace_mcp.contract.errors import Failure, OperatorError, Refusal
from paperspace_mcp.rules.guard import plans
from paperspace_mcp.rules.guard.plans import Step
from paperspace_mcp.rules.guard.records import Record

AT_ONCE = 8
"""Steps under way at the same time, of one plan."""
PATIENCE_S = 20.0
"""How long one call rests altogether where the provider limits its rate; what is left is for the next call."""
PAUSE_S = 1.0
"""How long it rests where the provider does not say."""
OTHERS_S = 10.0
"""How long steps that another call has sent are waited for before they count as broken off."""

LEFT = "left"
"""The status of a step that was not begun, in what is told. It is never written down: a later call takes the step."""
_OPEN = frozenset({"intent"})
Change = Callable[[list[Outcome]], list[Outcome] | None]


@dataclass(slots=True)
class _Pace:
    """Whether more may be begun, and from when on. Moments are the event loop's."""

    from_moment: float = 0.0
    patience_s: float = PATIENCE_S
    ended: str = ""

    def heed(self, outcome: Outcome) -> None:
        """The provider limits the rate: everybody rests as long as it says, or nothing more is begun."""
        if outcome.code != "rate_limited":
            return
        pause_s = float(outcome.facts.get("retry_after_s") or PAUSE_S)
        self.patience_s -= pause_s
        self.ended = self.ended or ("rate_limited" if self.patience_s < 0 else "")
        self.from_moment = max(self.from_moment, anyio.current_time() + pause_s)


class Batch:
    """The steps of one spent record. `busy` is entered while a step is between its intent and its outcome."""

    def __init__(self, rooms: Rooms, record: Record, busy: Callable[[], AbstractContextManager[None]]) -> None:
        self._rooms, self._record, self._busy = rooms, record, busy
        self._plan = plans.load(record.plan)
        self._told = {one.target_id: one for one in load_outcomes(record.outcome)}
        self._mine: dict[str, Outcome] = {}
        self._lock = anyio.Lock()
        self._pace = _Pace()

    async def run(self) -> list[Outcome]:
        """Take every step that nobody took. One outcome for each step, in the plan's order."""
        steps = iter([step for step in self._plan.steps if _id(step) not in self._told])
        async with anyio.create_task_group() as group:
            for _ in range(AT_ONCE):
                group.start_soon(self._work, steps)
        with suppress(Failure):
            await self._others()
        told = self._told | self._mine
        return [told.get(_id(step)) or self._left(step) for step in self._plan.steps]

    async def look_again(self) -> list[Outcome]:
        """Look once more for the traces of what is unknown."""
        lost = [step for step in self._plan.steps if self._told[_id(step)].status == "unknown"]
        for step in lost:
            found = await Steps(self._rooms).reconciled(self._record, step, self._told[_id(step)])
            if found.status == "done":
                await self._change(partial(_replaced, found, frozenset({"unknown"})))
        return [self._told[_id(step)] for step in self._plan.steps]

    def _left(self, step: Step) -> Outcome:
        return Outcome(step.operation, LEFT, _id(step), code=self._pace.ended)

    async def _work(self, steps: Iterator[Step]) -> None:
        """One of several that share the steps out. What stops one stops all, but for what is under way."""
        try:
            for step in steps:
                await self._may()
                if self._pace.ended:
                    return
                with anyio.CancelScope(shield=True):  # a client that hangs up must not leave a sent step unwritten
                    await self._take(step)
        except Failure as failure:
            self._pace.ended = self._pace.ended or failure.code

    async def _may(self) -> None:
        """Wait while the provider wants a pause; then ask the policy, which may have changed since."""
        while (rest := self._pace.from_moment - anyio.current_time()) > 0 and not self._pace.ended:
            await anyio.sleep(rest)
        if code := await refused(self._rooms, owner(self._record), self._plan):
            self._pace.ended = code

    async def _take(self, step: Step) -> None:
        intent = Outcome(step.operation, "intent", _id(step), at=self._rooms.now())
        if not await self._change(partial(_claimed, intent)):
            return  # another call has it
        self._mine[_id(step)] = intent
        with self._busy():
            outcome = await Steps(self._rooms).take(self._record, step)
        self._mine[_id(step)] = outcome
        self._pace.heed(outcome)
        with suppress(OperatorError):  # what happened is told, also where it cannot be written down any more
            await self._change(partial(_replaced, outcome, None))

    async def _others(self) -> None:
        """Steps that were claimed elsewhere: their outcomes, once they are there; else what the account shows."""
        with anyio.move_on_after(OTHERS_S):
            while await self._begun_elsewhere():
                await anyio.sleep(min(self._rooms.settling_poll_s, 1.0))
        for step in await self._begun_elsewhere():
            lost = replace(self._told[_id(step)], status="unknown", code="outcome_unknown")
            await self._change(partial(_replaced, lost, _OPEN))

    async def _begun_elsewhere(self) -> list[Step]:
        """Those without an outcome that was written down or can be seen."""
        await self._change(lambda _known: None)
        begun = [step for step in self._plan.steps if _id(step) not in self._mine and self._status(step) == "intent"]
        for step in begun:
            found = await Steps(self._rooms).reconciled(self._record, step, self._told[_id(step)])
            if found.status == "done":
                await self._change(partial(_replaced, found, _OPEN))
        return [step for step in begun if self._status(step) == "intent"]

    def _status(self, step: Step) -> str:
        known = self._told.get(_id(step))
        return known.status if known else ""

    async def _change(self, change: Change) -> bool:
        """Change what is written down, whoever else does so at the same time; False where there was nothing to change.

        Raises:
            OperatorError: store_unusable. Refusal: unfinished, where the record is gone.
        """
        async with self._lock:
            while True:
                before = await self._written()
                known = load_outcomes(before)
                after = change(known)
                if after is None or await self._noted(before, after):
                    self._told |= {one.target_id: one for one in after or known}
                    return after is not None

    async def _written(self) -> str:
        record = await stored(partial(self._rooms.store.get, self._record.code))
        if record is None or record.status is not self._record.status:
            raise Refusal("unfinished", changed="unknown", facts={"approval": self._record.code})
        return record.outcome

    async def _noted(self, before: str, after: list[Outcome]) -> bool:
        """What is unknown keeps the whole record from being asked about anew; what failed or moved lets it be."""
        statuses = {one.status for one in after}
        settled = len(after) == len(self._plan.steps) and not statuses & _OPEN
        again = settled and "unknown" not in statuses and bool(statuses & {"failed", "changed"})
        store, code = self._rooms.store, self._record.code
        note = partial(store.note, code, before, dump_outcomes(after), settled=settled, repeatable=again)
        return await stored(note)


def _id(step: Step) -> str:
    return step.target.id if step.target else ""


def _claimed(intent: Outcome, known: list[Outcome]) -> list[Outcome] | None:
    """The outcomes with one more; None where the step is taken."""
    return None if any(one.target_id == intent.target_id for one in known) else [*known, intent]


def _replaced(outcome: Outcome, only: frozenset[str] | None, known: list[Outcome]) -> list[Outcome] | None:
    """The outcomes with a newer one of the same step, where the old one is of these statuses (None: of any)."""
    place = next((index for index, one in enumerate(known) if one.target_id == outcome.target_id), None)
    if place is None or (only is not None and known[place].status not in only):
        return None
    return [*known[:place], outcome, *known[place + 1 :]]
