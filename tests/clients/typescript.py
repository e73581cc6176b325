"""A client of the TypeScript SDK in a process of its own (`typescript.mjs`), operated line by line."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Literal

from tests.clients.ground import CALL_S, Ground, Server
from tests.clients.lines import Lines

Generation = Literal["1", "2"]
_SCRIPT = "typescript.mjs"


class Thrown(Exception):
    """What the SDK threw. A tool's own error is no throw: it must arrive as an answer."""


class Typescript:
    """One connected client. Requests run side by side: `send` begins one, `outcome` waits for it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process, self._lines = process, Lines(process.stdout)
        self._numbers = count(1)
        self._arrived: dict[int, Mapping[str, Any]] = {}
        self.told: list[dict[str, Any]] = []
        """All progress so far."""

    def send(self, does: str, **asked: Any) -> int:
        number = next(self._numbers)
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"number": number, "does": does, **asked}) + "\n")
        self._process.stdin.flush()
        return number

    def outcome(self, number: int) -> dict[str, Any]:
        """What a request gave.

        Raises:
            Thrown: what the SDK threw instead.
        """
        while number not in self._arrived:
            self._receive()
        found = self._arrived.pop(number)
        if "throws" in found:
            raise Thrown(found["throws"])
        gives: dict[str, Any] = found["gives"]
        return gives

    def progress(self) -> None:
        """Wait until some is told."""
        self.told.clear()
        while not self.told:
            self._receive()

    def _receive(self) -> None:
        line = self._lines.next(CALL_S)
        assert line, "the client ended"
        found = json.loads(line)
        if "told" in found:
            self.told.append(found["told"])
        else:
            self._arrived[found["number"]] = found

    def ask(self, does: str, **asked: Any) -> dict[str, Any]:
        return self.outcome(self.send(does, **asked))

    def call(self, tool: str, types: str | None = None, **arguments: Any) -> dict[str, Any]:
        """A tool's answer, both halves of it; `types` is what the person types where one is asked."""
        asked = {} if types is None else {"types": types}
        found = self.ask("call", name=tool, arguments=arguments, **asked)
        assert found["content"][0]["text"].startswith(found["structuredContent"]["summary"])
        return found

    def error(self, tool: str, types: str | None = None, **arguments: Any) -> str:
        """The code of the error that a call must answer."""
        found = self.call(tool, types, **arguments)
        assert found["isError"], found["structuredContent"]["summary"]
        return str(found["structuredContent"]["error"]["code"])


@contextmanager
def connected(
    ground: Ground, server: Server, generation: Generation, era: str, *, asks: bool = True
) -> Iterator[tuple[Typescript, dict[str, Any]]]:
    """A client, and what it knows of the server once connected."""
    target = {"url": server.url} if server.url else _stdio(server)
    command = [str(ground.packages.node), str(_beside_modules(ground))]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, env=ground.environment
    ) as process:
        try:
            client = Typescript(process)
            yield client, client.ask("connect", sdk=generation, era=era, asks=asks, **target)
        finally:
            _end(process)


def _stdio(server: Server) -> dict[str, Any]:
    return {"command": server.command[0], "args": server.command[1:], "env": server.environment}


def _beside_modules(ground: Ground) -> Path:
    """Where Node finds the packages from; they are in the cache and the script is in the repository."""
    modules = ground.scratch / "node_modules"
    if not modules.exists():
        modules.symlink_to(ground.packages.modules, target_is_directory=True)
    return Path(shutil.copy(Path(__file__).with_name(_SCRIPT), ground.scratch))


def _end(process: subprocess.Popen[str]) -> None:
    """It ends with its input, and its server with it."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
