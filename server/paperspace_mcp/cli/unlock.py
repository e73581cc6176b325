"""`unlock`: lift the limit on questions for an incident. Never a refusal, never a question. Needs the secret."""

import argparse
import sys
import time
from pathlib import Path

from paperspace_mcp.app import build, os_user
from paperspace_mcp.audit import Entry
from paperspace_mcp.cli.allow import authenticate, principal
from paperspace_mcp.cli.common import settings_of
from paperspace_mcp.conduct.judging import unlocked
from paperspace_mcp.contract.errors import Refusal
from paperspace_mcp.wire.approvers import Approvers

MOST_MINUTES = 120


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--minutes", type=int, default=15)
    parser.add_argument("--reason", required=True)
    parser.add_argument("--user", help="whose calls it covers, where users have tokens; default: this OS user's")
    parser.add_argument("--state-dir", type=Path)
    parser.set_defaults(execute=execute, demo=False, api_url=None)


def execute(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    if not 0 < arguments.minutes <= MOST_MINUTES:
        raise Refusal("bad_duration")
    authenticate(Approvers(settings.state_dir))
    app, who = build(settings), principal(settings, arguments.user)
    app.audit.write(Entry(phase="unlocked", principal=who, approver=os_user(), reason=arguments.reason))
    app.store.set_flag(unlocked(who), time.time() + arguments.minutes * 60, arguments.reason)
    sys.stdout.write(f"No limit on questions for {arguments.minutes} minutes. Every one is still asked.\n")
    return 0
