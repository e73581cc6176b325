"""`token`: make a bearer token for a user of `serve --transport http --tokens`, or set the secret they decide with.

Exit 0 made, 1 not, 2 for a wrong command line.
"""

import argparse
import sys
from pathlib import Path

from paperspace_mcp.cli.approve import read_secret
from paperspace_mcp.cli.arguments import directory, user_name
from paperspace_mcp.settings import from_environment
from paperspace_mcp.tokens import issue
from paperspace_mcp.wire.approvers import Approvers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", type=user_name, help="the user whose calls and approvals these are")
    parser.add_argument("--file", type=Path, help="where the token's hash is appended: the file of `serve --tokens`")
    parser.add_argument(
        "--secret", action="store_true", help="set the secret with which this user decides on the approval page"
    )
    parser.add_argument(
        "--state-dir", type=directory, metavar="DIR", help="where the secret is kept (default: the user's)"
    )
    parser.epilog = "The token is printed once, and kept nowhere. Exit 0: made; 1: not; 2: a wrong command line."
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    if arguments.secret:
        return _set_secret(arguments)
    if arguments.file is None:
        return _failed("--file is missing", 2)
    try:
        token = issue(arguments.file, arguments.name)
    except OSError as error:
        return _failed(f"{arguments.file} cannot be written: {error.strerror}")
    except ValueError:
        return _failed(f"{arguments.file} is no file of tokens")
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
    try:
        approvers.set(arguments.name, first)
    except ValueError as error:
        return _failed(str(error))
    sys.stdout.write(f"{arguments.name} decides with this secret.\n")
    return 0


def _failed(why: str, code: int = 1) -> int:
    sys.stderr.write(f"paperspace-mcp: {why}\n")
    return code
