"""JSON-RPC as a client speaks it, in both eras, prepared once: the load generator should do nothing but send."""

import json
from dataclasses import dataclass
from typing import Any

MODERN, LEGACY = "2026-07-28", "2025-11-25"
ERAS = (MODERN, LEGACY)
MACHINE = "psoxnh2i7"

_META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "benchmark", "version": "1"},
}


@dataclass(frozen=True, slots=True)
class Message:
    """A request's body, and the headers that the era wants beside it over HTTP."""

    body: bytes
    headers: dict[str, str]


def message(era: str, number: int | None, method: str, params: dict[str, Any] | None = None) -> Message:
    """A request, or a notification where it has no number."""
    given = dict(params or {})
    headers = {"MCP-Protocol-Version": era}
    if era == MODERN:
        given["_meta"] = _META
        headers |= {"Mcp-Method": method, **({"Mcp-Name": given["name"]} if "name" in given else {})}
    told = {"jsonrpc": "2.0", **({} if number is None else {"id": number}), "method": method, "params": given}
    return Message(json.dumps(told).encode(), headers)


def hello() -> tuple[Message, Message]:
    """The handshake of the older era."""
    params = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "benchmark", "version": "1"}}
    return message(LEGACY, 0, "initialize", params), message(LEGACY, None, "notifications/initialized")


def tools(era: str) -> Message:
    return message(era, 1, "tools/list")


def call(era: str) -> Message:
    """The one call that both servers know."""
    return message(era, 2, "tools/call", {"name": "get_machine", "arguments": {"machine": MACHINE}})


def check(answer: bytes) -> None:
    """Raises ValueError for an answer that does not carry the machine: errors are fast."""
    if MACHINE.encode() not in answer or b'"isError":true' in answer.replace(b" ", b"") or b'"error"' in answer:
        raise ValueError(answer[:500].decode("utf-8", "replace"))
