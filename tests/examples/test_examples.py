"""The examples as a user runs them, against an account whose log of requests is seen."""

import json
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from tests.forked import command

from paperspace_mcp.simulator import Simulator
from paperspace_mcp.simulator.server import running

EXAMPLES = Path(__file__).parents[2] / "examples"
KEY = "demo-key"
CLIENTS = ("claude", "vscode", "cursor", "codex")


@pytest.fixture
def account(sim: Simulator, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The variables under which an example reaches the simulated account."""
    with running(sim) as served:
        yield {
            "PAPERSPACE_API_URL": served.url,
            "PAPERSPACE_API_KEY": KEY,
            "PAPERSPACE_MCP_STATE_DIR": str(tmp_path),
            "PAPERSPACE_MCP_HOLD": "0",
        }


def run(*words: str, env: dict[str, str], typed: str = "") -> subprocess.CompletedProcess[str]:
    return command(words, typed, {**os.environ, **env})


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_an_example_is_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 80


def test_the_terminal_client_deletes_after_the_name_is_typed(sim: Simulator, account: dict[str, str]) -> None:
    call = (str(EXAMPLES / "terminal_client.py"), "delete_machine", "machine=legacy-jenkins")
    ran = run(*call, env=account, typed="legacy-jenkins\n")
    assert ran.returncode == 0, ran.stderr
    assert [request.operation for request in sim.mutations()] == ["delete_machine"]


def test_the_terminal_client_does_nothing_after_an_empty_line(sim: Simulator, account: dict[str, str]) -> None:
    ran = run(str(EXAMPLES / "terminal_client.py"), "start_machine", "machine=train-h100x8", env=account, typed="\n")
    assert ran.returncode == 1
    assert "To go ahead, type: start" in ran.stdout
    assert sim.mutations() == []


def test_the_nightly_script_stops_only_what_a_person_approved(sim: Simulator, account: dict[str, str]) -> None:
    """Three dev machines are on. The first run asks and says so; a person approves one; the next run stops that one."""
    script = str(EXAMPLES / "nightly_stop.py")
    asked = run(script, "dev-", env=account)
    codes = dict(re.findall(r"^([\w-]+): A person must approve (\w+) ", asked.stdout, re.MULTILINE))
    assert (asked.returncode, set(codes)) == (75, {"dev-anna", "dev-carlos", "dev-diya"}), asked.stdout + asked.stderr
    assert sim.mutations() == []

    approved = run("approve", codes["dev-anna"], env=account, typed="stop\n")
    assert approved.returncode == 0, approved.stderr
    again = run(script, "dev-", env=account)
    assert again.returncode == 75
    assert [request.path for request in sim.mutations()] == [f"/machines/{sim.machine('dev-anna').id}/stop"]


def test_the_nightly_script_has_nothing_to_do_where_none_is_on(sim: Simulator, account: dict[str, str]) -> None:
    ran = run(str(EXAMPLES / "nightly_stop.py"), "no-such-", env=account)
    assert (ran.returncode, ran.stdout.strip()) == (0, "No machine no-such-* is on.")
    assert sim.mutations() == []


def test_the_nightly_script_tells_an_error(sim: Simulator, account: dict[str, str]) -> None:
    ran = run(str(EXAMPLES / "nightly_stop.py"), "dev-", env={**account, "PAPERSPACE_API_KEY": "wrong"})
    assert ran.returncode == 1
    assert "refuses the API key" in ran.stderr
    assert sim.mutations() == []


def block(client: str, *flags: str) -> dict[str, Any]:
    """A client's configuration block, parsed as that client does."""
    ran = run(str(EXAMPLES / "client_config.py"), client, *flags, env={"PAPERSPACE_API_KEY": "a-real-key"})
    assert ran.returncode == 0, ran.stderr
    assert "a-real-key" not in ran.stdout + ran.stderr
    return tomllib.loads(ran.stdout) if client == "codex" else json.loads(ran.stdout)


def server_of(parsed: dict[str, Any]) -> dict[str, Any]:
    servers = parsed.get("mcpServers") or parsed.get("servers") or parsed["mcp_servers"]
    server: dict[str, Any] = servers["paperspace"]
    return server


def test_every_block_starts_the_server(account: dict[str, str]) -> None:
    """All name the same command, and what it starts lists tools. The account is not asked: that needs none."""
    servers = [server_of(block(client, "--demo")) for client in CLIENTS]
    assert not any({"env", "env_vars"} & set(server) for server in servers)
    assert len({(server["command"], *server["args"]) for server in servers}) == 1
    assert "list_machines" in anyio.run(_tools, servers[0], account)


async def _tools(server: dict[str, Any], env: dict[str, str]) -> list[str]:
    parameters = StdioServerParameters(command=server["command"], args=server["args"], env=env)
    async with Client(parameters, cache=None) as client:
        return [tool.name for tool in (await client.list_tools()).tools]


REFERENCES: dict[str, dict[str, Any]] = {
    "claude": {"env": {"PAPERSPACE_API_KEY": "${PAPERSPACE_API_KEY:-}"}},
    "vscode": {"env": {"PAPERSPACE_API_KEY": "${input:paperspace-key}"}},
    "cursor": {"env": {"PAPERSPACE_API_KEY": "${env:PAPERSPACE_API_KEY}"}},
    "codex": {"env_vars": ["PAPERSPACE_API_KEY"]},
}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_block_names_the_key_and_does_not_hold_it(client: str) -> None:
    server = server_of(block(client))
    assert {name: server[name] for name in REFERENCES[client]} == REFERENCES[client]


def test_vscode_is_told_to_ask_for_the_key_as_a_password() -> None:
    assert [(one["id"], one["password"]) for one in block("vscode")["inputs"]] == [("paperspace-key", True)]


def test_without_a_client_it_says_how_it_is_called() -> None:
    ran = run(str(EXAMPLES / "client_config.py"), env={})
    assert ran.returncode == 2
    assert "vscode" in ran.stderr
