"""The audit: who wanted what, who allowed it, and what became of it. Append-only, chained, checked.

    audit-000001.jsonl   one record a line, ASCII; the next number begins when a file is full
    audit.key            32 random bytes, 0600; its lock orders the processes that write
    audit.head           where the chain ends: replaced whole after each record

The code of a record (HMAC-SHA256) covers the record and the code before it, across files. Whoever has not the key can
change, insert, move or remove nothing that `verify` does not name; the head shows an end that was cut off.

What no file can show: whoever reads `audit.key` can write a history of their own; whoever may write the directory can
put back an older log *together with* its older head, or remove everything. Against both, keep what `verify` prints
(count and last code) on another machine, or ship the lines there.

A line without its newline is a write that was cut off (power, a full disk). No caller was ever told that it was
written, so it is no record. It stays where it is as evidence: the next record shares its line, behind a record
separator (RFC 7464), and vouches for its digest, so the chain goes on. Stopping instead would let one power cut forbid
every guarded call until a person repairs a file by hand, and then people delete audits. What tells it from tampering
is the head: an end that the head vouches for and that is not there was cut off by somebody, and nothing is written.
"""

import hmac
import json
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from hashlib import sha256
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

from paperspace_mcp.rules.guard.cleaning import ERROR_CAP, NAME_CAP, clean

ROTATE_BYTES = 64 * 1024 * 1024
MAX_LINE = 1024 * 1024
_REACH = 4 * MAX_LINE  # what may stand behind the head: a power cut can lose the head's last replacements
_BLOCK = 256 * 1024
_KEY_BYTES = 32
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
_SEPARATOR = b"\x1e"  # JSON escapes it, so it stands in no record
_CODE, _END = b',"mac":"', b'"}'
_SEALED = len(_CODE) + 64 + len(_END)
_HEAD, _FIRST = "head", "first"
_FOREIGN = "the code does not fit: the record was changed, or audit.key is not the key that it was written with"
_HEAD_FOREIGN = "audit.head was changed, or audit.key is not the key that it was written with"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `write` adds sequence, time and code; what is empty is left out of the line.

    phase: asked, declined, expired, intent, outcome. client: what the client says of itself. targets: id, name,
    fingerprint. arguments: their names, never their values; `digest` binds the values.
    """

    phase: str
    principal: str
    tool: str = ""
    effect: str = ""
    code: str = ""
    client: str = ""
    targets: tuple[Mapping[str, Any], ...] = ()
    arguments: tuple[str, ...] = ()
    digest: str = ""
    decision: str = ""
    rule: str = ""
    channel: str = ""
    approver: str = ""
    latency_ms: int | None = None
    upstream_status: int | None = None
    event_ids: tuple[str, ...] = ()
    outcome: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """records: how many are whole. sequence, file, line, reason: the first that is not.

    mac: the last code, to keep elsewhere. notes: writes that were cut off; they break nothing.
    """

    ok: bool
    records: int = 0
    first: str = ""
    last: str = ""
    mac: str = ""
    sequence: int | None = None
    file: str = ""
    line: int | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the chain stands: the bytes of its last record, that record's code and the one before."""

    file: int = 1
    start: int = 0
    end: int = 0
    sequence: int = 0
    before: str = ""
    mac: str = _FIRST

    def after(self, line: bytes) -> "_Place":
        end = self.end + len(line)
        return _Place(self.file, self.end, end, self.sequence + 1, self.mac, _code(line).decode("ascii"))

    def turned(self) -> "_Place":
        return replace(self, file=self.file + 1, start=0, end=0)


class _BrokenError(Exception):
    """sequence, file, line, reason of the first record that is not as it was written."""


