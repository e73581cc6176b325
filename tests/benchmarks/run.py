"""A run: rounds in which the two sides take turns, medians over the rounds, ratios of the medians."""

import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.benchmarks import measures, servers
from tests.benchmarks.speech import ERAS, LEGACY

SLOW_S = 0.05
_NAMES = {LEGACY: "handshake"}


@dataclass(slots=True)
class Row:
    """One measure of both sides, a value a round. target: what the ratio of ours to the floor should keep to."""

    name: str
    unit: str
    target: str = ""
    values: dict[str, list[float]] = field(default_factory=lambda: {side: [] for side in servers.SIDES})

    def median(self, side: str) -> float:
        return statistics.median(self.values[side])

    @property
    def ratio(self) -> float:
        """The median of the rounds' own ratios: what slows the machine for a while slows both sides of a round."""
        pairs = zip(self.values[servers.OURS], self.values[servers.FLOOR], strict=True)
        return statistics.median(ours / floor for ours, floor in pairs)


@dataclass(slots=True)
class Table:
    """The rows in the order in which they were first measured."""

    rows: dict[str, Row] = field(default_factory=dict)
    ceilings: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, unit: str, target: str, side: str, value: float) -> None:
        self.rows.setdefault(name, Row(name, unit, target)).values[side].append(value)

    def text(self) -> str:
        lines = ["| measure | floor | ours | ours / floor | target |", "| --- | --- | --- | --- | --- |"]
        for row in self.rows.values():
            values = " | ".join(f"{row.median(side):.4g} {row.unit}" for side in servers.SIDES)
            lines.append(f"| {row.name} | {values} | {row.ratio:.2f} | {row.target} |")
        ceilings = "; ".join(f"{name}: {value:.0f} calls/s" for name, value in self.ceilings.items())
        return "\n".join([*lines, "", f"Upstream and load generator alone: {ceilings}."])


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: rounds; starts, single calls and calls at once in each."""

    rounds: int
    starts: int
    singles: int
    many: int


def run(size: Size, tell: Callable[[str], None]) -> Table:
    """Measure everything. The sides take turns, and who begins does too."""
    table = Table()
    with ExitStack() as stack:
        upstream = stack.enter_context(servers.simulated())
        state = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        env = servers.environment(upstream, state)
        ports = {side: stack.enter_context(servers.listening(side, env)) for side in servers.SIDES}
        for number in range(size.rounds):
            tell(f"round {number + 1} of {size.rounds}")
            for era in ERAS:
                _round(table, size, era, env, ports, _turns(number), upstream)
        _memory(table, ports)
    return table


def _turns(number: int) -> tuple[str, ...]:
    return servers.SIDES if number % 2 == 0 else servers.SIDES[::-1]


def _round(
    table: Table,
    size: Size,
    era: str,
    env: dict[str, str],
    ports: dict[str, tuple[int, int]],
    turns: tuple[str, ...],
    upstream: servers.Upstream,
) -> None:
    name = _NAMES.get(era, era)
    for _ in range(size.starts):
        for side in turns:
            table.add(f"start to tools/list, {name}", "ms", "<= 1.15", side, measures.start_ms(side, env, era))
    for side in turns:
        _single(table, f"stdio, {name}", side, measures.stdio_ms(side, env, era, size.singles))
    for side in turns:
        _single(table, f"HTTP, {name}", side, measures.http_ms(ports[side][0], era, size.singles))
    at_once = partial(_at_once, table, size, era, ports, turns, upstream)
    at_once(32, 0.0, ">= 2")
    at_once(64, SLOW_S, ">= 4")


def _single(table: Table, how: str, side: str, times: list[float]) -> None:
    table.add(f"get_machine p50, {how}", "ms", "<= 1.0", side, statistics.median(times))
    table.add(f"get_machine p95, {how}", "ms", "", side, measures.p95(times))


def _at_once(
    table: Table,
    size: Size,
    era: str,
    ports: dict[str, tuple[int, int]],
    turns: tuple[str, ...],
    upstream: servers.Upstream,
    together: int,
    slow_s: float,
    target: str,
) -> None:
    what = f"{together} at once" + (f", upstream {slow_s * 1000:.0f} ms" if slow_s else "")
    upstream.slow(slow_s)
    for side in turns:
        value = measures.per_second(ports[side][0], era, size.many, together)
        table.add(f"{what}, {_NAMES.get(era, era)}", "calls/s", target, side, value)
    table.ceilings[what] = measures.upstream_per_second(upstream, size.many, together)
    upstream.slow(0)


def _memory(table: Table, ports: dict[str, tuple[int, int]]) -> None:
    for side, (_, pid) in ports.items():
        held = servers.resident_mb(pid)
        if held is not None:
            table.add("memory after the run, HTTP", "MB", "", side, held)
