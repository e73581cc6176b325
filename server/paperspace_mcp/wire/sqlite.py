"""The embedded store: one SQLite file in the state directory, shared by all processes of one user."""

import json
import os
import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.errors import Refusal
from paperspace_mcp.rules.guard.records import Channel, Meeting, Record, Status, meet
from paperspace_mcp.rules.policy import QUESTIONS_WINDOW_S, Charge, Standing
from paperspace_mcp.state import made

_KEEP_S = 30 * 24 * 3600.0
_COLUMNS = tuple(field.name for field in fields(Record))
_STANDING = tuple(field.name for field in fields(Standing))
_MIGRATIONS = (
    """
    CREATE TABLE records (
        code, principal, account, tool, effect, digest, plan, question, expects, channel, issued_at, expires_at, status,
        out_of_band_only, approver, spent_at, outcome, settled, repeatable, targets TEXT NOT NULL, PRIMARY KEY (code)
    );
    CREATE INDEX records_by_call ON records (principal, digest);
    """,
    """
    CREATE TABLE ledger (name TEXT NOT NULL, amount REAL NOT NULL, at REAL NOT NULL, code TEXT NOT NULL);
    CREATE INDEX ledger_by_name ON ledger (name, at);
    CREATE TABLE standing (
        code TEXT PRIMARY KEY, verbs TEXT, names TEXT, until REAL, uses INTEGER, usd_per_hour REAL, approver TEXT,
        principal TEXT
    );
    CREATE TABLE flags (name TEXT PRIMARY KEY, until REAL NOT NULL, reason TEXT NOT NULL);
    """,
    "ALTER TABLE ledger ADD COLUMN about TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE records ADD COLUMN policy TEXT NOT NULL DEFAULT ''",
    """
    ALTER TABLE records ADD COLUMN client TEXT NOT NULL DEFAULT '';
    ALTER TABLE records ADD COLUMN decision TEXT NOT NULL DEFAULT '';
    ALTER TABLE records ADD COLUMN rule TEXT NOT NULL DEFAULT '';
    ALTER TABLE records ADD COLUMN lapsed INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX records_to_lapse ON records (expires_at) WHERE lapsed = 0 AND status IN ('open', 'approved');
    """,
)
"""Each brings a file one version on. Only ever add to them: somebody's approvals are in a file of each version."""
SCHEMA_VERSION = len(_MIGRATIONS)


