"""Each endpoint of the reference, called through its tool: what the provider saw, and what a person was asked."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from pydantic import SecretStr
from tests.surface.talk import ASKS_ALWAYS, MODERN, agrees, talking

from paperspace_mcp.app import build
from paperspace_mcp.contract.catalogue import REFERENCE
from paperspace_mcp.contract.operation import Operation
from paperspace_mcp.settings import Settings, Upstream
from paperspace_mcp.simulator import Simulator

NEW = {"name": "fresh", "machine_type": "A4000", "template_id": "t0nspur5", "region": "ny2", "disk_size_gb": 50}
BEN, ANNA = {"machine": "dev-ben"}, {"machine": "dev-anna"}

CALLS: dict[str, dict[str, Any]] = {
    "list_machines": {"region": "New York", "states": "off"},
    "get_machine": {"machine": "ps8jo1fga"},
    "create_machine": NEW,
    "update_machine": {**BEN, "auto_shutdown_enabled": False},
    "delete_machine": BEN,
    "start_machine": BEN,
    "stop_machine": ANNA,
    "restart_machine": ANNA,
    "list_machine_events": ANNA,
    "get_machine_event": {},
    "list_machine_accessors": ANNA,
    "get_machine_accessor": {**ANNA, "user": "ur7p0nb7n"},
    "add_machine_accessor": {**BEN, "user": "diya@example.com"},
    "remove_machine_accessor": {**ANNA, "user": "anna@example.com"},
    "get_machine_desktop": ANNA,
}
"""By operation; the event's id is taken from the account."""


@dataclass(frozen=True, slots=True)
class Seen:
    """request: as it arrived, the last one of the operation. question: as it was asked, empty for none."""

    operation: Operation[Any]
    tool: str
    request: str
    question: str


async def seen() -> list[Seen]:
    """One call for each endpoint, each on a fresh account."""
    return [await _seen(operation) for operation in REFERENCE]


async def _seen(operation: Operation[Any]) -> Seen:
    sim = Simulator(clock=lambda: 0.0)
    given = CALLS[operation.name] or {"event_id": next(iter(sim.world.events))}
    with TemporaryDirectory() as state:
        settings = Settings(
            upstream=Upstream(url="http://simulator.invalid/v1", key=SecretStr("demo-key")), state_dir=Path(state),
            policy=ASKS_ALWAYS,
        )  # fmt: skip
        app = build(settings, transport=httpx.ASGITransport(sim.app))
        async with talking(app.server, MODERN, agrees) as assistant:
            reply = await assistant.call(operation.name, **given)
        await app.aclose()
    assert reply.code == "", reply.data
    return Seen(operation, operation.name, _request(sim, operation), "".join(assistant.questions[:1]))


def _request(sim: Simulator, operation: Operation[Any]) -> str:
    """Method, path, query and body, as they arrived."""
    last = [one for one in sim.wire if one.operation == operation.name][-1]
    query = "?" + "&".join(f"{name}={value}" for name, value in last.query.items()) if last.query else ""
    body = f" {json.dumps(last.body, separators=(',', ':'))}" if last.body is not None else ""
    return f"{last.method} {last.path}{query}{body}"


def table(rows: list[Seen]) -> str:
    """The rows as Markdown; codes and ids that are drawn by lot are left out."""
    lines = ["| endpoint | tool | request, as the provider saw it | what was asked |", "| --- | --- | --- | --- |"]
    return "\n".join([*lines, *map(_line, rows)]) + "\n"


def _line(row: Seen) -> str:
    request = re.sub(r"/machine-events/[0-9a-f-]{36}", "/machine-events/EVENT", row.request)
    asked = re.sub(r"Approval [A-Z2-9]{4}\.", "Approval CODE.", row.question)
    cells = (f"`{row.operation.method} {row.operation.path}`", f"`{row.tool}`", f"`{request}`")
    return "| " + " | ".join([*cells, asked.replace("\n", "<br>") or "nothing"]) + " |"
