"""The state directory as the doctor sees it: what is wrong is told, and looking changes nothing."""

import re
import shutil
import sqlite3
import time
from pathlib import Path

import pytest
from tests.doctor.conftest import Doctor
from tests.operator.commands import without_privileges

from paperspace_mcp.audit import Audit, Entry
from paperspace_mcp.checkup import configuration, state
from paperspace_mcp.checkup.rows import Row
from paperspace_mcp.conduct.judging import FROZEN
from paperspace_mcp.wire.approvers import Approvers
from paperspace_mcp.wire.sqlite import SCHEMA_VERSION, SqliteStore


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A state directory as the server leaves it."""
    directory = tmp_path / "state"
    store = SqliteStore(directory)
    store.set_flag("nothing", 0.0, "")
    store.shut()
    for _ in range(3):
        Audit(directory).write(Entry(phase="asked", principal="anna"))
    return directory


def looked(directory: Path) -> dict[str, Row]:
    return {row.about: row for row in state.rows(directory)}


def levels(directory: Path) -> dict[str, str]:
    return {about: row.level.value for about, row in looked(directory).items()}


GOOD = {"directory": "ok", "approvals": "ok", "secret": "note", "audit": "ok"}


def test_a_good_directory(directory: Path) -> None:
    assert levels(directory) == GOOD
    assert looked(directory)["approvals"].seen == f"schema {SCHEMA_VERSION}"
    assert looked(directory)["audit"].seen == "3 records, each as it was written"
    Approvers(directory).set("anna", "secret-of-anna")
    assert levels(directory)["secret"] == "ok"


def test_looking_changes_nothing(directory: Path, tmp_path: Path) -> None:
    """Not even a directory is made."""
    before = {path.name: (path.read_bytes(), path.stat().st_mode) for path in directory.iterdir()}
    looked(directory)
    after = {path.name: (path.read_bytes(), path.stat().st_mode) for path in directory.iterdir()}
    assert after == before
    assert levels(tmp_path / "not" / "there") == {"directory": "ok"}
    assert not (tmp_path / "not").exists()


def test_modes_that_let_others_in(directory: Path) -> None:
    directory.chmod(0o755)
    (directory / "audit.key").chmod(0o644)
    found = looked(directory)
    assert (found["directory"].level.value, found["directory"].do) == ("warn", f"chmod 700 {directory}")
    assert (found["files"].level.value, found["files"].seen) == ("warn", "others can read audit.key")


def test_a_directory_that_may_not_be_written_or_read(directory: Path) -> None:
    for path in (directory, *directory.iterdir()):
        shutil.chown(path, 65534)
    for above in list(directory.parents)[:4]:
        above.chmod(0o755)
    directory.chmod(0o500)
    with without_privileges():
        # os.access asks for the real user, and only the effective one is another here
        assert {"directory", "audit"} <= set(levels(directory))
    directory.chmod(0o000)
    with without_privileges():
        assert levels(directory) == {"directory": "fail"}
    directory.chmod(0o700)


def test_a_path_through_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = looked(tmp_path / "file" / "state")
    assert found["directory"].level.value == "fail"
    assert "--state-dir" in found["directory"].do


def test_a_store_of_a_newer_version(directory: Path) -> None:
    with sqlite3.connect(directory / "approvals.sqlite3") as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()
    assert levels(directory) == {**GOOD, "approvals": "fail"}


def test_a_store_of_an_older_version_is_not_touched(directory: Path) -> None:
    with sqlite3.connect(directory / "approvals.sqlite3") as db:
        db.execute("PRAGMA user_version = 1")
    db.close()
    assert looked(directory)["approvals"].seen == f"schema 1, brought to {SCHEMA_VERSION} at the first use"
    with sqlite3.connect(directory / "approvals.sqlite3") as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
    db.close()


def test_a_broken_store(directory: Path) -> None:
    (directory / "approvals.sqlite3").write_bytes(b"no database" * 100)
    assert levels(directory) == {**GOOD, "approvals": "fail"}


def test_broken_approvers(directory: Path) -> None:
    (directory / "approvers.json").write_text("{", encoding="utf-8")
    (directory / "approvers.json").chmod(0o600)
    assert levels(directory) == {**GOOD, "secret": "fail"}


def test_a_freeze_and_open_questions(directory: Path) -> None:
    store = SqliteStore(directory)
    store.set_flag(FROZEN, 1e12, "what is going on?")
    store.shut()
    with sqlite3.connect(directory / "approvals.sqlite3") as db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(records)")]
        for code, ends in (("K7Q2", time.time() + 60), ("K7Q3", time.time() - 60)):
            given = {"code": code, "status": "open", "channel": "inbox", "expires_at": ends}
            values: dict[str, object] = {**dict.fromkeys(columns, ""), **given}
            db.execute(f"INSERT INTO records VALUES ({','.join('?' * len(columns))})", list(values.values()))
    db.close()
    found = looked(directory)
    assert found["frozen"].seen == "nothing that changes something passes (what is going on?)"
    assert found["questions"].seen == "1 wait for a person"


def test_an_audit_that_was_changed(directory: Path) -> None:
    log = directory / "audit-000001.jsonl"
    log.write_bytes(log.read_bytes().replace(b"anna", b"olga"))
    assert levels(directory) == {**GOOD, "audit": "fail"}
    assert looked(directory)["audit"].seen.startswith("record 1: ")


def test_a_long_audit_is_not_walked(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "CHEAP_BYTES", 10)
    assert levels(directory) == {**GOOD, "audit": "note"}


# -- configuration ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [("MODE", "yolo"), ("READ_ONLY", "perhaps"), ("HOLD", "no"), ("MAX_WAIT", "1e9"), ("WEBHOOK_URL", "ftp://x")],
)
def test_a_wrong_setting_is_named_and_the_rest_is_told(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"PAPERSPACE_MCP_{name}", value)
    told = doctor("--demo")
    assert told.failing == {("configuration", f"PAPERSPACE_MCP_{name}")}
    assert told.level("configuration", "policy") == "ok"
    assert told.level("api", "key") == "ok"


def test_a_policy_that_cannot_be_used(doctor: Doctor, home: Path) -> None:
    folder = home / ".config" / "paperspace-mcp"
    folder.mkdir(parents=True)
    (folder / "policy.toml").write_text('protcet = ["prod*"]\n', encoding="utf-8")
    told = doctor("--demo")
    assert told.failing == {("configuration", "policy")}
    assert "did you mean protect?" in told.seen("configuration", "policy")
    (folder / "policy.toml").write_text('mode = "inbox"\nprotect = ["db-*"]\n', encoding="utf-8")
    assert "policy.toml: mode inbox; protects db-*" in doctor("--demo").seen("configuration", "policy")


def test_a_variable_that_nothing_reads(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAPERSPACE_MCP_READONLY", "1")
    assert doctor("--demo").level("configuration", "PAPERSPACE_MCP_READONLY") == "warn"


def test_the_known_variables_are_those_that_are_read() -> None:
    source = Path(configuration.__file__).parents[1].joinpath("settings.py").read_text(encoding="utf-8")
    assert set(re.findall(r'"(PAPERSPACE_MCP_\w+)"', source)) == configuration.KNOWN
