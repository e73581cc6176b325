"""The command line. Each command is a module of its own, imported when it is called."""

import argparse
import gc
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from paperspace_mcp import __version__

if TYPE_CHECKING:
    from paperspace_mcp.contract.errors import Failure

COMMANDS: dict[str, str] = {
    "serve": "Serve MCP clients, on stdio or over HTTP.",
    "demo": "A walk through the server on a simulated fleet: no key, no network.",
    "simulate": "The simulated API on a port of its own.",
    "run": "Call one tool from the shell.",
    "tools": "List the tools with their classes and tokens, or export them for function calling without MCP.",
    "token": "Make a bearer token for a user of the HTTP server, or set the secret they decide with.",
    "approve": "See and decide the questions that wait for a person.",
    "allow": "Give, list and end standing approvals.",
    "unlock": "Lift the limit on questions for an incident.",
    "freeze": "Stop everything that changes something, at once, until it is lifted.",
    "policy": "Explain what a call would meet.",
    "audit": "Verify or read the audit.",
    "doctor": "Look at the set-up: key, network, state, clients; say what helps.",
    "install": "Put this server into the settings of Claude Code, VS Code, Cursor or Codex; --undo takes it out.",
    "eval": "Let a model of your own work on sixty spoken requests, on a simulated fleet.",
    "schemas": "Check or accept the published tool schemas.",
}


_NOT_DONE = frozenset({"wrong_secret", "no_secret", "too_many_tries", "already_decided", "expired", "unknown_code"})
_STATE = frozenset({"store_unusable", "audit_unusable"})


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; its exit code.

    1 where it was not done (a wrong secret, a state directory that cannot be used), 2 for a wrong command line or
    configuration, 130 after Ctrl-C, 141 where whoever read what it prints has gone; and what each command says.
    """
    try:
        try:
            return _called(sys.argv[1:] if argv is None else list(argv))
        finally:
            sys.stdout.flush()
    except BaseException as error:
        if not _unread(error):
            raise
    # What is still buffered has no reader either: without this, Python complains of it as it exits.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 128 + signal.SIGPIPE


def _called(arguments: list[str]) -> int:
    gc.disable()  # imports make no garbage; looking for it is a tenth of the start
    parser = _parser(arguments[0] if arguments and arguments[0] in COMMANDS else "")
    parsed = parser.parse_args(arguments)
    gc.enable()
    gc.freeze()
    if not hasattr(parsed, "execute"):
        parser.print_help(sys.stderr)
        return 2
    return _executed(parsed)


def _executed(parsed: argparse.Namespace) -> int:
    from paperspace_mcp.cli.logs import to_stderr
    from paperspace_mcp.contract.errors import Failure

    to_stderr(os.environ.get("PAPERSPACE_MCP_LOG_LEVEL", "WARNING").upper())
    try:
        code: int = parsed.execute(parsed)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        raise
    except (Failure, OSError) as error:
        return _failed(parsed, error)
    return code


def _failed(parsed: argparse.Namespace, error: "Failure | OSError") -> int:
    """What is expected to go wrong, told; its exit code."""
    if not isinstance(error, OSError) and error.code not in _STATE:
        return _told(error)
    from paperspace_mcp.cli.state import problem

    sys.stderr.write(f"paperspace-mcp: {problem(parsed, error)}\n")
    return 1


def _unread(error: BaseException) -> bool:
    """Whether all that went wrong is that nobody reads on: `| head` has seen enough."""
    if isinstance(error, BaseExceptionGroup):
        return all(_unread(one) for one in error.exceptions)
    return isinstance(error, BrokenPipeError)


def _told(failure: "Failure") -> int:
    from paperspace_mcp.cli.hints import helped

    sys.stderr.write(f"paperspace-mcp: {helped(failure)}\n")
    return 1 if failure.code in _NOT_DONE else 2


def _parser(command: str) -> argparse.ArgumentParser:
    """The parser; only the command that is called brings its own arguments."""
    parser = argparse.ArgumentParser(prog="paperspace-mcp", description="MCP server for Paperspace machines.")
    parser.add_argument("--version", action="version", version=f"paperspace-mcp {__version__}")
    subparsers = parser.add_subparsers(metavar="COMMAND")
    for name, about in COMMANDS.items():
        one = subparsers.add_parser(name, help=about, description=about)
        if name == command:
            import_module(f"paperspace_mcp.cli.{name}").add_arguments(one)
    return parser


if __name__ == "__main__":
    sys.exit(main())
