"""The store: one file, several threads and processes, and every way in which it can be broken."""

import json
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from tests.guard.bench import CREATE, DELETE, Bench, Person, error_of, types

from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.errors import Refusal
from paperspace_mcp.rules.guard.records import Channel, Record, Status
from paperspace_mcp.rules.policy import Charge
from paperspace_mcp.wire.sqlite import _MIGRATIONS, SCHEMA_VERSION, SqliteStore

Make = Callable[..., Bench]
NOW = 1_000_000.0
RECORD = Record(
    code="AAAA",
    principal="anna:k",
    account="k",
    tool="delete_machine",
    effect=Effect.DESTROY,
    digest="d",
    plan="{}",
    question="?",
    expects="dev-ben",
    channel=Channel.CLIENT,
    issued_at=NOW,
    expires_at=NOW + 120,
)


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "state")


def file_of(directory: Path) -> Path:
    return directory / "approvals.sqlite3"


# -- one record -------------------------------------------------------------------------------------------------------


def test_a_record_comes_back_as_it_was_written(store: SqliteStore) -> None:
    odd = replace(RECORD, question='"; DROP TABLE records; --\n\u2028', plan="🙂", out_of_band_only=True)
    assert store.issue(odd, ["ps1"], NOW).record == odd
    assert store.get("AAAA") == odd
    assert store.get("BBBB") is None
    assert store.get("' OR 1=1 --") is None


def test_the_same_call_finds_the_record_that_stands(store: SqliteStore) -> None:
    store.issue(RECORD, ["ps1"], NOW)
    meeting = store.issue(replace(RECORD, code="BBBB"), ["ps1"], NOW)
    assert (meeting.kind, meeting.record) == ("open", RECORD)
    assert store.get("BBBB") is None


@pytest.mark.parametrize(
    "other", [{"principal": "ben:k"}, {"principal": "anna:l"}, {"digest": "e"}, {"principal": "%"}, {"digest": ""}]
)
def test_another_call_or_principal_finds_nothing(store: SqliteStore, other: dict[str, str]) -> None:
    store.issue(RECORD, ["ps1"], NOW)
    asked = {"principal": RECORD.principal, "digest": RECORD.digest, **other}
    assert store.find(**asked, now=NOW, channel=Channel.CLIENT).kind == "fresh"


def test_a_code_that_is_taken_is_said(store: SqliteStore) -> None:
    store.issue(RECORD, [], NOW)
    with pytest.raises(KeyError):
        store.issue(replace(RECORD, digest="e"), [], NOW)
    assert store.find(RECORD.principal, "e", NOW, Channel.CLIENT).kind == "fresh"
    assert store.get("AAAA") == RECORD


@pytest.mark.parametrize("status", [Status.APPROVED, Status.DECLINED, Status.MISTYPED])
def test_a_record_is_decided_once(store: SqliteStore, status: Status) -> None:
    store.issue(RECORD, [], NOW)
    assert store.close("AAAA", status, approver="olga")
    for second in Status:
        assert not store.close("AAAA", second, approver="mallory")
    found = store.get("AAAA")
    assert found is not None
    assert (found.status, found.approver) == (status, "olga")


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("expected", [Status.OPEN, Status.APPROVED])
def test_only_what_is_as_expected_is_spent(store: SqliteStore, status: Status, expected: Status) -> None:
    store.issue(replace(RECORD, status=status), [], NOW)
    assert store.spend("AAAA", expected, NOW) is (status is expected)
    assert not store.spend("AAAA", expected, NOW)


@pytest.mark.parametrize("status", [Status.OPEN, Status.APPROVED])
@pytest.mark.parametrize(
    ("at", "spent"), [(-0.001, False), (-1e9, False), (0.0, True), (120.0, True), (120.001, False), (1e9, False)]
)
def test_only_what_is_alive_is_spent(store: SqliteStore, status: Status, at: float, spent: bool) -> None:
    store.issue(replace(RECORD, status=status), [], NOW)
    assert store.spend("AAAA", status, NOW + at) is spent


