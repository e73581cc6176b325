"""Attacks on what happens between an approval and its effect: twice, late, elsewhere, unwritten, unpaid."""

from dataclasses import replace
from functools import partial
from typing import Any

import anyio
from tests.guard.bench import CREATE, DELETE, MODERN, START, STOP, Bench, Call, Person, types
from tests.mutants.attacks.judging import GRANT, REVEAL, powering, swift, updating
from tests.mutants.checks.doing import BEGUN, SPENT_ONLY
from tests.mutants.checks.judging import AT_THE_CALL
from tests.mutants.ring import (
    Attack,
    Ring,
    again,
    changing,
    excess,
    freezing,
    in_hand,
    rules,
    spent,
    tried,
    typing,
    waiting,
)
from tests.proof.wire.fingerprints import CHANGES

from paperspace_mcp.audit import Entry
from paperspace_mcp.conduct import batch, outcomes
from paperspace_mcp.conduct.parts import fingerprinted
from paperspace_mcp.contract import catalogue
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.operation import Operation
from paperspace_mcp.rules.guard.records import Status
from paperspace_mcp.rules.guard.warrants import Warrant, digest
from paperspace_mcp.rules.policy import Mode, Standing
from paperspace_mcp.simulator import Fault
from paperspace_mcp.wire.sqlite import SqliteStore

BEN = {"id": "ps8jo1fga"}
_TWO = powering("stop", "stop 2", machines=["dev-anna", "dev-carlos"])
_RESIZE = updating("update", machine="dev-anna", machine_type="A5000", when_running="stop")


def lose(*_given: Any, **_named: Any) -> Any:
    raise OSError("disk full")


# -- spent ------------------------------------------------------------------------------------------------------------


async def let_through_before(ring: Ring) -> int:
    """A start was let through and cut off before it was spent; by now the standing approval has ended."""
    bench = ring.bench()
    bench.app.store.allow(Standing("BBBBB", ("start",), ("dev-*",), 1e12, 5, principal=bench.app.desk.caller.principal))
    spend = bench.app.store.spend
    bench.app.store.__dict__["spend"] = lose
    await again(bench, START)
    bench.app.store.__dict__["spend"] = spend
    bench.app.store.end("BBBBB")
    await again(bench, START)
    return excess(bench)


async def race(ring: Ring) -> int:
    """Two calls hold the same approved record in hand."""
    bench = ring.bench()
    record = await in_hand(bench, CREATE)
    for _ in range(2):
        await tried(bench.app.conduct.carry_out(record))
    return excess(bench, 1)


async def declined_meanwhile(ring: Ring) -> int:
    """A call holds an open question in hand, and it is declined elsewhere."""
    bench = ring.bench()
    asked = await bench.ask(CREATE)
    record = await bench.record(asked.code)
    await bench.app.conduct.close(record, Status.DECLINED)
    await tried(bench.app.conduct.carry_out(record))
    return excess(bench)


def spent_after(seconds: float) -> Attack:
    """The clock moves while a call holds an approved record in hand."""

    async def attack(ring: Ring) -> int:
        bench = ring.bench()
        record = await in_hand(bench, CREATE)
        bench.clock.at += seconds
        await tried(bench.app.conduct.carry_out(record))
        return excess(bench)

    return attack


async def one_wish_twice(ring: Ring) -> int:
    """The same wish is asked about in a client and out of band; both are approved."""
    bench = ring.bench()
    asked = await bench.ask(CREATE)
    bench.clock.at += 1.0
    code = await waiting(bench, CREATE)
    await asked.answer(types("create"))
    await bench.approve(code)
    await again(bench, CREATE)
    return excess(bench, 1)


async def approved_after_a_no(ring: Ring) -> int:
    bench = ring.bench()
    record = await bench.record(await waiting(bench, CREATE))
    await bench.app.conduct.close(record, Status.DECLINED)
    await bench.app.conduct.close(record, Status.APPROVED)
    await again(bench, CREATE)
    return excess(bench)


async def spent_under_other_rules(ring: Ring) -> int:
    """A call was cut off as its approval was spent; by now the operator wants such questions in the inbox."""
    bench = ring.bench()
    await spent(bench, CREATE)
    bench.refit(policy=rules(mode=Mode.INBOX))
    await again(bench, CREATE)
    return excess(bench)


async def frozen_in_a_new_store(ring: Ring) -> int:
    """The store was moved away under a running server, and a freeze stands in the one that is at its place now."""
    bench = ring.bench()
    bench.app.store.flag("open", 0.0)
    state = bench.app.settings.state_dir
    for file in state.glob("approvals.sqlite3*"):
        file.rename(ring.folder / file.name)
    SqliteStore(state).set_flag("frozen", 1e12, "")
    await bench.call(MODERN, Person(types("create")), CREATE.tool, CREATE.arguments)
    return excess(bench)


