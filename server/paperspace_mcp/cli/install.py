"""`install`: this server into the settings of a client. The change is shown, written after a yes, and can be undone.

Exit 0 written, or so already; 1 not written; 2 a wrong command line.
"""

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from paperspace_mcp.checkup import keys
from paperspace_mcp.cli.arguments import STATE_DIR, address, directory
from paperspace_mcp.installing import editing, files, showing
from paperspace_mcp.installing.blocks import CLIENTS, KEY, KEY_FILE, Client, Wish, block
from paperspace_mcp.installing.editing import RefusedError
from paperspace_mcp.installing.places import Ground, place

_STATE, _URL = "PAPERSPACE_MCP_STATE_DIR", "PAPERSPACE_API_URL"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("client", choices=CLIENTS, help="claude-code, vscode, cursor or codex")
    parser.add_argument(
        "--scope",
        choices=("user", "project"),
        default="user",
        help="all your projects (default), or the one you are in",
    )
    parser.add_argument("--undo", action="store_true", help="put the file back as it was")
    parser.add_argument("--dry-run", action="store_true", help="show the change and write nothing")
    parser.add_argument("--yes", action="store_true", help="write it without asking, for scripts")
    parser.add_argument("--demo", action="store_true", help="the server on a simulated fleet: no key, no network")
    parser.add_argument("--read-only", action="store_true", help="a server that offers only what changes nothing")
    parser.add_argument("--toolsets", default="", metavar="A,B", help="only these toolsets, with commas")
    parser.add_argument("--key-file", type=_readable, metavar="FILE", help="the file that holds the API key")
    parser.add_argument("--api-url", type=address, metavar="URL", help="address of the API, where it is not the usual")
    parser.add_argument("--state-dir", type=directory, metavar="DIR", help=STATE_DIR)
    parser.epilog = "No key is written. Exit 0: written, or so already; 1: not written."
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    client, wish = CLIENTS[arguments.client], _wish(arguments)
    ground = Ground(Path(os.environ.get("HOME") or Path.home()), Path.cwd(), os.environ)
    named = place(client.name, arguments.scope, ground)
    try:
        job = Job(client, wish, files.look(named), files.Receipts(_state(arguments)), arguments.scope)
        change = job.undoing() if arguments.undo else job.installing()
        return _done(job, change, arguments)
    except RefusedError as refused:
        sys.stderr.write(f"paperspace-mcp: {named}: {refused}. Nothing was changed.\n")
        if not arguments.undo:
            sys.stderr.write(f"To do it by hand:\n{block(client, wish)}\n")
        return 1


@dataclass(frozen=True, slots=True)
class Job:
    """One client's file and what is to become of it."""

    client: Client
    wish: Wish
    found: files.Found
    receipts: files.Receipts
    scope: str

    def installing(self) -> bytes | None:
        """The file with the server in it."""
        return editing.put(self.found.text, self.client, self.wish).encode()

    def undoing(self) -> bytes | None:
        """The file as it was; without the server, where somebody changed it since. None: there was none."""
        receipt = self._receipt
        if receipt is not None and receipt.describes(self.found.content):
            return receipt.before
        return editing.take(self.found.text, self.client).encode() if self.found.content is not None else None

    @property
    def _receipt(self) -> files.Receipt | None:
        return self.receipts.of(self.found.path)

    def install(self, content: bytes) -> None:
        """Write it. What undoes it is on the disk before."""
        receipt = self._receipt
        told = receipt is not None and receipt.describes(self.found.content)
        before = receipt.before if told and receipt else self.found.content
        stale = receipt is not None and not told and editing.server_in(self.found.text, self.client) is not None
        folders = receipt.folders if told and receipt else tuple(map(str, _missing(self.found.path.parent)))
        if not stale:
            self.receipts.keep(self.found.path, files.Receipt(before, files.digest(content), folders))
        files.write(self.found, content, mode=0o600 if self.scope == "user" else 0o644)
        if stale:  # what was before the first installation is no longer what its undoing should bring back
            self.receipts.forget(self.found.path)

    def undo(self, content: bytes | None) -> None:
        receipt = self._receipt
        if content is None:
            files.remove(self.found, [Path(one) for one in receipt.folders] if receipt else [])
        else:
            files.write(self.found, content, mode=0o600)
        self.receipts.forget(self.found.path)


