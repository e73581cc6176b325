"""Power for many machines: one frozen list, one question, and a result for each."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import Field

from paperspace_mcp.conduct import Outcome, fingerprinted
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.errors import CallerError, Candidate, Refusal, UpstreamError
from paperspace_mcp.contract.shapes import Event, Machine
from paperspace_mcp.rules import naming, power, pricing, selecting
from paperspace_mcp.rules.guard import plans
from paperspace_mcp.rules.guard.cleaning import clean, plain
from paperspace_mcp.rules.guard.demands import TABLE
from paperspace_mcp.rules.guard.plans import Plan, Step, Target
from paperspace_mcp.rules.guard.records import Channel
from paperspace_mcp.rules.selecting import Selection, Selector
from paperspace_mcp.surface.consent import canonical
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.render import Answer
from paperspace_mcp.surface.tool import Arguments, Tool
from paperspace_mcp.surface.tools import moving, params
from paperspace_mcp.surface.tools.bulk_report import FEWER, PoweredMachines, counted, money, nothing_to_do, report, told
from paperspace_mcp.surface.tools.bulk_rows import PoweredRow, rows_of, unlisted
from paperspace_mcp.surface.tools.filters import known
from paperspace_mcp.surface.tools.power import ACTS, RESTART, START, STOP, Act, Standing
from paperspace_mcp.surface.wording import explain
from paperspace_mcp.sweeping import sweep

Action = Annotated[Literal["start", "stop", "restart"], Field(description="Done to each.")]
Globs = Annotated[list[Annotated[str, Field(max_length=params.NAME_CAP)]], Field(max_length=50)]
Refs = Annotated[list[params.Reference], Field(max_length=200)]


async def power_machines(
    desk: Desk,
    action: Action,
    machines: Annotated[Refs, Field(description="Ids or exact names.")] = [],  # noqa: B006 - the schema's default
    name_globs: Annotated[Globs, Field(description='E.g. dev-*; "*" is all.')] = [],  # noqa: B006
    exclude_globs: Annotated[Globs, Field(description="Names to leave out.")] = [],  # noqa: B006
    region: params.RegionFilter = "any",
    machine_type: params.TypeFilter = "any",
    states: Annotated[params.States, Field(description="E.g. ready.")] = [],  # noqa: B006
    dry_run: Annotated[bool, Field(description="Only show the plan.")] = False,
    wait_seconds: params.WaitSeconds = 0,
) -> Plan | Answer:
    """Start, stop or restart up to 50 machines; a person confirms the list once. Filters narrow and know no load
    (find_waste has signals of idleness); protected machines are taken only where named. Returns a result for each, and
    the money. `dry_run` shows the plan and does nothing."""
    act, selector = ACTS[action], _selector(machines, name_globs, exclude_globs, region, machine_type, states)
    given = {"machines": machines, "name_globs": name_globs, "exclude_globs": exclude_globs, "region": region}
    call = {"action": action, **given, "machine_type": machine_type, "states": states, "dry_run": False}
    fleet, now = await _fleet(desk), await _now(desk, call)
    known(fleet, states, machine_type)
    chosen = _choose(desk, act, selector, fleet, now)
    rows, aside = rows_of(desk, chosen, act, now.under_way(act, chosen)), _aside(chosen)
    if not chosen.todo:
        return await nothing_to_do(desk, act, rows, aside, 0 if dry_run else wait_seconds)
    facts = {"rows": [row.model_dump(exclude_none=True) for row in rows], "aside": aside}
    facts["price_source"] = _sources(desk, chosen)
    facts["reserved"] = [one.id for one in chosen.todo if act is STOP and pricing.reserved(one)]
    plan = _plan(desk, act, chosen, fleet, facts)
    return await _dry(desk, act, plan, rows) if dry_run else plan


def _sources(desk: Desk, chosen: Selection) -> str:
    """Where the prices are from, each once."""
    found = dict.fromkeys(pricing.source_of(machine, desk.prices) for machine in chosen.todo)
    return "; ".join(filter(None, found))


def _selector(
    machines: list[str], globs: list[str], excluded: list[str], region: str, machine_type: str, states: list[str]
) -> Selector:
    """What was asked for, without what says nothing. Raises a `CallerError` where that is all of it."""
    selector = Selector(
        machines=tuple(dict.fromkeys(machines)),
        name_globs=tuple(filter(str.strip, globs)),
        exclude_globs=tuple(filter(str.strip, excluded)),
        region="" if region == "any" else region,
        machine_type="" if machine_type.strip().casefold() in {"", "any"} else machine_type.strip(),
        states=tuple(states),
    )
    if selector.empty:
        raise CallerError("empty_selector")
    return selector


async def _fleet(desk: Desk) -> list[Machine]:
    """Every living machine. Raises an `UpstreamError` where not all were seen: nothing is chosen from a part."""
    fleet = list[Machine]()
    swept = await sweep(desk.conduct, fleet.append)
    if not swept.complete:
        raise UpstreamError("fleet_incomplete")
    return fleet


@dataclass(frozen=True, slots=True)
class _Now:
    """What a state does not tell, because states lag.

    events: the newest of each machine, newest first. at: seconds since the epoch. done: machines that an earlier call
    in the same words did a moment ago.
    """

    events: Mapping[str, Sequence[Event]]
    at: float
    done: frozenset[str] = frozenset()

    def standing(self, act: Act, machine: Machine) -> Standing:
        return act.standing(machine, self.events.get(machine.id, ()), self.at)

    def stands(self, act: Act, machine: Machine) -> str:
        """What an act to a machine comes to; a restart that was just done needs no second one."""
        standing = self.standing(act, machine)
        running = standing.event is None or standing.event.name == "restart"
        just_done = act is RESTART and machine.id in self.done and standing.why in {"", "busy"} and running
        return "just_done" if just_done else standing.why

    def under_way(self, act: Act, chosen: Selection) -> dict[str, Event]:
        """The events that can be waited for, of the machines that nothing is to be done to."""
        aside = (*chosen.unchanged, *(one.machine for one in chosen.left if one.why == "busy"))
        found = {machine.id: self.standing(act, machine).event for machine in aside}
        return {machine_id: event for machine_id, event in found.items() if event is not None}


async def _now(desk: Desk, call: Mapping[str, Any] | None = None) -> _Now:
    """One look at the newest events, and one at our own records of this call."""
    done = frozenset[str]()
    if call is not None:
        lately = await desk.conduct.lately(desk.caller, plans.digest("power_machines", canonical(call)))
        done = frozenset(one.target_id for one in lately if one.status == "done")
    return _Now(await moving.of_all(desk), desk.conduct.rooms.now(), done)


def _choose(desk: Desk, act: Act, selector: Selector, fleet: Sequence[Machine], now: _Now) -> Selection:
    """The frozen list. Raises a `CallerError` that teaches where it is not to be had."""
    names = selecting.named(fleet, selector.machines)
    if names.unknown:
        similar = [one for reference in names.unknown for one in naming.similar(fleet, reference)]
        raise _unclear("unknown_machine", selector, names.unknown, similar)
    if names.ambiguous:
        meant = [naming.candidate(machine) for several in names.ambiguous.values() for machine in several]
        raise _unclear("ambiguous_machine", selector, tuple(names.ambiguous), meant)
    stands = partial(now.stands, act)
    chosen = selecting.select(fleet, selector, names.machines, protected=desk.protected, stands=stands)
    _check(desk, act, chosen)
    return chosen


def _unclear(code: str, selector: Selector, references: Sequence[str], candidates: list[Candidate]) -> CallerError:
    """Which of the references are meant, by their places: an argument's value is never repeated."""
    places = ", ".join(f"number {selector.machines.index(reference) + 1}" for reference in references[:10])
    several = tuple({one.id: one for one in candidates}.values())[: naming.CANDIDATES]
    return CallerError(code, facts={"which": places, "cause": "several"}, candidates=several)


