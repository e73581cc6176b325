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

import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

from paperspace_mcp.audit_records import (
    FIRST,
    HEAD,
    SEPARATOR,
    VERSION,
    BrokenError,
    Entry,
    Place,
    clock,
    code_of,
    concerns,
    file_name,
    opened,
    place_of,
    sealed_line,
    told_of,
    why,
)
from paperspace_mcp.rules.guard.cleaning import ERROR_CAP, clean
from paperspace_mcp.state import made

ROTATE_BYTES = 64 * 1024 * 1024
MAX_LINE = 1024 * 1024
_REACH = 4 * MAX_LINE  # what may stand behind the head: a power cut can lose the head's last replacements
_BLOCK = 256 * 1024
_KEY_BYTES = 32
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)


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


__all__ = ["Audit", "Entry", "Verdict"]


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
        told = told_of(entry)
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
        earliest = "" if since is None else clock(since)
        for before, line in self._pairs(sizes, newest_first=newest_first):
            record = opened(key, before, line)
            if record is None:
                yield {"broken": True, "line": clean(line.decode("ascii", "replace"), ERROR_CAP).text}
            elif all(record.get(name) == value for name, value in wanted.items() if value) and (
                record["time"] >= earliest and (not machine or concerns(record, machine))
            ):
                yield record

    def verify(self) -> Verdict:
        """Walk every record of every file. Writers wait only while the sizes are taken."""
        walk = _Walk()
        try:
            key, head, sizes = self._snapshot()
            self._walk(walk, key, head, sizes)
        except BrokenError as broken:
            sequence, file, line, reason = broken.args
            return replace(walk.verdict, ok=False, sequence=sequence, file=file, line=line, reason=reason)
        return walk.verdict

    def _walk(self, walk: "_Walk", key: bytes, sealed: bytes | None, sizes: Mapping[int, int]) -> None:
        with suppress(BrokenError):  # told after the records: they show whether head or key is wrong
            walk.watched = place_of(key, sealed).sequence
        for expected, (number, size) in enumerate(sizes.items(), 1):
            if number != expected:
                raise BrokenError(walk.place.sequence + 1, file_name(expected), None, "the file is missing")
            walk.turn(number, last=number == max(sizes))
            for line in _lines(self._path(number), size):
                walk.take(key, line)
        if sizes or sealed is not None:
            walk.compare(place_of(key, sealed))
        elif key:  # the head is written right after the key, before the first record
            raise BrokenError(None, "audit.head", None, "audit.head is missing: what was written was taken away")

    def _prepare(self) -> None:
        """The directory and the key. Of several processes that start at once, one makes the key and all use it."""
        made(self._directory)
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

    def _end(self, key: bytes) -> tuple[Place, bytes]:
        """Where the next record goes, and the bytes of a write that was cut off there. Reads the end only."""
        place, torn = self._adopted(key, self._known(key))
        if not self._path(place.file + 1).exists():
            return place, torn
        if torn:
            raise OSError(f"{file_name(place.file)} does not end with a whole record")
        return self._adopted(key, place.turned())  # a write was cut off after it began the next file

    def _known(self, key: bytes) -> Place:
        """What the head says; where nothing was ever written, the beginning."""
        if not self._head.exists():
            if self._sizes():
                raise OSError("audit.head is missing")
            self._keep(key, Place())  # before the first file, so that a file without a head always means a lost head
        try:
            return place_of(key, self._head.read_bytes())
        except BrokenError as broken:
            raise OSError(broken.args[-1]) from None

    def _adopted(self, key: bytes, place: Place) -> tuple[Place, bytes]:
        """Go on over whole records that the head missed: the power went between the two."""
        line, rest = self._tail(place)
        if line and opened(key, place.before, line) is None:
            raise OSError(f"record {place.sequence} is not as it was written")
        while (cut := rest.find(b"\n") + 1) > 0:
            if opened(key, place.mac, rest[:cut]) is None:
                raise OSError(f"what follows record {place.sequence} was not written by this audit")
            place, rest = place.after(rest[:cut]), rest[cut:]
        return place, rest

    def _tail(self, place: Place) -> tuple[bytes, bytes]:
        """The last record that the place knows, and what stands behind it."""
        path = self._path(place.file)
        if not place.end and not path.exists():
            return b"", b""
        with path.open("rb") as file:
            file.seek(place.start)
            return file.read(place.end - place.start), file.read(_REACH)

    def _append(self, key: bytes, place: Place, told: Mapping[str, Any], torn: bytes) -> int:
        record = {"version": VERSION, "sequence": place.sequence + 1, "time": clock(self._now()), **told}
        if torn:
            record["torn"] = {"bytes": len(torn), "sha256": sha256(torn).hexdigest()}
        line = sealed_line(key, place.mac, record) + b"\n"
        if len(line) > MAX_LINE:
            raise OSError("the record is too long to be written")
        line = (SEPARATOR if torn else b"") + line
        handle = os.open(self._path(place.file), _APPEND, 0o600)
        try:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode) or found.st_size != place.end + len(torn):
                raise OSError(f"{file_name(place.file)} is not as it was left")
            self._add(handle, key, place.after(torn + line), line)
        finally:
            os.close(handle)
        return place.sequence + 1

    def _add(self, handle: int, key: bytes, place: Place, line: bytes) -> None:
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

    def _keep(self, key: bytes, place: Place) -> None:
        draft = self._head.with_name("audit.head.new")
        _write_whole(draft, sealed_line(key, HEAD, asdict(place)))
        draft.replace(self._head)

    def _snapshot(self) -> tuple[bytes, bytes | None, dict[int, int]]:
        """Key, head and the sizes of the files, as of one moment.

        Raises:
            BrokenError: there are records and no key.
        """
        if not self._key.exists():
            if self._head.exists() or self._sizes():
                raise BrokenError(None, "audit.key", None, "audit.key is missing: nothing can be checked")
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
                yield code_of(earlier).decode("ascii", "replace") if earlier else FIRST, line
            return
        before = FIRST
        for line in chain.from_iterable(_lines(self._path(number), size) for number, size in sizes.items()):
            if line.endswith(b"\n"):
                yield before, line
                before = code_of(line).decode("ascii", "replace")

    def _path(self, number: int) -> Path:
        return self._directory / file_name(number)

    def _sync_directory(self) -> None:
        handle = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class _Walk:
    """How far `verify` has come, and what it has seen."""

    def __init__(self) -> None:
        self.place, self.verdict = Place(), Verdict(ok=True)
        self._line, self._last, self._torn = 0, False, False
        self.watched, self._watched_mac = 0, FIRST

    def turn(self, number: int, *, last: bool) -> None:
        self.place = replace(self.place, file=number, start=0, end=0)
        self._line, self._last = 0, last

    def take(self, key: bytes, line: bytes) -> None:
        self._line += 1
        if self._last and not line.endswith(b"\n"):
            self._torn = True
            return
        record = opened(key, self.place.mac, line)
        if record is None or record["sequence"] != self.place.sequence + 1:
            raise self._broken(why(line, self.place.sequence + 1))
        if "torn" in record:
            self._note(f"line {self._line} of {file_name(self.place.file)} begins with a write that was cut off")
        self.place = self.place.after(line)
        if self.place.sequence == self.watched:
            self._watched_mac = self.place.mac
        first = self.verdict.first or record["time"]
        self.verdict = replace(
            self.verdict, records=self.place.sequence, first=first, last=record["time"], mac=self.place.mac
        )

    def compare(self, head: Place) -> None:
        """The head may be behind, never ahead, and never beside."""
        if self.place.sequence < head.sequence:
            self._line += not self._torn
            raise self._broken(f"the end was cut off: audit.head vouches for {head.sequence} records")
        if self._watched_mac != head.mac:
            raise BrokenError(head.sequence, "audit.head", None, "audit.head belongs to another log")
        if self._torn:
            self._note(f"line {self._line} of {file_name(self.place.file)} is a write that was cut off: no record")

    def _broken(self, reason: str) -> BrokenError:
        return BrokenError(self.place.sequence + 1, file_name(self.place.file), self._line, reason)

    def _note(self, note: str) -> None:
        self.verdict = replace(self.verdict, notes=(*self.verdict.notes, note))


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
