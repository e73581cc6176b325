"""Somebody at a shell who calls the doctor, in this process: what is printed, and how it ends."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from paperspace_mcp.cli import main
from paperspace_mcp.simulator import Simulator
from paperspace_mcp.simulator.server import running

KEY = "demo-key"


@dataclass
class Told:
    """What a run of the doctor printed, and its exit code."""

    code: int
    text: str
    errors: str
    rows: dict[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)

    def level(self, part: str, about: str) -> str:
        """How that row stands; `missing` where there is none."""
        return self.rows.get((part, about), {"level": "missing"})["level"]

    def seen(self, part: str, about: str) -> str:
        return self.rows[part, about]["seen"]

    def does(self, part: str, about: str) -> str:
        return self.rows[part, about]["do"]

    @property
    def failing(self) -> set[tuple[str, str]]:
        return {place for place, row in self.rows.items() if row["level"] == "fail"}


Doctor = Callable[..., Told]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home and an empty working directory in it; nothing of this machine is seen."""
    home = tmp_path / "home"
    (home / "project").mkdir(parents=True)
    monkeypatch.chdir(home / "project")
    monkeypatch.setenv("HOME", str(home))
    for name in ("CODEX_HOME", "APPDATA", "XDG_STATE_HOME", "SSL_CERT_FILE", "SSL_CERT_DIR", "PAPERSPACE_API_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("PAPERSPACE_MCP_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("PAPERSPACE_API_KEY", KEY)
    return home


@pytest.fixture
def doctor(home: Path, capsys: pytest.CaptureFixture[str]) -> Doctor:
    """Runs `doctor` with these words, and reads its rows."""

    def run(*words: str) -> Told:
        assert home.is_dir()
        code = main(["doctor", "--json", *words])
        out, errors = capsys.readouterr()
        told: dict[str, Any] = json.loads(out)
        rows = {(row["part"], row["about"]): row for row in told["rows"]}
        assert told["ok"] is (code == 0)
        return Told(code, out, errors, rows)

    return run


@pytest.fixture
def account(sim: Simulator, monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[Simulator]:
    """The simulated account on a port, as the API that the environment names."""
    assert home.is_dir()
    with running(sim) as served:
        monkeypatch.setenv("PAPERSPACE_API_URL", served.url)
        yield sim
