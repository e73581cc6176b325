"""The configuration block that connects a client to the server of this installation.

    uv run python examples/client_config.py claude     (or vscode, cursor, codex; with --demo for the simulated fleet)

No block holds a key: each names where the client takes it from. On standard error: where the block belongs.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

KEY = "PAPERSPACE_API_KEY"


def command(demo: bool) -> dict[str, Any]:
    """The server's command line: this Python, so that it does not matter where the client looks for programs."""
    return {
        "command": sys.executable,
        "args": ["-m", "paperspace_mcp.cli", "serve", *(["--demo"] if demo else [])],
    }


def claude(demo: bool) -> str:
    env = {} if demo else {"env": {KEY: f"${{{KEY}}}"}}
    return json.dumps({"mcpServers": {"paperspace": {**command(demo), **env}}}, indent=2)


def vscode(demo: bool) -> str:
    """VS Code asks for the key once and keeps it."""
    asked = {"type": "promptString", "id": "paperspace-key", "description": "Paperspace API key", "password": True}
    env = {} if demo else {"env": {KEY: "${input:paperspace-key}"}}
    server = {"type": "stdio", **command(demo), **env}
    return json.dumps({"servers": {"paperspace": server}, **({} if demo else {"inputs": [asked]})}, indent=2)


def cursor(demo: bool) -> str:
    env = {} if demo else {"env": {KEY: f"${{env:{KEY}}}"}}
    return json.dumps({"mcpServers": {"paperspace": {"type": "stdio", **command(demo), **env}}}, indent=2)


def codex(demo: bool) -> str:
    """TOML; its strings and lists are written as in JSON."""
    table = {**command(demo), **({} if demo else {"env_vars": [KEY]})}
    return "\n".join(["[mcp_servers.paperspace]", *(f"{name} = {json.dumps(one)}" for name, one in table.items())])


CLIENTS: dict[str, tuple[str, Callable[[bool], str]]] = {
    "claude": (".mcp.json of a project, for Claude Code", claude),
    "vscode": (".vscode/mcp.json of a workspace", vscode),
    "cursor": (".cursor/mcp.json of a project, or ~/.cursor/mcp.json", cursor),
    "codex": ("~/.codex/config.toml", codex),
}


def main() -> int:
    names = [word for word in sys.argv[1:] if word in CLIENTS]
    if not names:
        print(__doc__, file=sys.stderr)
        return 2
    where, block = CLIENTS[names[0]]
    print(f"into {where}:", file=sys.stderr)
    print(block("--demo" in sys.argv))
    return 0


if __name__ == "__main__":
    sys.exit(main())
