"""`run`: one tool from the shell, through the same server; the guard asks in the terminal.

Exit 0 done, 1 an error, 4 denied, 75 a person must approve first.
"""

import argparse
import json
import sys
from typing import Any

import anyio

from paperspace_mcp.app import App
from paperspace_mcp.cli.common import add_server_arguments, app_of

DENIED, PENDING = 4, 75
_REFUSALS = {"declined", "mistyped", "expired", "protected", "target_changed", "already_spent", "out_of_band_only"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_server_arguments(parser)
    parser.add_argument("tool", help="a tool's name, e.g. list_machines")
    parser.add_argument("--arg", action="append", default=[], metavar="NAME=VALUE", help="an argument; repeat for more")
    parser.add_argument("--json", action="store_true", help="print the structured answer")
    parser.epilog = "Exit 0: done; 1: an error; 4: refused; 75: a person must approve first."
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    values = dict(one.partition("=")[::2] for one in arguments.arg)
    return anyio.run(_call, app_of(arguments), arguments.tool, values, arguments.json)


async def _call(app: App, tool: str, values: dict[str, str], as_json: bool) -> int:
    from mcp import Client

    callback: Any = _ask if sys.stdin.isatty() else None
    async with Client(app.server, elicitation_callback=callback, cache=None) as client:
        answer = await client.call_tool(tool, values)
    await app.aclose()
    content: dict[str, Any] = answer.structured_content or {}
    text = json.dumps(content, indent=2, ensure_ascii=False) if as_json else _text(answer)
    sys.stdout.write(text + "\n")
    return _exit_code(content, is_error=bool(answer.is_error))


def _text(answer: Any) -> str:
    return "\n".join(block.text for block in answer.content if block.type == "text")


def _exit_code(content: dict[str, Any], *, is_error: bool) -> int:
    if content.get("status") == "approval_required":
        return PENDING
    code = (content.get("error") or {}).get("code")
    return DENIED if code in _REFUSALS else int(is_error)


async def _ask(_context: Any, params: Any) -> Any:
    """The person at the terminal answers; an empty line is a no."""
    from anyio.to_thread import run_sync
    from mcp_types import ElicitResult

    sys.stderr.write(f"\n{params.message}\n> ")
    sys.stderr.flush()
    typed = (await run_sync(sys.stdin.readline)).strip()
    return ElicitResult(action="accept", content={"typed": typed}) if typed else ElicitResult(action="decline")