@pytest.mark.parametrize("status", [Status.DECLINED, Status.MISTYPED, Status.SPENT])
def test_nothing_revives_a_record(store: SqliteStore, status: Status) -> None:
    store.issue(replace(RECORD, status=status), [], NOW)
    assert not store.close("AAAA", Status.APPROVED)
    assert not store.spend("AAAA", Status.OPEN, NOW)
    assert not store.spend("AAAA", Status.APPROVED, NOW)


def test_what_nobody_issued_is_nothing(store: SqliteStore) -> None:
    assert not store.spend("AAAA", Status.OPEN, NOW)
    assert not store.close("AAAA", Status.APPROVED)
    assert not store.note("AAAA", "", "x")


def test_outcomes_are_written_one_upon_the_other(store: SqliteStore) -> None:
    store.issue(RECORD, [], NOW)
    assert not store.note("AAAA", "", "1"), "nothing was spent"
    store.spend("AAAA", Status.OPEN, NOW)
    assert store.note("AAAA", "", "1")
    assert not store.note("AAAA", "", "2")
    assert store.note("AAAA", "1", "2", settled=True, repeatable=True)
    found = store.get("AAAA")
    assert found is not None
    assert (found.outcome, found.settled, found.repeatable) == ("2", True, True)


def test_the_inbox_holds_what_waits_for_a_person(store: SqliteStore) -> None:
    box = replace(RECORD, channel=Channel.INBOX)
    for code, one in {
        "LATE": replace(box, issued_at=NOW + 1),
        "SOON": box,
        "OVER": replace(box, expires_at=NOW - 1),
        "DONE": replace(box, status=Status.APPROVED),
        "HERE": RECORD,
    }.items():
        store.issue(replace(one, code=code, digest=code), [], NOW)
    assert [record.code for record in store.inbox(NOW)] == ["SOON", "LATE"]


def test_another_approved_call_on_the_same_target_ends_a_repeat(store: SqliteStore) -> None:
    for code, targets, at in (("AAAA", ["ps1"], 0.0), ("BBBB", ["ps10"], 1.0), ("CCCC", ["ps2", "ps1"], 2.0)):
        store.issue(replace(RECORD, code=code, digest=code), targets, NOW)
        store.spend(code, Status.OPEN, NOW + at)
        store.note(code, "", "x", settled=True)
        kind = store.find(RECORD.principal, "AAAA", NOW + at, Channel.CLIENT).kind
        assert kind == ("fresh" if code == "CCCC" else "repeat"), "ps10 is not ps1"


def test_records_are_forgotten_after_a_month(store: SqliteStore) -> None:
    store.issue(RECORD, [], NOW)
    month = NOW + 120 + 30 * 24 * 3600
    store.issue(replace(RECORD, code="BBBB", digest="b"), [], month)
    assert store.get("AAAA") == RECORD
    store.issue(replace(RECORD, code="CCCC", digest="c", expires_at=month + 99), [], month + 1)
    assert store.get("AAAA") is None


# -- races ------------------------------------------------------------------------------------------------------------


def test_fifty_threads_spend_one_record_once(store: SqliteStore) -> None:
    store.issue(RECORD, [], NOW)
    with ThreadPoolExecutor(50) as threads:
        assert sum(threads.map(lambda _: store.spend("AAAA", Status.OPEN, NOW), range(50))) == 1


def test_fifty_stores_on_one_file_spend_one_record_once(tmp_path: Path) -> None:
    stores = [SqliteStore(tmp_path) for _ in range(50)]
    stores[0].issue(RECORD, [], NOW)
    with ThreadPoolExecutor(50) as threads:
        assert sum(threads.map(lambda one: one.spend("AAAA", Status.OPEN, NOW), stores)) == 1
    for one in stores:
        one.shut()