class Audit:
    """The log in a directory. Safe to use from several threads and processes; every method blocks.

    Raises:
        OSError: it cannot be read or written, or (writing) its end is not what the key vouches for. Nothing counts as
            written then.
    """

    def __init__(
        self, directory: Path, *, now: Callable[[], float] = time.time, rotate_bytes: int = ROTATE_BYTES
    ) -> None:
        self._directory = directory
        self._key, self._head = directory / "audit.key", directory / "audit.head"
        self._now, self._rotate_bytes = now, rotate_bytes

    def write(self, entry: Entry) -> int:
        """Write one record, on the disk before this returns, whatever its phase. Its sequence number."""
        told = _told(entry)
        self._prepare()
        with self._locked() as key:
            place, torn = self._end(key)
            if not torn and place.end >= self._rotate_bytes:
                place = place.turned()
            return self._append(key, place, told, torn)

    def read(
        self,
        *,
        newest_first: bool = True,
        code: str = "",
        machine: str = "",
        tool: str = "",
        principal: str = "",
        since: float | None = None,
    ) -> Iterator[Mapping[str, Any]]:
        """The records, filtered. machine: id or name of a target. since: seconds since 1970.

        A line that the key does not vouch for is given as `{"broken": true, "line": text}`, whatever is asked for.
        """
        key, _, sizes = self._snapshot()
        wanted = {"code": code.upper(), "tool": tool, "principal": principal}
        earliest = "" if since is None else _clock(since)
        for before, line in self._pairs(sizes, newest_first=newest_first):
            record = _opened(key, before, line)
            if record is None:
                yield {"broken": True, "line": clean(line.decode("ascii", "replace"), ERROR_CAP).text}
            elif all(record.get(name) == value for name, value in wanted.items() if value) and (
                record["time"] >= earliest and (not machine or _concerns(record, machine))
            ):
                yield record

    def verify(self) -> Verdict:
        """Walk every record of every file. Writers wait only while the sizes are taken."""
        walk = _Walk()
        try:
            key, head, sizes = self._snapshot()
            self._walk(walk, key, head, sizes)
        except _BrokenError as broken:
            sequence, file, line, reason = broken.args
            return replace(walk.verdict, ok=False, sequence=sequence, file=file, line=line, reason=reason)
        return walk.verdict

    def _walk(self, walk: "_Walk", key: bytes, sealed: bytes | None, sizes: Mapping[int, int]) -> None:
        with suppress(_BrokenError):  # told after the records: they show whether head or key is wrong
            walk.watched = _place(key, sealed).sequence
        for expected, (number, size) in enumerate(sizes.items(), 1):
            if number != expected:
                raise _BrokenError(walk.place.sequence + 1, _file(expected), None, "the file is missing")
            walk.turn(number, last=number == max(sizes))
            for line in _lines(self._path(number), size):
                walk.take(key, line)
        if sizes or sealed is not None:
            walk.compare(_place(key, sealed))

    def _prepare(self) -> None:
        """The directory and the key. Of several processes that start at once, one makes the key and all use it."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._key.exists() or self._head.exists():  # a head without its key: the key was lost, a new one is no help
            return
        draft = self._key.with_name(f"audit.key.{os.urandom(8).hex()}")
        try:
            _write_whole(draft, os.urandom(_KEY_BYTES))
            with suppress(FileExistsError):
                self._key.hardlink_to(draft)
        finally:
            draft.unlink(missing_ok=True)
        self._sync_directory()

    @contextmanager
    def _locked(self) -> Iterator[bytes]:
        """The key, and nobody else at the log meanwhile. The key's file is locked because it is never replaced."""
        try:
            import fcntl
        except ImportError:
            raise OSError("this system has no flock; the audit cannot be kept") from None
        handle = os.open(self._key, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            key = os.read(handle, _KEY_BYTES + 1)
            if len(key) != _KEY_BYTES:
                raise OSError("audit.key is not whole")
            yield key
        finally:
            os.close(handle)

    def _end(self, key: bytes) -> tuple[_Place, bytes]:
        """Where the next record goes, and the bytes of a write that was cut off there. Reads the end only."""
        place, torn = self._adopted(key, self._known(key))
        if not self._path(place.file + 1).exists():
            return place, torn
        if torn:
            raise OSError(f"{_file(place.file)} does not end with a whole record")
        return self._adopted(key, place.turned())  # a write was cut off after it began the next file

    def _known(self, key: bytes) -> _Place:
        """What the head says; where nothing was ever written, the beginning."""
        if not self._head.exists():
            if self._sizes():
                raise OSError("audit.head is missing")
            self._keep(key, _Place())  # before the first file, so that a file without a head always means a lost head
        try:
            return _place(key, self._head.read_bytes())
        except _BrokenError as broken:
            raise OSError(broken.args[-1]) from None

    def _adopted(self, key: bytes, place: _Place) -> tuple[_Place, bytes]:
        """Go on over whole records that the head missed: the power went between the two."""
        line, rest = self._tail(place)
        if line and _opened(key, place.before, line) is None:
            raise OSError(f"record {place.sequence} is not as it was written")
        while (cut := rest.find(b"\n") + 1) > 0:
            if _opened(key, place.mac, rest[:cut]) is None:
                raise OSError(f"what follows record {place.sequence} was not written by this audit")
            place, rest = place.after(rest[:cut]), rest[cut:]
        return place, rest

    def _tail(self, place: _Place) -> tuple[bytes, bytes]:
        """The last record that the place knows, and what stands behind it."""
        path = self._path(place.file)
        if not place.end and not path.exists():
            return b"", b""
        with path.open("rb") as file:
            file.seek(place.start)
            return file.read(place.end - place.start), file.read(_REACH)

    def _append(self, key: bytes, place: _Place, told: Mapping[str, Any], torn: bytes) -> int:
        record = {"sequence": place.sequence + 1, "time": _clock(self._now()), **told}
        if torn:
            record["torn"] = {"bytes": len(torn), "sha256": sha256(torn).hexdigest()}
        line = _sealed(key, place.mac, record) + b"\n"
        if len(line) > MAX_LINE:
            raise OSError("the record is too long to be written")
        line = (_SEPARATOR if torn else b"") + line
        handle = os.open(self._path(place.file), _APPEND, 0o600)
        try:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode) or found.st_size != place.end + len(torn):
                raise OSError(f"{_file(place.file)} is not as it was left")
            self._add(handle, key, place.after(torn + line), line)
        finally:
            os.close(handle)
        return place.sequence + 1

    def _add(self, handle: int, key: bytes, place: _Place, line: bytes) -> None:
        """One append, to the disk, then the head. What fails is taken back: its caller is told that it is not there."""
        try:
            _append_whole(handle, line)
            if not place.start:
                self._sync_directory()
            self._keep(key, place)
        except OSError:
            with suppress(OSError):  # where it cannot be taken back it is a torn line, or a record nobody acted on
                os.ftruncate(handle, place.end - len(line))
            raise

    def _keep(self, key: bytes, place: _Place) -> None:
        draft = self._head.with_name("audit.head.new")
        _write_whole(draft, _sealed(key, _HEAD, asdict(place)))
        draft.replace(self._head)

    def _snapshot(self) -> tuple[bytes, bytes | None, dict[int, int]]:
        """Key, head and the sizes of the files, as of one moment.

        Raises:
            _BrokenError: there are records and no key.
        """
        if not self._key.exists():
            if self._head.exists() or self._sizes():
                raise _BrokenError(None, "audit.key", None, "audit.key is missing: nothing can be checked")
            return b"", None, {}
        with self._locked() as key:
            return key, self._head.read_bytes() if self._head.exists() else None, self._sizes()

    def _sizes(self) -> dict[int, int]:
        """The files by number, in order, and how long each is."""
        found = {path: path.stem.removeprefix("audit-") for path in self._directory.glob("audit-*.jsonl")}
        numbered = {int(number): path for path, number in found.items() if number.isdecimal()}
        return {number: numbered[number].stat().st_size for number in sorted(numbered)}

    def _pairs(self, sizes: Mapping[int, int], *, newest_first: bool) -> Iterator[tuple[str, bytes]]:
        """Each line with the code of the one before it."""
        if newest_first:
            backwards = chain.from_iterable(_backwards(self._path(n), sizes[n]) for n in reversed(sizes))
            for line, earlier in pairwise(chain(backwards, [b""])):
                yield _code(earlier).decode("ascii", "replace") if earlier else _FIRST, line
            return
        before = _FIRST
        for line in chain.from_iterable(_lines(self._path(number), size) for number, size in sizes.items()):
            if line.endswith(b"\n"):
                yield before, line
                before = _code(line).decode("ascii", "replace")

    def _path(self, number: int) -> Path:
        return self._directory / _file(number)

    def _sync_directory(self) -> None:
        handle = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class _Walk:
    """How far `verify` has come, and what it has seen."""

    def __init__(self) -> None:
        self.place, self.verdict = _Place(), Verdict(ok=True)
        self._line, self._last, self._torn = 0, False, False
        self.watched, self._watched_mac = 0, _FIRST

    def turn(self, number: int, *, last: bool) -> None:
        self.place = replace(self.place, file=number, start=0, end=0)
        self._line, self._last = 0, last

    def take(self, key: bytes, line: bytes) -> None:
        self._line += 1
        if self._last and not line.endswith(b"\n"):
            self._torn = True
            return
        record = _opened(key, self.place.mac, line)
        if record is None or record["sequence"] != self.place.sequence + 1:
            raise self._broken(_why(line, self.place.sequence + 1))
        if "torn" in record:
            self._note(f"line {self._line} of {_file(self.place.file)} begins with a write that was cut off")
        self.place = self.place.after(line)
        if self.place.sequence == self.watched:
            self._watched_mac = self.place.mac
        first = self.verdict.first or record["time"]
        self.verdict = replace(
            self.verdict, records=self.place.sequence, first=first, last=record["time"], mac=self.place.mac
        )

    def compare(self, head: _Place) -> None:
        """The head may be behind, never ahead, and never beside."""
        if self.place.sequence < head.sequence:
            self._line += not self._torn
            raise self._broken(f"the end was cut off: audit.head vouches for {head.sequence} records")
        if self._watched_mac != head.mac:
            raise _BrokenError(head.sequence, "audit.head", None, "audit.head belongs to another log")
        if self._torn:
            self._note(f"line {self._line} of {_file(self.place.file)} is a write that was cut off: no record")

    def _broken(self, reason: str) -> _BrokenError:
        return _BrokenError(self.place.sequence + 1, _file(self.place.file), self._line, reason)

    def _note(self, note: str) -> None:
        self.verdict = replace(self.verdict, notes=(*self.verdict.notes, note))


