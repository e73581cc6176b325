"""The rows of a bulk power call: what each machine was when the list was frozen, and what became of it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import Field

from paperspace_mcp.conduct import Outcome
from paperspace_mcp.contract.errors import Failure
from paperspace_mcp.contract.shapes import Event, Machine, MachineAndEvent
from paperspace_mcp.rules.selecting import UNCHANGED, Selection
from paperspace_mcp.surface import views
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.tools.power import Act, Standing
from paperspace_mcp.surface.tools.watching import FAILED, watched_view
from paperspace_mcp.surface.wording import explain
from paperspace_mcp.watch import Watched

MOST_ASIDE = 50
"""Rows of machines that nothing is done to; their numbers are told whole."""
LOST = frozenset({"unknown", "intent"})

_WHY = {
    "busy": "busy; wait for its event",
    "just_done": "done by this call a moment ago",
    "off": "off; nothing to restart",
    "excluded": "matches exclude_globs",
    "region": "in another region",
    "machine_type": "of another type",
    "state": "in another state",
}
_RESULTS = {"done": "done", "changed": "changed_meanwhile", "failed": "failed", "left": "not_begun"}


class PoweredRow(views.View):
    id: str
    name: str
    result: str = Field(
        description="planned, done, unchanged, changed_meanwhile, failed, unknown, not_begun or left_out."
    )
    why: str | None = None
    state: str | None = None
    machine_type: str | None = None
    region: str | None = None
    usd_per_hour: float | None = None
    event_id: str | None = None
    waited: str | None = None
    public_ip: str | None = None


def rows_of(desk: Desk, chosen: Selection, act: Act, events: Mapping[str, Event]) -> list[PoweredRow]:
    """One row for each machine that is to be done, and for the first of the others. `events`: by machine, running."""
    planned = [_row(desk, machine, "planned") for machine in chosen.todo]
    left = [_left(desk, one.machine, act, one.why, events.get(one.machine.id)) for one in chosen.left]
    same = [_row(desk, machine, "unchanged", event=events.get(machine.id)) for machine in chosen.unchanged]
    return [*planned, *[*left, *same][:MOST_ASIDE]]


def _left(desk: Desk, machine: Machine, act: Act, code: str, event: Event | None) -> PoweredRow:
    said = why(act, code) if event is None or code != "busy" else busy(event)
    return _row(desk, machine, "left_out", said, event)


def busy(event: Event) -> str:
    """Why a machine cannot be done now, in a few words."""
    return f"busy: its {views.text(event.name, 64)} is under way; wait for its event"


def waiting_for(rows: Iterable[PoweredRow]) -> str:
    """How to go on with those that something else is under way on."""
    stuck = [row for row in rows if row.event_id and row.result in {"left_out", "failed"} and not row.waited]
    return "Of the busy ones wait_for_event with their event_id, then repeat the same call." if stuck else ""


def unlisted(aside: Mapping[str, int]) -> str:
    """How many of those that are left alone have no row, in words."""
    more = sum(aside.values()) - MOST_ASIDE
    return f"{more} more that are left alone have no row." if more > 0 else ""


def _row(desk: Desk, machine: Machine, result: str, why: str | None = None, event: Event | None = None) -> PoweredRow:
    shown = views.machine_row(machine, desk.prices)
    known = shown.model_dump(include={"id", "name", "state", "machine_type", "region", "usd_per_hour"})
    return PoweredRow(**known, result=result, why=why, event_id=views.text(event.id) if event else None)


def why(act: Act, code: str) -> str:
    """Why a machine is left out, in a few words."""
    if code == "protected":
        named = f"{act.operation.name} asks about it alone" if act.verb != "start" else "name it in `machines`"
        return f"protected; {named}"
    return _WHY[code]


def merged(
    rows: Iterable[PoweredRow], outcomes: Sequence[Outcome], by_then: Mapping[str, tuple[Machine, Standing]]
) -> list[PoweredRow]:
    """The frozen rows with what became of them. `by_then`: how those stand that the provider refused."""
    by_id = {outcome.target_id: outcome for outcome in outcomes}
    return [_became(row, by_id[row.id], by_then.get(row.id)) if row.id in by_id else row for row in rows]


def _became(row: PoweredRow, outcome: Outcome, by_then: tuple[Machine, Standing] | None) -> PoweredRow:
    if by_then is not None:
        return row.model_copy(update=_overtaken(*by_then))
    if outcome.status == "done":
        return row.model_copy(update={"result": "done", **_accepted(outcome)})
    result = "unknown" if outcome.status in LOST else _RESULTS[outcome.status]
    return row.model_copy(update={"result": result, "why": explain(failure_of(outcome))[0] or None})


def _overtaken(machine: Machine, standing: Standing) -> dict[str, Any]:
    """Somebody else was first: it is so by now, or something else is under way."""
    event = standing.event
    seen = {"state": views.text(machine.state, 40), "event_id": views.text(event.id) if event else None}
    if standing.why == UNCHANGED:
        return {**seen, "result": UNCHANGED}
    return {**seen, "result": "failed", "why": busy(event) if event else _WHY.get(standing.why)}


def _accepted(outcome: Outcome) -> dict[str, Any]:
    answer = MachineAndEvent.model_validate(outcome.answer)
    traced = "the answer was lost; the account shows it" if outcome.code == "reconciled" else None
    event = None if answer.event is None else views.text(answer.event.id)
    return {"state": views.text(answer.data.state, 40), "event_id": event, "why": traced}


def failure_of(outcome: Outcome) -> Failure:
    """Why one machine was not done, for the wording."""
    if outcome.status in LOST:
        return Failure("outcome_unknown", changed="unknown", facts=outcome.facts)
    facts = {**outcome.facts, "moved": ", ".join(outcome.facts.get("changed", []))}
    return Failure(outcome.code, retryable=outcome.retryable, facts=facts)


def after_waiting(rows: Iterable[PoweredRow], watched: Iterable[Watched]) -> list[PoweredRow]:
    """The rows with how their events, and by then their machines, stand."""
    by_event = {one.event_id: one for one in watched}
    return [_stands(row, by_event[row.event_id]) if row.event_id in by_event else row for row in rows]


def _stands(row: PoweredRow, watched: Watched) -> PoweredRow:
    """What was begun and failed was not done, whatever the provider accepted."""
    view = watched_view(watched)
    said = view.error if view.verdict == "failed" else view.note
    update = {"waited": view.verdict, "state": view.machine_state or row.state, "public_ip": view.public_ip}
    result = "failed" if watched.verdict in FAILED else row.result
    return row.model_copy(update={**update, "result": result, "why": said or row.why})
