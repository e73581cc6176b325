"""A plain MCP client: calls one tool, and a person in this terminal answers what the server asks.

    uv run python examples/terminal_client.py --demo stop_machine machine=dev-anna

With `--demo` the fleet is simulated; without it the server uses your key (PAPERSPACE_API_KEY).
An empty line is a no. Exit code 0 done, 1 an error or a no, 2 nothing asked for.
"""

import os
import sys
from typing import Any

import anyio
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp_types import ElicitRequestParams, ElicitResult


def server(*, demo: bool) -> StdioServerParameters:
    """How to start the server. MCP clients pass on no variable by themselves, so the key and the settings are named."""
    passed = {name: value for name, value in os.environ.items() if name.startswith("PAPERSPACE_")}
    flags = ["--demo"] if demo else []
    return StdioServerParameters(command=sys.executable, args=["-m", "paperspace_mcp.cli", "serve", *flags], env=passed)


async def ask(context: Any, params: ElicitRequestParams) -> ElicitResult:
    """Show the question and read a line. What is typed goes back as it is; the server compares it."""
    del context
    print(f"\n{params.message}\n> ", end="", flush=True)
    typed = (await anyio.to_thread.run_sync(sys.stdin.readline)).strip()
    if not typed:
        return ElicitResult(action="decline")
    return ElicitResult(action="accept", content={"typed": typed})


async def report(progress: float, total: float | None, message: str | None) -> None:
    """What a tool tells while it waits."""
    print(f"{progress:.0f} of {total or 0:.0f} s: {message}", file=sys.stderr)


async def call(tool: str, arguments: dict[str, str], *, demo: bool) -> int:
    async with Client(server(demo=demo), elicitation_callback=ask) as client:
        answer = await client.call_tool(tool, arguments, progress_callback=report)
    for block in answer.content:
        if block.type == "text":
            print(block.text)
    return int(bool(answer.is_error))


def main() -> int:
    words = [word for word in sys.argv[1:] if word != "--demo"]
    if not words:
        print(__doc__, file=sys.stderr)
        return 2
    arguments = dict(word.partition("=")[::2] for word in words[1:])
    return anyio.run(lambda: call(words[0], arguments, demo="--demo" in sys.argv))


if __name__ == "__main__":
    sys.exit(main())
