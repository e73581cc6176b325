"""The assistant of the examples, with a scripted model of either vendor's shape and a person at its terminal."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.examples.test_examples import run
from tests.examples.vendors import vendor

from paperspace_mcp.simulator import Simulator
from paperspace_mcp.simulator.server import running

EXAMPLE = str(Path(__file__).parents[2] / "examples" / "assistant.py")
VENDORS = [("/v1", []), ("", ["--anthropic"])]


@pytest.fixture
def account(sim: Simulator, tmp_path: Path) -> Iterator[dict[str, str]]:
    with running(sim) as served:
        yield {
            "PAPERSPACE_API_URL": served.url,
            "PAPERSPACE_API_KEY": "demo-key",
            "PAPERSPACE_MCP_STATE_DIR": str(tmp_path),
        }


@pytest.mark.parametrize(("path", "flags"), VENDORS, ids=["openai", "anthropic"])
def test_the_person_is_asked_and_the_model_is_not(
    sim: Simulator, account: dict[str, str], path: str, flags: list[str]
) -> None:
    """The same wish twice: an empty line is a no, and what is asked for is a yes."""
    wish = "Stop Anna's machine"
    with vendor() as (address, seen):
        ran = run(EXAMPLE, *flags, address + path, "m", env=account, typed=f"{wish}\n\n{wish}\nstop\n\n")
    assert ran.returncode == 0, ran.stderr
    assert [request.path for request in sim.mutations()] == ["/machines/psoxnh2i7/stop"]
    no, yes = ran.stdout.split("To go ahead, type: stop")[1:]
    assert "The person said no" in no
    assert "Stop accepted for" in yes
    assert "To go ahead" not in json.dumps(seen), "the question is the person's alone"


def test_without_a_model_it_says_how_it_is_called() -> None:
    ran = run(EXAMPLE, env={})
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "examples/assistant.py" in ran.stderr
