"""A state directory that cannot be used: every command says why and what helps, and none is a traceback."""

import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.operator.commands import SECRET, Operator, without_privileges

from paperspace_mcp.cli import main
from paperspace_mcp.contract.errors import Refusal
from paperspace_mcp.wire.approvers import Approvers

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


@pytest.mark.parametrize("mode", [0o000, 0o555, 0o444])
def test_a_directory_that_this_user_may_not_use(capsys: pytest.CaptureFixture[str], mode: int) -> None:
    with TemporaryDirectory() as made:
        state = Path(made) / "state"
        assert main(["freeze", "--state-dir", str(state)]) == 0  # now everything that it needs is imported
        shutil.rmtree(state)
        state.mkdir()
        Path(made).chmod(0o755)
        state.chmod(mode)
        for words in (["freeze"], ["approve"], ["allow", "--list"]):
            with without_privileges():
                code = main([*words, "--state-dir", str(state)])
            shown = capsys.readouterr()
            assert (code, "this user may not use" in shown.err) == (1, True), shown.err
            assert "--state-dir" in shown.err
        state.chmod(0o700)


def test_of_many_guesses_at_once_five_are_looked_at(tmp_path: Path) -> None:
    Approvers(tmp_path).set("anna", SECRET)

    def guess(number: int) -> str:
        try:
            return str(Approvers(tmp_path).check("anna", f"guess {number}"))
        except Refusal as refusal:
            return refusal.code

    with ThreadPoolExecutor(20) as pool:
        answers = Counter(pool.map(guess, range(20)))
    assert answers == {"False": 5, "too_many_tries": 15}


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


KEEPS: dict[str, tuple[str, ...]] = {
    "what the store and the audit keep": ("freeze",),
    "what an approver keeps": ("approve", "--init"),
    "what a server keeps": ("run", "list_machines", "--demo"),
}


@pytest.mark.parametrize("what", KEEPS)
def test_a_directory_that_was_there_is_closed_to_others(tmp_path: Path, what: str) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o755)
    Operator(state).did(*KEEPS[what], "--state-dir", str(state), typed=TYPED)
    assert state.stat().st_mode & 0o7777 == 0o700
    state.chmod(0o750)
    Operator(state).did(*KEEPS[what], "--state-dir", str(state), typed=f"{SECRET}\n{TYPED}")
    assert state.stat().st_mode & 0o7777 == 0o700, "also with our own files in it"


def test_a_directory_that_holds_anything_else_keeps_its_mode_and_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "index.html").touch()
    tmp_path.chmod(0o755)
    operator = Operator(tmp_path)
    operator.did("freeze")
    assert tmp_path.stat().st_mode & 0o7777 == 0o755
    warned = operator.run("doctor", "--demo", "--state-dir", str(tmp_path)).stdout
    assert f"{tmp_path} is open to others (mode 0755)" in warned
    assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir() if path.name != "index.html"} == {0}
