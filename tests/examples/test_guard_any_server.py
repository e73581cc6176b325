"""The guard lifted out: a toy domain with no cloud in it."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "guard_any_server.py"


@pytest.mark.parametrize(
    ("typed", "first", "again"),
    [("oven-1", "scrapped", "already_spent"), ("OVEN-1", "mistyped", "mistyped"), ("", "mistyped", "mistyped")],
)
def test_an_oven_is_scrapped_once_and_only_by_its_name(typed: str, first: str, again: str) -> None:
    done = subprocess.run([sys.executable, EXAMPLE], input=typed + "\n", capture_output=True, text=True, check=True)
    assert "SCRAP this oven" in done.stdout
    assert done.stdout.rstrip().endswith(f"{first} - and the same answer again: {again}")


def test_no_word_of_the_provider_stands_in_the_guard() -> None:
    guard = Path(__file__).resolve().parents[2] / "server" / "paperspace_mcp" / "rules" / "guard"
    words = ("gpu", "droplet", "snapshot", "public_ip", "publicip", "machine", "digitalocean", "desktop", "accessor")
    found = [
        (path.name, word)
        for path in guard.glob("*.py")
        for word in words
        if word in path.read_text(encoding="utf-8").casefold()
    ]
    assert found == []
