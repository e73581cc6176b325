"""A client that cannot be asked: a person decides in another process, and the repeated call executes once."""

from pathlib import Path

import pytest
from mcp import StdioServerParameters
from tests.surface.talk import talking
from tests.transports.conftest import COMMAND, KEY, Provider, environment, run

from paperspace_mcp import __version__

pytestmark = pytest.mark.anyio


def serve(provider: Provider, state: Path) -> StdioServerParameters:
    arguments = [*COMMAND[1:], "serve", "--api-url", provider.url, "--state-dir", str(state)]
    return StdioServerParameters(command=COMMAND[0], args=arguments, env=environment())


async def test_a_person_approves_in_another_process(provider: Provider, tmp_path: Path) -> None:
    sim = provider.sim
    machine = sim.add_machine(name="approved", state="ready").id
    before = len(sim.mutations())
    async with talking(serve(provider, tmp_path), "legacy", None) as assistant:
        first = await assistant.call("stop_machine", machine=machine)
        assert (first.data["status"], first.data["executed"], first.code) == ("approval_required", False, "")
        code = first.data["approval"]
        assert "paperspace-mcp" not in first.everything  # never the command: a model with a shell would run it
        again = await assistant.call("stop_machine", machine=machine)
        assert again.data["approval"] == code
        listed = run("approve", "--state-dir", str(tmp_path))
        assert code in listed.stdout
        wrong = run("approve", code, "--state-dir", str(tmp_path), typed="yes\n")
        assert wrong.returncode == 1
        assert (await assistant.call("stop_machine", machine=machine)).data["status"] == "approval_required"
        assert len(sim.mutations()) == before
        right = run("approve", code.lower(), "--state-dir", str(tmp_path), typed="stop\n")
        assert right.returncode == 0
        assert machine in right.stdout
        done = await assistant.call("stop_machine", machine=machine)
        assert (done.data["status"], done.data["approval"], done.data["changed"]) == ("done", code, True)
        repeated = await assistant.call("stop_machine", machine=machine)
        assert repeated.data["status"] == "already_done"
    assert [one.path for one in sim.mutations()[before:]] == [f"/machines/{machine}/stop"]
    assert KEY not in first.everything + right.stdout + right.stderr


async def test_a_person_denies_in_another_process(provider: Provider, tmp_path: Path) -> None:
    sim = provider.sim
    machine = sim.add_machine(name="denied", state="ready").id
    before = len(sim.mutations())
    async with talking(serve(provider, tmp_path), "2026-07-28", None) as assistant:
        code = (await assistant.call("stop_machine", machine=machine)).data["approval"]
        assert run("approve", code, "--deny", "--state-dir", str(tmp_path)).returncode == 0
        assert run("approve", code, "--state-dir", str(tmp_path), typed="stop\n").returncode == 1
        reply = await assistant.call("stop_machine", machine=machine)
        assert reply.data.get("status") != "done"
    assert len(sim.mutations()) == before


async def test_what_destroys_is_not_approved_without_a_secret(provider: Provider, tmp_path: Path) -> None:
    sim = provider.sim
    machine = sim.add_machine(name="kept", state="off").id
    before = len(sim.mutations())
    async with talking(serve(provider, tmp_path), "2026-07-28", None) as assistant:
        code = (await assistant.call("delete_machine", machine=machine)).data["approval"]
        assert run("approve", code, "--state-dir", str(tmp_path), typed="kept\n").returncode != 0
        assert (await assistant.call("delete_machine", machine=machine)).data["status"] == "approval_required"
    assert len(sim.mutations()) == before


def test_a_code_that_nobody_gave(tmp_path: Path) -> None:
    ended = run("approve", "ZZZZ", "--state-dir", str(tmp_path), typed="stop\n")
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr


def test_the_version() -> None:
    assert run("--version").stdout == f"paperspace-mcp {__version__}\n"


def test_a_wrong_command_line_is_told() -> None:
    for arguments in ((), ("serve", "--transport", "pigeon")):
        ended = run(*arguments)
        assert ended.returncode == 2
        assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("seconds", ["-1", "56", "nan", "soon"])
def test_a_call_is_not_held_for_longer_than_clients_wait(tmp_path: Path, seconds: str) -> None:
    ended = run("serve", "--state-dir", str(tmp_path), PAPERSPACE_MCP_HOLD=seconds)
    assert ended.returncode == 2
    assert "PAPERSPACE_MCP_HOLD" in ended.stderr
