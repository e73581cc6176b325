"""Reads are tried again, within the call's own time. What counts is decided in `rules.retrying`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import anyio

from paperspace_mcp.contract.errors import Failure, UpstreamError
from paperspace_mcp.rules.retrying import GiveUp, Sleep, decide

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often. `clock` gives seconds that only grow, `jitter` 0 to 1."""

    operation: str
    budget_s: float
    max_attempts: int
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    jitter: Callable[[], float]


async def with_retries(attempt: Callable[[], Awaitable[T]], patience: Patience) -> T:
    """The first success of `attempt`, which raises a Failure for everything that can go wrong.

    Raises:
        Failure: the last one; `upstream_timeout` if the budget ran out while an attempt was on its way.
    """
    begun, tries = patience.clock(), 0
    while True:
        tries += 1
        try:
            return await _in_time(attempt, patience, patience.budget_s - (patience.clock() - begun))
        except Failure as failure:
            verdict = _verdict(failure, tries, patience.clock() - begun, patience)
            if isinstance(verdict, GiveUp):
                failure.facts.update({"attempts": tries} if tries > 1 else {})
                raise
        await patience.sleep(verdict.seconds)


async def _in_time(attempt: Callable[[], Awaitable[T]], patience: Patience, left_s: float) -> T:
    with anyio.move_on_after(max(0.0, left_s)):
        return await attempt()
    facts = {"operation": patience.operation, "cause": "budget", "budget_s": patience.budget_s}
    raise UpstreamError("upstream_timeout", retryable=True, facts=facts)


def _verdict(failure: Failure, tries: int, elapsed_s: float, patience: Patience) -> Sleep | GiveUp:
    return decide(
        failure.facts.get("status") or failure.facts.get("cause"),
        attempt=tries,
        max_attempts=patience.max_attempts,
        elapsed_s=elapsed_s,
        budget_s=patience.budget_s,
        jitter=patience.jitter(),
        retry_after_s=failure.facts.get("retry_after_s"),
    )
