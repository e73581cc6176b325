"""`token`: make a bearer token for a user of `serve --transport http --tokens`. Exit 0 made, 1 not."""

import argparse
import sys
from pathlib import Path

from paperspace_mcp.cli.approve import read_secret
from paperspace_mcp.settings import from_environment
from paperspace_mcp.tokens import issue
from paperspace_mcp.wire.approvers import Approvers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="the user whose calls and approvals these are")
    parser.add_argument("--file", type=Path, help="where the token's hash is appended")
    parser.add_argument(
        "--secret", action="store_true", help="set the secret with which this user decides on the approval page"
    )
    parser.add_argument("--state-dir", type=Path, help="where approvals are recorded, with --secret")
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    try:
        if arguments.secret:
            return _set_secret(arguments)
        if arguments.file is None:
            return _failed("--file is missing")
        token = issue(arguments.file, arguments.name)
    except (ValueError, OSError) as error:
        return _failed(str(error))
    sys.stdout.write(token + "\n")
    sys.stderr.write(f"This is the token of {arguments.name}. It is shown once; the file has its hash only.\n")
    return 0


def _set_secret(arguments: argparse.Namespace) -> int:
    """A secret that is there already is changed only by whoever knows it."""
    approvers = Approvers(arguments.state_dir or from_environment().state_dir)
    if approvers.known(arguments.name) and not approvers.check(arguments.name, read_secret("present secret: ")):
        return _failed("that is not the present secret")
    first = read_secret("new secret: ")
    if first != read_secret("once more: "):
        return _failed("the two are not the same")
    approvers.set(arguments.name, first)
    sys.stdout.write(f"{arguments.name} decides with this secret.\n")
    return 0


def _failed(why: str) -> int:
    sys.stderr.write(f"paperspace-mcp: {why}\n")
    return 1
