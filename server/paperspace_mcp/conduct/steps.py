"""One step of a plan: target re-read, intent audited, sent once with its warrant, outcome audited."""

from dataclasses import replace
from functools import partial
from typing import Any

import anyio
from pydantic import BaseModel

from paperspace_mcp.audit import Entry
from paperspace_mcp.conduct import entries, reconcile
from paperspace_mcp.conduct.judging import refused
from paperspace_mcp.conduct.outcomes import Outcome
from paperspace_mcp.conduct.parts import Heard, Rooms, owner
from paperspace_mcp.conduct.storing import audited, stored
from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.errors import CallerError, Failure, OutcomeUnknown, Refusal, UpstreamError
from paperspace_mcp.contract.operation import Operation
from paperspace_mcp.contract.requests import PAGE_LIMIT, AccessorsQuery
from paperspace_mcp.rules import power
from paperspace_mcp.rules.guard import plans
from paperspace_mcp.rules.guard.plans import Step, Target
from paperspace_mcp.rules.guard.records import Record
from paperspace_mcp.walking import walk

LOOK_S = 5.0
"""How long a lost answer is looked for: a provider that is silent for one call is often silent for the next."""


class Steps:
    """Takes the steps of spent records."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def take(self, record: Record, step: Step) -> Outcome:
        """Send one step, or find that its target moved. Never raises a `Failure`: what went wrong is the outcome."""
        started = self._rooms.now()
        try:
            if moved := await self.moved(step.target):
                outcome = self._outcome(step, "changed", "target_changed", {"changed": moved})
            else:
                await self._allowed(record)
                await self._audit(entries.of_step("intent", record, step))
                outcome = await self._sent(record, step)
        except OutcomeUnknown as failure:
            lost = self._outcome(step, "unknown", failure.code, failure.facts, started)
            outcome = await self.reconciled(record, step, lost)
        except Failure as failure:
            outcome = replace(self._outcome(step, "failed", failure.code, failure.facts), retryable=failure.retryable)
        await self._written(record, step, outcome, started)
        return outcome

    async def _allowed(self, record: Record) -> None:
        """Policy once more, after the last read: a freeze counts until the very call. Raises a `Refusal`."""
        if code := await refused(self._rooms, owner(record), plans.load(record.plan)):
            raise Refusal(code)

    def _outcome(self, step: Step, status: str, code: str, facts: dict[str, Any], at: float = 0.0) -> Outcome:
        target_id = step.target.id if step.target else ""
        now = at or self._rooms.now()
        return Outcome(step.operation, status, target_id, {}, code, facts, now, upstream_status=facts.get("status"))

    async def _sent(self, record: Record, step: Step) -> Outcome:
        heard = [0]
        if step.effect is Effect.REVEAL:
            answer: dict[str, Any] = {"delivered": await self._reveal(record, step, heard.append)}
        else:
            shape = await self._mutate(catalogue.OPERATIONS[step.operation], step, record.code, heard.append)
            answer = shape.model_dump(mode="json", by_alias=True, exclude_unset=True)
        target_id = step.target.id if step.target else ""
        status = heard[-1] or None
        return Outcome(step.operation, "done", target_id, answer, at=self._rooms.now(), upstream_status=status)

    async def _mutate(self, operation: Operation[Any], step: Step, code: str, heard: Heard) -> BaseModel:
        path, body = step.arguments.get("path", {}), step.arguments.get("body")
        shape = operation.body.model_validate(body) if operation.body and body is not None else None
        warrant = self._rooms.warrants.mint(operation.name, self._rooms.wire.arguments(path, shape), code)
        answer: BaseModel = await self._rooms.wire.mutate(operation, path, shape, warrant, heard=heard)
        return answer

    async def _reveal(self, record: Record, step: Step, heard: Heard) -> dict[str, str]:
        """The password goes to the sink; what comes back is where it lies."""
        if self._rooms.sink is None or step.target is None:
            raise Refusal("reveal_unavailable")
        desktop = await self._rooms.wire.read(catalogue.GET_MACHINE_DESKTOP, step.arguments["path"], heard=heard)
        return await self._rooms.sink.deliver(record, step.target.name, desktop)

    async def broken_off(self, record: Record, step: Step, begun: Outcome) -> Outcome:
        """What became of a step whose process died after its intent: done where the account shows it, else unknown."""
        lost = replace(begun, status="unknown", code="outcome_unknown")
        outcome = await self.reconciled(record, step, lost)
        await self._written(record, step, outcome, begun.at)
        return outcome

    async def reconciled(self, record: Record, step: Step, outcome: Outcome) -> Outcome:
        """An unknown outcome, looked for in the account: done where its trace is found, and is no other call's."""
        found = None
        with anyio.move_on_after(LOOK_S):
            found = await reconcile.trace(self._rooms.wire, step, outcome.at)
        if found is None:
            return outcome
        traced = replace(outcome, status="done", answer=found, code="reconciled")
        return outcome if await self._of_another(record, traced) else traced

    async def _of_another(self, record: Record, outcome: Outcome) -> bool:
        ids = entries.event_ids(outcome)
        return bool(ids) and await stored(partial(self._rooms.store.told, ids[0], record.code))

    async def finished(self, outcome: Outcome) -> bool:
        """Whether what a step began has ended. States lag events, so a state alone does not tell.

        Raises:
            UpstreamError: step_failed, where it ended badly.
        """
        ids = entries.event_ids(outcome)
        if not ids:
            return True
        event = await self._rooms.wire.read(catalogue.GET_MACHINE_EVENT, {"id": ids[0]})
        if event.state in {"error", "cancelled"}:
            raise UpstreamError("step_failed")
        return event.state == "done"

    async def moved(self, target: Target | None) -> list[str]:
        """What of the target is not as it was approved, by name; empty where all is."""
        if target is None or not target.fingerprint:
            return []
        try:
            now = await self._fingerprint(target.id, frozenset(target.fingerprint))
        except CallerError as failure:
            return ["exists"] if failure.code == "not_found" else [failure.code]
        return list(plans.changes({"exists": "yes", **target.fingerprint}, now))

    async def _fingerprint(self, machine_id: str, fields: frozenset[str]) -> dict[str, str]:
        machine = await self._rooms.wire.read(catalogue.GET_MACHINE, {"id": machine_id})
        values = power.fingerprint(machine, fields)
        if "accessors" in fields:
            values["accessors"] = await self.accessors(machine_id)
        return {**values, "exists": "no" if machine.dt_deleted else "yes"}

    async def accessors(self, machine_id: str) -> str:
        """The ids of all who have explicit access, as one text."""
        query, path = AccessorsQuery(limit=PAGE_LIMIT), {"id": machine_id}
        found = await walk(self._rooms.wire, catalogue.LIST_MACHINE_ACCESSORS, query, path=path)
        return ",".join(sorted(item.user.id for item in found.items if item.dt_deleted is None))

    async def _written(self, record: Record, step: Step, outcome: Outcome, started: float) -> None:
        """The outcome's entry. The effect has happened: an audit that fails here must not hide what became of it."""
        latency = round((self._rooms.now() - started) * 1000)
        try:
            await self._audit(entries.of_step("outcome", record, step, outcome, latency))
        except Failure:
            return

    async def _audit(self, entry: Entry) -> None:
        await audited(partial(self._rooms.audit.write, entry))
