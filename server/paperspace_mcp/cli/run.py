"""`run`: one tool from the shell or from cron, through the same server; the guard asks in the terminal.

Exit 0 done or nothing to do, 1 an error, 2 a wrong command line, 3 done in part, 4 refused or declined, 75 where a
person must approve first.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import anyio

from paperspace_mcp import __version__
from paperspace_mcp.app import App
from paperspace_mcp.cli.common import add_server_arguments, app_of, settings_of
from paperspace_mcp.cli.hints import HINTS
from paperspace_mcp.cli.tabular import aligned
from paperspace_mcp.exports import asked

PARTIAL, DENIED, PENDING = 3, 4, 75
_REFUSALS = frozenset(
    {
        "already_spent", "approval_gone", "declined", "denied_by_policy", "expired", "frozen", "identity_needed",
        "mistyped", "not_covered", "out_of_band_only", "over_budget", "policy_changed", "protected", "read_only",
        "rename_unprotects", "reveal_unavailable", "target_changed", "tool_off", "too_many", "toolset_off",
        "type_not_allowed",
    }
)  # fmt: skip
_SLICE_S = 45


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_server_arguments(parser)
    parser.add_argument("tool", nargs="?", default="", help="a tool's name, as `paperspace-mcp tools` lists it")
    parser.add_argument("--arg", action="append", default=[], metavar="NAME=VALUE", help="an argument; repeat for more")
    parser.add_argument("--arguments", metavar="JSON", help="all arguments as one JSON object; - reads it from a pipe")
    parser.add_argument(
        "--call",
        metavar="JSON",
        help="instead of a tool: a model's call as OpenAI, Anthropic or Gemini sends it; - reads it from a pipe",
    )
    parser.add_argument("--json", action="store_true", help="print the structured answer instead of a table")
    parser.add_argument("--allow", default="", metavar="CODE", help="use this standing approval, and never ask")
    parser.add_argument("--wait", action="store_true", help="wait until what was begun has ended")
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    try:
        tool, values = _called(arguments)
    except (ValueError, RecursionError):
        sys.stderr.write(f"paperspace-mcp run: {_USAGE}\n")
        return 2
    settings = replace(settings_of(arguments), allow=arguments.allow.strip().upper())
    return anyio.run(_call, app_of(arguments, settings), arguments, tool, values)


_USAGE = (
    "give a tool and its arguments (--arguments takes one JSON object, --arg takes NAME=VALUE), or --call with one "
    "JSON object that has a name and arguments. Nothing was called."
)


def _called(arguments: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """The tool and its arguments. Raises a ValueError where the command line has none, or two."""
    if arguments.call is None:
        return arguments.tool, _values(arguments)
    if arguments.tool or arguments.arg or arguments.arguments:
        raise ValueError("two calls")
    return asked(_object(arguments.call))


def _values(arguments: argparse.Namespace) -> dict[str, Any]:
    if not arguments.tool or any("=" not in one for one in arguments.arg):
        raise ValueError("no call")
    given = _object(arguments.arguments or "{}")
    return {**given, **dict(one.partition("=")[::2] for one in arguments.arg)}


def _object(text: str) -> dict[str, Any]:
    match json.loads(sys.stdin.read() if text == "-" else text):
        case dict(found):
            return found
    raise ValueError("no object")


async def _call(app: App, arguments: argparse.Namespace, tool: str, values: dict[str, Any]) -> int:
    from mcp import Client
    from mcp_types import Implementation

    callback: Any = _ask if sys.stdin.isatty() and not arguments.allow else None
    info = Implementation(name="paperspace-mcp run", version=__version__)
    async with Client(app.server, elicitation_callback=callback, client_info=info, cache=None) as client:
        content, code = await _once(client, arguments, tool, values)
        while arguments.wait and content.get("status") == "under_way" and code == PARTIAL and _begun(content):
            content, code = await _once(client, arguments, tool, values)  # it goes on with the steps that are left
    await app.aclose()
    return code


async def _once(
    client: Any, arguments: argparse.Namespace, tool: str, values: dict[str, Any]
) -> tuple[dict[str, Any], int]:
    """One call, told, and waited for where that was asked for: its answer and the exit code."""
    answer = await client.call_tool(tool, values)
    _print(answer, as_json=arguments.json)
    content: dict[str, Any] = answer.structured_content or {}
    if hint := HINTS.get(_error(content)):
        sys.stderr.write(f"paperspace-mcp: {hint}\n")
    code = _exit_code(content, is_error=bool(answer.is_error))
    if arguments.wait and code in {0, PARTIAL}:
        code = await _waited(client, content, as_json=arguments.json) or code
    return content, code


async def _waited(client: Any, content: Mapping[str, Any], *, as_json: bool) -> int:
    """Wait for the events of an answer; 1 where they failed, 3 where some did."""
    ids = _begun(content)
    while ids:
        answer = await client.call_tool("wait_for_event", {"event_ids": ids[:50], "timeout_seconds": _SLICE_S})
        said = answer.structured_content or {}
        if said.get("overall") != "pending":
            _print(answer, as_json=as_json)
            return _ended({one["verdict"] for one in said.get("events", ())})
        sys.stderr.write(f"{said['summary']}\n")
    return 0


def _begun(content: Mapping[str, Any]) -> list[str]:
    """The events that the call stands for; those of machines that it left alone are others' own."""
    if event := content.get("event"):
        return [event["id"]]
    rows = [row for row in content.get("machines") or () if row.get("result") in {"done", "unchanged"}]
    return [row["event_id"] for row in rows if "event_id" in row]


def _ended(verdicts: set[str]) -> int:
    if "done" not in verdicts:
        return 1
    return PARTIAL if verdicts - {"done"} else 0


def _print(answer: Any, *, as_json: bool) -> None:
    text = "\n".join(block.text for block in answer.content if block.type == "text")
    shown = json.dumps(answer.structured_content or {}, indent=2, ensure_ascii=False) if as_json else aligned(text)
    sys.stdout.write(shown + "\n")
    sys.stdout.flush()


def _exit_code(content: Mapping[str, Any], *, is_error: bool) -> int:
    if (status := content.get("status")) in {"approval_required", "partial", "under_way"}:
        return PENDING if status == "approval_required" else PARTIAL
    code = _error(content)
    return DENIED if code in _REFUSALS else int(is_error)


def _error(content: Mapping[str, Any]) -> str:
    return str((content.get("error") or {}).get("code", ""))


async def _ask(_context: Any, params: Any) -> Any:
    """The person at the terminal answers; an empty line is a no."""
    from anyio.to_thread import run_sync
    from mcp_types import ElicitResult

    sys.stderr.write(f"\n{params.message}\n> ")
    sys.stderr.flush()
    typed = (await run_sync(sys.stdin.readline)).strip()
    return ElicitResult(action="accept", content={"typed": typed}) if typed else ElicitResult(action="decline")
