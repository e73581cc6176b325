"""The command's parts that need no network: its arguments, its list of packages, its judgement."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.clients.__main__ import chosen
from tests.clients.account import Account, effects, told
from tests.clients.rows import Scene, table
from tests.clients.sessions import SESSIONS

from paperspace_mcp.simulator import Simulator
from paperspace_mcp.simulator.server import running

HERE = Path(__file__).parent
STOP = "PATCH /machines/psoxnh2i7/stop"


@pytest.fixture
def scene() -> Iterator[Scene]:
    with running(Simulator(clock=lambda: 0.0)) as listening:
        yield Scene(Account(listening.url.removesuffix("/v1")), "a client", "handshake", "stdio")


def test_without_names_every_session_is_run() -> None:
    assert chosen([]).sessions == list(SESSIONS)
    assert chosen(["inspector", "--cache", "there"]).cache == Path("there")


@pytest.mark.parametrize("wrong", [["nobody"], ["inspector", "nobody"], ["--fast"]])
def test_a_wrong_command_line_is_refused(wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        chosen(wrong)
    assert ended.value.code == 2


def test_every_session_says_what_it_shows() -> None:
    assert all((session.__doc__ or "").endswith(".") for session in SESSIONS.values())


def test_the_packages_are_of_one_version_each_and_locked() -> None:
    wanted = json.loads((HERE / "package.json").read_text(encoding="utf-8"))["dependencies"]
    locked = json.loads((HERE / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert all("integrity" in one for path, one in locked.items() if path)


def test_a_step_is_judged_by_what_arrived(scene: Scene) -> None:
    machine = scene.account.machine("ready")[1]
    sim = Account(scene.account.root)
    with scene.step("looks", reads=False):
        assert sim.machines()
    with scene.step("is to stop it", sends=[STOP]):
        pass
    with scene.step("is to read"):
        pass
    with scene.step("says something else", reads=False):
        raise ValueError("not\nso")
    assert machine
    assert [row.problem for row in scene.rows] == [
        "", f"should have sent {STOP}", "should have read", "ValueError: not so"
    ]  # fmt: skip
    assert table(scene.rows).splitlines()[-1] == "4 steps, 3 failed."


def test_effects_are_told_in_full_and_reads_counted() -> None:
    arrived = ["GET /machines", STOP, STOP, "GET /machines"]
    assert effects(arrived) == [STOP, STOP]
    assert told(arrived) == f"{STOP} x2; 2 GET"
    assert told([]) == "nothing"
