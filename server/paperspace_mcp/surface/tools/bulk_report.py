"""What a bulk power call answers: numbers and money in a sentence, a row for each machine, and how to go on."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import Field

from paperspace_mcp.conduct import Outcome
from paperspace_mcp.contract.errors import CallerError, Changed, Failure
from paperspace_mcp.contract.shapes import Machine
from paperspace_mcp.rules import pricing
from paperspace_mcp.rules.guard.plans import Plan
from paperspace_mcp.rules.pricing import Total
from paperspace_mcp.rules.waiting import OVERDUE_S, Verdict, is_capacity
from paperspace_mcp.surface import wording
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.render import Answer
from paperspace_mcp.surface.tool import Arguments
from paperspace_mcp.surface.tools import moving
from paperspace_mcp.surface.tools.bulk_rows import (
    LOST,
    PoweredRow,
    after_waiting,
    failure_of,
    merged,
    unlisted,
    waiting_for,
)
from paperspace_mcp.surface.tools.power import ACTS, Act, Standing
from paperspace_mcp.surface.tools.reporting import Guarded
from paperspace_mcp.surface.tools.watching import capped, verdicts, waited
from paperspace_mcp.watch import Watched

BROKEN = frozenset({"failed", "changed_meanwhile", "unknown", "not_begun"})
"""The results that are not what was meant."""
MOST_EVENTS = 50
"""As many as wait_for_event takes."""
FEWER = "name fewer machines at a time"


class PoweredMachines(Guarded):
    counts: dict[str, int] | None = Field(default=None, description="Machines by result.")
    usd_per_hour: float | None = Field(default=None, description="Saved by a stop, spent by a start; known prices.")
    usd_per_month: float | None = None
    unpriced: int | None = None
    price_source: str | None = None
    would_ask: str | None = None
    machines: list[PoweredRow] | None = None


def money(act: Act, rows: Sequence[PoweredRow], reserved: Collection[str]) -> tuple[str, dict[str, Any]]:
    """What it saves or costs per hour and month, in words and as fields; nothing for a restart.

    reserved: ids of machines of which what stopping them saves is not known.
    """
    if act.verb == "restart" or not rows:
        return "", {}
    priced = [row for row in rows if row.id not in reserved]
    total = pricing.total(row.usd_per_hour for row in priced)
    usd = total.usd if priced else None
    fields = {"usd_per_hour": usd, "usd_per_month": pricing.per_month(usd), "unpriced": total.unpriced or None}
    return told(act, total, len(rows) - len(priced)), fields


def told(act: Act, total: Total, reserved: int) -> str:
    """The money of a start or a stop in a sentence. reserved: how many are not in the total."""
    does, when = ("Saves", "while off") if act.verb == "stop" else ("Costs", "while running")
    after = "; disks stay billed." if act.verb == "stop" else "."
    if (total.unpriced or reserved) and not total.usd:
        return f"What it {does.lower()} {when} is not known{after}"
    least, unknown = ("at least ", f" (of {total.unpriced} the price is not known)") if total.unpriced else ("", "")
    unknown += f" ({reserved} reserved, not in the sum)" if reserved else ""
    return f"{does} {least}{pricing.words(total.usd)} {when}{unknown}{after}"


def counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {result.replace('_', ' ')}" for result, number in counts.items() if number)


async def nothing_to_do(
    desk: Desk, act: Act, rows: Sequence[PoweredRow], counts: Mapping[str, int], wait_seconds: int
) -> Answer:
    """Every machine that is meant is so already or is left out, so nobody is asked.

    Where something else is under way on one of them it will not stay so, and that is an error.
    """
    rows, watched = await _followed(desk, rows, wait_seconds)
    counts = _recounted(counts, rows)
    if broken := _busy(rows) or _failed(act, rows):
        return _error(broken, counts=counts, machines=rows, changed=False, executed=False)
    what = counted(counts) or "no machine matches"
    data = {"status": "unchanged", "changed": False, "executed": False, "counts": counts, "machines": rows or None}
    onward = unlisted(counts) if rows else "list_machines shows what there is."
    summary = f"Nothing to {act.verb}: {what}. Nothing was changed.{_after(desk, watched, wait_seconds)}"
    return Answer(summary, data, next=_sentences(onward, _pending(rows)), rows="machines", narrow=FEWER)


async def report(desk: Desk, plan: Plan, outcomes: Sequence[Outcome], arguments: Arguments) -> Answer:
    """What became of each machine. One that failed takes nothing from what the others came to."""
    act, wait_seconds, aside = ACTS[plan.verb], arguments["wait_seconds"], plan.facts["aside"]
    frozen = [PoweredRow.model_validate(row) for row in plan.facts["rows"]]
    rows = merged(frozen, outcomes, await _by_then(desk, act, outcomes))
    rows, watched = await _followed(desk, rows, wait_seconds)
    tried = [row for row in rows if row.id in {target.id for target in plan.targets}]
    counts = dict(
        Counter(row.result for row in tried) + Counter(_recounted(aside, [r for r in rows if r not in tried]))
    )
    if broken := _nothing_done(act, tried, outcomes):
        return _error(broken, counts=counts, machines=rows)
    words, fields = money(act, [row for row in tried if row.result == "done"], plan.facts.get("reserved", ()))
    traced = {"reconciled": True} if any(one.code == "reconciled" for one in outcomes) else {}
    data: dict[str, Any] = {**_status(rows), "counts": counts, **traced, **fields, "machines": rows}
    onward = _sentences(_onward(rows), waiting_for(rows), unlisted(aside), _pending(rows))
    summary = _sentences(f"{act.verb.capitalize()}: {counted(counts)}.", words)
    summary += _after(desk, watched, wait_seconds)
    return Answer(summary, data, next=onward, rows="machines", narrow=FEWER)


def _error(failure: Failure, **data: Any) -> Answer:
    return replace(wording.answer(failure, **data), rows="machines", narrow=FEWER)


def _sentences(*parts: str) -> str:
    return " ".join(filter(None, parts))


def _recounted(aside: Mapping[str, int], rows: Sequence[PoweredRow]) -> dict[str, int]:
    """How many were left alone, once a wait has shown which of them did not come to what was meant.

    Of those that were left alone some have no row, so their numbers come from the plan.
    """
    failed = sum(1 for row in rows if row.result == "failed")
    return dict(Counter(aside) - Counter(unchanged=failed) + Counter(failed=failed))


def _status(rows: Sequence[PoweredRow]) -> dict[str, Any]:
    """Done but for a part, or so already; what was left out was not meant."""
    results = {row.result for row in rows}
    done = "done" in results
    status = "partial" if results & BROKEN else "" if done else "unchanged"
    return {**({"status": status} if status else {}), "changed": done, "executed": done}


async def _by_then(desk: Desk, act: Act, outcomes: Sequence[Outcome]) -> dict[str, tuple[Machine, Standing]]:
    """How the machines stand that the provider refused because somebody else was first."""
    refused = [one.target_id for one in outcomes if moving.in_the_way(one)]
    events, now = await moving.of_all(desk) if refused else {}, desk.conduct.rooms.now()
    found = dict[str, tuple[Machine, Standing]]()
    for machine_id in refused:
        if machine := await moving.read(desk, machine_id):
            standing = act.standing(machine, events.get(machine_id, ()), now, OVERDUE_S)
            found |= {machine_id: (machine, standing)} if standing.why else {}
    return found


def _nothing_done(act: Act, rows: Sequence[PoweredRow], outcomes: Sequence[Outcome]) -> Failure | None:
    """An error only where nothing at all came of it; its code is the first machine's."""
    ids = {row.id for row in rows if row.result in BROKEN}
    if not ids or any(row.result == "done" for row in rows):
        return None
    broken = [one for one in outcomes if one.target_id in ids and one.status != "done"]
    lost = next((one for one in broken if one.status in LOST), None)
    if not broken or (not lost and _busy(rows)):
        return _busy(rows) or _failed(act, rows)
    first = failure_of(lost or broken[0])
    changed: Changed = "unknown" if lost else "no"
    facts = {**first.facts, "of_several": len(broken)}
    return Failure(first.code, changed=changed, retryable=first.retryable, facts=facts)


