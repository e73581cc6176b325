"""Replays: one sealed state with its right answer, used again and again, one after another and all at once."""

from itertools import cycle

import anyio
from tests.guard.bench import MODERN, Call, Person, raw
from tests.proof.wire import ground as grounds
from tests.proof.wire.family import Family, Given, Tally
from tests.proof.wire.ground import Ground

AT_ONCE = 20
AFTER = 5


async def attack(given: Given) -> Tally:
    """Rounds of one question each: twenty answers at once, then five more, a little later each time."""
    tally = Tally()
    async with given.ground() as ground:
        for _, call in zip(range(0, given.count, AT_ONCE + AFTER), cycle(ground.calls), strict=False):
            ground.renew()
            uses = await _replay(ground, call)
            tally.attempt(call.tool, len(ground.sent) - len(call.sent), uses)
            tally.controls += set(ground.sent) == set(call.sent)
    return tally


async def _replay(ground: Ground, call: Call) -> int:
    form = ground.form(call)
    right = raw({form.field: form.right})
    async with ground.client(MODERN, Person(right)) as client:
        asked = await grounds.ask(client, call)
        if asked is None:
            return 0
        async with anyio.create_task_group() as tasks:
            for _ in range(AT_ONCE):
                tasks.start_soon(grounds.reply, client, call, asked, right)
        for later in range(AFTER):
            ground.clock.at += 10.0 ** (later + 1)
            await grounds.reply(client, call, asked, right)
    return AT_ONCE + AFTER


REPLAYS = Family(
    "replays",
    "One sealed state with its right answer, twenty times at once and five times later on, up to a day.",
    attack,
    few=150,
    many=20_000,
    weak=True,
)
