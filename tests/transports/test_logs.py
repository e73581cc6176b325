"""Logs: one ASCII JSON object a line on standard error, whoever logs; what a person is told stays plain."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
from tests.transports.conftest import COMMAND, KEY, Provider, environment, run, serving
from tests.transports.test_http import HEADERS, HELLO

from paperspace_mcp.simulator import Fault

HOSTILE = "машина\u202e\nWARNING root: forged\x1b[2J"
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
}
OURS = "paperspace-mcp: "


def told(stderr: bytes) -> list[dict[str, Any]]:
    """The log lines; each is whole, ASCII and one object. What begins as ours is told to a person."""
    lines = stderr.decode("ascii").splitlines()
    found = [json.loads(line) for line in lines if not line.startswith(OURS)]
    assert all({"time", "level", "logger", "message"} <= one.keys() for one in found)
    return found


def on_stdio(provider: Provider, state: Path, *requests: dict[str, Any], **env: str) -> bytes:
    """What `serve` says on standard error to these requests of the newer protocol."""
    command = [*COMMAND, "serve", "--api-url", provider.url, "--state-dir", str(state)]
    lines = [json.dumps({"jsonrpc": "2.0", "id": number, **one}) for number, one in enumerate(requests, 1)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(**env)
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(("\n".join(lines) + "\n").encode())
        process.stdin.flush()
        for _ in lines:
            assert process.stdout.readline()
        process.stdin.close()
        return process.stderr.read()


def calling(tool: str, **more: Any) -> dict[str, Any]:
    return {"method": "tools/call", "params": {"name": tool, "arguments": {}, "_meta": META, **more}}


def test_over_stdio_the_sdk_speaks_so_too(provider: Provider, tmp_path: Path) -> None:
    said = on_stdio(provider, tmp_path, calling("list_machines", requestState="v1.forged"))
    (found,) = told(said)
    assert (found["level"], found["logger"]) == ("WARNING", "mcp.server.request_state")


def test_the_level_is_what_the_variable_says(provider: Provider, tmp_path: Path) -> None:
    assert told(on_stdio(provider, tmp_path, calling("list_machines"))) == []
    talkative = told(on_stdio(provider, tmp_path, calling("list_machines"), PAPERSPACE_MCP_LOG_LEVEL="info"))
    assert {(one["level"], one["logger"]) for one in talkative} == {("INFO", "httpx")}
    ended = run("serve", "--state-dir", str(tmp_path), PAPERSPACE_MCP_LOG_LEVEL="LOUD")
    assert (ended.returncode, "PAPERSPACE_MCP_LOG_LEVEL" in ended.stderr) == (2, True)


def test_over_http_the_libraries_speak_so_too(provider: Provider, tmp_path: Path) -> None:
    with serving(provider, tmp_path, PAPERSPACE_MCP_LOG_LEVEL="DEBUG") as server:
        web = {**HEADERS, "Host": "\u043c\u0430\u0448\u0438\u043d\u0430".encode()}
        assert httpx.post(server.url, json=HELLO, headers=web).status_code == 421  # type: ignore[arg-type]
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(b"\xd0\xbc nonsense\r\n\r\n")
            assert b"400" in connection.recv(1000)
        server.process.terminate()
        found = told(server.process.stderr.read().encode("utf-8"))
    loggers = {one["logger"].partition(".")[0] for one in found}
    assert {"mcp", "uvicorn"} <= loggers
    assert any(one["level"] == "WARNING" and "Host" in one["message"] for one in found)


SCRIPT = """
import logging, sys, threading, warnings
from paperspace_mcp.cli.logs import to_stderr
to_stderr("INFO")
log = logging.getLogger("one")
try:
    raise ValueError(sys.argv[1])
except ValueError:
    log.exception("it failed: %s", sys.argv[1])
log.warning("these do not %s %s fit", 1)
log.debug("unheard")
warnings.warn(sys.argv[1])
logging.getLogger("paperspace_mcp.own").debug("unheard")


class Odd:
    def __del__(self):
        raise RuntimeError(sys.argv[1])


Odd()
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
raise KeyError(sys.argv[1])
"""


def test_errors_warnings_and_the_end_are_lines_as_well() -> None:
    ended = subprocess.run([sys.executable, "-c", SCRIPT, HOSTILE], capture_output=True, check=False)
    assert ended.returncode == 1
    failed, unfit, warned, ignored, thread, last = told(ended.stderr)
    assert (failed["message"], failed["error"]) == (f"it failed: {HOSTILE}", "ValueError")
    assert failed["traceback"].startswith("Traceback (most recent call last):\n")
    assert failed["traceback"].endswith(f"ValueError: {HOSTILE}")
    assert unfit["message"] == "these do not %s %s fit"
    assert (warned["logger"], HOSTILE in warned["message"]) == ("py.warnings", True)
    assert (ignored["error"], thread["error"]) == ("RuntimeError", "ZeroDivisionError")
    assert (last["level"], last["error"]) == ("CRITICAL", "KeyError")


def test_at_its_most_talkative_a_server_says_no_secret(provider: Provider, tmp_path: Path) -> None:
    tokens, typed = tmp_path / "tokens", "typed-secret-of-anna"
    token = run("token", "anna", "--file", str(tokens)).stdout.split()[-1]
    assert len(token) > 20
    cheap = {"PAPERSPACE_MCP_POLICY": "", "XDG_CONFIG_HOME": str(tmp_path), "PAPERSPACE_MCP_LOG_LEVEL": "DEBUG"}
    with serving(provider, tmp_path, "--tokens", str(tokens), **cheap) as server:
        web = {**HEADERS, "Authorization": f"Bearer {token}", "MCP-Protocol-Version": "2026-07-28"}
        named = {"Mcp-Method": "tools/call", "Mcp-Name": "list_machines"}
        body = {"jsonrpc": "2.0", "id": 1, **calling("list_machines")}
        assert "dev-anna" in httpx.post(server.url, json=body, headers={**web, **named}).text
        echo = {"X-Echo": f"Bearer {KEY}"}
        provider.sim.faults.add(Fault("status", "start_machine", status=503, headers=echo))
        start = {**named, "Mcp-Name": "start_machine"}
        body = {"jsonrpc": "2.0", "id": 2, **calling("start_machine", arguments={"machine": "dev-ben"})}
        assert "503" in httpx.post(server.url, json=body, headers={**web, **start}).text
        site = server.url.removesuffix("/mcp")
        login = httpx.post(f"{site}/approvals/login", data={"user": "anna", "secret": typed}, headers={"Origin": site})
        assert login.status_code == 401
        server.process.terminate()
        said = server.process.stderr.read()
    assert told(said.encode())
    assert [secret for secret in (KEY, token, typed) if secret in said] == []
