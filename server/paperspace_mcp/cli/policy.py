"""`policy check`: what a given call would meet, without asking anybody and without doing it.

Exit 0 where that could be told, also where it is a refusal; 1 where it could not be found out, 2 where the call or the
policy itself is wrong.
"""

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

import anyio

from paperspace_mcp.app import App, anonymous, principal_of
from paperspace_mcp.checkup.configuration import told
from paperspace_mcp.cli.accounts import add_user_argument
from paperspace_mcp.cli.common import add_server_arguments, app_of, settings_of
from paperspace_mcp.contract.errors import CallerError, Refusal, UpstreamError
from paperspace_mcp.policy_file import doubts
from paperspace_mcp.rules.policy import Policy
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.explaining import explained
from paperspace_mcp.surface.wording import explain


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("check",), help="say what a call would meet; nobody is asked, nothing is done")
    parser.add_argument("tool", nargs="?", help="a tool; without it only the policy itself is checked")
    parser.add_argument("--arg", action="append", default=[], metavar="NAME=VALUE", help="an argument of the call")
    parser.add_argument("--policy", type=Path, metavar="FILE", help="a policy file to try, instead of the one in use")
    add_user_argument(parser)
    add_server_arguments(parser)
    parser.epilog = (
        "Exit 0: told, also where it is a refusal; 1: it could not be found out; 2: the call or policy is wrong."
    )
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    if arguments.policy:
        os.environ["PAPERSPACE_MCP_POLICY"] = str(arguments.policy)  # this process does nothing but explain
    app = app_of(arguments, replace(settings_of(arguments), password_sink=_sink(arguments)))
    if arguments.tool is None:
        return _told(app.settings.policy)
    values = dict(one.partition("=")[::2] for one in arguments.arg)
    return anyio.run(_check, app, _desk(app, arguments), arguments.tool, values)


def _sink(arguments: argparse.Namespace) -> str:
    """Where a password would go if `serve` were not told: on stdio to a file, over HTTP nowhere."""
    return "off" if arguments.user or arguments.anonymous else "file"


def _told(policy: Policy) -> int:
    notes = [f"note: {doubt}" for doubt in doubts(policy)]
    sys.stdout.write("\n".join(["The policy can be used.", told(policy), *notes]) + "\n")
    return 0


def _desk(app: App, arguments: argparse.Namespace) -> Desk:
    """As this OS user sees it, a user with a token, or nobody in particular: an approval is one's own."""
    desk, settings = app.desk, app.settings
    if arguments.anonymous:
        return replace(desk, caller=anonymous(settings))
    user = arguments.user
    return replace(desk, caller=replace(desk.caller, principal=principal_of(settings, user))) if user else desk


async def _check(app: App, desk: Desk, tool: str, values: dict[str, str]) -> int:
    told, code = "", 0
    try:
        told = await explained(desk, tool, values)
    except (Refusal, CallerError) as failure:
        told, code = f"refused ({failure.code}): {explain(failure)[0]}", 2 if failure.code == "bad_argument" else 0
    except UpstreamError as failure:
        told, code = f"not known ({failure.code}): {explain(failure)[0]}", 1
    finally:
        await app.aclose()
    (sys.stderr if code else sys.stdout).write(told + "\n")
    return code
