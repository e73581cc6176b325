"""`policy check`: what a given call would meet, without asking anybody and without doing it."""

import argparse
import os
import sys
from pathlib import Path

import anyio

from paperspace_mcp.app import App
from paperspace_mcp.cli.common import add_server_arguments, app_of
from paperspace_mcp.contract.errors import Failure
from paperspace_mcp.surface.explaining import explained
from paperspace_mcp.surface.wording import explain


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("check",))
    parser.add_argument("tool", nargs="?", help="a tool; without it only the policy itself is checked")
    parser.add_argument("--arg", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--policy", type=Path, help="a policy file to try, instead of the one in use")
    add_server_arguments(parser)
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    if arguments.policy:
        os.environ["PAPERSPACE_MCP_POLICY"] = str(arguments.policy)  # this process does nothing but explain
    app = app_of(arguments)
    if arguments.tool is None:
        sys.stdout.write("The policy can be used.\n")
        return 0
    return anyio.run(_check, app, arguments.tool, dict(one.partition("=")[::2] for one in arguments.arg))


async def _check(app: App, tool: str, values: dict[str, str]) -> int:
    try:
        sys.stdout.write(await explained(app.desk, tool, values) + "\n")
    except Failure as failure:
        sys.stdout.write(f"refused ({failure.code}): {explain(failure)[0]}\n")
    await app.aclose()
    return 0
