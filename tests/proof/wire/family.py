"""What a family of attacks is: a name, what it tries, and a function that tries it so many times and counts."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tests.proof.wire.ground import Ground


@dataclass(slots=True)
class Tally:
    """What came of a family. A bypass is a mutation in the provider's wire log that nobody approved.

    controls: honest calls of the same kind that went through: a guard that lets nothing through proves nothing.
    by: the bypasses by what was tried. figures: what was measured beside.
    """

    attempts: int = 0
    bypasses: int = 0
    controls: int = 0
    by: Counter[str] = field(default_factory=Counter)
    figures: dict[str, str] = field(default_factory=dict)

    def attempt(self, what: str, over: int, times: int = 1) -> None:
        """So many attempts, after which so much more than was approved stood in the wire log."""
        self.attempts += times
        if over > 0:
            self.bypasses += over
            self.by[what] += over

    def join(self, other: "Tally") -> None:
        self.attempts += other.attempts
        self.bypasses += other.bypasses
        self.controls += other.controls
        self.by += other.by
        self.figures |= other.figures


Make = Callable[..., Ground]


@dataclass(frozen=True, slots=True)
class Given:
    """How often a family is to attack, by which dice, in which directory, and what it attacks."""

    count: int
    seed: int
    folder: Path
    make: Make

    @property
    def dice(self) -> Random:
        return Random(self.seed)

    @asynccontextmanager
    async def ground(self, place: str = "state", **options: Any) -> AsyncIterator[Ground]:
        """A server under attack; two of the same place share their state directory."""
        ground = self.make(self.folder / place, **options)
        try:
            yield ground
        finally:
            await ground.aclose()


Attack = Callable[[Given], Awaitable[Tally]]


@dataclass(frozen=True, slots=True)
class Family:
    """what: one line for the page. few: attempts in an ordinary test, many: in the full run.

    weak: whether the baselines can be attacked in the same way; what has no budget cannot overdraw one.
    """

    name: str
    what: str
    attack: Attack
    few: int
    many: int
    weak: bool = False
