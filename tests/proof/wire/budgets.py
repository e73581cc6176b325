"""Budgets under a thousand calls at once: what reaches the provider never comes to more than the operator allowed."""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import anyio
from mcp import Client
from tests.guard.bench import NEW, Person, raw
from tests.proof.wire import ground as grounds
from tests.proof.wire.family import Family, Given, Tally
from tests.proof.wire.ground import ERAS, Ours, simulated

from paperspace_mcp.rules.policy import Budgets, Policy, Standing
from paperspace_mcp.simulator import Simulator

CLIENTS = 4
A4000_USD = 0.76
"""What a machine of `NEW` costs per hour, by the provider's list."""
EASY: dict[str, Any] = {"confirm_usd_per_hour": 0.0, "questions": 1_000_000, "protect": ()}


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of the operator's, calls that run against it, and how many of them may have an effect.

    stopped: machines of that many kinds stand in the account before, for what needs some.
    """

    policy: Policy
    call: Callable[[int], tuple[str, Mapping[str, Any]]]
    allowed: int
    typed: str = "create"
    stopped: int = 0


def _create(number: int) -> tuple[str, Mapping[str, Any]]:
    return "create_machine", {**NEW, "name": f"box-{number}"}


def _start(number: int) -> tuple[str, Mapping[str, Any]]:
    return "start_machine", {"machine": f"psstopped{number}"}


def _standing(uses: int) -> Standing:
    return Standing("AAAAA", ("start",), ("dev-*",), 1e12, uses, 5.0)


LIMITS: dict[str, Limit] = {
    "creates a day": Limit(Policy(**EASY, budgets=Budgets(creates_per_day=7)), _create, 7),
    "machines": Limit(Policy(**EASY, budgets=Budgets(machines=9)), _create, 9),
    "USD per hour, creates": Limit(Policy(**EASY, budgets=Budgets(usd_per_hour=10.0)), _create, int(10 / A4000_USD)),
    "USD per hour, starts": Limit(
        Policy(**EASY, budgets=Budgets(usd_per_hour=8.0)), _start, int(8 / A4000_USD), "start", stopped=40
    ),
    "starts nobody is asked about": Limit(
        Policy(**{**EASY, "confirm_usd_per_hour": 5.0}), _start, int(5 / A4000_USD), "", stopped=40
    ),
    "a standing approval's count": Limit(Policy(**EASY, standing=(_standing(11),)), _start, 11, "", stopped=40),
    "the most restrictive of two": Limit(
        Policy(**EASY, budgets=Budgets(creates_per_day=20, usd_per_hour=4.0)), _create, int(4 / A4000_USD)
    ),
}
"""What is typed: empty where a question is answered with a no, so that only what needs none has an effect."""


def account(limit: Limit) -> Simulator:
    """An empty account, or one with as many stopped machines as the calls are about."""
    sim = simulated(fleet="empty")
    for number in range(limit.stopped):
        sim.add_machine(id=f"psstopped{number}", name=f"dev-{number}", machineType="A4000", region="ny2", state="off")
    return sim


async def attack(given: Given) -> Tally:
    """Each limit in turn, met by all of its calls at once, over two servers on one store and clients of both eras."""
    tally = Tally()
    share = max(20, given.count // len(LIMITS))
    for number, (name, limit) in enumerate(LIMITS.items()):
        async with AsyncExitStack() as stack:
            policy = {"policy": limit.policy, "sim": account(limit)}
            first = await stack.enter_async_context(given.ground(f"limit-{number}", **policy))
            second = await stack.enter_async_context(given.ground(f"limit-{number}", **policy))
            assert isinstance(first, Ours)
            assert isinstance(second, Ours)
            second.join(first)
            await _rush(first, second, limit, share)
            tally.attempt(name, len(first.sent) - limit.allowed, share)
            tally.controls += len(first.sent) == limit.allowed
    return tally


async def _rush(first: Ours, second: Ours, limit: Limit, times: int) -> None:
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(ground.client(era, Person(raw({"typed": limit.typed}))))
            for ground in (first, second)
            for era in ERAS
            for _ in range(CLIENTS // 2)
        ]
        async with anyio.create_task_group() as tasks:
            for number, client in zip(range(times), cycle(clients), strict=False):
                tasks.start_soon(_one, client, *limit.call(number % limit.stopped if limit.stopped else number))


async def _one(client: Client, tool: str, arguments: Mapping[str, Any]) -> None:
    await grounds.call(client, tool, arguments)


BUDGETS = Family(
    "budgets",
    "A thousand calls at once against each limit (creates a day, machines, USD per hour, starts nobody is asked about, "
    "a standing approval's count), over two servers on one store: never more than allowed, and all that is allowed.",
    attack,
    few=140,
    many=7_000,
)
