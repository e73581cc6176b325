"""Stop the dev machines at night, without a model.

    uv run python examples/nightly_stop.py dev-

There is nobody to ask at night, and the server stops nothing without a person. So the first run only asks: it prints
the code of each question and exits with 75. A person decides with `paperspace-mcp approve CODE` within 15 minutes; the
next run finds the approvals and stops those machines. Exit code 0 all are off or stopping, 1 an error.
"""

import os
import sys
from typing import Any

import anyio
from mcp import Client
from mcp.client.stdio import StdioServerParameters

APPROVAL_REQUIRED = 75


def server() -> StdioServerParameters:
    """The server of this installation; the key and the settings are passed on by name."""
    passed = {name: value for name, value in os.environ.items() if name.startswith("PAPERSPACE_")}
    return StdioServerParameters(command=sys.executable, args=["-m", "paperspace_mcp.cli", "serve"], env=passed)


async def answered(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """The structured answer of a call. An error stands in it, under `error`."""
    return (await client.call_tool(tool, arguments)).structured_content or {}


async def running(client: Client, prefix: str) -> list[dict[str, Any]]:
    """The machines that are on and whose name begins so; the list's own filter finds parts of names."""
    found = await answered(client, "list_machines", name_contains=prefix, states=["ready"], limit=200)
    if "machines" not in found or not found["complete"]:
        raise SystemExit(found["summary"])
    return [machine for machine in found["machines"] if machine["name"].startswith(prefix)]


async def stop(client: Client, machine: dict[str, Any]) -> int:
    """Ask for one stop, by id: a name may have gone to another machine meanwhile."""
    answer = await answered(client, "stop_machine", machine=machine["id"])
    print(f"{machine['name']}: {answer['summary']}")
    if answer.get("status") == "approval_required":
        return APPROVAL_REQUIRED
    return 1 if "error" in answer else 0


async def night(prefix: str) -> int:
    async with Client(server()) as client:
        codes = [await stop(client, machine) for machine in await running(client, prefix)]
    if not codes:
        print(f"No machine {prefix}* is on.")
    return 1 if 1 in codes else max(codes, default=0)


if __name__ == "__main__":
    sys.exit(anyio.run(night, sys.argv[1] if len(sys.argv) > 1 else "dev-"))