_RACER = """
import json, sys
from pathlib import Path
from paperspace_mcp.rules.guard.records import Status
from paperspace_mcp.wire.sqlite import SqliteStore
store = SqliteStore(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
codes = [f"R{number:03d}" for number in range(50)]
print(json.dumps([code for code in codes if store.spend(code, Status.OPEN, float(sys.argv[2]))]))
store.shut()
"""


def test_three_processes_spend_fifty_records_once_each(store: SqliteStore, tmp_path: Path) -> None:
    for number in range(50):
        code = f"R{number:03d}"
        store.issue(replace(RECORD, code=code, digest=code), [], NOW)
    command = [sys.executable, "-c", _RACER, str(tmp_path / "state"), str(NOW)]
    racers = [subprocess.Popen(command, stdin=-1, stdout=-1, text=True) for _ in range(3)]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    told = [json.loads(racer.communicate("\n")[0]) for racer in racers if racer.stdin is not None]
    spent = [code for codes in told for code in codes]
    assert len(spent) == len(set(spent)) == 50


def test_fifty_threads_do_not_overdraw_a_budget(store: SqliteStore) -> None:
    for number in range(50):
        store.issue(replace(RECORD, code=f"R{number:03d}", digest=str(number)), [], NOW)
    charge = Charge("creates:k", 1.0, 7.0, NOW - 60)

    def spend(number: int) -> bool:
        with suppress(Refusal):
            return store.spend(f"R{number:03d}", Status.OPEN, NOW, [charge])
        return False

    with ThreadPoolExecutor(50) as threads:
        spent = list(threads.map(spend, range(50)))
    assert sum(spent) == 7
    assert store.total("creates:k", NOW - 60) == 7.0
    statuses = [found.status for number in range(50) if (found := store.get(f"R{number:03d}"))]
    assert statuses.count(Status.SPENT) == 7, "what did not fit is not spent either"


def test_what_is_refused_by_one_budget_charges_no_other(store: SqliteStore) -> None:
    store.issue(RECORD, [], NOW)
    charges = [Charge("a", 1.0, 5.0, 0.0), Charge("b", 6.0, 5.0, 0.0)]
    with pytest.raises(Refusal, match="over_budget"):
        store.spend("AAAA", Status.OPEN, NOW, charges)
    assert (store.total("a", 0.0), store.total("b", 0.0)) == (0.0, 0.0)
    assert store.spend("AAAA", Status.OPEN, NOW, charges[:1])


def test_processes_that_start_together_make_one_file(tmp_path: Path) -> None:
    stores = [SqliteStore(tmp_path / "new") for _ in range(20)]
    with ThreadPoolExecutor(20) as threads:
        kinds = list(threads.map(lambda one: one.issue(RECORD, [], NOW).record, stores))
    assert kinds == [RECORD] * 20
    for one in stores:
        one.shut()


def test_racing_approval_and_denial_have_one_winner(tmp_path: Path) -> None:
    stores = [SqliteStore(tmp_path) for _ in range(20)]
    stores[0].issue(RECORD, [], NOW)
    ways = [Status.APPROVED, Status.DECLINED] * 10
    with ThreadPoolExecutor(20) as threads:
        assert sum(threads.map(lambda one, way: one.close("AAAA", way), stores, ways)) == 1
    for one in stores:
        one.shut()


# -- the file ---------------------------------------------------------------------------------------------------------


def test_the_files_are_their_owner_s_alone(store: SqliteStore, tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        store.issue(RECORD, [], NOW)
    finally:
        os.umask(old)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()}
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert set(modes.values()) == {0o600}
    assert "approvals.sqlite3" in modes


def newer(directory: Path) -> None:
    directory.mkdir()
    with sqlite3.connect(file_of(directory)) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()


def garbage(directory: Path) -> None:
    directory.mkdir()
    file_of(directory).write_bytes(b"this is no database " * 500)