def _check(desk: Desk, act: Act, chosen: Selection) -> None:
    """A protected machine that takes its own name is asked about alone; and a list has an end."""
    alone = TABLE[act.operation.effect, True].ask is not TABLE[act.operation.effect, False].ask
    protected = [machine for machine in chosen.todo if desk.protected(machine)]
    if alone and protected:
        candidates = tuple(map(naming.candidate, protected[: naming.CANDIDATES]))
        raise CallerError("protected_in_bulk", facts={"tool": act.operation.name}, candidates=candidates)
    batch = desk.conduct.policy.batch
    if len(chosen.todo) > batch:
        facts = {"count": len(chosen.todo), "batch": batch, "cause": "selected", "parts": _parts(chosen.todo, batch)}
        raise CallerError("too_many", facts=facts)


def _parts(machines: Sequence[Machine], batch: int) -> str:
    """How a list that is too long falls into calls that are not."""
    by, sizes = selecting.parts(machines, batch)
    if not by:
        return (
            f"Name at most {batch} of them in `machines` in each call, or narrow name_globs; list_machines names them."
        )
    told = ", ".join(f"{clean(value, 40).text} {number}" for value, number in sizes.items())
    return f"Narrow it, with one call for each {by}: {told}."


def _aside(chosen: Selection) -> dict[str, int]:
    """How many are left alone: all of them, also those that have no row."""
    return {
        name: number
        for name, number in (("unchanged", len(chosen.unchanged)), ("left_out", len(chosen.left)))
        if number
    }


