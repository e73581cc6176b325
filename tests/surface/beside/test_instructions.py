"""What a model is told of the server as a whole: short, and only of tools that are there."""

import re
import warnings
from collections.abc import Callable

import pytest
from tests.guard.bench import Bench
from tests.surface.talk import Era

from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.rules.policy import Policy
from paperspace_mcp.surface.tools import TOOLS
from paperspace_mcp.walking import WALK_ROWS

pytestmark = pytest.mark.anyio

POLICIES = [Policy(), Policy(read_only=True), Policy(toolsets=("events",)), Policy(tools_deny=("power_machines",))]
EVERY = {tool.name for tool in TOOLS}
CHANGING = {tool.name for tool in TOOLS if tool.touches is not Effect.READ}


@pytest.fixture(scope="module")
def tokens() -> Callable[[str], int]:
    """Counts in o200k. The package reads its ranks in a way that is deprecated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import bpe_openai  # type: ignore[import-untyped]

        encoding = bpe_openai.get_encoding("o200k_base")
    return lambda text: len(encoding.encode(text))


@pytest.mark.parametrize("policy", POLICIES, ids=["all", "read-only", "events", "denied"])
async def test_they_are_short_and_name_only_tools_that_are_open(
    benches: Callable[..., Bench], era: Era, policy: Policy, tokens: Callable[[str], int]
) -> None:
    bench = benches(policy=policy)
    async with bench.client(era) as client:
        offered = {tool.name for tool in (await client.list_tools()).tools}
    told = bench.app.server.instructions or ""
    assert tokens(told) <= 120
    assert {word for word in re.findall(r"\w+", told) if word in EVERY} <= offered
    assert ("change nothing" in told) == (not CHANGING & offered)
    assert ("approval_required" in told) == bool(CHANGING & offered)


async def test_the_limit_of_lists_is_told_as_it_is(bench: Bench) -> None:
    assert f"look at {WALK_ROWS} rows" in (bench.app.server.instructions or "")


async def test_a_handshake_tells_them(bench: Bench) -> None:
    async with bench.client("legacy") as client:
        assert client.instructions == bench.app.server.instructions


async def test_the_other_era_tells_them(bench: Bench) -> None:
    async with bench.client("auto") as client:
        assert client.instructions == bench.app.server.instructions