def _busy(rows: Sequence[PoweredRow]) -> Failure | None:
    """Something else is under way on some of them."""
    busy = [row for row in rows if row.event_id and row.result in {"left_out", "failed"} and not row.waited]
    return CallerError("machine_busy", facts={"cause": "several", "count": len(busy)}) if busy else None


def _failed(act: Act, rows: Sequence[PoweredRow]) -> Failure | None:
    """What the provider accepted and did not do; only of a start it is known that it left all as it was."""
    failed = [row for row in rows if row.result == "failed" and row.waited]
    changed: Changed = "no" if act.verb == "start" else "unknown"
    facts = {"cause": "several", "verb": act.verb, "count": len(failed)}
    later = any(is_capacity(row.why) for row in failed)
    return Failure("event_failed", changed=changed, retryable=later, facts=facts) if failed else None


def _onward(rows: Sequence[PoweredRow]) -> str:
    results = {row.result for row in rows}
    if "unknown" in results:
        return "Read the unknown machines (get_machine) and their events before anything is repeated."
    if "not_begun" in results:
        return "Repeat the same call later: it goes on with those that were not begun."
    again = "Repeat the same call: a person is asked about those that are left."
    return again if results & {"failed", "changed_meanwhile"} else ""


def _pending(rows: Sequence[PoweredRow]) -> str:
    """What there is to wait for, of what was done or is on its way by itself."""
    runs = [row for row in rows if row.event_id and row.result in {"done", "unchanged"}]
    runs = [row for row in runs if row.waited in {None, Verdict.PENDING.value}]
    return "wait_for_event with the event_id of each tells when they are finished." if runs else ""


async def _followed(
    desk: Desk, rows: Sequence[PoweredRow], wait_seconds: int
) -> tuple[list[PoweredRow], list[Watched]]:
    """The rows after waiting for their events, where the call was to."""
    runs = [row.event_id for row in rows if row.event_id and row.result in {"done", "unchanged"}]
    ids = list(dict.fromkeys(runs))[:MOST_EVENTS]
    watched = await waited(desk, ids, wait_seconds) if ids and wait_seconds else []
    return after_waiting(rows, watched), watched


def _after(desk: Desk, watched: Sequence[Watched], wait_seconds: int) -> str:
    pending = any(one.verdict is Verdict.PENDING for one in watched)
    late = capped(desk, wait_seconds) if pending else ""
    return f" After the wait{late}: {verdicts(watched)}." if watched else ""
