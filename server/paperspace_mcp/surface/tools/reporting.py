"""From the outcomes of a plan to the answer of its tool."""

from collections.abc import Sequence
from typing import Any

from paperspace_mcp.conduct import Outcome
from paperspace_mcp.contract.errors import Changed, Failure, OutcomeUnknown
from paperspace_mcp.contract.shapes import Event, Machine, MachineAndEvent
from paperspace_mcp.rules.guard.cleaning import quoted
from paperspace_mcp.rules.guard.plans import Target
from paperspace_mcp.surface import views, wording
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.render import Answer


class Guarded(views.Envelope):
    """What the answer of a guarded call may carry."""

    status: str | None = None
    changed: bool | None = None
    executed: bool | None = None
    approval: str | None = None
    reconciled: bool | None = None
    question: str | None = None


class MachineDone(Guarded):
    machine: views.MachineRow | None = None
    event: views.EventView | None = None
    waited: views.WatchedView | None = None
    usd_per_hour: float | None = None
    usd_per_month: float | None = None
    price_source: str | None = None
    applied: dict[str, str] | None = None


def failed(outcomes: Sequence[Outcome]) -> Answer | None:
    """The answer where the last step was not done; None where all were."""
    last = outcomes[-1]
    if last.status == "done":
        return None
    before = [one.operation for one in outcomes[:-1]]
    lost = last.status in {"unknown", "intent"}
    return wording.answer(_failure(last, before, lost=lost), executed=None if lost else bool(before))


def _failure(outcome: Outcome, before: Sequence[str], *, lost: bool) -> Failure:
    """Why a step was not done. Where earlier steps of the plan were, something did change, and it is named."""
    facts = {**outcome.facts, "before": ", ".join(before)}
    if lost:
        return OutcomeUnknown("outcome_unknown", changed="unknown", facts=facts)
    changed: Changed = "yes" if before else "no"
    moved = ", ".join(outcome.facts.get("changed", []))
    return Failure(outcome.code, changed=changed, retryable=outcome.retryable, facts={**facts, "moved": moved})


def traced(outcome: Outcome) -> dict[str, Any]:
    """What to add where the provider's answer was lost, and the account shows that it was done."""
    return {"reconciled": True} if outcome.code == "reconciled" else {}


def machine_done(outcome: Outcome, said: str, desk: Desk, target: Target | None = None) -> Answer:
    """The answer to a mutation that the provider accepted: machine, event, and that it goes on by itself.

    target: what the plan was about; the provider need not repeat its name.
    """
    answer = MachineAndEvent.model_validate(outcome.answer)
    name = answer.data.name or (target.name if target else "")
    row, event = views.machine_row(answer.data.model_copy(update={"name": name}), desk.prices), answer.event
    lost = " The answer was lost; the account shows that it was done." if traced(outcome) else ""
    summary = f"{said} {quoted(name)} ({row.id}).{lost}"
    return Answer(
        summary,
        {"changed": True, "executed": True, "machine": row, **told_event(event), **traced(outcome)},
        next=follow(event),
    )


def told_event(event: Event | None) -> dict[str, Any]:
    return {} if event is None else {"event": views.event_view(event)}


def follow(event: Event | None) -> str:
    return "" if event is None else f"wait_for_event with {views.text(event.id)} tells when it is finished."


def unchanged(desk: Desk, machine: Machine, why: str, event: Event | None = None) -> Answer:
    """Nothing is to be done, so nobody is asked."""
    data = {
        "status": "unchanged",
        "changed": False,
        "executed": False,
        "machine": views.machine_row(machine, desk.prices),
    }
    return Answer(why, {**data, **told_event(event)}, next=follow(event))