def _plan(desk: Desk, act: Act, chosen: Selection, fleet: Sequence[Machine], facts: dict[str, Any]) -> Plan:
    names = Counter(machine.name for machine in fleet)
    steps = tuple(_step(desk, act, machine, unique=names[machine.name] == 1) for machine in chosen.todo)
    total = pricing.total(pricing.rate(machine, desk.prices) for machine in chosen.todo)
    return Plan(
        tool="power_machines",
        arguments={"action": act.verb, "machines": [machine.id for machine in chosen.todo]},
        verb=act.verb,
        steps=steps,
        lines=_lines(desk, act, chosen, total),
        usd_per_hour=total.usd_per_hour,
        adds_usd_per_hour=total.usd_per_hour,
        independent=True,
        facts=facts,
    )


def _step(desk: Desk, act: Act, machine: Machine, *, unique: bool) -> Step:
    """A name that cannot be typed, or is not the only one, is known by its id."""
    values = power.fingerprint(machine, fingerprinted(act.operation.effect))
    unsure = not unique or not plain(machine.name)
    target = Target(machine.id, machine.name, desk.label(machine), values, desk.protected(machine), unsure)
    usd = pricing.rate(machine, desk.prices)
    path = {"path": {"id": machine.id}}
    return Step(act.operation.name, path, act.operation.effect, target, usd_per_hour=usd)


def _lines(desk: Desk, act: Act, chosen: Selection, total: pricing.Total) -> tuple[str, ...]:
    number = len(chosen.todo)
    these = "1 machine" if number == 1 else f"{number} machines"
    what = f"{act.verb.upper()} {these}"
    pending = sum(1 for machine in chosen.todo if machine.updates_pending and act is RESTART)
    slow = (f"Updates are pending on {pending}: it may take longer than usual.",) if pending else ()
    return (*_first(desk, act, what, chosen.todo, total), *slow, *_beside(chosen))


def _first(desk: Desk, act: Act, what: str, todo: Sequence[Machine], total: pricing.Total) -> tuple[str, ...]:
    """The dangerous line, and the money."""
    number = len(todo)
    if act is START:
        return (f"{what}: {_price(number, total)}.",)
    ends = f"{what}: whatever runs on {'it' if number == 1 else 'them'} ends."
    return (ends, _saved(desk, todo)) if act is STOP else (ends,)


def _saved(desk: Desk, todo: Sequence[Machine]) -> str:
    """What a stop saves; what is reserved is paid for anyway, perhaps."""
    paid = [machine for machine in todo if not pricing.reserved(machine)]
    total = pricing.total(pricing.rate(machine, desk.prices) for machine in paid)
    return told(STOP, total, len(todo) - len(paid))


