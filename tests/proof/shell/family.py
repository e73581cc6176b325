"""An agent with a shell: each way in each set-up, made for real; what holds, and what cannot."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import product
from pathlib import Path

from tests.proof.shell.scenes import TYPED_BY_A_PERSON, scene, tried, tried_by_a_stranger
from tests.proof.shell.ways import APART, POSTURES, SECRET, WAYS, Way
from tests.proof.wire.family import Family, Given, Tally

HOLDS, FALLS, NOT_RUN = "holds", "comes through", "not run: only root can become another user"
_DENIED = ("Permission denied", "this user may not use", "unable to open database file", "refuses the API key")
"""What the system or the provider says to another user. Whatever else stopped it would prove nothing."""
Cells = Mapping[str, str]
"""`way | posture` to one of the three words."""


async def attack(given: Given) -> Tally:
    """A bypass is what comes through where it has to hold; what cannot be held is counted nowhere, and told."""
    tally, spare = Tally(), max(0, given.count - _least())
    with _open_to_all() as folder:
        for number, (way, posture) in enumerate(product(WAYS, POSTURES)):
            if posture != APART or way.over_http:
                guesses = 1 + spare // 2 if posture == SECRET else 1
                _judge(tally, way, posture, await _one(folder / str(number), way, posture, guesses), guesses)
        await _strangers(tally, folder / "stranger")
        tally.controls += await _person(folder / "person")
    held = [cell for cell, what in expected().items() if what == FALLS and tally.figures[cell] == HOLDS]
    assert not held, f"said to come through, and does not: {held}"
    return tally


@contextmanager
def _open_to_all() -> Iterator[Path]:
    """A folder in which another user comes as far as the server's own files."""
    with tempfile.TemporaryDirectory(prefix="proof-shell-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def _least() -> int:
    """The cells that have to hold."""
    return sum(len(set(POSTURES) - way.falls) for way in WAYS)


async def _one(folder: Path, way: Way, posture: str, guesses: int) -> bool:
    async with scene(folder, posture, way.mode) as found:
        shell = await found.shell(way.call, guesses)
        await tried(way, shell)
        return await found.came_through(shell)


async def _strangers(tally: Tally, folder: Path) -> None:
    """All ways of another user in one process: what came through by any of them is charged to each."""
    ways = [way for way in WAYS if not way.over_http]
    came = await _by_a_stranger(folder, ways) if os.geteuid() == 0 else None
    for way in ways:
        _judge(tally, way, APART, came)


async def _by_a_stranger(folder: Path, ways: list[Way]) -> bool:
    async with scene(folder, APART) as found:
        shells = [await found.shell(way.call) for way in ways]
        shown = await tried_by_a_stranger([way.name for way in ways], shells)
        assert all(any(word in text for word in _DENIED) for text in shown.values()), shown
        return any([await found.came_through(shell) for shell in shells])


def _judge(tally: Tally, way: Way, posture: str, came: bool | None, times: int = 1) -> None:
    tally.figures[f"{way.name} | {posture}"] = NOT_RUN if came is None else FALLS if came else HOLDS
    if posture not in way.falls and came is not None:
        tally.attempt(f"{way.name}, {posture}", int(came), times if "pipe" in way.name else 1)


async def _person(folder: Path) -> int:
    """In the same pipe, with the secret: it goes through."""
    way = WAYS[1]
    async with scene(folder, SECRET) as found:
        shell = await found.shell(way.call)
        shell.run("approve", shell.code, typed=(way.call.typed, TYPED_BY_A_PERSON))
        return int(await found.came_through(shell))


def expected() -> Cells:
    """What must come of each cell."""
    return {f"{way.name} | {one}": FALLS if one in way.falls else HOLDS for way in WAYS for one in POSTURES}


SHELL = Family(
    "an agent with a shell",
    "`approve` through a pipe and a pseudo-terminal, the page by plain HTTP, the policy file and the state directory "
    "edited, the key read: as the server's own OS user and as another. Attempts are what has to hold; see below.",
    attack,
    few=24,
    many=60,
)