def _place(key: bytes, sealed: bytes | None) -> _Place:
    fields_ = None if sealed is None else _opened(key, _HEAD, sealed + b"\n")
    if fields_ is None:
        reason = "audit.head is missing: nothing tells where the log ends" if sealed is None else _HEAD_FOREIGN
        raise _BrokenError(None, "audit.head", None, reason)
    return _Place(**fields_)


def _sealed(key: bytes, before: str, record: Mapping[str, Any]) -> bytes:
    return _closed(key, before, json.dumps(record, separators=(",", ":"), allow_nan=False).encode("ascii"))


def _closed(key: bytes, before: str, body: bytes) -> bytes:
    mac = hmac.digest(key, before.encode() + b"\n" + body, "sha256").hex()
    return body[:-1] + _CODE + mac.encode() + _END


def _opened(key: bytes, before: str, line: bytes) -> dict[str, Any] | None:
    """The record on a line; None where the key does not vouch for every byte of it."""
    torn, separator, sealed = line.removesuffix(b"\n").rpartition(_SEPARATOR)
    body = sealed[:-_SEALED] + b"}"
    if not line.endswith(b"\n") or not hmac.compare_digest(_closed(key, before, body), sealed):
        return None
    record: dict[str, Any] = json.loads(body)
    evidence = {"bytes": len(torn), "sha256": sha256(torn).hexdigest()} if separator else None
    return record if record.get("torn") == evidence else None


