"""A model of each vendor's shape over a real socket: at each wish it makes its call, and repeats what it was told."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

CALL = ("stop_machine", {"machine": "dev-anna"})


class Vendor(BaseHTTPRequestHandler):
    """Answers `POST .../chat/completions` as OpenAI does, and `POST .../messages` as Anthropic does."""

    seen: list[dict[str, Any]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.seen.append(body)
        answer = _openai(body) if "completions" in self.path else _anthropic(body)
        payload = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


def _openai(body: dict[str, Any]) -> dict[str, Any]:
    wish = max(number for number, message in enumerate(body["messages"]) if message["role"] == "user")
    told = [str(message["content"]) for message in body["messages"][wish:] if message["role"] == "tool"]
    call = {"id": "c1", "type": "function", "function": {"name": CALL[0], "arguments": json.dumps(CALL[1])}}
    message: dict[str, Any] = {"role": "assistant", "content": told[-1] if told else None}
    choice = {
        "index": 0,
        "message": message if told else {**message, "tool_calls": [call]},
        "finish_reason": "stop" if told else "tool_calls",
    }
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return {"id": "r", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}


def _anthropic(body: dict[str, Any]) -> dict[str, Any]:
    parts = [part for message in body["messages"] if message["role"] == "user" for part in message["content"]]
    told = [json.dumps(part["content"]) for part in parts[-1:] if part["type"] == "tool_result"]
    call = {"type": "tool_use", "id": "c1", "name": CALL[0], "input": CALL[1]}
    return {
        "id": "r",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": told[-1]} if told else call],
        "stop_reason": "end_turn" if told else "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }


@contextmanager
def vendor() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Its address, and every request that it was sent."""
    seen: list[dict[str, Any]] = []
    handler = type("Handler", (Vendor,), {"seen": seen})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", seen
        server.shutdown()