# -- once -------------------------------------------------------------------------------------------------------------


def both_go_on(call: Call, approved: int) -> Attack:
    """Two calls go on with one spent plan at the same step."""

    async def attack(ring: Ring) -> int:
        bench = ring.bench()
        record = await spent(bench, call)
        async with anyio.create_task_group() as tasks:
            for _ in range(2):
                tasks.start_soon(tried, bench.app.conduct.go_on(record))
        return excess(bench, approved)

    return attack


async def never_spent(ring: Ring) -> int:
    """Code of ours that forgot to spend the record."""
    bench = ring.bench()
    asked = await bench.ask(CREATE)
    await tried(bench.app.conduct.go_on(await bench.record(asked.code)))
    return excess(bench)


async def never_spent_of_many(ring: Ring) -> int:
    bench = ring.bench()
    asked = await bench.ask(_TWO)
    record = replace(await bench.record(asked.code), status=Status.SPENT)
    await tried(bench.app.conduct.go_on(record))
    return excess(bench)


async def cut_in_the_middle(ring: Ring) -> int:
    """The process died between a step and its outcome; whether the machine was stopped, nobody wrote down."""
    bench = ring.bench(sim=swift())
    record = await spent(bench, _RESIZE)
    begun = outcomes.dump_outcomes([outcomes.Outcome("stop_machine", "intent", "psoxnh2i7")])
    bench.app.store.note(record.code, "", begun)
    bench.sim.change("dev-anna", state="off")
    await bench.call(MODERN, None, _RESIZE.tool, _RESIZE.arguments)
    return excess(bench)


async def lost(ring: Ring) -> int:
    """The answer to a create is lost, and the call is repeated; the person types whatever is asked."""
    bench = ring.bench()
    bench.sim.faults.add(Fault("close", "create_machine", stage="before"))
    for _ in range(2):
        await bench.call(MODERN, Person(types("create")), CREATE.tool, CREATE.arguments)
    return excess(bench, 1)


def frozen_in_the_middle(call: Call, **options: Any) -> Attack:
    """Frozen in the moment in which the first of several steps leaves."""

    async def attack(ring: Ring) -> int:
        ring.patch.setattr(batch, "AT_ONCE", 1)
        bench = ring.bench(**{name: make() for name, make in options.items()})

        def leaving(request: Any) -> bool:
            if request.method != "GET":
                freezing(bench)
            return False

        bench.gate.holds = leaving
        await bench.call(MODERN, Person(types(call.typed)), call.tool, call.arguments)
        return excess(bench, 1)

    return attack


# -- the target -------------------------------------------------------------------------------------------------------

_CALLS: dict[Effect, Call] = {
    Effect.SPEND: START,
    Effect.DISRUPT: STOP,
    Effect.GRANT: GRANT,
    Effect.REVEAL: REVEAL,
    Effect.DESTROY: DELETE,
}
_NAMES = {"power": "state group"}


def changed(effect: Effect, name: str) -> Attack:
    """One field of the target changes while the person thinks."""
    call = _CALLS[effect]
    change = CHANGES[_NAMES.get(name, name)]
    machine = str(call.arguments["machine"])
    return typing(call, meanwhile=lambda bench: change(bench.sim, bench.sim.machine(machine).id), password_sink="file")


def _deleted_but_shown(bench: Bench) -> None:
    bench.sim.variant.deleted_machines = "readable"
    bench.sim.delete_behind("dev-ben")


_changed = typing(DELETE, meanwhile=changing("dev-ben", diskSize=250))
TARGET: dict[str, Attack] = {
    "the target is read again": _changed,
    "what changed is compared": _changed,
    "a target that is not found has changed": typing(
        DELETE, meanwhile=lambda bench: bench.sim.delete_behind("dev-ben")
    ),
    "a deleted target has changed": typing(DELETE, meanwhile=_deleted_but_shown),
    "an update is bound to what it changes": typing(
        updating("update", public_ip_type="none"), meanwhile=changing("dev-ben", publicIpType="static")
    ),
    **{
        f"{effect.value} is bound to the {name}": changed(effect, name)
        for effect in Effect
        for name in fingerprinted(effect)
    },
}


async def frozen_as_it_is_read(ring: Ring) -> int:
    """Frozen in the moment in which the target is read for the last time."""
    bench = ring.bench()

    def reading(request: Any) -> bool:
        if request.method == "GET":
            freezing(bench)
        return False

    def answered() -> None:
        bench.gate.holds = reading

    await bench.call(MODERN, Person(types("dev-ben"), before=answered), DELETE.tool, DELETE.arguments)
    return excess(bench)


