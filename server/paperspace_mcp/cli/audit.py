"""`audit`: check the log of everything guarded, or read it.

`verify` exits 0 where every record is as it was written (or none was written yet), 1 where one is not, and 2 where
there is no log to look at or it cannot be read.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from paperspace_mcp.audit import Audit, Verdict
from paperspace_mcp.cli.arguments import directory
from paperspace_mcp.rules.guard.cleaning import quoted

_SHOWN_TARGETS = 3
_COLUMNS = ("sequence", "time", "phase", "code", "tool", "principal")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_subparsers(dest="what", required=True, metavar="verify|show")
    parser.epilog = "verify: exit 0 where all is as written, 1 where it is not, 2 where there is no log to read."
    verify = what.add_parser("verify", help="check that every record is as it was written")
    show = what.add_parser("show", help="the records, newest first")
    show.add_argument("--code", default="", help="of one approval, e.g. K7Q2")
    show.add_argument("--machine", default="", metavar="NAME|ID", help="about one machine")
    show.add_argument("--since", type=_moment, metavar="ISO", help="e.g. 2026-11-24 or 2026-11-24T08:00:00Z")
    show.add_argument("--limit", type=_count, default=50, metavar="N", help="how many at most (default: 50)")
    show.add_argument("--json", action="store_true", help="one record a line")
    for one in (verify, show):
        one.add_argument("--state-dir", type=directory, metavar="DIR", help="where the log is (default: the user's)")
        one.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    place = _directory(arguments.state_dir)
    try:
        _look(place)
        audit = Audit(place)
        return _verify(audit, place) if arguments.what == "verify" else _show(audit, arguments)
    except BrokenPipeError:
        raise
    except OSError as error:
        sys.stderr.write(f"paperspace-mcp: the audit in {place} cannot be read: {error.strerror or error}\n")
        return 2


def _look(directory: Path) -> None:
    """A log that is not there, or that may not be looked at, is none that could be called whole.

    Raises:
        OSError: the directory cannot be listed and entered.
    """
    with os.scandir(directory) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # a draft of a process that writes meanwhile
                entry.stat()


def _directory(chosen: Path | None) -> Path:
    if chosen:
        return chosen
    from paperspace_mcp.settings import from_environment

    return from_environment().state_dir


def _moment(text: str) -> float:
    """Seconds since 1970; a time without a zone is local."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError("not an ISO time") from None


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError("not a positive number")
    return int(text)


def _verify(audit: Audit, directory: Path) -> int:
    verdict = audit.verify()
    sys.stdout.write(f"{directory}\n" + "\n".join(_told(verdict)) + "\n")
    return 0 if verdict.ok else 1


def _told(verdict: Verdict) -> list[str]:
    if verdict.ok and not verdict.records:
        return [*(f"note: {note}" for note in verdict.notes), "no records yet"]
    lines = [f"{verdict.records} records" + (f", {verdict.first} to {verdict.last}" if verdict.records else "")]
    lines += [f"note: {note}" for note in verdict.notes]
    if verdict.ok:
        return [*lines, f"ok, last code {verdict.mac}"]
    where = [f"record {verdict.sequence}" if verdict.sequence is not None else "", verdict.file]
    where += [f"line {verdict.line}"] if verdict.line is not None else []
    return [*lines, f"broken: {', '.join(filter(None, where))}: {verdict.reason}"]


def _show(audit: Audit, arguments: argparse.Namespace) -> int:
    found = audit.read(code=arguments.code, machine=arguments.machine, since=arguments.since)
    chosen = list(islice(found, arguments.limit))
    lines = [json.dumps(record) for record in chosen] if arguments.json else list(_table(chosen))
    sys.stdout.write("".join(line + "\n" for line in lines))
    if any("broken" in record for record in chosen):
        sys.stderr.write("Some lines are not as they were written: see `paperspace-mcp audit verify`.\n")
    if not chosen:
        sys.stderr.write("No record.\n")
    return 0


def _table(records: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    rows = [[str(record.get(column, "")) or "-" for column in _COLUMNS] for record in records]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for record, row in zip(records, rows, strict=True):
        if "broken" in record:
            yield "BROKEN  " + quoted(record["line"])
            continue
        cells = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"{cells}  {_ending(record)}".rstrip()


def _ending(record: Mapping[str, Any]) -> str:
    """The targets, what became of them, and by whose leave."""
    targets = record.get("targets", [])
    named = [f"{quoted(target['name'])} ({target.get('id', '-')})" for target in targets[:_SHOWN_TARGETS]]
    more = [f"+{len(targets) - _SHOWN_TARGETS} more (--json)"] if len(targets) > _SHOWN_TARGETS else []
    words = [str(record[name]) for name in ("outcome", "reason") if name in record]
    told = [words_ for name, words_ in _told_of(record) if name in record]
    return "  ".join([", ".join(named + more), *words, *told]).strip()


def _told_of(record: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Each further field in words. What a client says of itself is somebody's text."""
    found = record.get
    yield "decision", f"{found('decision')} by rule {found('rule', '-')}"
    yield "channel", f"channel {found('channel')}"
    yield "approver", f"by {found('approver')}"
    yield "client", f"client {quoted(str(found('client')))}"
    yield "upstream_status", f"HTTP {found('upstream_status')}"
    yield "latency_ms", f"{found('latency_ms')} ms"
    yield "event_ids", f"event {', '.join(found('event_ids', ()))}"
