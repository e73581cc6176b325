"""What the page tells beside the families: the exhaustive walk, each check taken out, the race that remains."""

import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import chain
from multiprocessing import get_context
from pathlib import Path

import anyio
from tests.mutants.run import attacked
from tests.mutants.taken_out import BY_NAME
from tests.proof.race import Race, measured
from tests.proof.walk import DEPTH, Walked, walk
from tests.proof.wire.run import CORES
from tests.proof.wire.undisturbed import undisturbed

FEW_RACES, MANY_RACES = 40, 1_000
_PARTS = 4


@dataclass(frozen=True, slots=True)
class Beside:
    """survivors: the checks whose attack came to the same with them and without."""

    walked: Walked
    checks: int
    survivors: tuple[str, ...]
    race: Race


def run(*, quick: bool) -> Beside:
    """All three. The race is measured last, when nothing else of ours runs."""
    names = sorted(BY_NAME)
    with ProcessPoolExecutor(CORES, mp_context=get_context("spawn")) as pool:
        walking = pool.submit(walk, DEPTH)
        parts = [pool.submit(survivors, names[part::_PARTS]) for part in range(_PARTS)]
        left = tuple(chain.from_iterable(part.result() for part in parts))
        walked = walking.result()
    return Beside(walked, len(names), left, _race(FEW_RACES if quick else MANY_RACES))


def survivors(names: Sequence[str]) -> list[str]:
    """Those of these checks that nothing shows to hold."""
    with undisturbed():
        return anyio.run(_survivors, names)


async def _survivors(names: Sequence[str]) -> list[str]:
    return [name for name in names if not await _killed(name)]


async def _killed(name: str) -> bool:
    with tempfile.TemporaryDirectory(prefix="proof-") as folder:
        standing = await attacked(BY_NAME[name], Path(folder) / "standing", standing=True)
        return standing == 0 < await attacked(BY_NAME[name], Path(folder) / "gone", standing=False)


def _race(times: int) -> Race:
    with tempfile.TemporaryDirectory(prefix="proof-") as folder, undisturbed():
        return anyio.run(measured, Path(folder) / "race", times)
