"""The target changed between the question and the effect, field by field: what was approved is not there any more."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from random import Random
from typing import Any

from mcp_types import ElicitResult
from tests.guard.bench import MODERN, Call, Person, raw
from tests.proof.wire import ground as grounds
from tests.proof.wire.family import Family, Given, Tally
from tests.proof.wire.ground import ERAS, Ground, Ours

from paperspace_mcp.rules.policy import Mode, Policy
from paperspace_mcp.simulator import Simulator

Change = Callable[[Simulator, str], object]
NEW_ID = "psreplaced"


def _flip(sim: Simulator, machine: str) -> None:
    sim.change(machine, state="off" if sim.machine(machine).running else "ready")


def _replace(sim: Simulator, machine: str) -> None:
    """Another machine under the same name."""
    old = sim.machine(machine)
    fields = {"name": old.name, "machineType": old.machineType, "region": old.region, "state": old.state}
    sim.delete_behind(machine)
    sim.add_machine(id=NEW_ID, **fields)


def _setting(sim: Simulator, machine: str) -> None:
    sim.change(machine, autoShutdownEnabled=not sim.machine(machine).autoShutdownEnabled)


CHANGES: dict[str, Change] = {
    "name": lambda sim, machine: sim.change(machine, name="dev-renamed"),
    "name, to a protected one": lambda sim, machine: sim.change(machine, name="prod-new"),
    "state group": _flip,
    "type": lambda sim, machine: sim.change(machine, machineType="A100-80Gx8"),
    "region": lambda sim, machine: sim.change(machine, region="ams1"),
    "disk": lambda sim, machine: sim.change(machine, diskSize=2000),
    "network": lambda sim, machine: sim.change(machine, networkId="nwhoe4ox"),
    "accessors": lambda sim, machine: sim.grant_behind(machine, "uc4rl0s9f"),
    "the setting itself": _setting,
    "gone": lambda sim, machine: sim.delete_behind(machine),
    "another machine of its name": _replace,
}
POWER = ("name", "name, to a protected one", "state group", "gone", "another machine of its name")
WHOLE = (*POWER, "type", "region", "disk", "network")
ACCESS = ("name", "name, to a protected one", "accessors", "gone", "another machine of its name")
BOUND: dict[str, Sequence[str]] = {
    "start_machine": (*POWER, "type"),
    "stop_machine": POWER,
    "restart_machine": POWER,
    "power_machines": POWER,
    "delete_machine": WHOLE,
    "add_machine_accessor": ACCESS,
    "remove_machine_accessor": ACCESS,
}
"""What an approval of each tool is bound to, as the design says it."""
ALONE = frozenset({"gone", "another machine of its name"})
MOMENTS = ("while the person thinks", "between the rounds", "as the target is read again")
POLICIES: dict[str, dict[str, Any]] = {
    "protected by a new policy": {"protect": ("*",)},
    "policy: deny": {"policy": Policy(mode=Mode.DENY)},
    "policy: read-only": {"policy": Policy(read_only=True)},
    "policy: its tool denied": {"policy": Policy(tools_allow=("list_machines",))},
}


def bound(call: Call) -> Sequence[str]:
    """The fields of this call's fingerprint."""
    if call.tool == "update_machine":
        return WHOLE if "disk_size_gb" in call.arguments else (*POWER, "type", "the setting itself")
    return BOUND.get(call.tool, ())


def target_of(call: Call) -> str:
    """The id of the first machine that the call is about."""
    found = re.search(r"/machines/([^/]+)", call.sent[0])
    assert found
    return found[1]


Case = tuple[Call, tuple[str, ...], str, str]


def cases(dice: Random, count: int, calls: Sequence[Call]) -> list[Case]:
    """Every field for every call, era and moment (some of them, for a small count); then several fields at once."""
    bindable = [call for call in calls if bound(call)]
    ways = [(era, moment) for era, moment in product(ERAS, MOMENTS) if era == MODERN or moment != MOMENTS[1]]
    every = [(call, (name,), *way) for call in bindable for name in bound(call) for way in ways]
    if count < len(every):
        return dice.sample(every, count)
    return [*every, *(_several(dice, bindable, ways) for _ in range(count - len(every)))]


