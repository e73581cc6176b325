"""A state directory that cannot be used: every command says why and what helps, and none is a traceback."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.operator.commands import SECRET, Operator

TYPED = f"{SECRET}\n{SECRET}\n"
COMMANDS: dict[str, tuple[str, ...]] = {
    "approve --init": ("approve", "--init"),
    "approve": ("approve",),
    "approve CODE": ("approve", "K7Q2"),
    "approve --watch": ("approve", "--watch"),
    "allow": ("allow", "stop", "dev-*"),
    "allow --list": ("allow", "--list"),
    "allow --end": ("allow", "--end", "K7Q2A"),
    "unlock": ("unlock", "--reason", "fire"),
    "freeze": ("freeze",),
    "freeze --lift": ("freeze", "--lift"),
    "token --secret": ("token", "anna", "--secret"),
    "policy check": ("policy", "check", "stop_machine", "--arg", "machine=dev-anna", "--demo"),
}


def below_a_file(tmp_path: Path) -> Path:
    (tmp_path / "file").touch()
    return tmp_path / "file" / "state"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_path_through_a_file(tmp_path: Path, name: str) -> None:
    state = below_a_file(tmp_path)
    ended = Operator(state).run(*COMMANDS[name], "--state-dir", str(state), typed=TYPED)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert f"The state directory {state} cannot be used: {tmp_path / 'file'} is no directory." in ended.stderr
    assert "--state-dir" in ended.stderr
    assert "Frozen" not in ended.stdout


def no_database(state: Path) -> None:
    (state / "approvals.sqlite3").write_bytes(b"this is no database, and longer than a page's head" * 30)


def newer(state: Path) -> None:
    with sqlite3.connect(state / "approvals.sqlite3") as db:
        db.execute("PRAGMA user_version = 999")


def gutted(state: Path) -> None:
    """A file of the right version in which the tables are missing."""
    Operator(state).did("approve")
    with sqlite3.connect(state / "approvals.sqlite3") as db:
        for table in ("records", "flags", "standing", "ledger"):
            db.execute(f"DROP TABLE {table}")


def a_directory(state: Path) -> None:
    (state / "approvals.sqlite3").mkdir()


BROKEN: list[tuple[Callable[[Path], None], str]] = [
    (no_database, "file is not a database"),
    (newer, "made by a newer version of paperspace-mcp"),
    (gutted, "no such table"),
    (a_directory, "approvals.sqlite3"),
]


@pytest.mark.parametrize(("broken", "told"), BROKEN, ids=[one[0].__name__ for one in BROKEN])
def test_a_store_that_cannot_be_used(tmp_path: Path, broken: Callable[[Path], None], told: str) -> None:
    operator = Operator(tmp_path)
    broken(tmp_path)
    for name in ("freeze", "allow --list", "approve"):
        ended = operator.run(*COMMANDS[name])
        assert (ended.returncode, told in ended.stderr) == (1, True), name + ended.stderr
        assert "Nothing that needs an approval passes" in ended.stderr
        assert "Frozen" not in ended.stdout


@pytest.mark.parametrize("content", ["{broken", "[]", '{"users": 1}', '{"other": {}}', "\udcff"])
def test_approvers_that_cannot_be_read(tmp_path: Path, content: str) -> None:
    (tmp_path / "approvers.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    for words in (("approve", "--init"), ("allow", "stop", "dev-*"), ("freeze", "--lift")):
        ended = Operator(tmp_path).run(*words, typed=TYPED)
        assert (ended.returncode, "approvers.json is broken" in ended.stderr) == (1, True), ended.stderr


def test_a_freeze_holds_though_its_audit_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "audit.key").write_bytes(b"short")
    ended = Operator(tmp_path).run("freeze")
    assert (ended.returncode, "Frozen" in ended.stdout) == (1, True)
    assert "audit" in ended.stderr
    with sqlite3.connect(tmp_path / "approvals.sqlite3") as db:
        assert db.execute("SELECT count(*) FROM flags WHERE name = 'frozen'").fetchone() == (1,)


def test_what_is_not_audited_is_not_allowed_nor_lifted(tmp_path: Path) -> None:
    operator = Operator(tmp_path).init()
    operator.did("freeze")
    (tmp_path / "audit.key").write_bytes(b"short")
    for words in (("allow", "stop", "dev-*"), ("unlock", "--reason", "fire"), ("freeze", "--lift")):
        ended = operator.run(*words, typed=TYPED)
        assert (ended.returncode, "audit" in ended.stderr) == (1, True), ended.stderr
    with sqlite3.connect(tmp_path / "approvals.sqlite3") as db:
        assert db.execute("SELECT count(*) FROM standing").fetchone() == (0,)
        assert db.execute("SELECT name FROM flags WHERE until > 1e11").fetchall() == [("frozen",)]
