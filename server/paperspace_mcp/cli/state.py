"""What is wrong with a state directory, in words that help to mend it."""

import argparse
import os
import sqlite3
from pathlib import Path

from paperspace_mcp.audit import Audit, Entry
from paperspace_mcp.contract.errors import Failure, OperatorError
from paperspace_mcp.settings import from_environment
from paperspace_mcp.wire.approvers import Approvers
from paperspace_mcp.wire.sqlite import SqliteStore

_ANOTHER = "Name another directory with --state-dir or PAPERSPACE_MCP_STATE_DIR."
_MEANWHILE = "Nothing that needs an approval passes while it is so."


def problem(parsed: argparse.Namespace, error: OSError | Failure) -> str:
    """Why a command failed: what can be seen of its state directory, else what the system said."""
    directory = directory_of(parsed)
    if directory is None:
        return str(error)
    seen = error if isinstance(error, OSError) else _looked(directory)
    return f"The state directory {directory} cannot be used: {_told(directory, seen)}"


def directory_of(parsed: argparse.Namespace) -> Path | None:
    """The state directory of a command; None where it has none."""
    if not hasattr(parsed, "state_dir"):
        return None
    chosen: Path | None = parsed.state_dir
    try:
        return chosen or from_environment().state_dir
    except OperatorError:
        return None


def _looked(directory: Path) -> OSError | None:
    """The corridor tells a model no more than `store_unusable`; the person at the terminal is told why."""
    try:
        Approvers(directory).any()
        SqliteStore(directory).flag("", 0.0)
    except OSError as error:
        return error
    return None


def _told(directory: Path, error: OSError | None) -> str:
    for place in (directory, *directory.parents):
        if os.path.lexists(place) and not os.path.isdir(place):  # noqa: PTH112 - pathlib raises where it may not look
            return f"{place} is no directory. {_ANOTHER}"
    if isinstance(error, PermissionError):
        return f"this user may not use {error.filename or 'it'}. {_ANOTHER}"
    if error is not None and isinstance(error.__cause__, sqlite3.Error):
        return f"approvals.sqlite3 is broken or locked ({error.__cause__}). {_MEANWHILE} {_REMEDY}"
    if error is not None and "newer version" in str(error):
        return f"{error} of paperspace-mcp. {_MEANWHILE} Use that version. {_ANOTHER}"
    return f"{error or 'the audit cannot be written'}. {_MEANWHILE}"


def write_down(audit: Audit, entry: Entry) -> None:
    """What an operator did, in the audit.

    Raises:
        OSError: it cannot be written, and why.
    """
    try:
        audit.write(entry)
    except OSError as error:
        raise OSError(f"the audit cannot be written ({error.strerror or error})") from error


_REMEDY = (
    "Where it is broken, move it away: a new one is begun, without the questions, standing approvals, freeze and "
    "budget counts of the old one."
)
