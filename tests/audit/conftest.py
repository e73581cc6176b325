"""A log in a directory of its own, by a clock that moves a second at each look."""

from itertools import count
from pathlib import Path

import pytest

from paperspace_mcp.audit import Audit, Entry

START = 1_795_000_000.0
FILE = "audit-000001.jsonl"


def stopped(code: str = "K7Q2", machine: str = "ps1", name: str = "dev-1", phase: str = "intent") -> Entry:
    """A machine is about to be stopped, or was."""
    target = {"id": machine, "name": name, "fingerprint": {"id": machine, "power": "on"}}
    return Entry(phase=phase, principal="ann:0a1b", tool="stop_machine", code=code, targets=(target,))


def ticking(directory: Path, rotate_bytes: int = 1 << 20) -> Audit:
    seconds = count()
    return Audit(directory, now=lambda: START + next(seconds), rotate_bytes=rotate_bytes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def audit(folder: Path) -> Audit:
    return ticking(folder)


@pytest.fixture
def six(audit: Audit) -> Audit:
    """Six records, of three codes and machines."""
    for number in range(3):
        for phase in ("intent", "outcome"):
            audit.write(stopped(f"AAA{number}", f"ps{number}", f"dev-{number}", phase))
    return audit
