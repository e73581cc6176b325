from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from tests.guard.bench import Bench


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["legacy", "2026-07-28"])
def era(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def benches(tmp_path: Path) -> AsyncIterator[Callable[..., Bench]]:
    """Makes servers that share one state directory; all are given back at the end."""
    made: list[Bench] = []

    def make(**options: object) -> Bench:
        made.append(Bench(tmp_path / "state", **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        await one.app.aclose()


@pytest.fixture
def bench(benches: Callable[..., Bench]) -> Bench:
    return benches()