def _missing(folder: Path) -> list[Path]:
    return [one for one in (folder, *folder.parents) if not one.exists()][::-1]


def _done(job: Job, change: bytes | None, arguments: argparse.Namespace) -> int:
    """Show it, ask, write it."""
    path = job.found.path
    if change == job.found.content:
        _tell(f"{path}: " + ("there is nothing to undo." if arguments.undo else "it is so already."))
        return 0
    sys.stdout.write(_shown(job, change))
    sys.stdout.flush()
    if arguments.dry_run:
        _tell("Nothing was written (--dry-run).")
        return 0
    if not arguments.yes and not _agreed(path):
        sys.stderr.write("Nothing was written.\n")
        return 1
    if arguments.undo:
        job.undo(change)
        _tell(f"{path} is as it was." if change is not None else f"{path} is gone: it was made by install.")
    else:
        job.install(change or b"")
        _tell(_next(job))
    return 0


def _shown(job: Job, change: bytes | None) -> str:
    before, after = job.found.text, (change or b"").decode()
    return showing.diff(before, after, str(job.found.path), block(job.client, job.wish))


def _agreed(path: Path) -> bool:
    sys.stderr.write(f"Write this to {path}? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().casefold() in {"y", "yes"}


def _next(job: Job) -> str:
    """What a person does now."""
    lines = [f"Written to {job.found.path}. --undo puts it back as it was."]
    if job.found.content is not None:
        lines.append(f"As it was, it is kept in {job.receipts.backup(job.found.path)}.")
    lines.append(f"{job.client.title} starts it when it is started anew{_asking(job)}.")
    return "\n".join(lines)


def _asking(job: Job) -> str:
    if not job.wish.asks:
        return ""
    if job.client.name == "vscode":
        return ", and asks for the key once"
    return f", where {KEY} is set"


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")


# -- what the server is to be started with ----------------------------------------------------------------------------


def _wish(arguments: argparse.Namespace) -> Wish:
    """A key that the server finds by itself, or in a file, needs no asking."""
    source, _ = keys.found(os.environ)
    file = arguments.key_file or (os.environ.get(KEY_FILE, "") if source == KEY_FILE else "")
    found = source not in {"", KEY, KEY_FILE}
    return Wish(
        demo=arguments.demo,
        flags=tuple(_flags(arguments)),
        key_file=_whole(file) if file else "",
        found=found and not file,
    )


def _flags(arguments: argparse.Namespace) -> list[str]:
    """Words of `serve`. A directory of one's own is passed on, so that `approve` in a shell looks into the same."""
    flags = ["--read-only"] if arguments.read_only else []
    flags += ["--toolsets", arguments.toolsets] if arguments.toolsets else []
    url = arguments.api_url or os.environ.get(_URL, "")
    state = arguments.state_dir or os.environ.get(_STATE, "")
    if not arguments.demo:
        flags += ["--api-url", url] if url else []
        flags += ["--state-dir", _whole(state)] if state else []
    return flags


def _whole(path: str | Path) -> str:
    """The client starts the server in a directory of its own."""
    return os.path.abspath(Path(path).expanduser())  # noqa: PTH100 - pathlib keeps the `..` of a path


def _state(arguments: argparse.Namespace) -> Path:
    """Where receipts are kept, whatever else of the configuration is wrong."""
    if chosen := arguments.state_dir or os.environ.get(_STATE):
        return Path(_whole(chosen))
    from platformdirs import user_state_path

    return user_state_path("paperspace-mcp")


def _readable(text: str) -> str:
    """A file that can be read, for a command line."""
    path = Path(text).expanduser()
    if not path.is_file() or not os.access(path, os.R_OK):
        raise argparse.ArgumentTypeError("not a file that can be read")
    return str(path)
