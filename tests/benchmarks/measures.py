"""What is measured. Every function measures one side once; who calls it takes turns between the sides."""

import asyncio
import json
import statistics
import subprocess
import time
from collections.abc import Callable

from tests.benchmarks import posting, servers
from tests.benchmarks.posting import Connection
from tests.benchmarks.speech import LEGACY, Message, call, check, hello, tools

_WARM = 10


class Lines:
    """A client on a server's pipes: a line out, the line with its number back."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._out, self._back = process.stdin, process.stdout
        self._left = b""

    def send(self, message: Message) -> None:
        self._out.write(message.body + b"\n")

    def ask(self, message: Message) -> bytes:
        self.send(message)
        number = json.loads(message.body)["id"]
        while json.loads(line := self._line()).get("id") != number:
            pass
        return line

    def greet(self, era: str) -> None:
        if era == LEGACY:
            greeting, ready = hello()
            self.ask(greeting)
            self.send(ready)

    def _line(self) -> bytes:
        while b"\n" not in self._left:
            part = self._back.read(1 << 16)
            if not part:
                raise EOFError("the server hung up")
            self._left += part
        line, _, self._left = self._left.partition(b"\n")
        return line


def start_ms(side: str, env: dict[str, str], era: str) -> float:
    """From the spawn to the first list of tools."""
    began = time.perf_counter()
    with servers.started(servers.stdio(side), env) as process:
        lines = Lines(process)
        lines.greet(era)
        assert b"get_machine" in lines.ask(tools(era))
        return (time.perf_counter() - began) * 1000


def timed(times: int, step: Callable[[], bytes]) -> list[float]:
    """Milliseconds of each of so many steps, after some that do not count."""
    for _ in range(_WARM):
        check(step())
    found = []
    for _ in range(times):
        began = time.perf_counter()
        answer = step()
        found.append((time.perf_counter() - began) * 1000)
        check(answer)
    return found


def stdio_ms(side: str, env: dict[str, str], era: str, calls: int) -> list[float]:
    """One call after another over stdio."""
    with servers.started(servers.stdio(side), env) as process:
        lines = Lines(process)
        lines.greet(era)
        message = call(era)
        return timed(calls, lambda: lines.ask(message))


def http_ms(port: int, era: str, calls: int) -> list[float]:
    """One call after another over one HTTP connection."""
    with asyncio.Runner() as runner:
        request = runner.run(posting.calling(port, era))
        connection = runner.run(Connection.to(port))
        found = timed(calls, lambda: runner.run(connection.post(request))[1])
        runner.run(connection.close())
    return found


def per_second(port: int, era: str, calls: int, together: int) -> float:
    """Calls a second with so many under way."""
    return asyncio.run(_per_second(port, era, calls, together))


async def _per_second(port: int, era: str, calls: int, together: int) -> float:
    requests = [await posting.calling(port, era) for _ in range(together)]
    await posting.all_at_once(port, requests, min(calls, together * 2), check)
    began = time.perf_counter()
    await posting.all_at_once(port, requests, calls, check)
    return calls / (time.perf_counter() - began)


def upstream_per_second(upstream: servers.Upstream, calls: int, together: int) -> float:
    """What the upstream and this load generator carry without a server between: the ceiling of both sides."""
    port = int(upstream.root.rpartition(":")[2])
    get = f"GET /v1/machines/psoxnh2i7 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {servers.KEY}\r\n\r\n".encode()

    async def run() -> float:
        began = time.perf_counter()
        await posting.all_at_once(port, [get] * together, calls, check_machine)
        return calls / (time.perf_counter() - began)

    return asyncio.run(run())


def check_machine(answer: bytes) -> None:
    if b"psoxnh2i7" not in answer:
        raise ValueError(answer[:300])


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1] if len(values) > 1 else values[0]
