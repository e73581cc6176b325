"""`freeze`: stop everything that changes something, at once, for every process and account of this state directory.

Freezing needs nothing, lifting it needs the approver's secret where one is set. Exit 0 done, 1 not.
"""

import argparse
import sys

from paperspace_mcp.app import App, build, identity, os_user
from paperspace_mcp.audit import Entry
from paperspace_mcp.cli.allow import authenticate
from paperspace_mcp.cli.common import add_account_arguments, settings_of
from paperspace_mcp.cli.state import write_down
from paperspace_mcp.conduct.judging import FROZEN
from paperspace_mcp.wire.approvers import Approvers

FOR_EVER = 1e12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--lift", action="store_true", help="let changes through again; needs the approver's secret where one is set"
    )
    parser.add_argument("--reason", default="", metavar="TEXT", help="why, for the audit")
    add_account_arguments(parser)
    parser.epilog = "It holds for every account and process of the state directory. Exit 0: done; 1: not."
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    app, approvers = build(settings), Approvers(settings.state_dir)
    if not arguments.lift:
        return _freeze(app, arguments.reason)
    if approvers.any():
        authenticate(approvers)
    _write(app, "thawed", arguments.reason)
    app.store.set_flag(FROZEN, 0.0, arguments.reason)
    still = app.settings.policy.freeze
    sys.stdout.write("Lifted, but the policy file still freezes.\n" if still else "Changes pass again.\n")
    return 0


def _freeze(app: App, reason: str) -> int:
    """The stop comes first, and is told before anything else can fail."""
    app.store.set_flag(FROZEN, FOR_EVER, reason)
    place = app.settings.state_dir.absolute()
    sys.stdout.write(f"Frozen: nothing that changes something passes, in any account, where {place} is used.\n")
    sys.stdout.flush()
    _write(app, "frozen", reason)
    return 0


def _write(app: App, phase: str, reason: str) -> None:
    write_down(
        app.audit, Entry(phase=phase, principal=identity(app.settings).principal, approver=os_user(), reason=reason)
    )
