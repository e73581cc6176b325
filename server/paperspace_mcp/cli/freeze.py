"""`freeze`: stop everything that changes something, at once, for every process of this state directory.

Freezing needs nothing, lifting it needs the approver's secret where one is set.
"""

import argparse
import sys
from pathlib import Path

from paperspace_mcp.app import build, identity
from paperspace_mcp.audit import Entry
from paperspace_mcp.cli.allow import authenticate
from paperspace_mcp.cli.common import settings_of
from paperspace_mcp.conduct.judging import FROZEN
from paperspace_mcp.wire.approvers import Approvers

FOR_EVER = 1e12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lift", action="store_true", help="let changes through again")
    parser.add_argument("--reason", default="")
    parser.add_argument("--state-dir", type=Path)
    parser.set_defaults(execute=execute, demo=False, api_url=None)


def execute(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    approvers = Approvers(settings.state_dir)
    if arguments.lift and approvers.any():
        authenticate(approvers)
    app = build(settings)
    app.store.set_flag(FROZEN, 0.0 if arguments.lift else FOR_EVER, arguments.reason)
    phase = "thawed" if arguments.lift else "frozen"
    app.audit.write(Entry(phase=phase, principal=identity(settings).principal, reason=arguments.reason))
    sys.stdout.write("Changes pass again.\n" if arguments.lift else "Frozen: nothing that changes something passes.\n")
    return 0