class SqliteStore:
    """See `wire.store.Store`.

    Raises:
        OSError: the file cannot be opened, written, or was made by a newer version.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / "approvals.sqlite3"
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._opened: tuple[int, int] | None = None

    def find(self, principal: str, digest: str, now: float, channel: Channel) -> Meeting:
        with self._transaction() as db:
            return _meeting(db, principal, digest, now, channel)

    def issue(self, record: Record, targets: Collection[str], now: float, questions: int | None = None) -> Meeting:
        with self._transaction() as db:
            meeting = _meeting(db, record.principal, record.digest, now, record.channel)
            if meeting.record is None:
                if not _room(db, record, now, questions):
                    raise KeyError("questions")
                _insert(db, record, targets)
                _forget(db, now)
            return meeting if meeting.record is not None else meet([record], now, record.channel)

    def get(self, code: str) -> Record | None:
        with self._transaction() as db:
            row = db.execute("SELECT * FROM records WHERE code = ?", (code,)).fetchone()
            return _record(row) if row else None

    def inbox(self, now: float) -> list[Record]:
        query = "SELECT * FROM records WHERE status = ? AND channel = ? AND expires_at >= ? ORDER BY issued_at"
        with self._transaction() as db:
            return [_record(row) for row in db.execute(query, (Status.OPEN, Channel.INBOX, now))]

    def lapsed(self, now: float) -> list[Record]:
        query = "SELECT * FROM records WHERE lapsed = 0 AND status IN ('open', 'approved') AND expires_at < ?"
        with self._transaction() as db:
            found = [_record(row) for row in db.execute(query, (now,))]
            db.executemany("UPDATE records SET lapsed = 1 WHERE code = ?", [(one.code,) for one in found])
            return found

    def unlapsed(self, codes: Collection[str]) -> None:
        with self._transaction() as db:
            db.executemany("UPDATE records SET lapsed = 0 WHERE code = ?", [(code,) for code in codes])

    def close(self, code: str, status: Status, *, approver: str = "", now: float = 0.0) -> bool:
        query = "UPDATE records SET status = ?, approver = ?, spent_at = ? WHERE code = ? AND status = ?"
        with self._transaction() as db:
            return db.execute(query, (status, approver, now, code, Status.OPEN)).rowcount == 1

    def retire(self, code: str) -> bool:
        query = "UPDATE records SET status = ? WHERE code = ? AND status IN (?, ?)"
        with self._transaction() as db:
            return db.execute(query, (Status.SUPERSEDED, code, Status.OPEN, Status.APPROVED)).rowcount == 1

    def spend(self, code: str, expected: Status, now: float, charges: Sequence[Charge] = ()) -> bool:
        query = (
            "UPDATE records SET status = ?, spent_at = ? "
            "WHERE code = ? AND status = ? AND issued_at <= ? AND expires_at >= ?"
        )
        with self._transaction() as db:
            if db.execute(query, (Status.SPENT, now, code, expected, now, now)).rowcount != 1:
                return False
            _supersede(db, code)
            for charge in charges:  # a charge that does not fit raises, and takes the spent mark back with it
                _charge(db, charge, code, now)
            return True

    def note(self, code: str, before: str, after: str, *, settled: bool = False, repeatable: bool = False) -> bool:
        query = (
            "UPDATE records SET outcome = ?, settled = ?, repeatable = ? WHERE code = ? AND status = ? AND outcome = ?"
        )
        values = (after, settled, repeatable, code, Status.SPENT, before)
        with self._transaction() as db:
            return db.execute(query, values).rowcount == 1

    def spent(self, principal: str, digest: str, since: float) -> list[Record]:
        query = "SELECT * FROM records WHERE principal = ? AND digest = ? AND status = ? AND spent_at >= ?"
        with self._transaction() as db:
            return [_record(row) for row in db.execute(query, (principal, digest, Status.SPENT, since))]

    def told(self, event_id: str, but: str) -> bool:
        query = "SELECT 1 FROM records WHERE code != ? AND instr(outcome, ?) LIMIT 1"
        with self._transaction() as db:
            return db.execute(query, (but, json.dumps(event_id))).fetchone() is not None

    def asked(self, principal: str, since: float) -> int:
        with self._transaction() as db:
            return _asked(db, principal, since)

    def over(self, charges: Sequence[Charge]) -> str:
        with self._transaction() as db:
            return next((_kind(charge) for charge in charges if not _fits(db, charge)), "")

    def landed(self, code: str, machine_id: str) -> None:
        with self._transaction() as db:
            db.execute("UPDATE ledger SET about = ? WHERE code = ? AND about = ''", (machine_id, code))

    def total(self, ledger: str, since: float) -> float:
        with self._transaction() as db:
            return _total(db, ledger, since)

    def allow(self, standing: Standing) -> None:
        values = asdict(standing) | {"verbs": json.dumps(standing.verbs), "names": json.dumps(standing.names)}
        with self._transaction() as db:
            db.execute("INSERT INTO standing VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [values[name] for name in _STANDING])

    def standing(self, now: float) -> list[Standing]:
        with self._transaction() as db:
            rows = db.execute("SELECT * FROM standing WHERE until >= ? ORDER BY code", (now,)).fetchall()
        return [_standing(row) for row in rows]

    def end(self, code: str) -> bool:
        with self._transaction() as db:
            return db.execute("DELETE FROM standing WHERE code = ?", (code,)).rowcount == 1

    def set_flag(self, name: str, until: float, reason: str) -> None:
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO flags VALUES (?, ?, ?)", (name, until, reason))

    def flag(self, name: str, now: float) -> bool:
        with self._transaction() as db:
            return db.execute("SELECT 1 FROM flags WHERE name = ? AND until > ?", (name, now)).fetchone() is not None

    def shut(self) -> None:
        """Close the file; a later call opens it again."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                db = self._here()
                db.execute("BEGIN IMMEDIATE")
                with db:
                    yield db
            except sqlite3.IntegrityError:
                raise KeyError("code") from None
            except sqlite3.Error as error:
                raise OSError(f"the store of approvals cannot be used ({error.__class__.__name__})") from error

    def _here(self) -> sqlite3.Connection:
        """The file that lies at its place now: a freeze in a new one must reach whoever still has the old one open."""
        if self._db and self._opened != _identity(self._path):
            self._db.close()  # of a file that was moved, sqlite leaves the log at its old place alone
            self._db = None
        if not self._db:
            self._db = _open(self._path)
            self._opened = _identity(self._path)
        return self._db


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _open(path: Path) -> sqlite3.Connection:
    made(path.parent)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)  # sqlite would create it readable for all
    db = sqlite3.connect(path, timeout=10.0, isolation_level=None, check_same_thread=False)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")  # a spent mark must survive a power cut, or it is spent twice
    try:
        _upgrade(db)
    except BaseException:
        db.close()
        raise
    return db


