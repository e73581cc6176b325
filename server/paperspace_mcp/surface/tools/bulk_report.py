"""What a bulk power call answers: numbers and money in a sentence, a row for each machine, and how to go on."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import Field

from paperspace_mcp.conduct import Outcome
from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.errors import Changed, Failure
from paperspace_mcp.contract.shapes import Machine
from paperspace_mcp.rules import pricing
from paperspace_mcp.rules.guard.plans import Plan
from paperspace_mcp.rules.pricing import Total
from paperspace_mcp.surface import wording
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.render import Answer
from paperspace_mcp.surface.tool import Arguments
from paperspace_mcp.surface.tools.bulk_rows import LOST, PoweredRow, after_waiting, failure_of, merged, unlisted
from paperspace_mcp.surface.tools.power import ACTS, Act
from paperspace_mcp.surface.tools.reporting import Guarded
from paperspace_mcp.watch import Watched

MOST_EVENTS = 50
"""As many as wait_for_event takes."""
FEWER = "name fewer machines at a time"


class PoweredMachines(Guarded):
    counts: dict[str, int] | None = Field(default=None, description="Machines by result.")
    usd_per_hour: float | None = Field(default=None, description="Saved by a stop, spent by a start; known prices.")
    usd_per_month: float | None = None
    unpriced: int | None = None
    would_ask: str | None = None
    machines: list[PoweredRow] | None = None


def money(act: Act, priced: Sequence[PoweredRow]) -> tuple[str, dict[str, Any]]:
    """What it saves or costs per hour and month, in words and as fields; nothing for a restart."""
    if act.verb == "restart" or not priced:
        return "", {}
    total = pricing.total(row.usd_per_hour for row in priced)
    fields = {"usd_per_hour": total.usd, "usd_per_month": pricing.per_month(total.usd)}
    return told(act, total), {**fields, "unpriced": total.unpriced or None}


def told(act: Act, total: Total) -> str:
    """The money of a start or a stop in a sentence."""
    if act.verb == "stop":
        return f"Saves {total.words} while off; disks stay billed."
    return f"Costs {total.words} while running."


def counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {result.replace('_', ' ')}" for result, number in counts.items() if number)


async def nothing_to_do(
    desk: Desk, act: Act, rows: Sequence[PoweredRow], counts: Mapping[str, int], wait_seconds: int
) -> Answer:
    """Every machine that is meant is so already or is left out, so nobody is asked."""
    what = counted(counts) or "no machine matches"
    answer = Answer(
        f"Nothing to {act.verb}: {what}. Nothing was changed.",
        {"status": "unchanged", "changed": False, "executed": False, "counts": dict(counts)},
        next=unlisted(counts) if rows else "list_machines shows what there is.",
        rows="machines",
        narrow=FEWER,
    )
    return await _followed(desk, answer, list(rows), wait_seconds)


async def report(desk: Desk, plan: Plan, outcomes: Sequence[Outcome], arguments: Arguments) -> Answer:
    """What became of each machine. One that failed takes nothing from what the others came to."""
    act = ACTS[plan.verb]
    frozen = [PoweredRow.model_validate(row) for row in plan.facts["rows"]]
    rows = merged(frozen, outcomes, await _so_by_then(desk, act, outcomes))
    done = [row for row in rows if row.result == "done"]
    counts = _counts(plan, rows)
    data: dict[str, Any] = {"changed": bool(done), "executed": bool(done), "counts": counts}
    if broken := _nothing_done(act, rows, outcomes):
        return replace(wording.answer(broken, counts=counts, machines=rows), rows="machines", narrow=FEWER)
    words, fields = money(act, done)
    traced = {"reconciled": True} if any(one.code == "reconciled" for one in outcomes) else {}
    partial = {} if len(done) == len(plan.steps) else {"status": "partial"}
    summary = f"{act.verb.capitalize()}: {counted(counts)}. {words}".strip()
    onward = " ".join(filter(None, (_onward(rows), unlisted(plan.facts["aside"]))))
    answer = Answer(summary, {**partial, **data, **traced, **fields}, next=onward, rows="machines", narrow=FEWER)
    return await _followed(desk, answer, rows, arguments["wait_seconds"])


def _counts(plan: Plan, rows: Sequence[PoweredRow]) -> dict[str, int]:
    """By result. Of those that were left alone some have no row, so their numbers come from the plan."""
    ids = {target.id for target in plan.targets}
    became = Counter(row.result for row in rows if row.id in ids)
    return dict(became + Counter(plan.facts["aside"]))


async def _so_by_then(desk: Desk, act: Act, outcomes: Sequence[Outcome]) -> dict[str, Machine]:
    """The machines that the API refused with 400 because somebody else was first; that is no change."""
    refused = [one.target_id for one in outcomes if one.status == "failed" and one.code == "bad_request"]
    found = {}
    for machine_id in refused:
        try:
            machine = await desk.conduct.read(catalogue.GET_MACHINE, {"id": machine_id})
        except Failure:
            continue
        if machine.state in act.idle:
            found[machine_id] = machine
    return found


def _nothing_done(act: Act, rows: Sequence[PoweredRow], outcomes: Sequence[Outcome]) -> Failure | None:
    """An error only where nothing at all came of it; its code is the first machine's."""
    if any(row.result == "done" for row in rows):
        return None
    broken = [one for one in outcomes if one.status != "done"]
    ids = {row.id for row in rows if row.result in {"failed", "changed_meanwhile", "unknown", "not_begun"}}
    broken = [one for one in broken if one.target_id in ids]
    if not broken:
        return None
    lost = next((one for one in broken if one.status in LOST), None)
    first = failure_of(lost or broken[0])
    changed: Changed = "unknown" if lost else "no"
    facts = {**first.facts, "of_several": len(broken)}
    return Failure(first.code, changed=changed, retryable=first.retryable, facts=facts)


def _onward(rows: Sequence[PoweredRow]) -> str:
    results = {row.result for row in rows}
    if "unknown" in results:
        return "Read the unknown machines (get_machine) and their events before anything is repeated."
    if "not_begun" in results:
        return "Repeat the same call later: it goes on with those that were not begun."
    again = "Repeat the same call: a person is asked about those that are left."
    return again if results & {"failed", "changed_meanwhile"} else ""


async def _followed(desk: Desk, answer: Answer, rows: list[PoweredRow], wait_seconds: int) -> Answer:
    """The answer with its rows and events, after waiting for them where the call was to."""
    ids = list(dict.fromkeys(row.event_id for row in rows if row.event_id))[:MOST_EVENTS]
    if ids and wait_seconds:
        watched = await _wait(desk, ids, wait_seconds)
        rows, ids = after_waiting(rows, watched), [one.event_id for one in watched if one.verdict.value == "pending"]
        answer.summary += f" After the wait: {counted(Counter(one.verdict.value for one in watched))}."
    follow = "wait_for_event with the event_id of each tells when they are finished." if ids else ""
    answer.next = " ".join(filter(None, (answer.next, follow)))
    answer.data = {**answer.data, "machines": rows or None}
    return answer


async def _wait(desk: Desk, ids: Sequence[str], wait_seconds: int) -> list[Watched]:
    seconds = min(wait_seconds, desk.max_wait_s)

    async def progress(elapsed: float, watched: Sequence[Watched]) -> None:
        await desk.report(elapsed, seconds, counted(Counter(one.verdict.value for one in watched)))

    return await desk.watch.wait(ids, timeout_s=seconds, progress=progress)
