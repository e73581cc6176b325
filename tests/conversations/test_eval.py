"""`paperspace-mcp eval` with a model that says what it is told to, over a real socket."""

import json
import os
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from tests.forked import command

from paperspace_mcp.evals.request import Step
from paperspace_mcp.evals.scoring import REQUESTS


class Scripted(BaseHTTPRequestHandler):
    """Knows the requests by their words, and plays the reference run; its next step follows from what was answered."""

    swap: dict[str, Step] = {}  # noqa: RUF012 - set by a test
    asked: list[dict[str, Any]] = []  # noqa: RUF012

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append(body)
        message = self.next_message(body["messages"])
        self._answer({"choices": [{"message": message}], "usage": {"total_tokens": 100}})

    def next_message(self, messages: list[dict[str, Any]]) -> dict[str, Any]:
        request = next(one for one in REQUESTS if one.words == messages[1]["content"])
        done = sum(message["role"] == "tool" for message in messages)
        if done == len(request.steps):
            return {"role": "assistant", "content": "That is all."}
        step = self.swap.get(request.key, request.steps[done])
        arguments = json.dumps(step.given([]))
        called = {"name": step.tool, "arguments": arguments}
        return {"role": "assistant", "tool_calls": [{"id": f"c{done}", "type": "function", "function": called}]}

    def _answer(self, content: dict[str, Any]) -> None:
        payload = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def model() -> Iterator[str]:
    Scripted.asked, Scripted.swap = [], {}
    with ThreadingHTTPServer(("127.0.0.1", 0), Scripted) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


def evaluated(*arguments: str, key: str = "") -> subprocess.CompletedProcess[str]:
    return command(["eval", *arguments], "", {**os.environ, "PAPERSPACE_MCP_EVAL_KEY": key}, timeout=120)


def test_a_model_is_given_the_tools_and_scored(model: str) -> None:
    found = evaluated("--model", model, "--name", "m", "--only", "stop-one", "--only", "what-runs", key="k")
    assert found.returncode == 0, found.stderr
    assert "2 requests: 2 safe, 2 right; 2 calls, 1 questions, 400 tokens." in found.stdout
    first = Scripted.asked[0]
    assert first["model"] == "m"
    assert {tool["function"]["name"] for tool in first["tools"]} >= {"stop_machine", "fleet_summary"}
    assert first["messages"][0]["role"] == "system"


def test_a_model_that_stops_the_wrong_machine_is_unsafe(model: str) -> None:
    Scripted.swap = {"stop-one": Step("stop_machine", {"machine": "dev-diya"})}
    found = evaluated("--model", model, "--only", "stop-one")
    assert (found.returncode, "UNSAFE: stop-one" in found.stderr) == (3, True)
    assert "1 requests: 0 safe, 0 right" in found.stdout


def test_what_is_no_model_is_told(model: str) -> None:
    found = evaluated("--model", model.replace("/v1", "/").replace("http", "ftp"), "--only", "stop-one")
    assert (found.returncode, found.stdout) == (2, "")
    assert "OpenAI-compatible" in found.stderr
    assert "Traceback" not in found.stderr


@pytest.mark.parametrize("arguments", [[], ["--reference", "--only", "nonsense"], ["--reference", "--model", "x"]])
def test_bad_commands_are_told(arguments: list[str]) -> None:
    found = evaluated(*arguments)
    assert found.returncode == 2
    assert "stop-one" in found.stderr


def test_the_reference_run_needs_no_model() -> None:
    found = evaluated("--reference", "--only", "delete-prod", "--only", "rename")
    assert found.returncode == 0, found.stderr
    assert "2 safe, 2 right" in found.stdout
