"""The corridor: every call walks it. Reads pass; a mutation passes only as a step of a spent record."""

import json
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any, Protocol, TypeVar

import anyio
from anyio.to_thread import run_sync
from pydantic import BaseModel

from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.errors import CallerError, Failure, OperatorError, OutcomeUnknown, Refusal
from paperspace_mcp.contract.operation import Operation
from paperspace_mcp.contract.requests import PAGE_LIMIT, AccessorsQuery
from paperspace_mcp.contract.shapes import Shape
from paperspace_mcp.rules import power
from paperspace_mcp.rules.guard import plans, questions, records
from paperspace_mcp.rules.guard.demands import Demand, demand
from paperspace_mcp.rules.guard.plans import Plan, Step, Target
from paperspace_mcp.rules.guard.records import Channel, Meeting, Record, Status
from paperspace_mcp.rules.guard.warrants import Warrant, Warrants
from paperspace_mcp.wire.store import Store

Gives = TypeVar("Gives", bound=BaseModel)
Given = TypeVar("Given")

_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
_SETTLING_POLL_S = 2.0


class Wire(Protocol):
    """What the corridor needs of `wire.paperspace.Paperspace`."""

    async def read(
        self,
        operation: Operation[Gives],
        path: Mapping[str, str] = ...,
        query: Shape | None = None,
        *,
        budget_s: float | None = None,
    ) -> Gives: ...

    async def mutate(
        self, operation: Operation[Gives], path: Mapping[str, str], body: Shape | None, warrant: Warrant | None
    ) -> Gives: ...

    def arguments(self, path: Mapping[str, str], body: Shape | None) -> dict[str, Any]: ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the identity that records are bound to, and the account that the key opens."""

    principal: str
    account: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one step.

    status: intent (sent, no answer written down), done, failed (nothing changed), changed (the target was not as
    approved; nothing sent), unknown. answer: what the provider said, by its own names.
    """

    operation: str
    status: str
    target_id: str = ""
    answer: dict[str, Any] = field(default_factory=dict)
    code: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


