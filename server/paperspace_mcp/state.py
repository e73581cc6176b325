"""The state directory, which is its owner's alone."""

import os
import stat
from contextlib import suppress
from pathlib import Path

OTHERS = stat.S_IRWXG | stat.S_IRWXO
OURS = ("accounts", "approvals.sqlite3", "approvers.", "audit", "request-state.key", "revealed")
"""How the names of what this server keeps begin."""


def made(directory: Path) -> None:
    """Make the directory, or close one that is there to others.

    Only what is ours alone is closed: owned by this user, and with nothing in it that this server does not keep. A home
    or a folder of a project keeps its mode, which others may live by; `doctor` warns of it.

    Raises:
        OSError: it cannot be made.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(OSError):  # what cannot be looked at is not ours, and a file system without modes has none to set
        if directory.stat().st_mode & OTHERS and _ours_alone(directory):
            directory.chmod(0o700)


def _ours_alone(directory: Path) -> bool:
    found = directory.stat()
    owned = not found.st_mode & stat.S_ISVTX and hasattr(os, "geteuid") and found.st_uid == os.geteuid()
    return owned and all(entry.name.startswith(OURS) for entry in directory.iterdir())
