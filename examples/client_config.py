"""The configuration block that connects a client to the server of this installation.

    uv run python examples/client_config.py claude     (or vscode, cursor, codex; with --demo for the simulated fleet)

No block holds a key: each names where the client takes it from. On standard error: where the block belongs.
`paperspace-mcp install` writes the same block into the client's own file.
"""

import sys

from paperspace_mcp.installing.blocks import CLIENTS, Wish, block

WHERE = {
    "claude": ("claude-code", ".mcp.json of a project, for Claude Code"),
    "vscode": ("vscode", ".vscode/mcp.json of a workspace"),
    "cursor": ("cursor", ".cursor/mcp.json of a project, or ~/.cursor/mcp.json"),
    "codex": ("codex", "~/.codex/config.toml"),
}


def main() -> int:
    names = [word for word in sys.argv[1:] if word in WHERE]
    if not names:
        print(__doc__, file=sys.stderr)
        return 2
    client, where = WHERE[names[0]]
    print(f"into {where}:", file=sys.stderr)
    print(block(CLIENTS[client], Wish(demo="--demo" in sys.argv)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
