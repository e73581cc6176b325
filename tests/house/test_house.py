"""The house keeps its own rules: types, lint, import directions, sizes."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHECKS = {
    "mypy": [sys.executable, "-m", "mypy"],
    "ruff check": [sys.executable, "-m", "ruff", "check", "."],
    "ruff format": [sys.executable, "-m", "ruff", "format", "--check", "."],
    "import directions": [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command; lint_imports_command()",
    ],
}
LONGEST = 400


@pytest.mark.parametrize("check", CHECKS)
def test_the_tools_find_nothing(check: str) -> None:
    done = subprocess.run(CHECKS[check], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("folder", ["server", "tests", "examples"])
def test_no_file_is_longer_than_a_person_reads(folder: str) -> None:
    long = [
        path for path in (ROOT / folder).rglob("*.py") if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST
    ]
    assert not long


def test_starting_imports_nothing_that_can_wait() -> None:
    """Start is import time: what only a call upstream, a page or a command needs comes with the first use."""
    script = "import sys, paperspace_mcp.app; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    late = {"httpx", "aiohttp", "httpx_aiohttp", "paperspace_mcp.simulator", "paperspace_mcp.cli"}
    assert not late & set(done.stdout.split())
