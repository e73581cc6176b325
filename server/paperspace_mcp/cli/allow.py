"""`allow`: standing approvals for the ordinary day and for scripts. Needs the approver's secret.

paperspace-mcp allow stop,restart 'dev-*' --for 8h --max 20
"""

import argparse
import re
import secrets
import sys
import time
from pathlib import Path

from paperspace_mcp.app import build, identity, os_user, principal_of
from paperspace_mcp.audit import Entry
from paperspace_mcp.cli.approve import read_secret
from paperspace_mcp.cli.common import settings_of
from paperspace_mcp.contract.errors import Refusal
from paperspace_mcp.policy_file import STANDING_VERBS
from paperspace_mcp.rules.policy import Standing
from paperspace_mcp.settings import Settings
from paperspace_mcp.wire.approvers import Approvers

_UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0}
_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
LONGEST_S = 90 * 86400.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("verbs", nargs="?", help=f"of {', '.join(STANDING_VERBS)}; several with commas")
    parser.add_argument("names", nargs="*", help="name globs, such as 'dev-*'")
    parser.add_argument("--for", dest="duration", default="8h", help="how long: 30m, 8h, 14d (at most 90d)")
    parser.add_argument("--max", dest="uses", type=int, default=20, help="how many machines in all")
    parser.add_argument("--usd-per-hour", type=float, help="the dearest start that it covers")
    parser.add_argument("--list", action="store_true", help="show those that stand")
    parser.add_argument("--end", metavar="CODE", help="end one")
    parser.add_argument("--user", help="whose calls it covers, where users have tokens; default: this OS user's")
    parser.add_argument("--state-dir", type=Path)
    parser.set_defaults(execute=execute, demo=False, api_url=None)


def execute(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    app, approvers = build(settings), Approvers(settings.state_dir)
    if arguments.list:
        for one in app.store.standing(time.time()):
            sys.stdout.write(told(one, int(app.store.total(f"standing:{one.code}", 0.0))) + "\n")
        return 0
    if arguments.end:
        ended = app.store.end(arguments.end.upper())
        sys.stdout.write("ended\n" if ended else "no standing approval has this code\n")
        return 0 if ended else 1
    standing = _standing(arguments, principal(settings, arguments.user))
    authenticate(approvers)
    app.store.allow(standing)
    app.audit.write(
        Entry(
            phase="allowed",
            principal=standing.principal,
            code=standing.code,
            approver=standing.approver,
            reason=told(standing, 0),
        )
    )
    sys.stdout.write(told(standing, 0) + "\n")
    return 0


def principal(settings: Settings, user: str | None) -> str:
    """The identity of a user with a token, or of this OS user."""
    return principal_of(settings, user) if user else identity(settings).principal


def authenticate(approvers: Approvers) -> None:
    """Raises a `Refusal` unless the approver's secret is typed."""
    if not approvers.known(os_user()):
        raise Refusal("no_secret")
    if not approvers.check(os_user(), read_secret("approver's secret: ")):
        raise Refusal("wrong_secret")


def _standing(arguments: argparse.Namespace, principal: str) -> Standing:
    verbs = tuple(filter(None, (arguments.verbs or "").split(",")))
    if not verbs or not arguments.names or not set(verbs) <= set(STANDING_VERBS) or arguments.uses < 1:
        raise Refusal("bad_standing", facts={"verbs": ", ".join(STANDING_VERBS)})
    return Standing(
        code="".join(secrets.choice(_LETTERS) for _ in range(5)),
        verbs=verbs,
        names=tuple(arguments.names),
        until=time.time() + duration(arguments.duration),
        uses=arguments.uses,
        usd_per_hour=arguments.usd_per_hour,
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


def told(one: Standing, used: int) -> str:
    """A standing approval on one line."""
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(one.until))
    price = f", starts up to {one.usd_per_hour:g} USD/h" if one.usd_per_hour is not None else ""
    what = f"{','.join(one.verbs)} {' '.join(one.names)}"
    return f"{one.code}  {what}: {one.uses - used} of {one.uses} left until {until}{price}"