def _upgrade(db: sqlite3.Connection) -> None:
    """Bring the file to this version, one migration after the other, whoever else starts at the same time."""
    db.execute("BEGIN IMMEDIATE")
    with db:
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
        if version > SCHEMA_VERSION:
            raise OSError("the store of approvals was made by a newer version")
        for migration in _MIGRATIONS[version:]:
            for statement in filter(str.strip, migration.split(";")):
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _supersede(db: sqlite3.Connection, code: str) -> None:
    """The same wish may wait in another channel: what is done must not be approved there once more."""
    query = (
        "UPDATE records SET status = ? WHERE code != ? AND status IN (?, ?) "
        "AND (principal, digest) = (SELECT principal, digest FROM records WHERE code = ?)"
    )
    db.execute(query, (Status.SUPERSEDED, code, Status.OPEN, Status.APPROVED, code))


def _charge(db: sqlite3.Connection, charge: Charge, code: str, now: float) -> None:
    if not _fits(db, charge):
        raise Refusal("over_budget", facts={"ledger": _kind(charge)})
    entry = (charge.ledger, charge.amount, now, code, ",".join(charge.about))
    db.execute("INSERT INTO ledger (name, amount, at, code, about) VALUES (?, ?, ?, ?, ?)", entry)


def _fits(db: sqlite3.Connection, charge: Charge) -> bool:
    return _total(db, charge.ledger, charge.since, charge.seen) + charge.amount <= charge.limit


def _kind(charge: Charge) -> str:
    return charge.ledger.partition(":")[0]


def _total(db: sqlite3.Connection, ledger: str, since: float, seen: frozenset[str] = frozenset()) -> float:
    """The sum of a ledger without what is about nothing but machines that were seen, and so are counted elsewhere."""
    rows = db.execute("SELECT amount, about FROM ledger WHERE name = ? AND at >= ?", (ledger, since))
    return float(sum(row["amount"] for row in rows if not row["about"] or not seen.issuperset(row["about"].split(","))))


def _standing(row: sqlite3.Row) -> Standing:
    values = {name: row[name] for name in _STANDING}
    return Standing(**values | {"verbs": tuple(json.loads(row["verbs"])), "names": tuple(json.loads(row["names"]))})


def _meeting(db: sqlite3.Connection, principal: str, digest: str, now: float, channel: Channel) -> Meeting:
    query = "SELECT * FROM records WHERE principal = ? AND digest = ? ORDER BY issued_at DESC LIMIT 20"
    rows = db.execute(query, (principal, digest)).fetchall()
    return meet([_record(row) for row in rows if not _overtaken(db, row)], now, channel)


def _overtaken(db: sqlite3.Connection, row: sqlite3.Row) -> bool:
    """Whether another approved call changed a target after this one: start, stop, start is three wishes."""
    if row["status"] != Status.SPENT:
        return False
    query = "SELECT 1 FROM records WHERE status = ? AND spent_at > ? AND digest != ? AND instr(targets, ?) LIMIT 1"
    ids = [target for target in row["targets"].split(",") if target]
    return any(db.execute(query, (Status.SPENT, row["spent_at"], row["digest"], f",{one},")).fetchone() for one in ids)


def _asked(db: sqlite3.Connection, principal: str, since: float) -> int:
    query = "SELECT count(*) FROM records WHERE principal = ? AND channel = ? AND issued_at >= ?"
    return int(db.execute(query, (principal, Channel.CLIENT, since)).fetchone()[0])


def _room(db: sqlite3.Connection, record: Record, now: float, most: int | None) -> bool:
    """Whether one more may be asked: of calls that come at once, each sees those before it."""
    since = now - QUESTIONS_WINDOW_S
    return most is None or record.channel is not Channel.CLIENT or _asked(db, record.principal, since) < most


def _insert(db: sqlite3.Connection, record: Record, targets: Collection[str]) -> None:
    values = asdict(record) | {"targets": "," + ",".join(targets) + ","}
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    db.execute(f"INSERT INTO records ({names}) VALUES ({marks})", list(values.values()))  # noqa: S608 - our own names


def _forget(db: sqlite3.Connection, now: float) -> None:
    """Records are kept for a month, for whoever asks what a code was."""
    db.execute("DELETE FROM records WHERE expires_at < ?", (now - _KEEP_S,))


def _record(row: sqlite3.Row) -> Record:
    values: dict[str, Any] = {name: row[name] for name in _COLUMNS}
    values.update(effect=Effect(values["effect"]), channel=Channel(values["channel"]), status=Status(values["status"]))
    for name in ("out_of_band_only", "settled", "repeatable"):
        values[name] = bool(values[name])
    return Record(**values)
