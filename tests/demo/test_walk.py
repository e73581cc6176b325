"""The walk of the demo, against a simulator whose log of requests is seen."""

import argparse

import pytest
from tests.demo.walk import walked

from paperspace_mcp.app import App
from paperspace_mcp.cli import demo
from paperspace_mcp.simulator import Simulator

pytestmark = pytest.mark.anyio


@pytest.fixture
def sim() -> Simulator:
    """The default fleet, fast enough that the demo's wait is over at its first look."""
    return Simulator(time_scale=10_000)


def flat(text: str) -> str:
    """The text without its line ends."""
    return " ".join(text.split())


async def test_the_right_answers_start_one_machine_and_delete_one(served: App, sim: Simulator) -> None:
    text = await walked(served, ["start", "legacy-jenkins"])
    assert [request.operation for request in sim.mutations()] == ["start_machine", "delete_machine"]
    assert "machine ready at" in flat(text)
    assert "legacy-jenkins" not in {machine.name for machine in sim.machines.values()}


@pytest.mark.parametrize("answers", [None, [], ["", ""], ["yes", "yes"], ["Start", "LEGACY-JENKINS"]])
async def test_other_answers_change_nothing(served: App, sim: Simulator, answers: list[str] | None) -> None:
    text = await walked(served, answers)
    assert sim.mutations() == []
    assert text.count("Nothing was done.") == 2


async def test_questions_are_shown_as_the_server_asks_them(served: App, sim: Simulator) -> None:
    text = await walked(served, None)
    for line in ("To go ahead, type: start", "To go ahead, type the exact name: legacy-jenkins"):
        assert line in text
    assert text.count("nobody to ask here") == 2
    assert sim.mutations() == []


async def test_it_says_what_to_do_next_and_paints_only_a_terminal(served: App) -> None:
    text = await walked(served, None)
    assert "uv run paperspace-mcp serve --demo" in text
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 110


@pytest.mark.parametrize("width", ["60", "80", "200"])
async def test_it_keeps_to_the_width_of_the_terminal(served: App, monkeypatch: pytest.MonkeyPatch, width: str) -> None:
    monkeypatch.setenv("COLUMNS", width)
    text = await walked(served, ["no", "no"])
    assert max(map(len, text.splitlines())) <= min(int(width), 110)


def test_answers_of_the_command_line_come_in_order() -> None:
    parser = argparse.ArgumentParser()
    demo.add_arguments(parser)
    assert parser.parse_args(["--answers", "start,a b"]).answers == ["start", "a b"]
    assert parser.parse_args([]).answers is None
