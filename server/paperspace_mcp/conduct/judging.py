"""What is known of the world when a plan is judged, gathered for the pure rules of the policy."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from paperspace_mcp.conduct.parts import Caller, Rooms
from paperspace_mcp.conduct.storing import stored
from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.errors import UpstreamError
from paperspace_mcp.contract.requests import PAGE_LIMIT, MachinesQuery
from paperspace_mcp.contract.shapes import Machine
from paperspace_mcp.rules import power, pricing
from paperspace_mcp.rules.guard.plans import Plan
from paperspace_mcp.rules.policy import (
    HOUR_S,
    QUESTIONS_WINDOW_S,
    Decision,
    Standing,
    Standings,
    decide,
    refusal,
    spends,
)
from paperspace_mcp.walking import walk

FROZEN = "frozen"
FLEET_ROWS = 10_000
"""A budget of money counts the whole fleet; one that is larger than this cannot be counted, and so does not fit."""


def unlocked(principal: str) -> str:
    """The flag under which a principal's prompt limits are lifted."""
    return f"unlocked:{principal}"


async def judge(rooms: Rooms, caller: Caller, plan: Plan) -> Decision:
    """The policy's word on a plan, now."""
    facts = await known(rooms, caller, plan)
    if not caller.allow:
        return decide(rooms.policy, plan, facts)
    policy = replace(rooms.policy, standing=_only(caller.allow, rooms.policy.standing))
    return decide(policy, plan, replace(facts, standing=_only(caller.allow, facts.standing)))


def _only(code: str, standing: Sequence[Standing]) -> tuple[Standing, ...]:
    return tuple(one for one in standing if one.code == code)


async def refused(rooms: Rooms, caller: Caller, plan: Plan) -> str:
    """The rule that refuses an approved plan by now; an empty string for none. Its budgets were charged already."""
    known = await stored(partial(_of_store, rooms, caller.principal, rooms.now()))
    return refusal(rooms.policy, plan, replace(known, identified=caller.identified))


async def known(rooms: Rooms, caller: Caller, plan: Plan) -> Standings:
    """What the rules must know. The fleet is read only where a budget of the policy needs it."""
    now, who = rooms.now(), caller.principal
    base = replace(await stored(partial(_of_store, rooms, who, now)), identified=caller.identified)
    wanted = rooms.policy.budgets.usd_per_hour is not None or rooms.policy.budgets.machines is not None
    if not wanted or not spends(plan):
        return base
    living = await _fleet(rooms)
    running = [machine for machine in living if power.group(machine.state) != "off"]
    return replace(
        base,
        running_usd_per_hour=_dear(running, rooms.policy.prices),
        running=frozenset(machine.id for machine in running),
        living=frozenset(machine.id for machine in living),
    )


def _of_store(rooms: Rooms, who: str, now: float) -> Standings:
    standing = tuple(rooms.store.standing(now))
    codes = [one.code for one in (*standing, *rooms.policy.standing)]
    return Standings(
        now=now,
        principal=who,
        questions=rooms.store.asked(who, now - QUESTIONS_WINDOW_S),
        unlocked=rooms.store.flag(unlocked(who), now),
        frozen=rooms.store.flag(FROZEN, now),
        unasked_usd=rooms.store.total(f"unasked:{who}", now - HOUR_S),
        standing=standing,
        standing_used={code: int(rooms.store.total(f"standing:{code}", 0.0)) for code in codes},
    )


async def _fleet(rooms: Rooms) -> list[Machine]:
    query = MachinesQuery(limit=PAGE_LIMIT)
    found = await walk(rooms.wire, catalogue.LIST_MACHINES, query, rows=FLEET_ROWS)
    if not found.complete:
        raise UpstreamError("fleet_uncounted")
    return [machine for machine in found.items if machine.dt_deleted is None]


def _dear(machines: Sequence[Machine], prices: pricing.Prices) -> float:
    """USD per hour of them all. What has no price does not fit into a budget."""
    rates = [pricing.rate(machine, prices) for machine in machines]
    return sum(float("inf") if rate is None else rate for rate in rates)
