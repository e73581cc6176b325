"""What is written down of a call and of its steps: every field of the audit that is known at that moment. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from paperspace_mcp.audit import Entry
from paperspace_mcp.conduct.outcomes import Outcome
from paperspace_mcp.conduct.parts import Caller
from paperspace_mcp.rules.guard import plans
from paperspace_mcp.rules.guard.plans import Plan, Step, Target
from paperspace_mcp.rules.guard.records import Channel, Record
from paperspace_mcp.rules.policy import Decision


def of_refusal(caller: Caller, plan: Plan, rule: str, *, digest: str = "", record: Record | None = None) -> Entry:
    """A call that a rule refuses, before there is a record or after."""
    if record is not None:
        return of_record("refused", record, decision="refuse", rule=rule)
    return replace(_of_plan("refused", caller, plan, Decision("refuse", rule)), digest=digest)


def _of_plan(phase: str, caller: Caller, plan: Plan, decision: Decision) -> Entry:
    return Entry(
        phase=phase,
        principal=caller.principal,
        client=caller.client,
        tool=plan.tool,
        effect=plan.effect.value,
        targets=_targets(plan.targets),
        arguments=tuple(sorted(plan.arguments)),
        decision=decision.kind,
        rule=decision.rule,
    )


def of_record(phase: str, record: Record, *, at: float | None = None, **more: Any) -> Entry:
    """What became of a record: who asked, by which rule, who decided, and after how long where it was `at` a moment."""
    plan = plans.load(record.plan)
    caller = Caller(record.principal, record.account, record.client)
    entry = replace(
        _of_plan(phase, caller, plan, Decision(record.decision, record.rule)),
        code=record.code,
        digest=record.digest,
        channel=record.channel.value,
        approver=record.approver,
        latency_ms=None if at is None else round((at - record.issued_at) * 1000),
    )
    return replace(entry, **more)


def of_step(
    phase: str, record: Record, step: Step, outcome: Outcome | None = None, latency_ms: int | None = None
) -> Entry:
    """One step of a spent record, before it is sent and after."""
    return of_record(
        phase,
        record,
        effect=step.effect.value,
        targets=_targets((step.target,) if step.target else ()),
        arguments=tuple(sorted(step.arguments.get("body") or step.arguments.get("path") or {})),
        approver=record.approver or (record.principal if record.channel is Channel.CLIENT else ""),
        latency_ms=latency_ms,
        outcome=outcome.status if outcome else "",
        reason=outcome.code if outcome else "",
        upstream_status=outcome.upstream_status if outcome else None,
        event_ids=event_ids(outcome),
    )


def _targets(targets: Iterable[Target]) -> tuple[Mapping[str, Any], ...]:
    return tuple({"id": one.id, "name": one.name, "fingerprint": one.fingerprint} for one in targets)


def event_ids(outcome: Outcome | None) -> tuple[str, ...]:
    """The ids of the events that a step began."""
    event = outcome.answer.get("event") if outcome else None
    return (str(event["id"]),) if isinstance(event, dict) and event.get("id") else ()