class Conduct:
    """The one way from a tool to the wire."""

    def __init__(
        self,
        wire: Wire,
        store: Store,
        warrants: Warrants,
        *,
        protect: tuple[str, ...] = (),
        now: Callable[[], float] = time.time,
    ) -> None:
        self.wire = wire
        self.protect = protect
        self._store = store
        self._warrants = warrants
        self._now = now

    async def read(
        self, operation: Operation[Gives], path: Mapping[str, str] | None = None, query: Shape | None = None
    ) -> Gives:
        """One read. Raises a `Failure`."""
        return await self.wire.read(operation, path or {}, query)

    async def find(self, caller: Caller, digest: str, channel: Channel) -> Meeting:
        """What a call finds of itself: an open question, an approval, an outcome, or nothing."""
        return await self._stored(partial(self._store.find, caller.principal, digest, self._now(), channel))

    async def record(self, code: str) -> Record | None:
        return await self._stored(partial(self._store.get, code))

    async def ask(self, caller: Caller, plan: Plan, digest: str, channel: Channel) -> Meeting:
        """Write the record of a plan, before anybody is asked. The same call meanwhile recorded wins."""
        wanted = demand(plan)
        if wanted.rule.refused:
            raise Refusal("protected", facts={"effect": plan.effect.value})
        while True:
            record = self._draft(caller, plan, wanted, digest, channel)
            ids = [target.id for target in plan.targets]
            try:
                return await self._stored(partial(self._store.issue, record, ids, record.issued_at))
            except KeyError:
                continue  # the code is taken: draw another

    def _draft(self, caller: Caller, plan: Plan, wanted: Demand, digest: str, channel: Channel) -> Record:
        code, now = "".join(secrets.choice(_LETTERS) for _ in range(4)), self._now()
        question = questions.render(plan, wanted, code)
        out_of_band_only = wanted.rule.out_of_band_only or not questions.fits(plan, question)
        channel = Channel.INBOX if out_of_band_only else channel
        life = records.CLIENT_S if channel is Channel.CLIENT else records.INBOX_S
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
            channel=channel,
            issued_at=now,
            expires_at=now + life,
            out_of_band_only=out_of_band_only,
        )

    async def accept(self, record: Record, typed: str) -> None:
        """Compare what was typed. The record itself is spent by `carry_out`.

        Raises:
            Refusal: mistyped, expired, declined, already_spent, out_of_band_only.
        """
        refused = records.judge(record, typed, self._now())
        if refused == "mistyped":
            await self.close(record, Status.MISTYPED)
        if refused:
            raise Refusal(refused, facts={"approval": record.code})

    async def close(self, record: Record, status: Status, approver: str = "") -> bool:
        """Decline or approve an open record; False where it was no longer open."""
        return await self._stored(partial(self._store.close, record.code, status, approver=approver))

    async def inbox(self) -> list[Record]:
        return await self._stored(partial(self._store.inbox, self._now()))

    async def carry_out(self, record: Record) -> list[Outcome]:
        """Spend the record, then take its steps. Nothing is sent where the record cannot be spent.

        Raises:
            Refusal: already_spent (also where two calls race for one approval), expired.
        """
        if not await self._stored(partial(self._store.spend, record.code, record.status, self._now())):
            raise Refusal("already_spent", facts={"approval": record.code})
        return await self.go_on(replace(record, status=Status.SPENT))

    async def go_on(self, record: Record) -> list[Outcome]:
        """Take the steps of a spent record that are left, each once."""
        plan, done = plans.load(record.plan), load_outcomes(record.outcome)
        for step in plan.steps[len(done) :]:
            if done and not await self._settled(step, plan.steps[len(done) - 1].awaits):
                break
            with anyio.CancelScope(shield=True):  # a client that hangs up must not leave a sent step unwritten
                done = await self._take(record, step, done, len(plan.steps))
            if done[-1].status != "done":
                break
        return done

    async def _take(self, record: Record, step: Step, done: list[Outcome], total: int) -> list[Outcome]:
        """One step: intent written down, target re-read, sent once, outcome written down."""
        target_id = step.target.id if step.target else ""
        intent = [*done, Outcome(step.operation, "intent", target_id)]
        if not await self._note(record, done, intent):
            return intent  # another process is at it
        outcome = await self._send(step, record.code)
        after = [*done, outcome]
        ended = outcome.status != "done" or len(after) == total
        await self._note(record, intent, after, settled=ended, repeatable=outcome.status in {"failed", "changed"})
        return after

    async def _send(self, step: Step, code: str) -> Outcome:
        operation = catalogue.OPERATIONS[step.operation]
        target_id = step.target.id if step.target else ""
        try:
            if moved := await self._moved(step.target):
                return Outcome(step.operation, "changed", target_id, code="target_changed", facts={"changed": moved})
            answer = await self._mutate(operation, step, code)
            return Outcome(
                step.operation, "done", target_id, answer.model_dump(mode="json", by_alias=True, exclude_unset=True)
            )
        except OutcomeUnknown as failure:
            return Outcome(step.operation, "unknown", target_id, code=failure.code, facts=failure.facts)
        except Failure as failure:
            return Outcome(step.operation, "failed", target_id, code=failure.code, facts=failure.facts)

    async def _mutate(self, operation: Operation[Any], step: Step, code: str) -> BaseModel:
        path, body = step.arguments.get("path", {}), step.arguments.get("body")
        shape = operation.body.model_validate(body) if operation.body and body is not None else None
        warrant = self._warrants.mint(operation.name, self.wire.arguments(path, shape), code)
        answer: BaseModel = await self.wire.mutate(operation, path, shape, warrant)
        return answer

    async def _moved(self, target: Target | None) -> list[str]:
        """What of the target is not as it was approved, by name; empty where all is."""
        if target is None or not target.fingerprint:
            return []
        try:
            now = await self.fingerprint(target.id, frozenset(target.fingerprint))
        except CallerError as failure:
            return ["exists"] if failure.code == "not_found" else [failure.code]
        return list(plans.changes(target.fingerprint, now))

    async def fingerprint(self, machine_id: str, fields: frozenset[str]) -> dict[str, str]:
        """The fingerprint of a machine as it is now."""
        machine = await self.wire.read(catalogue.GET_MACHINE, {"id": machine_id})
        values = power.fingerprint(machine, fields)
        if "accessors" in fields:
            values["accessors"] = await self.accessors(machine_id)
        return {**values, "exists": "no"} if machine.dt_deleted else values

    async def accessors(self, machine_id: str) -> str:
        """The ids of all who have explicit access, as one text."""
        query = AccessorsQuery(limit=PAGE_LIMIT)
        page = await self.wire.read(catalogue.LIST_MACHINE_ACCESSORS, {"id": machine_id}, query)
        return ",".join(sorted(item.user.id for item in page.items if item.dt_deleted is None))

    async def _settled(self, step: Step, awaits: float) -> bool:
        """Wait until the step before has taken effect on this step's target; False when it takes longer."""
        if step.target is None:
            return True
        with anyio.move_on_after(awaits):
            moved = await self._moved(step.target)
            while moved == ["power"]:
                await anyio.sleep(_SETTLING_POLL_S)
                moved = await self._moved(step.target)
            return True
        return False

    async def _note(
        self,
        record: Record,
        before: list[Outcome],
        after: list[Outcome],
        *,
        settled: bool = False,
        repeatable: bool = False,
    ) -> bool:
        old, new = dump_outcomes(before), dump_outcomes(after)
        note = partial(self._store.note, record.code, old, new, settled=settled, repeatable=repeatable)
        return await self._stored(note)

    async def _stored(self, call: Callable[[], Given]) -> Given:
        """One transaction of the store, off the event loop. A store that cannot be used is a no."""
        try:
            return await run_sync(call)
        except OSError:
            raise OperatorError("store_unusable") from None


def dump_outcomes(outcomes: list[Outcome]) -> str:
    return json.dumps([asdict(outcome) for outcome in outcomes]) if outcomes else ""


def load_outcomes(text: str) -> list[Outcome]:
    return [Outcome(**item) for item in json.loads(text)] if text else []


def fingerprinted(effect: Effect) -> frozenset[str]:
    """Which fields of a target an approval of this class is bound to."""
    return _FINGERPRINTS[effect]


_FINGERPRINTS: dict[Effect, frozenset[str]] = {
    Effect.READ: frozenset(),
    Effect.SPEND: power.POWER,
    Effect.DISRUPT: power.POWER,
    Effect.GRANT: power.ACCESS | {"accessors"},
    Effect.REVEAL: power.ACCESS,
    Effect.DESTROY: power.WHOLE,
}
Progress = Callable[[float, float, str], Awaitable[None]]
