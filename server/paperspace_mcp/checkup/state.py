"""The state directory, looked at without making or changing anything in it."""

import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from paperspace_mcp.audit import Audit
from paperspace_mcp.checkup.rows import Level, Row
from paperspace_mcp.conduct.judging import FROZEN
from paperspace_mcp.rules.guard.records import Channel, Status
from paperspace_mcp.state import OTHERS
from paperspace_mcp.wire.approvers import Approvers
from paperspace_mcp.wire.sqlite import SCHEMA_VERSION

PART = "state"
CHEAP_BYTES = 16 * 1024 * 1024
"""An audit up to this is verified whole: about a second."""
_ANOTHER = "Name another with --state-dir or PAPERSPACE_MCP_STATE_DIR."
_NAMED = 3


def rows(directory: Path) -> Iterator[Row]:
    """The directory and what is in it. `directory` need not exist: the first guarded call makes it."""
    try:
        entries = sorted(directory.iterdir())
    except FileNotFoundError:
        yield from _missing(directory)
        return
    except OSError as error:
        yield Row(PART, "directory", Level.FAIL, f"{directory}: {error.strerror}", _ANOTHER)
        return
    yield _directory(directory)
    yield from _files(entries)
    yield from _store(directory / "approvals.sqlite3")
    yield from _secret(directory)
    yield from _audit(directory)


def _missing(directory: Path) -> Iterator[Row]:
    above = next(parent for parent in directory.absolute().parents if parent.exists())
    if not above.is_dir():
        yield Row(PART, "directory", Level.FAIL, f"{directory}: {above} is no directory", _ANOTHER)
    elif not os.access(above, os.W_OK | os.X_OK):
        yield Row(PART, "directory", Level.FAIL, f"{directory} is not there, and {above} is not writable", _ANOTHER)
    else:
        yield Row(PART, "directory", Level.OK, f"{directory} is not there yet; the first guarded call makes it")


def _directory(directory: Path) -> Row:
    mode = stat.S_IMODE(directory.stat().st_mode)
    if not os.access(directory, os.W_OK | os.X_OK):
        return Row(PART, "directory", Level.FAIL, f"{directory} is not writable: nothing guarded passes", _ANOTHER)
    if mode & OTHERS:
        what = f"{directory} is open to others (mode {mode:04o})"
        return Row(PART, "directory", Level.WARN, what, f"chmod 700 {directory}")
    return Row(PART, "directory", Level.OK, f"{directory} (mode {mode:04o})")


def _files(entries: list[Path]) -> Iterator[Row]:
    open_ones = [path for path in entries if _open_to_others(path)]
    if not open_ones:
        return
    named = ", ".join(path.name for path in open_ones[:_NAMED])
    more = f" and {len(open_ones) - _NAMED} more" if len(open_ones) > _NAMED else ""
    what = f"others can read {named}{more}"
    yield Row(PART, "files", Level.WARN, what, f"chmod -R go-rwx {open_ones[0].parent}")


def _open_to_others(path: Path) -> bool:
    try:
        return path.is_file() and bool(path.stat().st_mode & OTHERS)
    except OSError:
        return False


def _store(path: Path) -> Iterator[Row]:
    if not path.exists():
        yield Row(PART, "approvals", Level.OK, "none recorded yet")
        return
    try:
        with closing(sqlite3.connect(_read_only(path), uri=True, timeout=2.0)) as db:
            yield from _records(db)
    except sqlite3.Error as error:
        what = f"{path.name} cannot be read ({error}): nothing guarded passes"
        yield Row(PART, "approvals", Level.FAIL, what, "Stop what uses it, or move it away: a new one is begun.")


def _read_only(path: Path) -> str:
    """Where nobody has the file open, sqlite is told so: else it would leave files of its own beside it."""
    in_use = path.with_name(f"{path.name}-wal").exists()
    return f"{path.absolute().as_uri()}?mode=ro{'' if in_use else '&immutable=1'}"


def _records(db: sqlite3.Connection) -> Iterator[Row]:
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version > SCHEMA_VERSION:
        what = f"made by a newer version (schema {version}, this one knows {SCHEMA_VERSION})"
        yield Row(PART, "approvals", Level.FAIL, what, "Use that version. " + _ANOTHER)
        return
    older = f", brought to {SCHEMA_VERSION} at the first use" if version < SCHEMA_VERSION else ""
    yield Row(PART, "approvals", Level.OK, f"schema {version}{older}")
    if version == SCHEMA_VERSION:
        yield from _waiting(db, time.time())


def _waiting(db: sqlite3.Connection, now: float) -> Iterator[Row]:
    frozen = db.execute("SELECT reason FROM flags WHERE name = ? AND until > ?", (FROZEN, now)).fetchone()
    if frozen is not None:
        why = f" ({frozen[0]})" if frozen[0] else ""
        yield Row(PART, "frozen", Level.WARN, f"nothing that changes something passes{why}", "freeze --lift ends it.")
    query = "SELECT count(*) FROM records WHERE status = ? AND channel = ? AND expires_at >= ?"
    count = int(db.execute(query, (Status.OPEN, Channel.INBOX, now)).fetchone()[0])
    if count:
        yield Row(PART, "questions", Level.NOTE, f"{count} wait for a person", "paperspace-mcp approve shows them.")


def _secret(directory: Path) -> Iterator[Row]:
    try:
        known = Approvers(directory).any()
    except OSError as error:
        yield Row(PART, "secret", Level.FAIL, str(error), "Move approvers.json away, then approve --init.")
        return
    seen = "set: decisions out of band need it" if known else "none set: an agent with a shell could decide as you"
    yield Row(PART, "secret", Level.OK if known else Level.NOTE, seen, "" if known else "approve --init sets one.")


def _audit(directory: Path) -> Iterator[Row]:
    size = sum(path.stat().st_size for path in directory.glob("audit-*.jsonl"))
    if size > CHEAP_BYTES:
        what = f"{size // 2**20} MB, not verified here"
        yield Row(PART, "audit", Level.NOTE, what, "paperspace-mcp audit verify takes a while.")
        return
    try:
        verdict = Audit(directory).verify()
    except OSError as error:
        yield Row(PART, "audit", Level.FAIL, f"it cannot be read ({error.strerror or error})", _ANOTHER)
        return
    if verdict.ok:
        yield Row(PART, "audit", Level.OK, f"{verdict.records} records, each as it was written")
    else:
        where = f"record {verdict.sequence}" if verdict.sequence is not None else verdict.file
        what = f"{where}: {verdict.reason}"
        yield Row(PART, "audit", Level.FAIL, what, "paperspace-mcp audit verify names the first broken record.")
