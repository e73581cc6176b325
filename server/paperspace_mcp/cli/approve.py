"""`approve`: see and decide, in a terminal, the questions that wait for a person.

`approve --init` sets the secret that decisions need from then on. Several codes of one class are shown as one list and
confirmed with one text. Exit 0 decided, 1 not, 2 for a wrong command line.
"""

import argparse
import getpass
import sys

import anyio

from paperspace_mcp.app import App, build, os_user
from paperspace_mcp.approving import Approver
from paperspace_mcp.cli.accounts import People
from paperspace_mcp.cli.common import add_account_arguments, settings_of
from paperspace_mcp.cli.deciding import Terminal
from paperspace_mcp.rules.guard import lists
from paperspace_mcp.wire.approvers import Approvers

WATCH_S = 2.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("codes", nargs="*", metavar="CODE", help="what to decide; without any, what waits is listed")
    parser.add_argument("--all", action="store_true", help="decide everything that waits: each class as one list")
    parser.add_argument("--deny", action="store_true", help="decide against it")
    parser.add_argument("--watch", action="store_true", help="stay, and show questions as they come")
    parser.add_argument("--init", action="store_true", help="set the approver's secret")
    add_account_arguments(parser)
    parser.epilog = "Exit 0: decided as wished; 1: something was not; 2: a wrong command line."
    parser.set_defaults(execute=execute, usage=parser.error)


def execute(arguments: argparse.Namespace) -> int:
    if sum([bool(arguments.codes), arguments.all, arguments.watch, arguments.init]) > 1:
        arguments.usage("CODE, --all, --watch and --init exclude each other")
    if arguments.deny and not (arguments.codes or arguments.all):
        arguments.usage("--deny wants the codes, or --all")
    settings = settings_of(arguments)
    approvers = Approvers(settings.state_dir)
    return _init(approvers) if arguments.init else anyio.run(_decide, build(settings), approvers, arguments)


async def _decide(app: App, approvers: Approvers, arguments: argparse.Namespace) -> int:
    approver = Approver(app.conduct, approvers, os_user(), "terminal")
    terminal = Terminal(approver, People(app.settings), read_secret, deny=arguments.deny)
    try:
        if arguments.watch:
            return await _watch(terminal)
        if arguments.all:
            return await _all(terminal)
        return await terminal.decide(arguments.codes) if arguments.codes else await _list(terminal)
    finally:
        await app.aclose()


def read_secret(prompt: str) -> str:
    """A secret from the terminal, unseen; from standard input where that is no terminal."""
    if sys.stdin.isatty():
        return getpass.getpass(prompt)
    sys.stderr.write(prompt)
    sys.stderr.flush()
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


async def _list(terminal: Terminal) -> int:
    waiting = await terminal.approver.waiting()
    for record in waiting:
        terminal.row(record)
    for found in lists.sorted_out(waiting)[0]:
        codes = " ".join(one.code for one in found.records)
        sys.stdout.write(f"\nAs one list, with `{found.typed}`:\n  paperspace-mcp approve {codes}\n")
    if not waiting:
        sys.stdout.write("Nothing waits for a person.\n")
    return 0


async def _all(terminal: Terminal) -> int:
    """Each list, then each that is decided by itself. The first that is not decided does not hold up the others."""
    found, single = lists.sorted_out(await terminal.approver.waiting())
    rounds = [[one.code for one in listing.records] for listing in found] + [[one.code] for one in single]
    if not rounds:
        sys.stdout.write("Nothing waits for a person.\n")
    return max([await terminal.decide(codes) for codes in rounds], default=0)


async def _watch(terminal: Terminal) -> int:
    """What comes at once is one list. Ends with Ctrl-C, or where nobody is there to type."""
    seen = set[str]()
    sys.stdout.write("Waiting for questions. Ctrl-C ends.\n")
    while not terminal.deserted:
        sys.stdout.flush()
        new = [one for one in await terminal.approver.waiting() if one.code not in seen]
        seen.update(one.code for one in new)
        found, single = lists.sorted_out(new)
        for codes in ([one.code for one in listing.records] for listing in found):
            await terminal.decide(codes)
        for one in single:
            await terminal.decide([one.code])
        await anyio.sleep(WATCH_S if not new else 0)
    return 1
