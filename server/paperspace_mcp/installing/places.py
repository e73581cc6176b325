"""Where the clients keep their settings, on each system."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Scope = Literal["user", "project"]


@dataclass(frozen=True, slots=True)
class Ground:
    """Whose settings, and where: the system's name as `sys.platform` has it."""

    home: Path
    here: Path
    environ: Mapping[str, str]
    system: str = sys.platform

    @property
    def settings(self) -> Path:
        """Where applications keep their settings."""
        if self.system == "darwin":
            return self.home / "Library" / "Application Support"
        if self.system == "win32":
            return Path(self.environ.get("APPDATA") or self.home / "AppData" / "Roaming")
        return Path(self.environ.get("XDG_CONFIG_HOME") or self.home / ".config")


def place(client: str, scope: Scope, ground: Ground) -> Path:
    """The file of a client that `install` knows."""
    if scope == "project":
        return ground.here / _PROJECT[client]
    if client == "vscode":
        return ground.settings / "Code" / "User" / "mcp.json"
    if client == "codex":
        return Path(ground.environ.get("CODEX_HOME") or ground.home / ".codex") / "config.toml"
    return ground.home / (".claude.json" if client == "claude-code" else ".cursor/mcp.json")


def desktop(ground: Ground) -> Path:
    """The file of Claude Desktop, which has no other."""
    return ground.settings / "Claude" / "claude_desktop_config.json"


_PROJECT = {
    "claude-code": ".mcp.json",
    "vscode": ".vscode/mcp.json",
    "cursor": ".cursor/mcp.json",
    "codex": ".codex/config.toml",
}
