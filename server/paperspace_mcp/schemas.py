"""The published tool schemas: one JSON file per tool, exactly as a client's `tools/list` receives it."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

from paperspace_mcp.app import build
from paperspace_mcp.rules.policy import Policy
from paperspace_mcp.settings import Settings


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What a client is given. version: the server's; tools: as the wire carries them, by name, in order."""

    version: str
    tools: dict[str, dict[str, Any]]


async def served(policy: Policy) -> Catalogue:
    """What a server with this policy gives."""
    from mcp import Client

    with tempfile.TemporaryDirectory() as state:
        app = build(Settings(state_dir=Path(state), policy=policy))
        async with Client(app.server, cache=None) as client:
            tools = (await client.list_tools()).tools
        await app.aclose()
    dumped = {tool.name: tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools}
    return Catalogue(app.server.version, dumped)


async def listed() -> dict[str, dict[str, Any]]:
    """The tools of a server whose policy shuts none."""
    return (await served(Policy())).tools


def rendered(tool: dict[str, Any]) -> str:
    return json.dumps(tool, indent=2, ensure_ascii=False) + "\n"


def differences(folder: Path) -> list[str]:
    """What the folder says otherwise than the server, one line each; empty where they agree."""
    now = anyio.run(listed)
    stored = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.json"))}
    missing = [f"{name}: no schema is stored" for name in now if name not in stored]
    stale = [f"{name}: stored, but there is no such tool" for name in stored if name not in now]
    changed = [f"{name}: differs" for name, tool in now.items() if name in stored and stored[name] != rendered(tool)]
    return [*missing, *stale, *changed]


def accept(folder: Path) -> int:
    """Write the schemas as they are now; how many there are."""
    now = anyio.run(listed)
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.json"):
        path.unlink()
    for name, tool in now.items():
        (folder / f"{name}.json").write_text(rendered(tool), encoding="utf-8")
    return len(now)