def truncated(directory: Path) -> None:
    whole = SqliteStore(directory)
    whole.issue(RECORD, [], NOW)
    whole.shut()
    file_of(directory).write_bytes(file_of(directory).read_bytes()[:5000])


def directory_for_file(directory: Path) -> None:
    file_of(directory).mkdir(parents=True)


def file_for_directory(directory: Path) -> None:
    directory.write_text("in the way")


def link_to_nowhere(directory: Path) -> None:
    directory.mkdir()
    file_of(directory).symlink_to("/nonexistent/place/approvals.sqlite3")


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_a_file_of_each_older_version_keeps_its_records(tmp_path: Path, version: int) -> None:
    """Somebody's approvals are in it: a release must neither lose a spent mark nor bring one back."""
    with sqlite3.connect(file_of(tmp_path)) as db:
        for migration in _MIGRATIONS[:version]:
            db.executescript(migration)
        spent = asdict(replace(RECORD, status=Status.SPENT, spent_at=NOW)) | {"targets": ",ps1,"}
        known = [row[1] for row in db.execute("PRAGMA table_info(records)")]
        marks = ", ".join("?" * len(known))
        db.execute(f"INSERT INTO records ({', '.join(known)}) VALUES ({marks})", [spent[name] for name in known])
        db.execute(f"PRAGMA user_version = {version}")
    db.close()
    again = SqliteStore(tmp_path)
    assert not again.spend("AAAA", Status.OPEN, NOW)
    assert again.find(RECORD.principal, RECORD.digest, NOW, Channel.CLIENT).kind == "resume"
    assert again.total("creates", 0.0) == 0.0
    again.shut()


def without_table(directory: Path) -> None:
    directory.mkdir()
    with sqlite3.connect(file_of(directory)) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    db.close()


BROKEN = [newer, garbage, truncated, directory_for_file, file_for_directory, link_to_nowhere, without_table]


@pytest.mark.parametrize("breaks", BROKEN, ids=lambda one: one.__name__)
def test_a_broken_store_is_an_os_error(tmp_path: Path, breaks: Callable[[Path], None]) -> None:
    breaks(tmp_path / "state")
    store = SqliteStore(tmp_path / "state")
    uses: list[Callable[[], Any]] = [
        lambda: store.find("p", "d", NOW, Channel.CLIENT),
        lambda: store.issue(RECORD, [], NOW),
        lambda: store.spend("AAAA", Status.OPEN, NOW),
        lambda: store.close("AAAA", Status.APPROVED),
        lambda: store.note("AAAA", "", "x"),
        lambda: store.inbox(NOW),
        lambda: store.get("AAAA"),
    ]
    for use in uses:
        with pytest.raises(OSError, match=r"."):
            use()
    store.shut()


def test_a_newer_file_is_left_as_it_is(tmp_path: Path) -> None:
    newer(tmp_path / "state")
    before = file_of(tmp_path / "state").read_bytes()[:100]
    with pytest.raises(OSError, match="newer"):
        SqliteStore(tmp_path / "state").get("AAAA")
    with sqlite3.connect(file_of(tmp_path / "state")) as db:
        assert db.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION + 1,)
    db.close()
    assert before[:16] == b"SQLite format 3\0"


# -- through the tools ------------------------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize("breaks", BROKEN, ids=lambda one: one.__name__)
async def test_without_a_store_nothing_guarded_happens(
    benches: Make, tmp_path: Path, breaks: Callable[[Path], None], era: str
) -> None:
    breaks(tmp_path / "state")
    bench = benches()
    for call in (CREATE, DELETE):
        person = Person(types(call.typed))
        assert error_of(await bench.call(era, person, call.tool, call.arguments)) == "store_unusable"
        assert person.questions == []
    assert bench.sent == []
    assert "machines" in await bench.call(era, None, "list_machines", {}), "reading needs no store"
