"""`approve`: see and decide, in a terminal, the questions that wait for a person.

`approve --init` sets the secret that decisions need from then on. Exit 0 decided, 1 not.
"""

import argparse
import getpass
import sys

import anyio

from paperspace_mcp.app import App, build, os_user
from paperspace_mcp.approving import Approver
from paperspace_mcp.cli.common import add_account_arguments, settings_of
from paperspace_mcp.contract.errors import Refusal
from paperspace_mcp.surface.wording import explain
from paperspace_mcp.wire.approvers import Approvers

WATCH_S = 2.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", nargs="?", help="the code of the question; without it the waiting ones are listed")
    parser.add_argument("--deny", action="store_true", help="decide against it")
    parser.add_argument("--watch", action="store_true", help="stay, and show each question as it comes")
    parser.add_argument("--init", action="store_true", help="set the approver's secret")
    add_account_arguments(parser)
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    approvers = Approvers(settings.state_dir)
    if arguments.init:
        return _init(approvers)
    app = build(settings)
    approver = Approver(app.conduct, approvers, os_user(), "terminal")
    if arguments.watch:
        return anyio.run(_watch, approver)
    return (
        anyio.run(_one, app, approver, arguments.code, arguments.deny)
        if arguments.code
        else anyio.run(_list, app, approver)
    )


def read_secret(prompt: str) -> str:
    """A secret from the terminal, unseen; from standard input where that is no terminal."""
    if sys.stdin.isatty():
        return getpass.getpass(prompt)
    sys.stderr.write(prompt)
    return sys.stdin.readline().rstrip("\n")


def _init(approvers: Approvers) -> int:
    if approvers.known(os_user()) and not approvers.check(os_user(), read_secret("present secret: ")):
        sys.stderr.write("That is not the present secret.\n")
        return 1
    first = read_secret("new secret: ")
    if first != read_secret("once more: "):
        sys.stderr.write("The two are not the same.\n")
        return 1
    try:
        approvers.set(os_user(), first)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"From now on decisions need the secret of {os_user()}.\n")
    return 0


async def _list(app: App, approver: Approver) -> int:
    waiting = await approver.waiting()
    for record in waiting:
        sys.stdout.write(f"{record.code}  {record.tool}  {record.effect}\n")
    if not waiting:
        sys.stdout.write("Nothing waits for a person.\n")
    await app.aclose()
    return 0


async def _watch(approver: Approver) -> int:
    seen = set[str]()
    sys.stdout.write("Waiting for questions. Ctrl-C ends.\n")
    while True:
        for record in await approver.waiting():
            if record.code not in seen:
                seen.add(record.code)
                await _decide(approver, record.code, deny=False)
        sys.stdout.flush()
        await anyio.sleep(WATCH_S)


async def _one(app: App, approver: Approver, code: str, deny: bool) -> int:
    done = await _decide(approver, code, deny=deny)
    await app.aclose()
    return done


async def _decide(approver: Approver, code: str, *, deny: bool) -> int:
    try:
        record = await approver.show(code)
        sys.stdout.write(record.question + "\n")
        decided = await (_deny(approver, code) if deny else _ask(approver, code))
    except Refusal as refusal:
        sys.stderr.write(" ".join(explain(refusal)) + "\n")
        return 1
    sys.stdout.write(f"{record.code}: {decided}.\n")
    return 0


async def _deny(approver: Approver, code: str) -> str:
    await approver.deny(code, _secret(approver))
    return "declined"


async def _ask(approver: Approver, code: str) -> str:
    """What the question asks for approves it; an empty line says no."""
    approver.authenticate(await approver.show(code), "") if not approver.approvers.any() else None
    sys.stdout.write("> ")
    sys.stdout.flush()
    typed = sys.stdin.readline().strip()
    if not typed:
        return await _deny(approver, code)
    await approver.approve(code, typed, _secret(approver))
    return "approved"


def _secret(approver: Approver) -> str:
    return read_secret("approver's secret: ") if approver.approvers.any() else ""
