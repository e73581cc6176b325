"""A fingerprint of everything that models are given to read, so that a client sees when any of it changes.

SHA-256 over JSON with sorted keys, without spaces, in ASCII: anybody can compute it of what they were given.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from mcp.server.mcpserver.tools import Tool
from pydantic import BaseModel

_DIGITS = 8


def fingerprint(catalogue: Mapping[str, Any]) -> str:
    """Eight hexadecimal digits of the catalogue; models in it count as the wire carries them."""
    text = json.dumps(catalogue, sort_keys=True, separators=(",", ":"), default=_carried)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def version(package: str, tools: Iterable[Tool], **beside: Any) -> str:
    """`0.1.0+cat.1a2b3c4d`: the package's version with the catalogue's fingerprint as its local part (PEP 440).

    beside: what else clients are given, by the names of the protocol.
    """
    return f"{package}+cat.{fingerprint({'tools': list(map(_published, tools)), **beside})}"


def _published(tool: Tool) -> dict[str, Any]:
    """A tool as `tools/list` carries it. The SDK would make a model of it first, which takes longer than the hash."""
    return {
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "inputSchema": tool.parameters,
        "outputSchema": tool.output_schema,
        "annotations": tool.annotations,
    }


def _carried(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)