# -- written down, and paid for ---------------------------------------------------------------------------------------


def unwritten(bench: Bench, phase: str) -> None:
    """The disk is full by the time at which this is to be written into the audit."""
    write = bench.app.audit.write

    def failing(entry: Entry) -> int:
        return lose() if entry.phase == phase else write(entry)

    bench.app.audit.__dict__["write"] = failing


def unaudited(phase: str) -> Attack:
    return typing(CREATE, first=lambda bench: unwritten(bench, phase))


async def approved_unaudited(ring: Ring) -> int:
    bench = ring.bench()
    code = await waiting(bench, CREATE)
    unwritten(bench, "approved")
    await tried(bench.approve(code))
    await again(bench, CREATE)
    return excess(bench)


async def unstored(ring: Ring) -> int:
    bench = ring.bench()
    bench.app.store.__dict__["spend"] = lose
    await bench.call(MODERN, Person(types("create")), CREATE.tool, CREATE.arguments)
    return excess(bench)


def sent_with(*warrants: Any, operation: Operation[Any] = catalogue.DELETE_MACHINE, approved: int = 0) -> Attack:
    """Code of ours that goes to the wire by itself. A warrant is given as what makes it of the server."""

    async def attack(ring: Ring) -> int:
        bench = ring.bench()
        for make in warrants:
            await tried(bench.app.wire.mutate(operation, BEN, None, make(bench)))
        return excess(bench, approved)

    return attack


async def read_away(ring: Ring) -> int:
    """Code of ours that reads what is no read."""
    bench = ring.bench()
    await tried(bench.app.wire.read(catalogue.DELETE_MACHINE, BEN))
    return excess(bench)


def _none(_bench: Bench) -> None:
    return None


def _forged(_bench: Bench) -> Warrant:
    return Warrant(digest("delete_machine", {"path": BEN, "body": {}}), "AAAA")


def _minted(operation: str, bench: Bench) -> Warrant:
    return bench.app.conduct.rooms.warrants.mint(operation, {"path": BEN, "body": {}}, "AAAA")


async def used_twice(ring: Ring) -> int:
    bench = ring.bench()
    warrant = _minted("delete_machine", bench)
    for _ in range(2):
        await tried(bench.app.wire.mutate(catalogue.DELETE_MACHINE, BEN, None, warrant))
    return excess(bench, 1)


async def another_endpoint(ring: Ring) -> int:
    """An id that ends the path: what was to be stopped is restarted."""
    bench, path = ring.bench(), {"id": "psoxnh2i7/restart#"}
    warrant = bench.app.conduct.rooms.warrants.mint("stop_machine", {"path": path, "body": {}}, "AAAA")
    await tried(bench.app.wire.mutate(catalogue.STOP_MACHINE, path, None, warrant))
    return excess(bench)


ATTACKS: dict[str, Attack] = {
    "gone on with under the rules it was spent under": spent_under_other_rules,
    "the store is the file at its place": frozen_in_a_new_store,
    "judged again before it is spent": typing(CREATE, meanwhile=freezing),
    "what was let through unasked still is": let_through_before,
    "nothing is done that was not spent": race,
    "spent as it was read": declined_meanwhile,
    "spent is told of one only": race,
    "spent after it was issued": spent_after(-10.0),
    "spent in time": spent_after(901.0),
    "one wish, one approval": one_wish_twice,
    "decided while it is open": approved_after_a_no,
    BEGUN: both_go_on(CREATE, 1),
    "begun is told of one only": both_go_on(CREATE, 1),
    SPENT_ONLY: never_spent,
    "a step is begun once": both_go_on(CREATE, 1),
    "what was begun is not begun again": cut_in_the_middle,
    "what is unknown is not asked about anew": lost,
    "judged again between two steps": frozen_in_the_middle(_RESIZE, sim=swift),
    "among many, a step is claimed once": both_go_on(_TWO, 2),
    "among many, judged again before each step": frozen_in_the_middle(_TWO),
    "among many, only what is spent is begun": never_spent_of_many,
    **TARGET,
    AT_THE_CALL: frozen_as_it_is_read,
    "an approval is written down first": approved_unaudited,
    "a yes in a client is written down first": unaudited("approved"),
    "the intent is written down": unaudited("intent"),
    "what cannot be audited is not done": unaudited("intent"),
    "what cannot be stored is not done": unstored,
    "a read is no mutation": read_away,
    "no mutation without a warrant": sent_with(_none),
    "a warrant was minted here": sent_with(_forged),
    "a warrant pays once": used_twice,
    "a warrant is for one call": sent_with(partial(_minted, "start_machine")),
    "an id in a path is one": another_endpoint,
}
