"""`run`, as a script or cron calls it: what it prints, what it may do unasked, and how it ends."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.operator.commands import SECRET, Account, Operator

from paperspace_mcp.simulator import Simulator
from paperspace_mcp.simulator.faults import Fault
from paperspace_mcp.simulator.server import running

ANNA, CARLOS, DIYA = "psoxnh2i7", "psfj3c701", "psw5y2hq8n6a"


def stop(machine_id: str) -> str:
    return f"PATCH /machines/{machine_id}/stop"


@pytest.fixture
def fleet() -> Iterator[Account]:
    """The default fleet, fresh; its time goes a thousand times faster."""
    sim = Simulator(time_scale=1000.0)
    with running(sim) as listening:
        yield Account(sim, listening.url)


@pytest.fixture
def cron(fleet: Account, tmp_path: Path) -> Operator:
    """Nobody sits at this shell; an approver's secret is set up."""
    return Operator(tmp_path, fleet.url).init()


def allowed(cron: Operator, *words: str) -> str:
    """A standing approval, by its code."""
    said = cron.did("allow", *words, typed=f"{SECRET}\n")
    found = re.search(r"\b([A-Z2-9]{4,8})\b", said)
    assert found, said
    return found[1]


def test_rows_are_a_table_or_json(cron: Operator) -> None:
    table = cron.did("run", "list_machines", "--arg", "region=ams1")
    assert "\t" not in table
    starts = {line.index("ready") for line in table.splitlines() if "  ready  " in line}
    assert len(starts) == 1, "the states stand below each other"
    rows = json.loads(cron.did("run", "list_machines", "--arg", "region=ams1", "--json"))["machines"]
    assert {row["id"] for row in rows} == {"psk1b5ya7g4o", "pse3n8ok5b2h", CARLOS}


@pytest.mark.parametrize("piped", [True, False])
def test_arguments_are_one_json_object(cron: Operator, piped: bool) -> None:
    given = json.dumps({"states": ["off"], "region": "ca1"})
    said = cron.run("run", "list_machines", "--json", "--arguments", "-" if piped else given, typed=given)
    assert {row["name"] for row in json.loads(said.stdout)["machines"]} == {"dev-ben", "staging-api"}


@pytest.mark.parametrize("words", [["--arguments", "{"], ["--arguments", "[1]"], ["--arg", "region"], ["--arguments"]])
def test_arguments_that_are_none_are_told_and_nothing_is_called(
    cron: Operator, fleet: Account, words: list[str]
) -> None:
    before = len(fleet.sim.wire)
    ended = cron.run("run", "list_machines", *words)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "--arguments" in ended.stderr
    assert len(fleet.sim.wire) == before


CALL = {"machine": "dev-ben"}
CALLS = {
    "openai": {"id": "c", "type": "function", "function": {"name": "start_machine", "arguments": json.dumps(CALL)}},
    "anthropic": {"type": "tool_use", "id": "c", "name": "start_machine", "input": CALL},
    "gemini": {"functionCall": {"name": "start_machine", "args": CALL}},
}


@pytest.mark.parametrize("vendor", CALLS)
@pytest.mark.parametrize("piped", [True, False])
def test_a_models_call_is_executed_as_its_vendor_sends_it(
    cron: Operator, fleet: Account, vendor: str, piped: bool
) -> None:
    call = json.dumps(CALLS[vendor])
    ended = cron.run("run", "--json", "--call", "-" if piped else call, typed=call)
    assert (ended.returncode, json.loads(ended.stdout)["changed"]) == (0, True)
    assert fleet.sent == ["PATCH /machines/ps8jo1fga/start"]


def test_a_models_call_is_guarded_as_any_other(cron: Operator, fleet: Account) -> None:
    call = {"name": "stop_machine", "input": {"machine": "dev-anna"}}
    assert cron.run("run", "--call", json.dumps(call)).returncode == 75
    assert cron.run("run", "--read-only", "--call", json.dumps(call)).returncode == 4
    assert fleet.sent == []


@pytest.mark.parametrize(
    "words",
    [
        ["--call", "{"],
        ["--call", "[]"],
        ["--call", '{"input": {}}'],
        ["--call", '{"name": "list_machines", "arguments": "[1]"}'],
        ["list_machines", "--call", '{"name": "list_machines"}'],
        ["--call", '{"name": "list_machines"}', "--arg", "region=ny2"],
        [],
    ],
)
def test_what_is_no_call_is_told_and_nothing_is_called(cron: Operator, fleet: Account, words: list[str]) -> None:
    before = len(fleet.sim.wire)
    ended = cron.run("run", *words)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "Nothing was called" in ended.stderr
    assert len(fleet.sim.wire) == before


def test_without_anybody_to_ask_the_question_waits(cron: Operator, fleet: Account) -> None:
    ended = cron.run("run", "stop_machine", "--arg", "machine=dev-anna")
    assert (ended.returncode, fleet.sent) == (75, [])
    assert re.search(r"A person must approve [A-Z2-9]{4}", ended.stdout)


def test_a_standing_approval_runs_out(cron: Operator, fleet: Account) -> None:
    code = allowed(cron, "stop", "dev-*", "--for", "1h", "--max", "2")
    ends = [
        cron.run("run", "stop_machine", "--arg", f"machine={name}", "--allow", code).returncode
        for name in ("dev-anna", "dev-carlos", "dev-diya")
    ]
    assert (ends, fleet.sent) == ([0, 0, 4], [stop(ANNA), stop(CARLOS)])


