"""The command's parts that need no network: its arguments, its list of packages, its judgement."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.clients import conformance
from tests.clients.__main__ import chosen
from tests.clients.account import Account, effects, told
from tests.clients.conformance import Scenario
from tests.clients.rows import Row, Scene, table
from tests.clients.sessions import SESSIONS

from paperspace_mcp.simulator import Simulator
from paperspace_mcp.simulator.server import running

HERE = Path(__file__).parent
TASKS = "io.modelcontextprotocol/tasks"
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


def test_what_does_not_apply_is_no_step_that_went_well() -> None:
    rows = [Row("judge", "handshake", "http", "one"), Row("judge", "-", "http", "two", apart="no such thing here")]
    assert rows[1].cells[-1] == "does not apply: no such thing here"
    assert table(rows).splitlines()[-1] == "1 steps, 0 failed, 1 do not apply."


def test_a_scenario_is_run_or_told_why_not() -> None:
    assert not conformance.BESIDE & conformance.APART.keys()
    unheard = Scenario("quite-new", ("2026-07-28",))
    assert not unheard.runs
    assert conformance._apart(unheard, {}) == ""
    assert Scenario("input-required-result-anything", ("2026-07-28",)).runs


def test_a_capability_that_is_declared_must_be_judged() -> None:
    asked = Scenario("resources-subscribe", ("2025-11-25",))
    assert conformance._apart(asked, {"resources": {"subscribe": False}})
    assert conformance._apart(asked, {"resources": {"subscribe": True}}) == ""
    assert conformance._apart(Scenario("tasks-any", ("extension",)), {"extensions": {TASKS: {}}}) == ""


def test_a_judgement_names_what_was_warned_of_and_left_out() -> None:
    states = {"a": "SUCCESS", "b": "FAILURE", "c": "WARNING", "d": "SKIPPED", "e": "INFO"}
    checks = [{"id": name, "status": status} for name, status in states.items()]
    assert conformance.told(checks) == "1 of 2 checks; warned of: c; left out by the judge: d"
