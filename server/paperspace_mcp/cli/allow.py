"""`allow`: standing approvals for the ordinary day and for scripts. Needs the approver's secret.

paperspace-mcp allow stop,restart 'dev-*' --for 8h --max 20

It covers the calls of one identity in one account: this OS user's, a user's with `--user`, or with
`--anonymous` those over HTTP where nobody logs in, at the address and with
the key that `serve` has. Exit 0 done, 1 not, 2 for a wrong command line.
"""

import argparse
import re
import secrets
import sys
import time

from paperspace_mcp.app import App, build, identity, os_user
from paperspace_mcp.audit import Entry
from paperspace_mcp.cli.accounts import People, add_user_argument, principal
from paperspace_mcp.cli.approve import read_secret
from paperspace_mcp.cli.common import add_account_arguments, settings_of
from paperspace_mcp.cli.state import write_down
from paperspace_mcp.contract.errors import Refusal
from paperspace_mcp.policy_file import STANDING_VERBS
from paperspace_mcp.rules.policy import Standing
from paperspace_mcp.wire.accounts import Accounts
from paperspace_mcp.wire.approvers import Approvers

_UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0}
_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
LONGEST_S = 90 * 86400.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("verbs", nargs="?", help=f"of {', '.join(STANDING_VERBS)}; several with commas")
    parser.add_argument("names", nargs="*", help="name globs, such as 'dev-*'")
    parser.add_argument(
        "--for", dest="duration", default="8h", metavar="TIME", help="30m, 8h (the default), 14d; at most 90d"
    )
    parser.add_argument("--max", dest="uses", type=int, default=20, metavar="N", help="machines in all (default: 20)")
    parser.add_argument(
        "--usd-per-hour", type=float, metavar="USD", help="the dearest start that it covers (default: any)"
    )
    parser.add_argument(
        "--list", action="store_true", help="show those that stand, whose calls they cover, and what is left"
    )
    parser.add_argument("--end", metavar="CODE", help="end one")
    add_user_argument(parser)
    add_account_arguments(parser)
    parser.epilog = (
        "Never for what grants, reveals or destroys, nor for what is protected. "
        "Exit 0: done; 1: not; 2: a wrong command line."
    )
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    app = build(settings)
    if arguments.list:
        return _list(app)
    if arguments.end:
        return _end(app, arguments.end.upper())
    one = _standing(arguments, principal(settings, arguments))
    authenticate(Approvers(settings.state_dir))
    told = summary(one, 0, time.time())
    write_down(
        app.audit, Entry(phase="allowed", principal=one.principal, code=one.code, approver=one.approver, reason=told)
    )
    app.store.allow(one)
    Accounts(settings.state_dir).remember(identity(settings).account, settings.upstream.url)
    sys.stdout.write(f"{told}\n{_covers(app, one)}\n")
    return 0


def _list(app: App) -> int:
    now = time.time()
    written = [one for one in app.settings.policy.standing if one.until >= now]
    found = [*app.store.standing(now), *written]
    for one in found:
        used = int(app.store.total(f"standing:{one.code}", 0.0))
        sys.stdout.write(f"{summary(one, used, now)}\n{_covers(app, one)}\n")
    if not found:
        sys.stdout.write("Nothing is allowed in advance.\n")
    return 0


def _covers(app: App, one: Standing) -> str:
    by = f"; allowed by {one.approver}" if one.approver else ""
    return f"       {People(app.settings).whose(one.principal)}{by}"


def _end(app: App, code: str) -> int:
    if any(one.code == code for one in app.settings.policy.standing):
        sys.stderr.write(f"{code} stands in the policy file: it ends when it is taken out there.\n")
        return 1
    found = next((one for one in app.store.standing(time.time()) if one.code == code), None)
    if found is None or not app.store.end(code):
        sys.stderr.write("No standing approval has this code; `paperspace-mcp allow --list` shows them.\n")
        return 1
    write_down(app.audit, Entry(phase="disallowed", principal=found.principal, code=code, approver=os_user()))
    sys.stdout.write(f"{code} has ended.\n")
    return 0


def authenticate(approvers: Approvers) -> None:
    """Raises a `Refusal` unless the approver's secret is typed."""
    if not approvers.known(os_user()):
        raise Refusal("no_secret")
    if not approvers.check(os_user(), read_secret("approver's secret: ")):
        raise Refusal("wrong_secret")


def _standing(arguments: argparse.Namespace, principal: str) -> Standing:
    verbs = tuple(filter(None, (arguments.verbs or "").split(",")))
    dear = arguments.usd_per_hour
    usable = (
        verbs and set(verbs) <= set(STANDING_VERBS) and arguments.uses >= 1 and all(map(str.strip, arguments.names))
    )
    if not usable or not arguments.names or not (dear is None or 0 <= dear < float("inf")):
        raise Refusal("bad_standing", facts={"verbs": ", ".join(STANDING_VERBS)})
    return Standing(
        code="".join(secrets.choice(_LETTERS) for _ in range(5)),
        verbs=verbs,
        names=tuple(arguments.names),
        until=time.time() + duration(arguments.duration),
        uses=arguments.uses,
        usd_per_hour=dear,
        approver=os_user(),
        principal=principal,
    )


def duration(text: str) -> float:
    """Seconds of `30m`, `8h`, `14d`. Raises a `Refusal`."""
    found = re.fullmatch(r"(\d{1,5})([mhd])", text)
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0.0
    if not 0 < seconds <= LONGEST_S:
        raise Refusal("bad_duration")
    return seconds


def summary(one: Standing, used: int, now: float) -> str:
    """What it allows, and what is left of it, on one line."""
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(one.until))
    what = f"{','.join(one.verbs)} {' '.join(one.names)}"
    left = f"{max(0, one.uses - used)} of {one.uses} left for {_left(one.until - now)}, until {until}"
    return f"{one.code}  {what}: {left}{_price(one)}"


def _price(one: Standing) -> str:
    if "start" not in one.verbs:
        return ""
    return ", starts at any price" if one.usd_per_hour is None else f", each start up to {one.usd_per_hour:g} USD/h"


def _left(seconds: float) -> str:
    """The two largest units; less than a minute is told as such."""
    minutes = round(seconds / 60)
    parts = ((minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min"))
    return " ".join([f"{number} {unit}" for number, unit in parts if number][:2]) or "less than a minute"
