from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from tests.guard.bench import Bench

from paperspace_mcp.surface import adapter


@pytest.fixture(scope="session", autouse=True)
def schemas_made_once() -> Iterator[None]:
    """A thousand servers of the same sixteen tools: their schemas are pure, and most of the time goes there."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("_arguments", "input_schema", "output_schema"):
            patch.setattr(adapter, name, cache(getattr(adapter, name)))
        patch.setattr(Draft202012Validator, "check_schema", _checked_once(Draft202012Validator.check_schema))
        yield


def _checked_once(check: Callable[[Any], None]) -> Callable[..., None]:
    checked: set[str] = set()

    def checks(schema: Any, *_options: Any, **_named: Any) -> None:
        text = repr(schema)
        if text not in checked:
            check(schema)
            checked.add(text)

    return checks


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
