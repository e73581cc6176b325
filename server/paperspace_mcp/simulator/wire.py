"""The wire log: every API request that arrived, in order, whatever became of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class Request:
    """One request as the provider saw it. `path` is raw (percent-encoding kept) and has no /v1 prefix."""

    seq: int
    method: str
    path: str
    operation: str | None
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    raw_body: bytes
    status: int | None = None
    """The HTTP status answered; None while unanswered and when the connection was dropped."""
    applied: bool = False
    """Whether the request changed the world."""
    fault: str | None = None
    """The kind of the fault that hit it."""

    def as_json(self) -> dict[str, Any]:
        """The record for the control surface: raw_body as text."""
        return {**asdict(self), "raw_body": self.raw_body.decode("utf-8", "replace")}


def parsed(raw: bytes) -> Any:
    """The body as JSON, None when it is empty or no JSON."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def recorded_headers(pairs: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Lower-case headers without the key: a log must not hold credentials."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in pairs}
    if "authorization" in headers:
        bearer = headers["authorization"].lower().startswith("bearer ")
        headers["authorization"] = "<bearer>" if bearer else "<other>"
    return headers
