"""Swaps: an answer to one plan sent with another call, by another principal, to another question."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random
from typing import Any

from tests.guard.bench import MODERN, Call, Person, raw
from tests.proof.wire import ground as grounds
from tests.proof.wire.family import Family, Given, Tally
from tests.proof.wire.ground import Asked, Ground, Ours

Case = tuple[Call, Call, str]
NAMES = ("dev-anna", "dev-ben", "dev-carlos", "staging-api", "legacy-jenkins", "train-a100", "ps8jo1fga", "eval-runner")


def _others(call: Call, calls: Sequence[Call]) -> list[Call]:
    """Calls that are not this one: every other of the list, and this one with one argument changed, added or gone."""
    found = [one for one in calls if one is not call]
    for name, value in call.arguments.items():
        found += [_with(call, {name: other}) for other in _like(value) if other != value]
    return [*found, _with(call, {"confirm": True}), _with(call, {"wait_seconds": 1})]


def _with(call: Call, change: dict[str, Any]) -> Call:
    return replace(call, arguments={**call.arguments, **change})


def _like(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value * 10, str(value)]
    if isinstance(value, list):
        return [[], [*value, "staging-api"], value[:1], list(reversed(value))]
    return [*NAMES, f"{value} ", value.upper()]


WAYS = ("the other call", "the other call, its own state", "another principal")


def cases(dice: Random, count: int, calls: Sequence[Call]) -> list[Case]:
    every = [(call, other, way) for call in calls for other in _others(call, calls) for way in WAYS[:2]]
    every += [(call, call, WAYS[2]) for call in calls]
    dice.shuffle(every)
    return (every * (count // len(every) + 1))[:count]


async def attack(given: Given) -> Tally:
    """A question each; its answer goes elsewhere."""
    tally = Tally()
    async with _grounds(given) as (ground, stranger):
        for call, other, way in cases(given.dice, given.count, ground.calls):
            ground.renew()
            stranger.join(ground)
            await (_stranger(ground, stranger, call) if way == WAYS[2] else _swap(ground, call, other, way))
            tally.attempt(f"{call.tool} for {other.tool}, {way}", len(ground.sent))
        for call in ground.calls:
            ground.renew()
            await _answer(ground, call, await _asked(ground, call))
            tally.controls += grounds.exactly(ground, call)
    return tally


@asynccontextmanager
async def _grounds(given: Given) -> AsyncIterator[tuple[Ours, Ours]]:
    """Two servers on one state directory, with the same seal: one of them under another key."""
    async with given.ground() as ground, given.ground(key="other-key") as stranger:
        assert isinstance(ground, Ours)
        assert isinstance(stranger, Ours)
        yield ground, stranger


async def _asked(ground: Ground, call: Call) -> Asked:
    async with ground.client(MODERN, Person(None)) as client:
        asked = await grounds.ask(client, call)
    assert asked, call
    return asked


async def _answer(ground: Ground, call: Call, asked: Asked, right: Any = None) -> None:
    """The answer by a client that says no to whatever else it is asked."""
    form = ground.form(call)
    async with ground.client(MODERN, Person(raw({"typed": ""}))) as client:
        await grounds.reply(client, call, asked, raw({form.field: right or form.right}))


async def _swap(ground: Ground, call: Call, other: Call, way: str) -> None:
    """The right text for the one, with the other; under the one's sealed state, or under the other's own.

    Where both ask for the same text the second is no forgery: it was asked for in the other's own question.
    """
    asked = await _asked(ground, call)
    if way == WAYS[0]:
        await _answer(ground, other, asked, call.typed)
        return
    async with ground.client(MODERN, Person(None)) as client:
        theirs = await grounds.ask(client, other)
    if theirs and not theirs.question.endswith(f": {call.typed}"):
        await _answer(ground, other, theirs, call.typed)


async def _stranger(ground: Ground, stranger: Ground, call: Call) -> None:
    await _answer(stranger, call, await _asked(ground, call))


SWAPS = Family(
    "swaps",
    "The answer to one plan sent with another call: every other guarded call, each argument changed, added or gone, "
    "under either sealed state, and by another principal on the same store and seal.",
    attack,
    few=90,
    many=10_000,
)
