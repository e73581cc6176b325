"""Somebody at a shell who installs: what is printed, how it ends, and what their files are then."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from paperspace_mcp.cli import main

CANARY = "ps-canary-0123456789-abcdefghij-WXYZ"
"""The key in the environment of every run: it is in no file and on no screen."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended."""

    code: int
    out: str
    errors: str


Install = Callable[..., Ended]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of one's own, with a project in it that is the working directory."""
    home = tmp_path / "home"
    (home / "project").mkdir(parents=True)
    monkeypatch.chdir(home / "project")
    for name in ("CODEX_HOME", "APPDATA", "PAPERSPACE_API_KEY_FILE", "PAPERSPACE_API_URL", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("PAPERSPACE_MCP_STATE_DIR", raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("PAPERSPACE_API_KEY", CANARY)
    return home


@pytest.fixture
def install(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Install:
    """Runs `install` with these words; `typed` is what the person answers."""

    def run(*words: str, typed: str | io.TextIOBase = "") -> Ended:
        assert home.is_dir()
        monkeypatch.setattr("sys.stdin", io.StringIO(typed) if isinstance(typed, str) else typed)
        code = main(["install", *words])
        out, errors = capsys.readouterr()
        assert CANARY not in out + errors
        assert not any(CANARY in path.read_text("utf-8", "replace") for path in home.rglob("*") if path.is_file())
        return Ended(code, out, errors)

    return run