def _code(line: bytes) -> bytes:
    return line[-len(_END) - 65 : -len(_END) - 1]


def _why(line: bytes, expected: int) -> str:
    """What a line that the key does not vouch for looks like; its own words prove nothing."""
    try:
        claimed = json.loads(line)["sequence"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return "it is no record"
    if isinstance(claimed, int) and claimed != expected:
        return f"it says that it is record {claimed}: records were removed, moved or put in, or it was changed"
    return _FOREIGN


def _told(entry: Entry) -> dict[str, Any]:
    told = {field.name: getattr(entry, field.name) for field in fields(entry)}
    told["client"] = clean(entry.client, NAME_CAP).text
    told["targets"] = [_target(target) for target in entry.targets]
    return {name: _fit(value) for name, value in told.items() if value not in ("", (), [], None)}


def _target(target: Mapping[str, Any]) -> dict[str, Any]:
    """A fingerprint too long to keep is kept as a digest, so that it can still be compared."""
    name = clean(str(target.get("name", "")), NAME_CAP)
    fingerprint = {field: _bounded(str(value)) for field, value in dict(target.get("fingerprint", {})).items()}
    removed = {"removed": name.removed} if name.removed else {}
    return {**target, "name": name.text, **removed, "fingerprint": fingerprint}


def _bounded(text: str) -> str:
    return text if len(text) <= ERROR_CAP else "sha256:" + sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _fit(value: Any) -> Any:
    if isinstance(value, str):
        return (
            value
            if len(value) <= ERROR_CAP and value.isascii() and value.isprintable()
            else clean(value, ERROR_CAP).text
        )
    if isinstance(value, Mapping):
        return {_fit(str(name)): _fit(one) for name, one in value.items()}
    return [_fit(one) for one in value] if isinstance(value, (list, tuple)) else value


def _concerns(record: Mapping[str, Any], machine: str) -> bool:
    named = {machine, clean(machine, NAME_CAP).text}
    return any({target.get("id"), target.get("name")} & named for target in record.get("targets", ()))


def _clock(seconds: float) -> str:
    """UTC to the millisecond; sorts as text."""
    thousandths = int(seconds * 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(thousandths // 1000)) + f".{thousandths % 1000:03d}Z"


def _file(number: int) -> str:
    return f"audit-{number:06d}.jsonl"


def _append_whole(handle: int, line: bytes) -> None:
    if os.write(handle, line) != len(line):
        raise OSError("the disk took only a part of the record")
    os.fsync(handle)


def _write_whole(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _lines(path: Path, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        while size > 0 and (line := file.readline(min(size, _REACH))):
            size -= len(line)
            yield line


def _backwards(path: Path, size: int) -> Iterator[bytes]:
    """The lines, last one first, a block at a time. What stands behind the last newline is no line."""
    rest, newline = b"", b""
    with path.open("rb") as file:
        for start in range((size - 1) // _BLOCK * _BLOCK, -1, -_BLOCK):
            file.seek(start)
            rest, *lines = (file.read(min(_BLOCK, size - start)) + rest).split(b"\n")
            for line in reversed(lines):
                if newline:
                    yield line + newline
                newline = b"\n"
    if newline:
        yield rest + newline
