"""What a client is told to start: one source for `install`, for the examples and for README. Pure.

No block holds a key. Each names where the client takes it from; or the file that holds it; or nothing, where the server
finds it by itself.
"""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

NAME = "paperspace"
KEY, KEY_FILE = "PAPERSPACE_API_KEY", "PAPERSPACE_API_KEY_FILE"
INPUT = "paperspace-key"
Dialect = Literal["json", "jsonc", "toml"]


@dataclass(frozen=True, slots=True)
class Wish:
    """How the server is to be started.

    flags: further words of `serve`. key_file: holds the key. found: the server finds a key without being told.
    """

    demo: bool = False
    flags: tuple[str, ...] = ()
    key_file: str = ""
    found: bool = False

    @property
    def asks(self) -> bool:
        """Whether the client must say where the key is."""
        return not (self.demo or self.found or self.key_file)


@dataclass(frozen=True, slots=True)
class Client:
    """servers: the member of its file that lists servers. reference: how it names a key that it is to fill in."""

    name: str
    title: str
    dialect: Dialect
    servers: str
    reference: Callable[[], Mapping[str, Any]]
    typed: bool = False


CLIENTS = {
    client.name: client
    for client in (
        # With a default, or a variable that is not set makes Claude Code drop the server without a word.
        Client("claude-code", "Claude Code", "json", "mcpServers", lambda: {"env": {KEY: f"${{{KEY}:-}}"}}),
        Client("vscode", "VS Code", "jsonc", "servers", lambda: {"env": {KEY: f"${{input:{INPUT}}}"}}, typed=True),
        Client("cursor", "Cursor", "jsonc", "mcpServers", lambda: {"env": {KEY: f"${{env:{KEY}}}"}}, typed=True),
        Client("codex", "Codex", "toml", "mcp_servers", lambda: {"env_vars": [KEY]}),
    )
}


def entry(client: Client, wish: Wish) -> dict[str, Any]:
    """The server, as this client's file lists it: by this Python, wherever the client looks for programs."""
    words = ["-m", "paperspace_mcp.cli", "serve", *(["--demo"] if wish.demo else []), *wish.flags]
    told: dict[str, Any] = {"type": "stdio"} if client.typed else {}
    told |= {"command": sys.executable, "args": words}
    if wish.key_file and not wish.demo:
        return {**told, "env": {KEY_FILE: wish.key_file}}
    return {**told, **client.reference()} if wish.asks else told


def inputs(client: Client, wish: Wish) -> list[dict[str, Any]]:
    """What VS Code asks for once, and keeps."""
    if client.name != "vscode" or not wish.asks:
        return []
    return [{"type": "promptString", "id": INPUT, "description": "Paperspace API key", "password": True}]


def block(client: Client, wish: Wish) -> str:
    """The whole block, for whoever pastes it."""
    if client.dialect == "toml":
        return toml(client, entry(client, wish))
    asked = inputs(client, wish)
    document = {client.servers: {NAME: entry(client, wish)}, **({"inputs": asked} if asked else {})}
    return json.dumps(document, indent=2, ensure_ascii=False)


def toml(client: Client, told: Mapping[str, Any]) -> str:
    """A table; its strings and lists are written as in JSON, an inner table inline."""
    return "\n".join([f"[{client.servers}.{NAME}]", *(f"{name} = {_toml(value)}" for name, value in told.items())])


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_toml(one)}" for name, one in value.items()) + " }"
    return json.dumps(value)
