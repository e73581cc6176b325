"""The product in one process: a simulated account, the server over it, and assistants that talk to it."""

import gc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pydantic import SecretStr
from tests.guard.bench import Bench
from tests.surface.stage import Stage, in_process
from tests.surface.talk import ASKS_ALWAYS, ERAS, Assistant, Era, talking

from paperspace_mcp.app import App, build
from paperspace_mcp.settings import Settings, Upstream
from paperspace_mcp.simulator import Simulator
from paperspace_mcp.surface import adapter

gc.set_threshold(100_000, 50, 100)
"""A run keeps what it imports: looking through it for garbage as often as a small program does takes a sixth of it."""

KEY = "demo-key"
Talking = Callable[..., AbstractAsyncContextManager[Assistant]]


@pytest.fixture(scope="session", autouse=True)
def schemas_made_once() -> Iterator[None]:
    """A thousand servers of the same tools: their schemas are pure, and most of the time goes there."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("_arguments", "input_schema", "output_schema"):
            patch.setattr(adapter, name, cache(getattr(adapter, name)))
        patch.setattr(Draft202012Validator, "check_schema", checked_once(Draft202012Validator.check_schema))
        yield


def checked_once(check: Callable[[Any], None]) -> Callable[..., None]:
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


_SEEDS = count(100)


@pytest.fixture
def sim() -> Simulator:
    """The default fleet. Its time stands still: only `advance` moves it. No two have an event's id in common."""
    return Simulator(clock=lambda: 0.0, seed=next(_SEEDS))


def provider(sim: Simulator) -> Callable[..., Any]:
    """The simulated API, looked up at each request: a test may put something before it."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await sim.app(scope, receive, send)

    return app


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Callable[..., App]]:
    """Builds the server over a simulator; further settings of `Upstream` by name."""
    built: list[App] = []

    def serve(sim: Simulator, key: str | None = KEY, **upstream: Any) -> App:
        secret = SecretStr(key) if key else None
        reached = Upstream(**{"url": "http://simulator.invalid/v1", "key": secret, **upstream})
        settings = Settings(upstream=reached, state_dir=tmp_path, policy=ASKS_ALWAYS)
        built.append(build(settings, transport=httpx.ASGITransport(provider(sim))))
        return built[-1]

    yield serve
    for app in built:
        app.store.shut()


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One server for all who are content with the default settings: building it takes longer than most tests."""
    with in_process(tmp_path_factory.mktemp("state")) as found:
        yield found


@pytest.fixture
def served(sim: Simulator, stage: Stage) -> App:
    """The server over the default fleet, with no approval left of another test."""
    stage.scene(sim)
    return stage.served


@pytest.fixture(params=ERAS)
def era(request: pytest.FixtureRequest) -> Era:
    """Both protocols: the handshake's, and that without one."""
    found: Era = request.param
    return found


@pytest.fixture
def client(served: App) -> Talking:
    """Connects an assistant: `async with client(era, answering) as assistant`."""
    return partial(talking, served.server)


@pytest.fixture
async def assistant(served: App, era: Era) -> AsyncIterator[Assistant]:
    """An assistant whose person types what is asked, in both eras."""
    async with talking(served.server, era) as connected:
        yield connected


@pytest.fixture
async def benches(tmp_path: Path) -> AsyncIterator[Callable[..., Bench]]:
    """Makes servers that share one state directory, each under the settings it is given; all are given back."""
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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests have to tell, at the end: processes of xdist print nothing themselves."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "told":
                terminalreporter.write_line(str(value))
