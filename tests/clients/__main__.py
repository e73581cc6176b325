"""`python -m tests.clients`: MCP clients of others operate the server. Prints a table; ends with 1 if a step failed."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.clients.ground import Ground, simulated
from tests.clients.packages import NotFetched, Packages, cache_directory, fetched
from tests.clients.rows import Row, table
from tests.clients.sessions import SESSIONS


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(prog="python -m tests.clients", description=__doc__)
    found.add_argument("sessions", nargs="*", help=f"only these: {', '.join(SESSIONS)}")
    found.add_argument("--cache", type=Path, default=cache_directory(), help="where npm packages are kept")
    return found


def chosen(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The arguments; a session that nobody knows ends the command with 2."""
    found = parser()
    parsed = found.parse_args(arguments)
    parsed.sessions = parsed.sessions or list(SESSIONS)
    if unknown := set(parsed.sessions) - set(SESSIONS):
        found.error(f"no such session: {', '.join(sorted(unknown))}")
    return parsed


def run(sessions: Sequence[str], packages: Packages) -> list[Row]:
    """Each session in turn, before one account."""
    rows: list[Row] = []
    with simulated() as account, tempfile.TemporaryDirectory(prefix="paperspace-mcp-clients-") as scratch:
        ground = Ground(account, packages, Path(scratch))
        for name in sessions:
            sys.stderr.write(f"{name} ...\n")
            rows += SESSIONS[name](ground)
    return rows


def main() -> int:
    arguments = chosen()
    try:
        packages = fetched(arguments.cache)
    except NotFetched as reason:
        sys.stderr.write(f"{reason}\n")
        return 2
    rows = run(arguments.sessions, packages)
    sys.stdout.write(table(rows) + "\n")
    return int(any(row.problem for row in rows))


if __name__ == "__main__":
    sys.exit(main())
