"""Each thing that the guard leans on killed at each stage of a call that was approved in all honesty."""

import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

from mcp_types import ElicitResult
from tests.guard.bench import MODERN, Call, Person, raw
from tests.guard.test_store_lost import Failing
from tests.proof.wire import ground as grounds
from tests.proof.wire.family import Family, Given, Tally
from tests.proof.wire.fingerprints import target_of, touched, when_read
from tests.proof.wire.ground import ERAS, Asked, Ours
from tests.proof.wire.lost import twice

from paperspace_mcp.audit import Entry
from paperspace_mcp.simulator import Fault

Undo = Callable[[], object]
Kill = Callable[[Ours], Undo]
BEFORE, THINKING, READ, APPROVED = MOMENTS = (
    "before the call",
    "while the person thinks",
    "as the target is read again",
    "approved out of band, before it is done",
)


# -- the store --------------------------------------------------------------------------------------------------------


def _opened(ground: Ours) -> sqlite3.Connection:
    ground.app.store.flag("open", 0.0)
    assert ground.app.store._db
    return ground.app.store._db


def _files(ground: Ours, pattern: str) -> list[Path]:
    return sorted(ground.app.settings.state_dir.glob(pattern))


def _replaced(ground: Ours, pattern: str, spoil: Callable[[Path], object]) -> Undo:
    """Files spoiled; undone, they are as they were."""
    _opened(ground)
    ground.app.store.shut()
    kept = {path: path.read_bytes() for path in _files(ground, pattern)}
    for path in kept:
        spoil(path)

    def undo() -> None:
        ground.app.store.shut()
        for path in _files(ground, pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path, content in kept.items():
            path.write_bytes(content)

    return undo


def _garbage(path: Path) -> None:
    path.write_bytes(b"no database at all" * 400)


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _locked(ground: Ours) -> Undo:
    """Another process holds the file's write lock and does not let go."""
    _opened(ground).execute("PRAGMA busy_timeout = 5")
    other = sqlite3.connect(ground.app.settings.state_dir / "approvals.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other.close


def _unwritable(ground: Ours) -> Undo:
    db = _opened(ground)
    db.execute("PRAGMA query_only = ON")
    return lambda: db.execute("PRAGMA query_only = OFF")


def _failing(method: str) -> Kill:
    def kill(ground: Ours) -> Undo:
        ground.refit(store=Failing(ground.app.store, method))
        return lambda: ground.refit(store=ground.app.store)

    return kill


# -- the audit, the provider, the clock -------------------------------------------------------------------------------


def _audit(pattern: str, spoil: Callable[[Path], object]) -> Kill:
    return lambda ground: _replaced(ground, pattern, spoil)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def _forged_line(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b'{"sequence": 99}\n')


def _reads(**fault: Any) -> Kill:
    """Every read of a machine fails, from now on."""

    def kill(ground: Ours) -> Undo:
        ground.sim.faults.add(Fault(operation="get_machine", times=None, **fault))
        return ground.sim.faults.clear

    return kill


def _steps(seconds: float) -> Kill:
    def kill(ground: Ours) -> Undo:
        before, ground.clock.at = ground.clock.at, ground.clock.at + seconds

        def undo() -> None:
            ground.clock.at = before

        return undo

    return kill


@dataclass(frozen=True, slots=True)
class Way:
    """once: the moments after which the one effect that was paid for may still happen; at all others none may."""

    kill: Kill
    moments: tuple[str, ...] = MOMENTS
    once: tuple[str, ...] = ()
    needs_target: bool = False


ANSWERS: dict[str, dict[str, Any]] = {
    "500": {"kind": "status", "status": 500},
    "401": {"kind": "status", "status": 401},
    "403": {"kind": "status", "status": 403},
    "nothing": {"kind": "close", "stage": "before"},
    "garbage": {"kind": "malformed"},
    "an empty body": {"kind": "empty"},
    "no machine": {"kind": "malformed", "body": {}},
}
WAYS: dict[str, Way] = {
    "the store is garbage": Way(lambda ground: _replaced(ground, "approvals*", _garbage), once=(READ,)),
    "the store is a directory": Way(lambda ground: _replaced(ground, "approvals*", _directory), once=(READ,)),
    "the store is locked": Way(_locked, once=(READ,)),
    "the store is read-only": Way(_unwritable, once=(READ,)),
    **{
        f"the store fails to {method}": Way(_failing(method), (BEFORE,))
        for method in ("find", "issue", "spend", "note", "standing", "asked", "flag", "total", "over")
    },
    "audit.key is gone": Way(_audit("audit.key", Path.unlink)),
    "audit.key is cut": Way(_audit("audit.key", _cut)),
    "audit.head is gone": Way(_audit("audit.head", Path.unlink)),
    "the log is cut": Way(_audit("audit-*.jsonl", _cut)),
    "the log is gone": Way(_audit("audit-*.jsonl", Path.unlink)),
    "the log is a directory": Way(_audit("audit-*.jsonl", _directory)),
    "a line is put into the log": Way(_audit("audit-*.jsonl", _forged_line)),
    **{f"reads answer {what}": Way(_reads(**fault), needs_target=True) for what, fault in ANSWERS.items()},
    **{
        f"the clock steps by {seconds:g} s": Way(_steps(seconds), (THINKING, READ, APPROVED), (READ,))
        for seconds in (-0.001, -60.0, -1e6, 901.0, 1e6, float("nan"))
    },
}


Case = tuple[str, str, str, Call]


def cases(dice: Random, count: int, calls: tuple[Call, ...]) -> list[Case]:
    every = [
        (name, moment, era, call)
        for (name, way), era, call in product(WAYS.items(), ERAS, calls)
        for moment in way.moments
        if call.tool != "create_machine" or not (way.needs_target or moment == READ)
    ]
    dice.shuffle(every)
    return (every * (count // len(every) + 1))[:count]


async def attack(given: Given) -> Tally:
    """One thing dies in each scene, on a state directory of its own. Twice: while it is dead, and once it is back."""
    tally, number = Tally(), 0
    async with given.ground("seen") as ground:
        every = cases(given.dice, given.count // 2, ground.calls)
    for number, (name, moment, era, call) in enumerate(every):
        async with given.ground(f"scene-{number}") as ground:
            assert isinstance(ground, Ours)
            await _scene(ground, tally, (name, moment, era, call))
        shutil.rmtree(given.folder / f"scene-{number}")
    async with given.ground("alive") as ground:
        tally.controls += await _alive(ground)
    return tally


async def _scene(ground: Ours, tally: Tally, case: Case) -> None:
    name, moment, era, call = case
    ground.app.audit.write(Entry(phase="started", principal="nobody"))
    undo: list[Undo] = []

    def kill() -> None:
        undo.append(WAYS[name].kill(ground)) if not undo else None

    asked = await _killed(ground, moment, era, call, kill)
    what = f"{call.tool}: {name} {moment}"
    tally.attempt(what, _over(ground, name, moment, call))
    for one in undo:
        one()
    await _again(ground, era, call, asked)
    tally.attempt(f"{what}, then back", twice(ground))


def _over(ground: Ours, name: str, moment: str, call: Call) -> int:
    """What should not be in the log. Of a batch, the other machines' steps may be past it when one is read again."""
    if moment in WAYS[name].once:
        return twice(ground)
    return touched(ground, call) if moment == READ else len(ground.sent)


async def _killed(ground: Ours, moment: str, era: str, call: Call, kill: Callable[[], None]) -> Asked | None:
    """The approved call, and the kill in its moment; its sealed state, where there is one."""
    if moment == APPROVED:
        await _approved(ground, era, call, kill)
        return None
    if moment == BEFORE:
        kill()
    thinks = _meanwhile(ground, moment, call, kill)
    right = raw({"typed": call.typed})
    async with ground.client(era, Person(right, before=thinks)) as client:
        asked = await grounds.ask(client, call) if era == MODERN else None
        if asked is None:
            await grounds.call(client, call.tool, call.arguments)
        else:
            thinks()
            await grounds.reply(client, call, asked, right)
    return asked


def _meanwhile(ground: Ours, moment: str, call: Call, kill: Callable[[], None]) -> Callable[[], object]:
    """What happens while the person thinks."""
    if moment == READ:
        return lambda: when_read(ground.sim, target_of(call), kill)
    return kill if moment == THINKING else lambda: None


async def _approved(ground: Ours, era: str, call: Call, kill: Callable[[], None]) -> None:
    """A person said yes out of band; then it dies, and the call is repeated."""
    async with ground.client(era) as client:
        answer = await grounds.call(client, call.tool, call.arguments)
        await ground.approve(answer["approval"])
        kill()
        await grounds.call(client, call.tool, call.arguments)


async def _again(ground: Ours, era: str, call: Call, asked: Asked | None) -> None:
    """What was approved is tried again, twice, and a person says no to whatever is asked anew."""
    for _ in range(2):
        async with ground.client(era, Person(ElicitResult(action="decline"))) as client:
            if asked:
                await grounds.reply(client, call, asked, raw({"typed": call.typed}))
            await grounds.call(client, call.tool, call.arguments)


async def _alive(ground: grounds.Ground) -> int:
    """With everything alive each call goes through."""
    through = 0
    for era, call in product(ERAS, ground.calls):
        ground.renew()
        async with ground.client(era, Person(raw({"typed": call.typed}))) as client:
            await grounds.call(client, call.tool, call.arguments)
        through += grounds.exactly(ground, call)
    return through


KILLED = Family(
    "killed dependencies",
    "Store (garbage, locked, read-only, failing at each use), audit (key, head or log gone, cut, forged), provider's "
    "reads and clock (back, forward, nan) killed at four stages of a call: unknown means no; then all is back.",
    attack,
    few=50,
    many=2_400,
)
