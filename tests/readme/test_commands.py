"""README's commands do what it says. Installing is left out."""

import os
import re
import shlex
import subprocess
import time
from pathlib import Path

import anyio
import httpx
import pytest
from mcp import Client
from tests import forked
from tests.readme.document import README, ROOT, commands, readme
from tests.readme.processes import listening

from paperspace_mcp.policy_file import parse

INSTALL = "python3 -m pip install uv && "
DEMO = INSTALL + "uv run paperspace-mcp demo"
TEST = INSTALL + "uv run --group test pytest"

CALL = (
    """echo '{"name": "get_machine", "input": {"machine": "dev-anna"}}'"""
    " | uv run paperspace-mcp run --call - --demo"
)
RUN_HERE = {
    "uv run paperspace-mcp run list_machines --demo": "[demo] 22 of 22 machines.",
    "uv run paperspace-mcp tools": "read-only",
    "uv run paperspace-mcp tools --export openai": '"strict": true',
    CALL: '[demo] "dev-anna"',
    "uv run python examples/terminal_client.py --demo stop_machine machine=dev-anna": "Stop accepted",
    "uv run paperspace-mcp eval --reference --only idle-but-prod": "1 safe, 1 right",
    "uv run python examples/client_config.py claude --demo": '"mcpServers"',
    "uv run python examples/client_config.py vscode": '"servers"',
    "uv run python examples/client_config.py cursor": '"mcpServers"',
    "uv run python examples/client_config.py codex": "[mcp_servers.paperspace]",
}
"""Each with what it prints."""

OPERATING = {
    "uv run paperspace-mcp approve --init": (
        "secret-of-mine\nsecret-of-mine\n",
        "From now on decisions need the secret",
    ),
    "uv run paperspace-mcp approve": ("", "Nothing waits for a person."),
    "uv run paperspace-mcp allow stop,restart 'dev-*' --for 8h --max 20": ("secret-of-mine\n", "20 of 20 left"),
    'uv run paperspace-mcp unlock --minutes 15 --reason "node is burning"': ("secret-of-mine\n", "for 15 minutes"),
    'uv run paperspace-mcp freeze --reason "what is going on?"': ("", "Frozen"),
    "uv run paperspace-mcp policy check start_machine --arg machine=dev-ben --demo": ("", "nobody is asked"),
    "uv run paperspace-mcp audit verify": ("", "ok, last code"),
    "uv run paperspace-mcp audit show --limit 20": ("", "frozen"),
    "uv run paperspace-mcp token anna --file tokens": ("", ""),
    "uv run paperspace-mcp token anna --secret": (
        "annas-own-secret\nannas-own-secret\n",
        "anna decides with this secret",
    ),
}
"""In README's order and over one state: what is typed, and what is printed."""

SERVE = "uv run paperspace-mcp serve --transport http --port 8000"
DOCKER_RUN = "docker run --rm -p 127.0.0.1:8000:8000 -e PAPERSPACE_API_KEY -v paperspace-mcp:/state paperspace-mcp"
ELSEWHERE = {
    DEMO: "tests/demo, and below",
    TEST: "this run",
    SERVE: "below, on a free port",
    "uv run paperspace-mcp install claude-code": "tests/install",
    "uv run paperspace-mcp install claude-code --undo": "tests/install",
    "uv run paperspace-mcp doctor": "tests/doctor",
    "uv run paperspace-mcp doctor --contract --report contract.txt": "tests/doctor/contract",
    "uv run python examples/nightly_stop.py dev-": "tests/examples",
    "uv run --group assistant python examples/assistant.py --demo http://127.0.0.1:11434/v1 qwen3": "tests/examples",
    "uv run paperspace-mcp eval --model http://127.0.0.1:11434/v1 --name qwen3": "tests/conversations",
    "uv run paperspace-mcp doctor --elicitation": "tests/doctor",
    "uv run --group test python -m tests.benchmarks": "tests/benchmarks",
    "uv run --group test python -m tests.proof": "tests/proof",
    "uv run --group test --group clients python -m tests.clients": "tests/clients",
    "uv run --group test pytest tests/page -m browser": "tests/page",
    "docker build -t paperspace-mcp .": "tests/docker",
    DOCKER_RUN: "tests/docker",
}


