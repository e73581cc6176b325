"""The Inspector's command line: one process a request, no questions shown."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.clients.ground import TRANSPORTS, Ground, Server
from tests.clients.rows import ERAS, MODERN, Row, Scene

_SCHEMAS = Path(__file__).resolve().parents[2] / "tool_schemas"
_STAMP = "io.modelcontextprotocol/serverInfo"
IS_ERROR = 5
"""How both commands of the Inspector end where a tool's answer is an error."""


@dataclass(frozen=True, slots=True)
class Inspector:
    ground: Ground
    server: Server
    era: str

    def ask(self, method: str, *words: str, ends: int = 0) -> dict[str, Any]:
        """One request; its result, which must be of the era that was asked for."""
        era = "modern" if self.era == MODERN else "legacy"
        asked = ["--cli", "--format", "json", "--protocol-era", era, "--method", method, *words, *self._target()]
        done = self.ground.run([*self.ground.packages.bin("inspector"), *asked])
        assert done.returncode == ends, done.stderr or done.stdout
        found: dict[str, Any] = json.loads(done.stdout)["result"]
        return found

    def call(self, tool: str, ends: int = 0, **arguments: Any) -> dict[str, Any]:
        """A tool's answer in its structured half. Only answers of the modern era are stamped."""
        words = ("--tool-name", tool, "--tool-args-json", json.dumps(arguments))
        found = self.ask("tools/call", *words, ends=ends)
        assert (_STAMP in found.get("_meta", {})) == (self.era == MODERN), "another era was spoken"
        answer: dict[str, Any] = found["structuredContent"]
        assert found["content"][0]["text"].startswith(answer["summary"])
        return answer

    def _target(self) -> list[str]:
        if self.server.url:
            return [self.server.url]
        given = [word for name, value in self.server.given.items() for word in ("-e", f"{name}={value}")]
        return [*given, "--", *self.server.command]


def inspect(ground: Ground) -> list[Row]:
    """Lists, reads, a refused question and an error, in both eras on both transports."""
    return [row for transport in TRANSPORTS for era in ERAS for row in _one(ground, transport, era)]


def _one(ground: Ground, transport: Any, era: str) -> Iterator[Row]:
    scene = Scene(ground.account, "inspector --cli", era, transport)
    with ground.server(transport) as server:
        inspector = Inspector(ground, server, era)
        _lists(scene, inspector)
        _calls(scene, inspector)
    yield from scene.rows


def _lists(scene: Scene, inspector: Inspector) -> None:
    with scene.step("tools/list, schemas judged strictly", reads=False):
        listed = {tool["name"] for tool in inspector.ask("tools/list", "--strict")["tools"]}
        assert listed == {path.stem for path in _SCHEMAS.glob("*.json")}
    with scene.step("prompts/list and prompts/get", reads=False):
        assert inspector.ask("prompts/list")["prompts"][0]["name"] == "fleet_report"
        given = ("--prompt-args", "machine=dev-anna", "--prompt-name", "why_did_it_stop")
        (message,) = inspector.ask("prompts/get", *given)["messages"]
        assert message["content"]["text"].endswith('{"machine": "dev-anna"}')
    with scene.step("resources/list: a resource for each machine"):
        uris = {one["uri"] for one in inspector.ask("resources/list")["resources"]}
        assert {f"paperspace://machines/{one['id']}" for one in scene.account.machines()} < uris
    with scene.step("resources/read: the fleet"):
        (content,) = inspector.ask("resources/read", "--uri", "paperspace://machines")["contents"]
        assert len(json.loads(content["text"])["machines"]) == len(scene.account.machines())


def _calls(scene: Scene, inspector: Inspector) -> None:
    name, machine = scene.account.machine("ready")
    with scene.step("tools/call list_machines"):
        assert inspector.call("list_machines", limit=200)["total"] == len(scene.account.machines())
    with scene.step("tools/call get_machine by name"):
        assert inspector.call("get_machine", machine=name)["machine"]["id"] == machine
    with scene.step("tools/call get_machine, unknown: an error in words"):
        assert inspector.call("get_machine", IS_ERROR, machine="nobody")["error"]["code"] == "unknown_machine"
    with scene.step("tools/call stop_machine: approval_required and a code, nothing sent"):
        answer = inspector.call("stop_machine", machine=name)
        assert (answer["status"], answer["executed"], len(answer["approval"])) == ("approval_required", False, 4)
