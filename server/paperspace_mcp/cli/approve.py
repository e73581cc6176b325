"""`approve`: see and decide, in a terminal, the questions that wait for a person.

Only what spends or disrupts can be decided here by the same user without an approver's secret.
"""

import argparse
import sys
import time
from pathlib import Path

import anyio

from paperspace_mcp.app import App, build
from paperspace_mcp.cli.common import settings_of
from paperspace_mcp.contract.errors import Refusal
from paperspace_mcp.rules.guard.demands import WEAK
from paperspace_mcp.rules.guard.records import Channel, Record, Status, alive

WEAKLY = "same-user, weak"
"""Who approved, as the record says it: a terminal proves no person, an agent with a shell has one too."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", nargs="?", help="the code of the question; without it the waiting ones are listed")
    parser.add_argument("--deny", action="store_true", help="decide against it")
    parser.add_argument("--state-dir", type=Path)
    parser.set_defaults(execute=execute, demo=False, api_url=None)


def execute(arguments: argparse.Namespace) -> int:
    app = build(settings_of(arguments))
    return anyio.run(_decide, app, arguments.code.upper(), arguments.deny) if arguments.code else anyio.run(_list, app)


async def _list(app: App) -> int:
    waiting = await app.conduct.inbox()
    for record in waiting:
        sys.stdout.write(f"{record.code}  {record.tool}  {record.effect}\n")
    if not waiting:
        sys.stdout.write("Nothing waits for a person.\n")
    await app.aclose()
    return 0


async def _decide(app: App, code: str, deny: bool) -> int:
    record = await app.conduct.record(code)
    if record is None or record.channel is not Channel.INBOX or not alive(record, time.time()):
        sys.stderr.write("No open question has this code.\n")
        return 1
    if record.status is not Status.OPEN:
        sys.stderr.write(f"It is decided already: {record.status}.\n")
        return 1
    sys.stdout.write(record.question + "\n")
    code_ = await (_close(app, record, Status.DECLINED) if deny else _ask(app, record))
    await app.aclose()
    return code_


async def _ask(app: App, record: Record) -> int:
    if record.effect not in WEAK:
        raise Refusal("no_secret")
    sys.stdout.write("> ")
    sys.stdout.flush()
    typed = sys.stdin.readline().strip()
    if typed != record.expects:
        sys.stderr.write("That is not what the question asks for. Nothing was decided.\n")
        return 1
    return await _close(app, record, Status.APPROVED)


async def _close(app: App, record: Record, status: Status) -> int:
    if not await app.conduct.close(record, status, WEAKLY):
        sys.stderr.write("It was decided meanwhile.\n")
        return 1
    sys.stdout.write(f"{record.code}: {status}.\n")
    return 0
