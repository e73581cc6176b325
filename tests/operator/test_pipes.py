"""Whoever reads what a command prints may stop reading: the command ends without a word."""

import subprocess
from pathlib import Path

import pytest
from tests.operator.commands import COMMAND, SECRET, Operator, environment

from paperspace_mcp.audit import Audit, Entry

PRINTING: dict[str, tuple[str, ...]] = {
    "--help": ("--help",),
    "demo": ("demo",),
    "run": ("run", "list_machines", "--demo", "--json"),
    "audit show": ("audit", "show", "--limit", "5000"),
    "audit verify": ("audit", "verify"),
    "approve": ("approve",),
    "allow --list": ("allow", "--list"),
    "policy check": ("policy", "check", "stop_machine", "--arg", "machine=dev-anna", "--demo"),
}


@pytest.mark.parametrize("name", PRINTING)
def test_a_closed_pipe_ends_a_command_quietly(tmp_path: Path, name: str) -> None:
    audit = Audit(tmp_path)
    for _ in range(3):
        audit.write(Entry(phase="asked", principal="anna"))
    env = environment(PAPERSPACE_MCP_STATE_DIR=str(tmp_path))
    with subprocess.Popen(
        [*COMMAND, *PRINTING[name]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        told = process.stderr.read().decode()
        code = process.wait(60)
    assert told == ""
    assert code == 141


def test_what_was_read_before_is_whole(tmp_path: Path) -> None:
    operator = Operator(tmp_path).init()
    operator.did("allow", "stop", "dev-*", typed=f"{SECRET}\n")
    words = f"{' '.join(COMMAND)} allow --list | head -n 1"
    env = environment(PAPERSPACE_MCP_STATE_DIR=str(tmp_path))
    ended = subprocess.run(words, shell=True, capture_output=True, text=True, check=False, timeout=60, env=env)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "stop dev-*: 20 of 20 left" in ended.stdout
