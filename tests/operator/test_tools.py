"""`tools`: the table, its totals, and definitions that a script hands to a model. Neither a key nor a network."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from tests.operator.commands import Operator

from paperspace_mcp import exports
from paperspace_mcp.schemas import listed
from paperspace_mcp.surface.tools import TOOLS, TOOLSETS

NAMES = [tool.name for tool in TOOLS]
WITHOUT_RANKS = "import sys; sys.modules['bpe_openai'] = None; from paperspace_mcp.cli import main; sys.exit(main())"


@pytest.fixture
def shell(tmp_path: Path) -> Operator:
    return Operator(tmp_path)


def rows(table: str) -> list[list[str]]:
    """The cells of the tools, then of the totals."""
    return [line.split("  ") for line in table.splitlines()[1:-1] if line]


def cells(line: list[str]) -> list[str]:
    return [cell.strip() for cell in line if cell.strip()]


def test_each_tool_has_its_row_with_class_and_tokens(shell: Operator) -> None:
    table = shell.did("tools")
    found = [cells(line) for line in rows(table)]
    assert [line[0] for line in found[:-2]] == NAMES
    tokens = [int(line[2]) for line in found[:-2]]
    assert found[-2] == [f"{len(NAMES)} tools", "all", f"{sum(tokens):,}"]
    reading = [
        number for line, number in zip(found, tokens, strict=False) if set(line[1].split(", ")) <= {"read", "reveal"}
    ]
    assert found[-1] == [f"{len(reading)} tools", "read-only", f"{sum(reading):,}"]
    assert "counted in o200k" in table
    assert dict(line[:2] for line in found)["update_machine"] == "disrupt, destroy"


def test_as_json_it_says_the_same(shell: Operator) -> None:
    told = json.loads(shell.did("tools", "--json"))
    assert [row["tool"] for row in told["tools"]] == NAMES
    assert told["total"] == {"tools": len(NAMES), "tokens": sum(row["tokens"] for row in told["tools"])}
    assert told["version"] in shell.did("tools")


def test_without_ranks_the_estimate_says_so() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT_RANKS, "tools"], capture_output=True, text=True, check=True, timeout=60
    )
    assert "Tokens are estimated (4.3 characters each)" in ended.stdout
    assert len(rows(ended.stdout)) == len(NAMES) + 2


@pytest.mark.parametrize("vendor", exports.FORMATS)
def test_definitions_are_exported(shell: Operator, vendor: str) -> None:
    told = json.loads(shell.did("tools", "--export", vendor))
    assert told == exports.FORMATS[vendor](list(anyio.run(listed).values()))


def names(told: list[dict[str, Any]]) -> set[str]:
    return {one["name"] for one in told}


def test_only_what_is_offered_is_exported(shell: Operator) -> None:
    reading = names(json.loads(shell.did("tools", "--export", "anthropic", "--read-only")))
    assert "list_machines" in reading
    assert not {"stop_machine", "power_machines"} & reading
    events = names(json.loads(shell.did("tools", "--export", "anthropic", "--toolsets", "events")))
    assert events == {tool.name for tool in TOOLSETS["events"]}
    by_policy = names(json.loads(shell.did("tools", "--export", "anthropic", PAPERSPACE_MCP_READ_ONLY="1")))
    assert by_policy == reading


def test_nothing_is_left_behind(shell: Operator) -> None:
    shell.did("tools")
    assert list(shell.state.iterdir()) == []


@pytest.mark.parametrize("words", [["--export", "cohere"], ["--toolsets", "gpus"], ["--json", "--export", "openai"]])
def test_what_is_wrong_is_told(shell: Operator, words: list[str]) -> None:
    ended = shell.run("tools", *words)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert words[0] in ended.stderr
