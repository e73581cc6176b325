"""`unlock`: lift the limit on questions for an incident. Never a refusal, never a question. Needs the secret.

Exit 0 done, 1 not, 2 for a wrong command line.
"""

import argparse
import sys
import time

from paperspace_mcp.app import build, os_user
from paperspace_mcp.audit import Entry
from paperspace_mcp.cli.accounts import People, add_user_argument, principal
from paperspace_mcp.cli.allow import authenticate
from paperspace_mcp.cli.common import add_account_arguments, settings_of
from paperspace_mcp.cli.state import write_down
from paperspace_mcp.conduct.judging import unlocked
from paperspace_mcp.wire.approvers import Approvers

MOST_MINUTES = 120


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--minutes", type=_minutes, default=15, metavar="N", help=f"how long, at most {MOST_MINUTES} (default: 15)"
    )
    parser.add_argument("--reason", type=_reason, required=True, metavar="TEXT", help="why, for the audit")
    add_user_argument(parser)
    add_account_arguments(parser)
    parser.epilog = "Every question is still asked. Exit 0: done; 1: not; 2: a wrong command line."
    parser.set_defaults(execute=execute)


def _minutes(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= MOST_MINUTES:
        raise argparse.ArgumentTypeError(f"a whole number from 1 to {MOST_MINUTES}")
    return int(text)


def _reason(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("say why: it stands in the audit")
    return text


def execute(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    authenticate(Approvers(settings.state_dir))
    app, who = build(settings), principal(settings, arguments)
    write_down(app.audit, Entry(phase="unlocked", principal=who, approver=os_user(), reason=arguments.reason))
    app.store.set_flag(unlocked(who), time.time() + arguments.minutes * 60, arguments.reason)
    sys.stdout.write(f"No limit on questions for {arguments.minutes} minutes. Every one is still asked.\n")
    sys.stdout.write(f"It holds for {People(settings).whose(who)}.\n")
    return 0
