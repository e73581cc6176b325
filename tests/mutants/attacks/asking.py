"""Attacks on the question and its answer: another's approval, a late one, a wrong one, none at all."""

from dataclasses import replace
from typing import Any

import anyio
from mcp_types import ElicitResult
from tests.guard.bench import CREATE, DELETE, MODERN, START, STOP, Bench, Call, Person, types
from tests.mutants.attacks.judging import GRANT, RESIZE, allowed
from tests.mutants.checks.asking import NOT_IN_A_CLIENT
from tests.mutants.ring import Attack, Ring, again, excess, rules, tried, typing, unasked, waiting
from tests.proof.wire.paths import Agreeing

from paperspace_mcp.conduct.parts import Caller
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.rules.guard.plans import Plan, Step
from paperspace_mcp.rules.guard.records import Channel, Record, Status
from paperspace_mcp.rules.policy import Mode, Strictness
from paperspace_mcp.surface import consent
from paperspace_mcp.surface.tools import updating as updates


async def other_principal(ring: Ring) -> int:
    """Another key on the same store and account makes the call that a person approved."""
    bench = ring.bench()
    await bench.approve(await waiting(bench, CREATE))
    other = ring.bench(sim=bench.sim, key="other-key")
    other.refit(now=bench.clock)
    await again(other, CREATE)
    return excess(bench)


async def other_arguments(ring: Ring) -> int:
    """What was approved for one machine is asked for with another."""
    bench = ring.bench()
    await bench.approve(await waiting(bench, START))
    await bench.call(MODERN, None, START.tool, {"machine": "legacy-jenkins"})
    return excess(bench)


def approved_then(seconds: float) -> Attack:
    """Approved out of band; the clock moves before the call is repeated."""

    async def attack(ring: Ring) -> int:
        bench = ring.bench()
        await bench.approve(await waiting(bench, CREATE))
        bench.clock.at += seconds
        await again(bench, CREATE)
        return excess(bench)

    return attack


async def approved_under_other_rules(ring: Ring) -> int:
    """Approved out of band; by the time of the repeated call its target is protected."""
    bench = ring.bench()
    await bench.approve(await waiting(bench, DELETE))
    bench.refit(policy=rules(protect=("dev-*",)))
    await again(bench, DELETE)
    return excess(bench)


async def long_names(ring: Ring) -> int:
    """Six names that are too long to be typed one after the other; the client types whatever it is asked for."""
    bench = ring.bench(classes={Effect.DISRUPT: Strictness.NAME})
    ids = ("psoxnh2i7", "psfj3c701", "psw5y2hq8n6a", "psr0g9sx4m7j", "psx7d4gv1p9e", "psy1a5oe7h3v")
    for number, one in enumerate(ids):
        bench.sim.change(one, name=f"{number}{'x' * 99}")
    await bench.call(MODERN, Agreeing(), "power_machines", {"action": "stop", "machines": list(ids)})
    return excess(bench)


def _two_minutes(bench: Bench) -> None:
    bench.clock.at += 121.0


async def a_large_list(ring: Ring) -> int:
    """More machines than a dialog shows whole; the client types whatever it is asked for."""
    bench = ring.bench(protect=())
    await bench.call(MODERN, Agreeing(), "power_machines", {"action": "stop", "name_globs": ["*"]})
    return excess(bench)


async def nobody_named(ring: Ring) -> int:
    """Code of ours that forgot to say who is given access: then an empty text would do."""
    bench = ring.bench()
    caller = Caller("somebody", "account")
    step = Step("add_machine_accessor", {"path": {"id": "ps8jo1fga"}, "body": {"userId": "ud1yam5t2"}}, Effect.GRANT)
    plan = Plan("add_machine_accessor", {}, "grant", (step,), ("GRANT.",))
    meeting = await bench.app.conduct.ask(caller, plan, "digest", Channel.CLIENT)
    assert meeting.record is not None
    await tried(accepted(bench, meeting.record, ""))
    return excess(bench)


async def accepted(bench: Bench, record: Record, typed: str) -> None:
    await bench.app.conduct.accept(record, typed)
    await bench.app.conduct.carry_out(record)


async def answered_after_a_no(ring: Ring) -> int:
    """A call that holds a question which was declined elsewhere, and knows it."""
    bench = ring.bench()
    asked = await bench.ask(CREATE)
    await bench.app.conduct.close(await bench.record(asked.code), Status.DECLINED)
    await tried(accepted(bench, await bench.record(asked.code), "create"))
    return excess(bench)


