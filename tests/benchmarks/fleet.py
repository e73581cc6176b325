"""`python -m tests.benchmarks fleet`: one question over a large fleet, beside a plain paging loop, in one run."""

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from tests.benchmarks import servers
from tests.benchmarks.measures import Lines
from tests.benchmarks.speech import MODERN, message

from paperspace_mcp.weights import scale

MACHINES, SLOW_S, PAGE = 10_000, 0.05, 120
OURS, LOOP = "fleet_summary", "a plain paging loop"


@dataclass(frozen=True, slots=True)
class Walked:
    """What an answer took: tool calls, upstream calls, seconds, and tokens that a model reads (o200k)."""

    calls: int
    upstream: int
    seconds: float
    tokens: int

    @property
    def row(self) -> str:
        return f"{self.calls} | {self.upstream} | {self.seconds:.2f} | {self.tokens:,}"


def table(machines: int = MACHINES, slow_s: float = SLOW_S) -> str:
    """How many machines are on, by region: both ways over the same account, each answer taking `slow_s` upstream."""
    with servers.simulated(str(machines)) as upstream:
        upstream.slow(slow_s)
        with _counted(upstream) as count:
            rows = {LOOP: _loop(upstream, count), OURS: _ours(upstream, count)}
    head = f"| {machines:,} machines, {slow_s * 1000:.0f} ms upstream | tool calls | upstream calls | s | tokens |"
    return "\n".join(
        [head, "| --- | --- | --- | --- | --- |", *(f"| {name} | {one.row} |" for name, one in rows.items())]
    )


@contextmanager
def _counted(upstream: servers.Upstream) -> Iterator[Callable[[], int]]:
    """Counts the requests that reached the account."""
    with httpx.Client(base_url=upstream.root) as client:
        yield lambda: len(client.get("/_control/wire").json())


def _loop(upstream: servers.Upstream, count: Callable[[], int]) -> Walked:
    """A call a page, as a model makes them: each page goes through it."""
    before, began, tokens, pages, after = count(), time.perf_counter(), 0, 0, ""
    weigh = scale().tokens
    with httpx.Client(base_url=upstream.url, headers={"Authorization": f"Bearer {servers.KEY}"}) as client:
        spent = 0.0
        while True:
            page = client.get("/machines", params={"limit": PAGE, **({"after": after} if after else {})}).json()
            pages, weighing = pages + 1, time.perf_counter()
            tokens += weigh(json.dumps(page, separators=(",", ":")))
            spent += time.perf_counter() - weighing
            if not page["hasMore"]:
                break
            after = page["nextPage"]
    return Walked(pages, count() - before, time.perf_counter() - began - spent, tokens)


def _ours(upstream: servers.Upstream, count: Callable[[], int]) -> Walked:
    with tempfile.TemporaryDirectory() as state:
        env = servers.environment(upstream, Path(state))
        with servers.started(servers.stdio(servers.OURS), env) as process:
            lines = Lines(process)
            lines.ask(message(MODERN, 1, "tools/list"))
            before, began = count(), time.perf_counter()
            answer = json.loads(lines.ask(message(MODERN, 2, "tools/call", {"name": OURS, "arguments": {}})))
            seconds = time.perf_counter() - began
    return Walked(1, count() - before, seconds, scale().tokens(_text(answer["result"])))


def _text(result: dict[str, Any]) -> str:
    if result.get("isError"):
        raise ValueError(result)
    return "\n".join(part["text"] for part in result["content"])
