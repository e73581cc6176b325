"""What a model reads, in tokens of o200k, and what a client receives, in bytes."""

from functools import cache
from typing import Any

from mcp_types import CallToolResult
from tests.surface.talk import Reply

from paperspace_mcp.weights import compact, scale

weighed = cache(scale)
"""Reading the ranks takes a second."""


def tokens(value: Any) -> int:
    """Of a text, or of a value as JSON on the wire."""
    assert "o200k" in weighed().name, "the budgets are in o200k"
    return weighed().tokens(value if isinstance(value, str) else compact(value))


def halves(reply: Reply) -> tuple[int, int]:
    """Tokens of the text and of the structured content."""
    return tokens(reply.text), tokens(reply.data)


def size(result: CallToolResult) -> int:
    """Bytes of the whole result on the wire."""
    return len(result.model_dump_json(by_alias=True, exclude_none=True).encode())