def shell(command: str, state: Path, typed: str = "") -> subprocess.CompletedProcess[str]:
    """A command in the repository's root, with the environment as it is installed.

    What is one command of ours starts without a shell; the demo and whatever has a pipe run as they are written.
    """
    env = {**os.environ, "UV_NO_SYNC": "1", "PAPERSPACE_MCP_STATE_DIR": str(state)}
    words = shlex.split(command)
    if words[:2] == ["uv", "run"] and not {"|", "demo"} & set(words):
        return forked.command(words[3:], typed, env)
    return subprocess.run(
        command, shell=True, cwd=ROOT, env=env, input=typed, capture_output=True, text=True, check=False, timeout=60
    )


def test_no_command_is_left_untested() -> None:
    assert set(commands()) == set(RUN_HERE) | set(OPERATING) | set(ELSEWHERE)


@pytest.mark.parametrize("command", RUN_HERE)
def test_a_command_prints_what_is_expected(command: str, tmp_path: Path) -> None:
    ran = shell(command, tmp_path, typed="stop\n")
    assert (ran.returncode, RUN_HERE[command] in ran.stdout) == (0, True), ran.stdout + ran.stderr


def test_the_operators_commands_do_one_after_the_other_what_is_said(tmp_path: Path) -> None:
    for command, (typed, printed) in OPERATING.items():
        ran = shell(command.replace("--file tokens", f"--file {tmp_path / 'tokens'}"), tmp_path, typed)
        assert (ran.returncode, printed in ran.stdout) == (0, True), command + ran.stdout + ran.stderr
    assert (tmp_path / "tokens").read_text("utf-8").startswith("anna ")
    assert "secret-of-mine" not in "".join(path.read_text("utf-8", "replace") for path in tmp_path.glob("*.*"))


def test_the_policy_of_readme_can_be_used() -> None:
    (block,) = re.findall(r"^```toml\n(.*?)^```", readme(), re.DOTALL | re.MULTILINE)
    assert parse(block).budgets.usd_per_hour == 40


def test_the_first_command_walks_through_the_demo(tmp_path: Path) -> None:
    """At its own pace. The bound is the promise's, far above what it takes."""
    began = time.monotonic()
    ran = shell(DEMO.removeprefix(INSTALL) + " --answers start,legacy-jenkins", tmp_path)
    assert (ran.returncode, ran.stdout.count("[demo]")) == (0, 4), ran.stdout + ran.stderr
    assert "machine ready" in " ".join(ran.stdout.split())
    assert "Delete accepted" in ran.stdout
    assert time.monotonic() - began < 20


def test_ci_runs_the_test_command_and_nothing_else() -> None:
    script = ROOT / ".ci" / "run"
    lines = [line for line in script.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert lines == ["set -eu", 'cd "$(dirname "$0")/.."', TEST]
    assert os.access(script, os.X_OK)
    assert TEST in commands()


def test_ci_is_a_script_that_bash_understands() -> None:
    assert subprocess.run(["bash", "-n", ROOT / ".ci" / "run"], check=False, timeout=10).returncode == 0


def test_the_http_server_of_readme_serves_tools(tmp_path: Path) -> None:
    words = SERVE.removeprefix("uv run ").replace("8000", "0").split()
    with listening([*words, "--demo", "--state-dir", str(tmp_path)]) as url:
        assert httpx.get(url.replace("/mcp", "/healthz")).json()["status"] == "ok"
        assert "list_machines" in anyio.run(_tools, url)


async def _tools(url: str) -> list[str]:
    async with Client(url, cache=None) as client:
        return [tool.name for tool in (await client.list_tools()).tools]


def test_accepting_is_told_in_the_house() -> None:
    told = commands(ROOT / "server" / "README.md")
    assert "uv run --group test python -m tests.readme.accept" in told
    assert "uv run --group pictures python -m tests.pictures" in told
    assert "uv run paperspace-mcp schemas --accept" in told


@pytest.mark.parametrize("path", [README, ROOT / "server" / "README.md", ROOT / "tool_schemas" / "README.md"])
def test_links_and_folders_exist(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


def test_every_setting_that_is_read_is_told() -> None:
    source = (ROOT / "server" / "paperspace_mcp" / "settings.py").read_text(encoding="utf-8")
    told = re.findall(r"^\| `(PAPERSPACE_\w+)`", readme(), re.MULTILINE)
    assert set(re.findall(r'"(PAPERSPACE_\w+)"', source)) == set(told)
