from collections.abc import Callable, Iterator

import pytest
from tests.guard.bench import Bench
from tests.operator.commands import Account

from paperspace_mcp.rules.policy import Policy
from paperspace_mcp.simulator import Simulator
from paperspace_mcp.simulator.server import running


@pytest.fixture
def bench(benches: Callable[..., Bench]) -> Bench:
    """A server that asks about every start, and as often as the tests like."""
    return benches(policy=Policy(questions=1000, confirm_usd_per_hour=0.0))


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    """A simulated account on a port. Its time stands still."""
    sim = Simulator(clock=lambda: 0.0)
    with running(sim) as listening:
        yield Account(sim, listening.url)
