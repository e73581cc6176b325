"""Runs families, each in a process of its own, two at a time, and tells what came of them."""

import logging
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import anyio
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from tests.guard.conftest import _checked_once
from tests.proof.wire.families import FAMILIES
from tests.proof.wire.family import Family, Given, Tally
from tests.proof.wire.ground import Ours

CORES = 2
SEED = 20_261


@dataclass(frozen=True, slots=True)
class Result:
    """One family's tally, by the server that was attacked, and how long it took."""

    family: str
    tally: Tally
    seconds: float


def run(names: Sequence[str], *, quick: bool, seed: int = SEED) -> Iterator[Result]:
    """The named families, as they end."""
    with ProcessPoolExecutor(CORES, mp_context=get_context("spawn")) as pool:
        for done in as_completed([pool.submit(attacked, name, quick, seed) for name in names]):
            yield done.result()


def attacked(name: str, quick: bool, seed: int) -> Result:
    """One family against our server, in a directory that goes with it."""
    family = named(name)
    logging.disable(logging.CRITICAL)  # an attacked server complains of its clients, and that is not the proof
    warnings.simplefilter("ignore")
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="proof-") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Draft202012Validator, "check_schema", _checked_once(Draft202012Validator.check_schema))
        tally = anyio.run(family.attack, Given(family.few if quick else family.many, seed, Path(folder), Ours))
    return Result(name, tally, time.perf_counter() - began)


def named(name: str) -> Family:
    return next(family for family in FAMILIES if family.name == name)
