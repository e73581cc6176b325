"""A client's file, read and written whole; and what is kept so that the change can be undone to the byte.

installs/<digest>.json     what was written where, beside the approvals
installs/<digest>.before   the file as it was, where there was one
"""

import json
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from paperspace_mcp.installing.editing import RefusedError

LARGEST = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it is: `path` is where a symbolic link leads. content None: it is not there."""

    path: Path
    content: bytes | None
    mode: int | None = None

    @property
    def text(self) -> str:
        """
        Raises:
            RefusedError: it is not UTF-8.
        """
        try:
            return (self.content or b"").decode("utf-8")
        except UnicodeDecodeError as error:
            raise RefusedError(f"it is not UTF-8 (byte {error.start})") from None


def look(named: Path) -> Found:
    """The file of that name.

    Raises:
        RefusedError: it cannot be read, is no file, or is somebody else's.
    """
    try:
        path = Path(os.path.realpath(named))
        about = path.stat()
        _ordinary(about)
        return Found(path, path.read_bytes(), stat.S_IMODE(about.st_mode))
    except FileNotFoundError:
        return Found(path, None)
    except OSError as error:
        raise RefusedError(f"it cannot be read ({error.strerror})") from None


def _ordinary(about: os.stat_result) -> None:
    if not stat.S_ISREG(about.st_mode):
        raise RefusedError("it is no ordinary file")
    if about.st_size > LARGEST:
        raise RefusedError(f"it is larger than {LARGEST // 2**20} MB")
    if hasattr(os, "geteuid") and about.st_uid != os.geteuid():
        raise RefusedError("it belongs to another user; run this as that user")


def write(found: Found, content: bytes, *, mode: int) -> list[Path]:
    """Replace the file by this content, whole or not at all; the folders that were made for it, outermost first.

    Raises:
        RefusedError: it is no longer as it was found, or it cannot be written; it is as it was then.
    """
    with _told():
        made = _folders(found.path.parent)
        draft = found.path.with_name(f".{found.path.name}.{secrets.token_hex(6)}")
        try:
            _fill(draft, content, found.mode if found.mode is not None else mode)
            _unchanged(found)
            draft.replace(found.path)
        except BaseException:
            draft.unlink(missing_ok=True)
            _unmade(made)
            raise
        return made


def _unchanged(found: Found) -> None:
    if look(found.path).content != found.content:
        raise RefusedError("somebody else changed it meanwhile")


def remove(found: Found, folders: list[Path]) -> None:
    """Take away a file that was made here, and the folders that were made for it and hold nothing else."""
    with _told():
        found.path.unlink()
        _unmade(folders)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RefusedError(f"it cannot be written ({error.strerror})") from None


def _folders(folder: Path) -> list[Path]:
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing[::-1]


def _unmade(folders: list[Path]) -> None:
    for folder in reversed(folders):
        with suppress(OSError):  # it holds something else by now
            folder.rmdir()


def _fill(draft: Path, content: bytes, mode: int) -> None:
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.chmod(mode)


# -- receipts ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the last installation left. before None: there was no file."""

    before: bytes | None
    after: str
    folders: tuple[str, ...] = ()

    def describes(self, content: bytes | None) -> bool:
        """Whether nobody changed the file since."""
        return content is not None and digest(content) == self.after


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


class Receipts:
    """The receipts of a state directory, one for each file."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "installs"

    def backup(self, path: Path) -> Path:
        """Where the file is kept as it was."""
        return self._directory / f"{_name(path)}.before"

    def of(self, path: Path) -> Receipt | None:
        """The receipt of a file; None where there is none that can be read."""
        try:
            kept: dict[str, Any] = json.loads(self._file(path).read_text(encoding="utf-8"))
            before = self.backup(path).read_bytes() if kept["existed"] else None
            return Receipt(before, str(kept["after"]), tuple(map(str, kept["folders"])))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, path: Path, receipt: Receipt) -> None:
        """Write it down, for nobody else to read: a client's file may hold keys of other servers.

        Raises:
            OSError: it cannot be written.
        """
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.forget(path)
        if receipt.before is not None:
            _fill(self.backup(path), receipt.before, 0o600)
        kept = {"path": str(path), "existed": receipt.before is not None, "after": receipt.after}
        content = json.dumps({**kept, "folders": list(receipt.folders)}).encode()
        _fill(self._file(path), content, 0o600)

    def forget(self, path: Path) -> None:
        self.backup(path).unlink(missing_ok=True)
        self._file(path).unlink(missing_ok=True)

    def _file(self, path: Path) -> Path:
        return self._directory / f"{_name(path)}.json"


def _name(path: Path) -> str:
    return sha256(os.fsencode(path)).hexdigest()[:16]
