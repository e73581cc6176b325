"""Runs families, each in a process of its own, two at a time, and tells what came of them."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import anyio
from tests.proof.baselines.servers import BASELINES
from tests.proof.wire.families import FAMILIES
from tests.proof.wire.family import Family, Given, Make, Tally
from tests.proof.wire.ground import Ours
from tests.proof.wire.undisturbed import undisturbed

CORES = 2
SEED = 20_261
OURS = "this server"
SERVERS: dict[str, Make] = {OURS: Ours, **BASELINES}


@dataclass(frozen=True, slots=True)
class Job:
    """A family against a server. A weak server needs no great counts to be found weak."""

    family: str
    server: str = OURS
    quick: bool = False
    seed: int = SEED

    def given(self, folder: Path) -> Given:
        family = named(self.family)
        count = family.few if self.quick or self.server != OURS else family.many
        return Given(count, self.seed, folder, SERVERS[self.server])


@dataclass(frozen=True, slots=True)
class Result:
    """What a job came to, and how long it took."""

    job: Job
    tally: Tally
    seconds: float


def run(jobs: Sequence[Job]) -> Iterator[Result]:
    """All of them, as they end; the longest should come first."""
    with ProcessPoolExecutor(CORES, mp_context=get_context("spawn")) as pool:
        for done in as_completed([pool.submit(attacked, job) for job in jobs]):
            yield done.result()


def attacked(job: Job) -> Result:
    """One job, in a directory that goes with it."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="proof-") as folder, undisturbed():
        tally = anyio.run(named(job.family).attack, job.given(Path(folder)))
    return Result(job, tally, time.perf_counter() - began)


def named(name: str) -> Family:
    return next(family for family in FAMILIES if family.name == name)
