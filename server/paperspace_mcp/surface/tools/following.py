"""An answer after its wait: what the event came to, how the machine is by then, and what there is left to wait for."""

from typing import Any

from paperspace_mcp.contract.errors import Changed, Failure
from paperspace_mcp.contract.shapes import Event, Machine
from paperspace_mcp.rules import power, waiting
from paperspace_mcp.rules.guard.cleaning import quoted
from paperspace_mcp.rules.waiting import Verdict
from paperspace_mcp.surface import views, wording
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.render import Answer
from paperspace_mcp.surface.tools import moving
from paperspace_mcp.surface.tools.reporting import told_event
from paperspace_mcp.surface.tools.watching import FAILED, capped, waited, watched_view
from paperspace_mcp.watch import Watched

BEFORE = {"start": "off", "stop": "on"}
"""The group of states that a failed start or stop left its machine in, where it changed nothing."""


async def followed(desk: Desk, verb: str, answer: Answer, event: Event | None, wait_seconds: int) -> Answer:
    """Wait a slice for the event of an answer, and write into the answer how it stands; an error where it failed."""
    if event is None or not wait_seconds:
        return answer
    [watched] = await waited(desk, [event.id], wait_seconds)
    if watched.verdict in FAILED:
        machine = watched.machine or await moving.read(desk, answer.data["machine"].id)
        return failed_event(desk, verb, answer, watched, machine)
    view = watched_view(watched)
    answer.data = {**answer.data, **_seen(desk, watched), "waited": view}
    late = capped(desk, wait_seconds) if watched.verdict is Verdict.PENDING else ""
    answer.summary += f" After the wait{late}: {_stands(view)}."
    if watched.verdict is not Verdict.PENDING:
        answer.next = _after(verb, watched)
    return answer


def _seen(desk: Desk, watched: Watched) -> dict[str, Any]:
    row = {"machine": views.machine_row(watched.machine, desk.prices)} if watched.machine else {}
    return {**told_event(watched.event), **row}


def _stands(view: views.WatchedView) -> str:
    machine = f", machine {view.machine_state}" if view.machine_state else ""
    address = f", public IP {view.public_ip}" if view.public_ip else ""
    return f"{view.verdict}{f' ({view.note})' if view.note else ''}{machine}{address}"


def _after(verb: str, watched: Watched) -> str:
    """What is left once nothing runs any more."""
    if watched.verdict is not Verdict.DONE or watched.note not in {"", waiting.NO_ADDRESS}:
        return "explain_machine tells how the machine is, and why."
    machine = watched.machine
    if verb == "stop" or machine is None or machine.public_ip:
        return ""
    return "" if machine.public_ip_type == "none" else "It has no public address yet; get_machine shows it once it has."


def failed_event(desk: Desk, verb: str, answer: Answer, watched: Watched, machine: Machine | None) -> Answer:
    """What was accepted and then failed: an error, with all that the answer would have told.

    machine: as it is now; None where it cannot be read.
    """
    row = views.machine_row(machine, desk.prices) if machine else answer.data["machine"]
    executed = bool(answer.data.get("executed"))
    changed = _changed(verb, machine) if executed else "no"
    failure = _failure(verb, watched, row, changed, state=row.state if machine else "not known")
    data = {**answer.data, **told_event(watched.event), "machine": row, "waited": watched_view(watched)}
    known = None if changed == "unknown" else changed == "yes"
    money = {"usd_per_hour": None, "usd_per_month": None}
    return wording.answer(failure, **{**data, **money, "status": "failed", "changed": known, "executed": executed})


def _failure(verb: str, watched: Watched, row: views.MachineRow, changed: Changed, *, state: str) -> Failure:
    capacity = watched.note == waiting.CAPACITY
    said = watched.start or watched.event
    facts: dict[str, Any] = {"verb": verb, "machine": f"{quoted(row.name)} ({row.id})", "state": state}
    facts |= {"cause": watched.verdict.value, "provider_message": said.error if said else None}
    code = "no_capacity" if capacity else "event_failed"
    return Failure(code, changed=changed, retryable=capacity, facts=facts)


def _changed(verb: str, machine: Machine | None) -> Changed:
    """A machine that is as it was before was left alone; what a failed restart or update did is not told."""
    if machine is None or verb not in BEFORE:
        return "unknown"
    return "no" if power.group(machine.state) == BEFORE[verb] else "yes"
