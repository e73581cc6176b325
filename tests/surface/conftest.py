from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.guard.bench import Bench


@pytest.fixture
async def benches(tmp_path: Path) -> AsyncIterator[Callable[..., Bench]]:
    """Makes servers that share one state directory; all are given back at the end."""
    made: list[Bench] = []

    def make(**options: Any) -> Bench:
        made.append(Bench(tmp_path / "state", **options))
        return made[-1]

    yield make
    for one in made:
        await one.app.aclose()


@pytest.fixture
def bench(benches: Callable[..., Bench]) -> Bench:
    return benches()
