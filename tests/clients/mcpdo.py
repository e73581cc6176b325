"""mcpdo, the Inspector's other command: it shows the server's questions, and a person answers with a second command."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.clients.ground import TRANSPORTS, Ground, Server, Transport
from tests.clients.inspector import IS_ERROR
from tests.clients.rows import ERAS, MODERN, Row, Scene

WRONG = "yes"


@dataclass(frozen=True, slots=True)
class Question:
    """What a call answered instead of its result."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Mcpdo:
    """A connection by its name; its daemon is ours alone."""

    ground: Ground
    token: str
    connection: str = ""

    def say(self, *words: str, ends: int = 0) -> dict[str, Any]:
        """A command; what it answered."""
        named = ("--connection", self.connection) if self.connection else ()
        command = [*self.ground.packages.bin("mcpdo"), "--format", "json", *named, *words]
        daemon = {"MCP_INSPECTOR_DAEMON_DIR": str(self.ground.scratch / "d"), "MCP_INSPECTOR_DAEMON_TOKEN": self.token}
        done = self.ground.run(command, MCP_INSPECTOR_SECRET_STORE="file", **daemon)
        assert done.returncode == ends, done.stderr or done.stdout
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def call(self, tool: str, **arguments: Any) -> Question:
        """A call that must lead to a question."""
        pending = self.say("tools/call", tool, json.dumps(arguments))["elicitationPending"]
        assert list(pending["requestedSchema"]["properties"]) == ["typed"]
        return Question(pending["elicitationId"], pending["message"])

    def answered(self, tool: str, ends: int = 0, **arguments: Any) -> dict[str, Any]:
        """A call that leads to no question; its answer in the structured half."""
        answer: dict[str, Any] = self.say("tools/call", tool, json.dumps(arguments), ends=ends)["structuredContent"]
        return answer

    def answer(self, question: Question, typed: str, ends: int = 0) -> dict[str, Any]:
        """A person types; the call's answer in its structured half."""
        found = self.say("elicitation/respond", question.id, json.dumps({"typed": typed}), ends=ends)
        answer: dict[str, Any] = found["structuredContent"]
        return answer


@contextmanager
def connected(ground: Ground, server: Server, era: str, elicit: str = "both") -> Iterator[Mcpdo]:
    """A connection that spoke the era which it was told to. Its daemon ends with it."""
    daemon = Mcpdo(ground, secrets.token_hex(16))
    spoken = "modern" if era == MODERN else "legacy"
    given = [word for name, value in server.given.items() for word in ("-e", f"{name}={value}")]
    target = ["--", server.url] if server.url else [*given, "--", *server.command]
    try:
        made = daemon.say("connect", "--era", spoken, "--elicit", elicit, *target)
        assert made["protocolEra"] == spoken
        yield Mcpdo(ground, daemon.token, made["name"])
    finally:
        daemon.say("daemon", "stop")


def ask(ground: Ground) -> list[Row]:
    """Stop, start and delete with the typed answer; a wrong one and a declined one, in both eras on both transports."""
    return [row for transport in TRANSPORTS for era in ERAS for row in _one(ground, transport, era)]


def _one(ground: Ground, transport: Transport, era: str) -> list[Row]:
    scene = Scene(ground.account, "mcpdo", era, transport)
    with ground.server(transport) as server, connected(ground, server, era) as mcpdo:
        _stop(scene, mcpdo)
        _start(scene, mcpdo)
        _delete(scene, mcpdo)
    return scene.rows


def _stop(scene: Scene, mcpdo: Mcpdo) -> None:
    name, machine = scene.account.machine("ready")
    with scene.step("stop_machine, declined: nothing sent"):
        declined = mcpdo.say(
            "elicitation/respond", mcpdo.call("stop_machine", machine=name).id, "--decline", ends=IS_ERROR
        )
        assert declined["structuredContent"]["error"]["code"] == "declined"
    with scene.step("stop_machine, a wrong answer typed: nothing sent"):
        refused = mcpdo.answer(mcpdo.call("stop_machine", machine=name), WRONG, ends=IS_ERROR)
        assert refused["error"]["code"] == "mistyped"
    with scene.step("stop_machine, `stop` typed: done once", sends=[f"PATCH /machines/{machine}/stop"]):
        assert mcpdo.answer(mcpdo.call("stop_machine", machine=name), "stop")["status"] == "done"


def _start(scene: Scene, mcpdo: Mcpdo) -> None:
    name, machine = scene.account.machine("off")
    with scene.step("start_machine, `start` typed: done once", sends=[f"PATCH /machines/{machine}/start"]):
        question = mcpdo.call("start_machine", machine=machine)
        assert name in question.text
        assert mcpdo.answer(question, "start")["status"] == "done"


def _delete(scene: Scene, mcpdo: Mcpdo) -> None:
    name, machine = scene.account.machine("off")
    with scene.step("delete_machine, the id typed for the name: nothing sent"):
        refused = mcpdo.answer(mcpdo.call("delete_machine", machine=name), machine, ends=IS_ERROR)
        assert refused["error"]["code"] == "mistyped"
    with scene.step("delete_machine, its name typed: done once", sends=[f"DELETE /machines/{machine}"]):
        assert mcpdo.answer(mcpdo.call("delete_machine", machine=name), name)["status"] == "done"