def answering(*answers: Any) -> Attack:
    """One question of the modern era, answered again and again."""

    async def attack(ring: Ring) -> int:
        bench = ring.bench()
        asked = await bench.ask(CREATE)
        for one in answers:
            await asked.answer(one)
        return excess(bench)

    return attack


_NO = ElicitResult(action="decline")


async def denied(ring: Ring) -> int:
    bench = ring.bench()
    code = await waiting(bench, CREATE)
    await bench.app.conduct.close(await bench.record(code), Status.DECLINED)
    await again(bench, CREATE)
    return excess(bench)


async def denied_while_held(ring: Ring) -> int:
    """A person says no while the call waits for them."""
    ring.patch.setattr(consent, "HOLD_POLL_S", 0.01)
    bench = ring.bench(hold_s=5.0)

    async def deny(record: Record) -> None:
        await bench.app.conduct.close(record, Status.DECLINED)

    bench.app.conduct.rooms = replace(bench.app.conduct.rooms, tell=deny)
    await again(bench, CREATE)
    return excess(bench)


async def left_over(ring: Ring) -> int:
    """The rest of a plan that was cut off, a quarter of an hour later."""
    ring.patch.setattr(updates, "STOP_WAIT_S", 0.01)
    bench = ring.bench()
    await bench.call(MODERN, Person(types("update")), RESIZE.tool, RESIZE.arguments)
    bench.sim.change("dev-anna", state="off")
    bench.clock.at += 901.0
    await again(bench, RESIZE)
    return excess(bench, 1)


async def met_open(ring: Ring) -> int:
    """The same call again, while its question still waits for a person."""
    bench = ring.bench()
    for _ in range(2):
        await again(bench, CREATE)
    return excess(bench)


async def restarted_again(ring: Ring) -> int:
    """The same call once more, under a standing approval, when what it began is over."""
    bench = ring.bench(**allowed("restart"))
    for _ in range(2):
        await again(bench, Call("restart_machine", {"machine": "dev-anna"}, "", ()))
        bench.sim.advance(600)
    return excess(bench, 1)


_INBOX = typing(CREATE, mode=Mode.INBOX)
_WRONG = typing(DELETE, "yes")
_late = typing(DELETE, era="legacy", meanwhile=_two_minutes)


async def many_at_once(ring: Ring) -> int:
    """One question is the limit, and eight calls come in the same moment; how many more are asked."""
    bench, person = ring.bench(questions=1), Person(_NO)
    async with anyio.create_task_group() as group:
        for number in range(8):
            group.start_soon(bench.call, MODERN, person, CREATE.tool, {**CREATE.arguments, "name": f"box-{number}"})
    return len(person.questions) - 1


ATTACKS: dict[str, Attack] = {
    "found by its principal": other_principal,
    "found by its digest": other_arguments,
    "met under the rules it was asked under": approved_under_other_rules,
    "met in time": approved_then(901.0),
    "what is open is not approved": met_open,
    "a repeat is told, not done again": restarted_again,
    "what is left is not done long after": left_over,
    "alive: not before it was issued": approved_then(-10.0),
    "alive: not after its end": approved_then(901.0),
    "asked about, unless the policy lets it through": unasked(DELETE),
    "out of band where the class table wants it": typing(GRANT, protect=("dev-*",)),
    "out of band where the policy wants it": _INBOX,
    "out of band where a dialog cannot show it": a_large_list,
    NOT_IN_A_CLIENT: _INBOX,
    "out of band where more is to be typed than can be": long_names,
    "mode inbox": _INBOX,
    "a class to the inbox": typing(CREATE, classes={Effect.SPEND: Strictness.INBOX}),
    "the limit on questions": typing(CREATE, questions=0),
    "the limit on questions at once": many_at_once,
    "a name where the operator wants one": typing(STOP, "stop", classes={Effect.DISRUPT: Strictness.NAME}),
    "only a client's questions are asked in clients": _INBOX,
    "what is typed is compared": _WRONG,
    "an empty demand is met by nothing": nobody_named,
    "answered while it is open": answered_after_a_no,
    "answered in time": _late,
    "what may not be asked in a client is not answered in one": _INBOX,
    "a refused answer goes no further": _WRONG,
    "a wrong answer ends its question": answering(types("no"), types("create")),
    "a no is not a yes": answering(_NO),
    "a no ends its question": answering(_NO, types("create")),
    "a client that cannot be asked says nothing": unasked(DELETE),
    "a no out of band is told": denied,
    "a no while the call is held is one": denied_while_held,
}
