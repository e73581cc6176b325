"""The one way from a tool to the wire: judged, recorded, asked, spent, re-read, audited, sent once, written down."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TypeVar

import anyio
from pydantic import BaseModel

from paperspace_mcp.audit import Entry
from paperspace_mcp.conduct import entries
from paperspace_mcp.conduct.batch import Batch
from paperspace_mcp.conduct.judging import judge
from paperspace_mcp.conduct.outcomes import Outcome, load_outcomes
from paperspace_mcp.conduct.parts import Caller, Rooms, owner
from paperspace_mcp.conduct.pauses import Pauses
from paperspace_mcp.conduct.series import Series
from paperspace_mcp.conduct.steps import Steps
from paperspace_mcp.conduct.storing import audited, stored
from paperspace_mcp.contract.errors import Refusal
from paperspace_mcp.contract.operation import Operation
from paperspace_mcp.contract.shapes import Shape
from paperspace_mcp.rules.guard import plans, questions, records
from paperspace_mcp.rules.guard.demands import Demand, demand
from paperspace_mcp.rules.guard.plans import Plan
from paperspace_mcp.rules.guard.protection import protecting
from paperspace_mcp.rules.guard.records import Channel, Meeting, Record, Status
from paperspace_mcp.rules.policy import Charge, Decision, Policy, Standing, Strictness, fingerprint, strictness

Gives = TypeVar("Gives", bound=BaseModel)

_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
_KINDS = {"ask": Channel.CLIENT, "inbox": Channel.INBOX, "go": Channel.RULE}
_PHASES = {Status.APPROVED: "approved", Status.DECLINED: "declined", Status.MISTYPED: "mistyped"}


class Conduct:
    """Reads pass; what changes anything passes only as a step of a spent record."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        self.under_way = 0
        """How many steps are between their intent and their outcome: what a shutdown must wait for."""

    @property
    def policy(self) -> Policy:
        return self.rooms.policy

    @property
    def reveals(self) -> bool:
        """Whether there is a place for a password to be delivered to."""
        return self.rooms.sink is not None

    async def read(
        self, operation: Operation[Gives], path: Mapping[str, str] | None = None, query: Shape | None = None
    ) -> Gives:
        """One read. Raises a `Failure`."""
        return await self.rooms.wire.read(operation, path or {}, query)

    def protects(self, target_id: str, name: str) -> bool:
        """Whether a target is protected."""
        return bool(protecting(self.policy.protect, target_id, name))

    async def standing(self, caller: Caller) -> list[Standing]:
        """What stands allowed in advance for this caller."""
        now = self.rooms.now()
        found = [*await stored(partial(self.rooms.store.standing, now)), *self.policy.standing]
        return [one for one in found if one.until >= now and one.principal in {"", caller.principal}]

    async def forget(self, record: Record) -> None:
        """A repeat of this call is a new wish: what it did has been undone by somebody else."""
        code, outcome = record.code, record.outcome
        await stored(partial(self.rooms.store.note, code, outcome, outcome, settled=True, repeatable=True))

    async def find(self, caller: Caller, digest: str, channel: Channel) -> Meeting:
        """What a call finds of itself: an open question, an approval, an outcome, or nothing.

        What waits or is left under another policy is taken out of use: what it asks for is not right any more.
        """
        await self._lapse()
        now = self.rooms.now()
        meeting = await stored(partial(self.rooms.store.find, caller.principal, digest, now, channel))
        record = meeting.record
        if record and record.policy != self._rules() and await self._outdated(record, meeting.kind):
            return await self.find(caller, digest, channel)
        return meeting

    async def _outdated(self, record: Record, kind: str) -> bool:
        """Take out of use what waits, or was spent and is not under way; False for anything else."""
        if kind in {"open", "approved"}:
            await self._retire(record, "policy_changed")
            return True
        if kind != "resume" or any(one.status != "done" for one in load_outcomes(record.outcome)):
            return False
        await self.forget(record)
        return True

    def _rules(self) -> str:
        return fingerprint(self.policy)

    async def _retire(self, record: Record, rule: str) -> None:
        if await stored(partial(self.rooms.store.retire, record.code)):
            await self._audit(entries.of_record("refused", record, decision="refuse", rule=rule))

    async def _lapse(self) -> None:
        """Write down what ran out of time since anybody looked: nobody answered it, or nobody used the approval."""
        with anyio.CancelScope(shield=True):  # a client that hangs up must not take a line with it
            await self._lapsed(self.rooms.now())

    async def _lapsed(self, now: float) -> None:
        left = await stored(partial(self.rooms.store.lapsed, now))
        try:
            while left:
                reason = "unanswered" if left[0].status is Status.OPEN else "unused"
                await self._audit(entries.of_record("expired", left[0], at=now, reason=reason))
                del left[0]
        finally:
            if left:  # whoever looks next writes them down
                await stored(partial(self.rooms.store.unlapsed, [one.code for one in left]))

    async def lately(self, caller: Caller, digest: str) -> list[Outcome]:
        """What this same call came to within the time in which it would be told it again."""
        since = self.rooms.now() - records.REPEAT_S
        found = await stored(partial(self.rooms.store.spent, caller.principal, digest, since))
        return [outcome for record in found for outcome in load_outcomes(record.outcome)]

    async def record(self, code: str) -> Record | None:
        return await stored(partial(self.rooms.store.get, code))

    def waits(self, record: Record) -> bool:
        """Whether an answer to the record still counts."""
        return records.alive(record, self.rooms.now())

    async def inbox(self) -> list[Record]:
        """The questions that wait for a person out of band, oldest first."""
        await self._lapse()
        return await stored(partial(self.rooms.store.inbox, self.rooms.now()))

    async def judge(self, caller: Caller, plan: Plan, record: Record | None = None) -> Decision:
        """The policy's word on a plan; where it is no, that is written down. Raises a `Refusal`."""
        try:
            return await self._judged(caller, plan)
        except Refusal as refusal:
            await self._audit(entries.of_refusal(caller, plan, refusal.code, record=record))
            raise

    async def _judged(self, caller: Caller, plan: Plan) -> Decision:
        wanted = demand(plan)
        decision = await judge(self.rooms, caller, plan)
        if wanted.rule.refused or decision.kind == "refuse":
            code = "protected" if wanted.rule.refused else decision.rule
            raise Refusal(code, facts={"effect": plan.effect.value, "batch": self.policy.batch})
        return decision

    async def _granted(self, caller: Caller, plan: Plan) -> Decision:
        """What `ask` goes by: nobody is asked about what a budget would refuse afterwards, or a script may not ask."""
        decision = await self._judged(caller, plan)
        if caller.allow and decision.kind != "go":
            raise Refusal("not_covered", facts={"approval": caller.allow})
        if over := await stored(partial(self.rooms.store.over, decision.charges)):
            raise Refusal("over_budget", facts={"ledger": over})
        return decision

    async def preview(self, caller: Caller, plan: Plan) -> tuple[Decision, Record]:
        """What `ask` would write down through a client that can be asked. Nothing is, nor is anybody told.

        Raises:
            Refusal: as `ask`.
        """
        decision = await self._granted(caller, plan)
        return decision, self._draft(caller, plan, decision, "", Channel.CLIENT)

    async def ask(self, caller: Caller, plan: Plan, digest: str, channel: Channel) -> Meeting:
        """Judge a plan and write its record, before anybody is asked. The same call recorded meanwhile wins.

        Raises:
            Refusal: the policy, the class table or a budget says no.
        """
        try:
            decision = await self._granted(caller, plan)
        except Refusal as refusal:
            await self._audit(entries.of_refusal(caller, plan, refusal.code, digest=digest))
            raise
        ids = [target.id for target in plan.targets]
        record = self._draft(caller, plan, decision, digest, channel)
        issue = partial(self.rooms.store.issue, record, ids, record.issued_at, decision.questions)
        try:
            meeting = await stored(issue)
        except KeyError:  # the code is taken, or calls at the same time were asked about: judged anew
            return await self.ask(caller, plan, digest, channel)
        if meeting.record is record:
            await self._asked(record)
        return meeting

    async def _asked(self, record: Record) -> None:
        phase = "granted" if record.channel is Channel.RULE else "asked"
        await self._audit(entries.of_record(phase, record))
        if record.channel is Channel.INBOX:
            await self.rooms.tell(record)

    def _draft(self, caller: Caller, plan: Plan, decision: Decision, digest: str, channel: Channel) -> Record:
        code, now = "".join(secrets.choice(_LETTERS) for _ in range(4)), self.rooms.now()
        wanted = self._demand(plan)
        question = questions.render(plan, wanted, code)
        forced = wanted.rule.out_of_band_only or decision.kind == "inbox" or not questions.fits(plan, question)
        where = Channel.RULE if decision.kind == "go" else Channel.INBOX if forced else channel
        return Record(
            code=code,
            principal=caller.principal,
            account=caller.account,
            tool=plan.tool,
            effect=plan.effect,
            digest=digest,
            plan=plans.dump(plan),
            question=question,
            expects=wanted.text,
            channel=where,
            issued_at=now,
            expires_at=now + (records.INBOX_S if where is Channel.INBOX else records.CLIENT_S),
            policy=self._rules(),
            client=caller.client,
            decision=decision.kind,
            rule=decision.rule,
            status=Status.APPROVED if where is Channel.RULE else Status.OPEN,
            approver=f"rule {decision.rule}" if where is Channel.RULE else "",
            out_of_band_only=forced,
        )

    def _demand(self, plan: Plan) -> Demand:
        return demand(plan, by_name=strictness(self.policy, plan) is Strictness.NAME)

    async def accept(self, record: Record, typed: str, client: str = "") -> None:
        """Compare what was typed, and write down a yes. The record itself is spent by `carry_out`.

        client: what the client that answered says of itself.

        Raises:
            Refusal: mistyped, expired, declined, already_spent, out_of_band_only.
        """
        refused = records.judge(record, typed, self.rooms.now())
        if refused == "mistyped":
            await self.close(record, Status.MISTYPED)
        else:
            told = entries.of_record(refused or "approved", record, at=self.rooms.now(), approver=record.principal)
            await self._audit(replace(told, client=client or record.client))
        if refused:
            raise Refusal(refused, facts={"approval": record.code})

    async def close(self, record: Record, status: Status, approver: str = "") -> bool:
        """Decline or approve an open record; False where it was no longer open.

        It is written down first: an approval that the audit does not know must not stand. Where somebody else was
        faster, that is written down as well.
        """
        now = self.rooms.now()
        told = entries.of_record(_PHASES[status], record, at=now, approver=approver)
        await self._audit(told)
        if await stored(partial(self.rooms.store.close, record.code, status, approver=approver, now=now)):
            return True
        await self._audit(replace(told, phase="overtaken", reason="already_decided"))
        return False

    async def carry_out(self, record: Record, pauses: Pauses | None = None) -> list[Outcome]:
        """Spend the record, then take its steps. Nothing is sent where the record cannot be spent.

        Raises:
            Refusal: already_spent (also where two calls race for one approval), expired, over_budget, or whatever the
            policy says by now.
        """
        charges = await self._charges(record)
        spend = partial(self.rooms.store.spend, record.code, record.status, self.rooms.now(), charges)
        if not await stored(spend):
            raise Refusal("already_spent", facts={"approval": record.code})
        return await self.go_on(replace(record, status=Status.SPENT), pauses, judged=True)

    async def _charges(self, record: Record) -> tuple[Charge, ...]:
        """Policy again: it may have changed since the question, and what was let through unasked may not be now."""
        plan = plans.load(record.plan)
        if record.policy != self._rules():
            await self._retire(record, "policy_changed")
            raise Refusal("policy_changed", facts={"approval": record.code})
        decision = await self.judge(owner(record), plan, record)
        if record.channel is Channel.RULE:
            if decision.kind != "go":
                await self._retire(record, "approval_gone")
                raise Refusal("approval_gone", facts={"approval": record.code})
            return decision.charges
        ungranted = ("standing:", "unasked:")
        return tuple(charge for charge in decision.charges if not charge.ledger.startswith(ungranted))

    async def go_on(self, record: Record, pauses: Pauses | None = None, *, judged: bool = False) -> list[Outcome]:
        """Take the steps of a spent record that are left, each once, and each under the policy as it is by then.

        pauses: how long this call may wait between steps; what is left then is for the next.

        Raises:
            Refusal: the policy says no by now; what was done before it is done, and `changed` says so.
        """
        plan = plans.load(record.plan)
        if not judged and record.policy != self._rules():
            raise Refusal("policy_changed", changed="unknown", facts={"approval": record.code})
        if plan.independent:
            return await Batch(self.rooms, record, self._busy).run()
        return await self._series(record, plan).run(pauses or Pauses(), judged=judged)

    def _series(self, record: Record, plan: Plan) -> Series:
        return Series(self.rooms, record, self._busy, partial(self.judge, owner(record), plan, record))

    @contextmanager
    def _busy(self) -> Iterator[None]:
        """While a step is between its intent and its outcome."""
        self.under_way += 1
        try:
            yield
        finally:
            self.under_way -= 1

    async def look_again(self, record: Record) -> list[Outcome]:
        """Look once more for the trace of a step whose answer was lost; the outcomes as they are known now."""
        plan = plans.load(record.plan)
        if plan.independent:
            return await Batch(self.rooms, record, self._busy).look_again()
        return await self._series(record, plan).look_again()

    async def accessors(self, machine_id: str) -> str:
        """The ids of all who have explicit access, as one text."""
        return await Steps(self.rooms).accessors(machine_id)

    async def _audit(self, entry: Entry) -> None:
        write: Callable[[], int] = partial(self.rooms.audit.write, entry)
        await audited(write)