@pytest.mark.parametrize(
    ("tool", "machine"),
    [("stop_machine", "train-a100"), ("restart_machine", "dev-anna"), ("stop_machine", "prod-db")],
)
def test_what_it_does_not_cover_is_refused_and_not_asked(
    cron: Operator, fleet: Account, tool: str, machine: str
) -> None:
    code = allowed(cron, "stop", "dev-*", "prod-*", "--for", "1h")
    ended = cron.run("run", tool, "--arg", f"machine={machine}", "--allow", code.lower())
    assert (ended.returncode, fleet.sent) == (4, [])
    assert "does not cover this call" in ended.stdout
    assert ("paperspace-mcp" in ended.stdout, "allow --list" in ended.stderr) == (False, True), "a command is no answer"
    assert "Nothing waits" in cron.did("approve")


def test_no_other_approval_is_used_than_the_one_that_is_named(cron: Operator, fleet: Account) -> None:
    narrow, wide = allowed(cron, "stop", "train-*"), allowed(cron, "stop", "dev-*", "--max", "5")
    assert cron.run("run", "stop_machine", "--arg", "machine=dev-anna", "--allow", narrow).returncode == 4
    assert cron.run("run", "stop_machine", "--arg", "machine=dev-anna", "--allow", "NONE").returncode == 4
    assert fleet.sent == []
    both = allowed(cron, "stop", "dev-*", "--max", "5")
    assert cron.run("run", "stop_machine", "--arg", "machine=dev-anna", "--allow", both).returncode == 0
    left = {line.split()[0]: line for line in cron.did("allow", "--list").splitlines()}
    assert "5 of 5" in left[wide]
    assert "4 of 5" in left[both]


def test_a_list_of_which_one_fails_is_done_in_part(cron: Operator, fleet: Account) -> None:
    code = allowed(cron, "stop", "dev-*", "--for", "1h", "--max", "20")
    fleet.sim.faults.add(Fault("status", "stop", status=409, machine=CARLOS))
    wish: dict[str, Any] = {"action": "stop", "name_globs": ["dev-*"]}
    ended = cron.run("run", "power_machines", "--arguments", json.dumps(wish), "--allow", code)
    assert ended.returncode == 3, ended.stdout
    assert sorted(fleet.sent) == sorted([stop(ANNA), stop(CARLOS), stop(DIYA)])


def test_what_policy_refuses_ends_with_four_and_an_error_with_one(cron: Operator, fleet: Account) -> None:
    assert cron.calls("delete_machine", machine="prod-db") == 4
    assert cron.calls("get_machine", machine="nowhere") == 1
    assert fleet.sent == []


def test_what_failed_by_its_event_ends_with_one_and_a_part_of_it_with_three(cron: Operator, fleet: Account) -> None:
    fleet.sim.world.unavailable.add(("RTX4000", "ca1"))
    failed = cron.run("run", "start_machine", "--arg", "machine=dev-ben", "--arg", "wait_seconds=20")
    assert (failed.returncode, "no capacity" in failed.stdout) == (1, True), failed.stdout
    wish = {"action": "start", "machines": ["dev-ben", "train-v100-eu"]}
    code = allowed(cron, "start", "dev-*", "train-*", "--for", "1h")
    words = ("run", "power_machines", "--allow", code, "--arguments")
    assert cron.run(*words, json.dumps(wish | {"wait_seconds": 20})).returncode == 3
    fleet.sim.change("train-v100-eu", state="off")
    assert cron.run(*words, json.dumps({**wish, "states": ["off"]}), "--wait").returncode == 3


def test_a_resize_goes_on_until_the_machine_runs_again(cron: Operator, fleet: Account) -> None:
    """Each call waits for a second at most, and the stop and the upgrade take longer."""
    wish = {"machine": "dev-anna", "machine_type": "A5000", "when_running": "stop_and_start"}
    fleet.sim.time_scale = 20.0
    words = ("run", "update_machine", "--arguments", json.dumps(wish))
    waits = cron.run(*words)
    cron.did("approve", re.findall(r"approve ([A-Z2-9]{4})", waits.stdout)[0], typed=f"update\n{SECRET}\n")
    assert cron.run(*words, PAPERSPACE_MCP_MAX_WAIT="1").returncode == 3, "a part is done"
    ended = cron.run(*words, "--wait", PAPERSPACE_MCP_MAX_WAIT="1")
    assert ended.returncode == 0, ended.stdout
    assert "Under way (done: stop_machine, update_machine" in ended.stdout
    assert [one.rpartition("/")[2] for one in fleet.sent] == ["stop", ANNA, "start"]
    assert fleet.sim.machine("dev-anna").state == "ready"


def test_it_waits_until_what_was_begun_has_ended(cron: Operator, fleet: Account) -> None:
    said = cron.did("run", "start_machine", "--arg", "machine=dev-ben", "--wait")
    assert "done: 1 done." in said
    assert fleet.sim.machine("dev-ben").state == "ready"
    ended = cron.run("run", "start_machine", "--arg", "machine=train-v100-eu", "--wait", "--json")
    assert ended.returncode == 0


def test_a_wait_for_what_fails_ends_with_one(cron: Operator, fleet: Account) -> None:
    fleet.sim.world.unavailable.add(("RTX4000", "ca1"))
    ended = cron.run("run", "start_machine", "--arg", "machine=dev-ben", "--wait")
    assert ended.returncode == 1
    assert "capacity" in ended.stdout