def _several(dice: Random, calls: Sequence[Call], ways: Sequence[tuple[str, str]]) -> Case:
    call = dice.choice(calls)
    names = [name for name in bound(call) if name not in ALONE]
    return call, tuple(dice.sample(names, dice.randint(2, min(4, len(names))))), *dice.choice(ways)


async def attack(given: Given) -> Tally:
    """One change, or several, in each scene; and each policy that came meanwhile."""
    tally, dice = Tally(), given.dice
    async with given.ground() as ground:
        for call, names, era, moment in cases(dice, given.count, ground.calls):
            ground.renew()
            changed = await _meanwhile(ground, call, names, era, moment)
            what = f"{call.tool}: {' and '.join(names)} {moment}"
            if changed:
                tally.attempt(what, touched(ground, call))
        if isinstance(ground, Ours):
            await _policies(given, ground, tally)
        await _controls(ground, tally)
    return tally


def touched(ground: Ground, call: Call) -> int:
    """The mutations that reached the changed machine, or the one that took its name."""
    ids = (target_of(call), NEW_ID)
    return sum(any(f"/{one}" in sent for one in ids) for sent in ground.sent)


async def _meanwhile(ground: Ground, call: Call, names: Sequence[str], era: str, moment: str) -> bool:
    """The call, approved in all honesty, and what happens to its target before the effect; False where nothing did."""
    done: list[str] = []

    def change() -> None:
        for name in names if not done else ():
            CHANGES[name](ground.sim, target_of(call))
            done.append(name)

    form = ground.form(call)
    right = raw({form.field: form.right})
    if moment == MOMENTS[1]:
        await _between(ground, call, change, right)
        return bool(done)
    before = change if moment == MOMENTS[0] else lambda: when_read(ground.sim, target_of(call), change)
    async with ground.client(era, Person(right, before=before)) as client:
        await grounds.call(client, call.tool, call.arguments)
    return bool(done)


async def _between(ground: Ground, call: Call, change: Callable[[], None], right: Any) -> None:
    async with ground.client(MODERN, Person(right)) as client:
        if asked := await grounds.ask(client, call):
            change()
            await grounds.reply(client, call, asked, right)


def when_read(sim: Simulator, machine: str, change: Callable[[], None]) -> None:
    """Change it in the moment in which it is read the next time."""
    inner = sim.app

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].endswith(f"/machines/{machine}") and scope["method"] == "GET":
            change()
        await inner(scope, receive, send)

    sim.app = app  # type: ignore[assignment]


async def _policies(given: Given, ground: Ours, tally: Tally) -> None:
    """The question was asked under one policy, and is answered to a server under another."""
    for what, options in POLICIES.items():
        async with given.ground(**options) as other:
            assert isinstance(other, Ours)
            for call in ground.calls:
                if what == "protected by a new policy" and not bound(call):
                    continue
                ground.renew()
                other.join(ground)
                await _answered_elsewhere(ground, other, call)
                tally.attempt(f"{call.tool}: {what}", len(ground.sent))


async def _answered_elsewhere(ground: Ground, other: Ground, call: Call) -> None:
    form = ground.form(call)
    async with ground.client(MODERN, Person(None)) as client:
        asked = await grounds.ask(client, call)
    async with other.client(MODERN, Person(ElicitResult(action="cancel"))) as client:
        if asked:
            await grounds.reply(client, call, asked, raw({form.field: form.right}))


async def _controls(ground: Ground, tally: Tally) -> None:
    """What is no change of the target: another machine changes."""
    for era, call in product(ERAS, [call for call in ground.calls if bound(call)]):
        ground.renew()
        form = ground.form(call)
        elsewhere = partial(ground.sim.change, "staging-api", name="staging-2")
        person = Person(raw({form.field: form.right}), before=elsewhere)
        async with ground.client(era, person) as client:
            await grounds.call(client, call.tool, call.arguments)
        tally.controls += grounds.exactly(ground, call)


FINGERPRINTS = Family(
    "changed targets",
    "Each field that an approval is bound to (name, state, type, region, disk, network, accessors, protection, the "
    "setting itself, gone, replaced, the policy) changed after the question, at three moments, alone and together.",
    attack,
    few=50,
    many=4_000,
    weak=True,
)
