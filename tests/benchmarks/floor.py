"""The floor: the SDK's own server with one tool over plain httpx, nothing checked, nobody asked."""

import os
import sys
from typing import Any

import httpx
from mcp.server.mcpserver import MCPServer

mcp = MCPServer("floor", log_level="WARNING")
headers = {"Authorization": f"Bearer {os.environ['PAPERSPACE_API_KEY']}"}
api = httpx.AsyncClient(base_url=os.environ["PAPERSPACE_API_URL"], headers=headers)


@mcp.tool()
async def get_machine(machine: str) -> dict[str, Any]:
    """One machine."""
    answer: dict[str, Any] = (await api.get(f"/machines/{machine}")).raise_for_status().json()
    return answer


if sys.argv[1] == "http":
    mcp.run("streamable-http", port=int(sys.argv[2]))
else:
    mcp.run("stdio")
