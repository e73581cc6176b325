"""Where a key is found: the server's own order, and never more of it than four characters."""

from pathlib import Path

import pytest
from tests.doctor.conftest import Doctor

from paperspace_mcp.checkup.keys import found, masked
from paperspace_mcp.settings import from_environment

CANARY = "ps-canary-0123456789-abcdefghij-WXYZ"
OTHER = "ps-another-0123456789-abcdefghij-QRST"


@pytest.fixture
def credentials(home: Path) -> Path:
    """The provider's own command line has logged in."""
    folder = home / ".paperspace"
    folder.mkdir()
    (folder / "config.toml").write_text('team = "acme"\n', encoding="utf-8")
    file = folder / "credentials.toml"
    file.write_text(f'[keys]\nacme = "{CANARY}"\n', encoding="utf-8")
    file.chmod(0o600)
    return file


def test_the_order_is_the_servers(home: Path, credentials: Path) -> None:
    file = home / "key"
    file.write_text(OTHER, encoding="utf-8")
    assert credentials.is_file()
    environ = {"HOME": str(home), "XDG_CONFIG_HOME": str(home)}
    ways = [{}, {"PAPERSPACE_API_KEY_FILE": str(file)}, {"PAPERSPACE_API_KEY": "x" * 20}]
    sources = ["~/.paperspace/credentials.toml", "PAPERSPACE_API_KEY_FILE", "PAPERSPACE_API_KEY"]
    for way, source in zip(ways, sources, strict=True):
        environ |= way
        read = from_environment(environ).upstream.key
        assert found(environ) == (source, read.get_secret_value() if read else "")


def test_a_file_that_is_not_there_hides_the_next_way(home: Path, credentials: Path) -> None:
    """As for the server: it refuses to start, rather than use another account's key."""
    assert credentials.is_file()
    assert found({"HOME": str(home), "PAPERSPACE_API_KEY_FILE": "/nowhere"}) == ("PAPERSPACE_API_KEY_FILE", "")


@pytest.mark.parametrize("key", ["", "short", "x" * 15, "demo-key"])
def test_of_a_short_key_nothing_is_shown(key: str) -> None:
    assert masked(key) == "..."


def test_no_key_is_printed_wherever_it_stands(
    doctor: Doctor, home: Path, credentials: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PAPERSPACE_API_KEY")
    (home / "project" / ".env").write_text(f"PAPERSPACE_API_KEY={OTHER}\n", encoding="utf-8")
    told = doctor("--api-url", "http://127.0.0.1:9/v1")
    assert told.seen("key", "key") == "...WXYZ from ~/.paperspace/credentials.toml"
    credentials.unlink()
    told_without = doctor("--api-url", "http://127.0.0.1:9/v1")
    assert told_without.level("key", ".env") == "warn"
    for text in (told.text, told.errors, told_without.text, told_without.errors):
        assert not {CANARY[:-4], OTHER[:-4]} & {text[at : at + 32] for at in range(len(text))}


@pytest.mark.parametrize(
    ("key", "level"),
    [("${PAPERSPACE_API_KEY}", "fail"), ("${input:paperspace-key}", "fail"), ("schlüssel", "fail"), ('"abc"', "warn")],
)
def test_a_key_that_can_be_none(doctor: Doctor, monkeypatch: pytest.MonkeyPatch, key: str, level: str) -> None:
    monkeypatch.setenv("PAPERSPACE_API_KEY", key)
    assert doctor("--demo").level("key", "form") == "missing", "a demo has a key of its own"
    assert doctor("--api-url", "http://127.0.0.1:9/v1").level("key", "form") == level


def test_two_ways_at_once_are_told(doctor: Doctor, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "key").write_text(OTHER, encoding="utf-8")
    monkeypatch.setenv("PAPERSPACE_API_KEY_FILE", str(home / "key"))
    told = doctor("--api-url", "http://127.0.0.1:9/v1")
    assert told.seen("key", "other") == "PAPERSPACE_API_KEY is set, so PAPERSPACE_API_KEY_FILE is not read"
