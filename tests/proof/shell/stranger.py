"""`python -m tests.proof.shell.stranger`: an agent in a process of another OS user than the server's.

Everything is imported before the user is changed: whether the other user may read our interpreter proves nothing. Ways
come in as JSON on standard input, and what each was shown goes out as JSON.
"""

import io
import json
import os
import pty
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from functools import partial
from importlib import import_module
from pathlib import Path

import anyio
from tests.proof.shell.ways import WAYS, Shell

from paperspace_mcp.cli import COMMANDS, main

NOBODY = 65534


def run(told: dict[str, str], *words: str, typed: Sequence[str] = ()) -> str:
    """A command of ours in this process, which is a stranger's by now."""
    _told(told, words[0])
    shown, sys.stdin = io.StringIO(), io.StringIO("".join(f"{line}\n" for line in typed))
    with redirect_stdout(shown), redirect_stderr(shown), suppress(SystemExit):
        shown.write(f" {main(words)}")
    return shown.getvalue()


def sit(told: dict[str, str], *words: str, typed: Sequence[str] = ()) -> str:
    """The same in a pseudo-terminal."""
    child, terminal = pty.fork()
    if not child:
        _told(told, words[0])
        os._exit(main(words))
    shown = ""
    for line in (*typed, ""):
        with suppress(OSError):
            while not shown.endswith(("> ", ": ")) and (part := os.read(terminal, 65536)):
                shown += part.decode(errors="replace")
            os.write(terminal, f"{line}\n".encode())
    os.waitpid(child, 0)
    return shown


def _told(told: dict[str, str], command: str) -> None:
    """What the agent's commands are told. It decides where the server keeps its questions; what it runs, it runs with a
    state of its own, and with a key that it made up: the server's it cannot read."""
    os.environ |= {
        "PAPERSPACE_MCP_STATE_DIR": told["own"] if command == "run" else told["state"],
        "PAPERSPACE_MCP_POLICY": f"{told['home']}/policy.toml",
        "PAPERSPACE_API_KEY": "made-up",
    }


def _prepare(url: str) -> None:
    """Whatever a command imports when it is called, while this user may still read it: two calls as ourselves."""
    for name in (*(f"cli.{command}" for command in COMMANDS), "cli.state", "policy_file", "surface.wording"):
        import_module(f"paperspace_mcp.{name}")
    os.environ |= {"PAPERSPACE_API_KEY": "made-up", "XDG_CONFIG_HOME": "/nowhere"}
    with tempfile.TemporaryDirectory() as own, redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        os.environ["PAPERSPACE_MCP_STATE_DIR"] = own
        for where in (["--demo"], ["--api-url", url]):
            main(["run", "delete_machine", "--arg", "machine=dev-ben", *where])


def _become_nobody() -> None:
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    os.chdir("/")


async def _tried(told: dict[str, str]) -> str:
    shell = Shell(
        told["code"],
        next(way.call for way in WAYS if way.name == told["way"]),
        Path(told["home"]),
        Path(told["state"]),
        told["url"],
        partial(run, told),
        partial(sit, told),
    )
    try:
        return await next(way.act for way in WAYS if way.name == told["way"])(shell)
    except (OSError, sqlite3.Error) as error:
        return repr(error)


def _main() -> None:
    """`main` of the command line runs its own event loop, so each way has one here."""
    wanted = json.load(sys.stdin)
    _prepare(wanted[0]["url"])
    _become_nobody()
    shown = {one["way"]: anyio.run(_tried, one) for one in wanted}
    sys.__stdout__.write(json.dumps(shown))  # type: ignore[union-attr]


if __name__ == "__main__":
    _main()