def _price(number: int, total: pricing.Total) -> str:
    runs, cost = ("it runs", "it costs") if number == 1 else ("they run", "they cost")
    if total.unpriced == number:
        return f"what {cost} while {runs} is not known"
    sum_ = f"{'together ' if number > 1 else ''}{'at least ' if total.unpriced else ''}{pricing.words(total.usd)}"
    return f"{sum_} while {runs}" + (f"; the price of {total.unpriced} is not known" if total.unpriced else "")


def _beside(chosen: Selection) -> tuple[str, ...]:
    """What is not in the list, so that nobody takes it for the whole."""
    reasons = Counter(one.why for one in chosen.left)
    left = ", ".join(f"{number} {why.replace('_', ' ')}" for why, number in reasons.items())
    return (f"Left out: {left}.",) if left else ()


async def _dry(desk: Desk, act: Act, plan: Plan, rows: Sequence[PoweredRow]) -> Answer:
    """The plan as it would be asked about. Nothing is recorded, nobody is asked."""
    planned = [row for row in rows if row.result == "planned"]
    words, fields = money(act, planned, plan.facts["reserved"])
    aside = plan.facts["aside"]
    counts = {"planned": len(planned), **aside}
    priced = {"price_source": plan.facts["price_source"] or None} if fields else {}
    data = {"status": "dry_run", "changed": False, "executed": False, "counts": counts, **fields}
    return Answer(
        f"Dry run, nothing was done. Would {act.verb}: {counted(counts)}. {words}".strip(),
        {**data, **priced, "would_ask": await _would_ask(desk, plan), "machines": list(rows)},
        next=f"The same call without dry_run does it, after a person confirmed. {unlisted(aside)}".strip(),
        rows="machines",
        narrow=FEWER,
    )


async def _would_ask(desk: Desk, plan: Plan) -> str:
    """Who would be asked for what, or why nobody would be."""
    try:
        decision, record = await desk.conduct.preview(desk.caller, plan)
    except Refusal as refusal:
        return f"refused: {explain(refusal)[0]}"
    if record.channel is Channel.RULE:
        return f"nobody ({decision.rule})"
    inside = record.channel is Channel.CLIENT
    where = (
        "in the client, or out of band where it cannot ask" if inside else "out of band, where the whole list is seen"
    )
    return f"a person, {where}; to type: {record.expects}"


async def undone(desk: Desk, outcomes: Sequence[Outcome], arguments: Arguments) -> bool:
    """Whether the same words mean more by now: another machine fits them, or one went back after it was done."""
    known = {outcome.target_id: outcome for outcome in outcomes}
    given = ("machines", "name_globs", "exclude_globs", "region", "machine_type", "states")
    act = ACTS[arguments["action"]]
    with suppress(CallerError):
        selector = _selector(*(arguments[name] for name in given))
        fleet, now = await _fleet(desk), await _now(desk)
        chosen = _choose(desk, act, selector, fleet, now)
        if any(machine.id not in known for machine in chosen.todo) or _turned(act, known, chosen, now):
            return True
        back = [known[machine.id] for machine in chosen.todo if act is not RESTART]
        return await _ended(desk, [one for one in back if one.status == "done"])
    return False


def _turned(act: Act, known: Mapping[str, Outcome], chosen: Selection, now: _Now) -> bool:
    """Whether something else is under way by now on a machine that was done: somebody means it the other way."""
    done = {machine_id for machine_id, one in known.items() if one.status == "done"}
    busy = [one.machine for one in chosen.left if one.why == "busy" and one.machine.id in done]
    events = [now.standing(act, machine).event for machine in busy]
    return any(event is not None and event.name != act.verb for event in events)


async def _ended(desk: Desk, outcomes: Sequence[Outcome]) -> bool:
    """Whether any of our events is over: states lag events, so a state alone does not tell."""
    ids = [str(event["id"]) for one in outcomes if (event := one.answer.get("event"))]
    watched = await desk.watch.wait(ids, timeout_s=0) if ids else []
    return any(one.event is not None and one.event.state in power.ENDED for one in watched)


POWER_MANY = Tool(
    power_machines,
    "Start, stop or restart many",
    PoweredMachines,
    report=report,
    effect=Effect.DISRUPT,
    guards=lambda arguments: not arguments["dry_run"],
    undone=undone,
    acts=tuple(act.operation for act in ACTS.values()),
)
