"""A run: rounds in which the two sides take turns, medians over the rounds, ratios of the medians."""

import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks import measures, servers
from tests.benchmarks.speech import ERAS, LEGACY, MODERN

SLOW_S = 0.05
_NAMES = {MODERN: MODERN, LEGACY: "handshake"}


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
    with ExitStack() as stack:
        upstream = stack.enter_context(servers.simulated())
        state = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        env = servers.environment(upstream, state)
        listening = {side: stack.enter_context(servers.listening(side, env)) for side in servers.SIDES}
        bench = Bench(size, upstream, env, listening)
        for number in range(size.rounds):
            tell(f"round {number + 1} of {size.rounds}")
            bench.turns = servers.SIDES if number % 2 == 0 else servers.SIDES[::-1]
            for era in ERAS:
                bench.round(era)
        bench.memory()
    return bench.table


@dataclass(slots=True)
class Bench:
    """The upstream and both servers over HTTP (port and process id), and what was measured."""

    size: Size
    upstream: servers.Upstream
    env: dict[str, str]
    listening: dict[str, tuple[int, int]]
    turns: tuple[str, ...] = servers.SIDES
    table: Table = field(default_factory=Table)

    def round(self, era: str) -> None:
        """Each measure once on both sides, one right after the other."""
        self._starts(era)
        for side in self.turns:
            self._single("stdio", era, side, measures.stdio_ms(side, self.env, era, self.size.singles))
        for side in self.turns:
            self._single("HTTP", era, side, measures.http_ms(self.listening[side][0], era, self.size.singles))
        self._at_once(era, 32, 0.0, ">= 2")
        self._at_once(era, 64, SLOW_S, ">= 4")

    def _starts(self, era: str) -> None:
        for _ in range(self.size.starts):
            for side in self.turns:
                value = measures.start_ms(side, self.env, era)
                self.table.add(f"start to tools/list, {_NAMES[era]}", "ms", "<= 1.15", side, value)

    def _single(self, how: str, era: str, side: str, times: list[float]) -> None:
        self.table.add(f"get_machine p50, {how}, {_NAMES[era]}", "ms", "<= 1.0", side, statistics.median(times))
        self.table.add(f"get_machine p95, {how}, {_NAMES[era]}", "ms", "", side, measures.p95(times))

    def _at_once(self, era: str, together: int, slow_s: float, target: str) -> None:
        what = f"{together} at once" + (f", upstream {slow_s * 1000:.0f} ms" if slow_s else "")
        self.upstream.slow(slow_s)
        for side in self.turns:
            value = measures.per_second(self.listening[side][0], era, self.size.many, together)
            self.table.add(f"{what}, {_NAMES[era]}", "calls/s", target, side, value)
        self.table.ceilings[what] = measures.upstream_per_second(self.upstream, self.size.many, together)
        self.upstream.slow(0)

    def memory(self) -> None:
        """What both servers hold at the end, after the same calls."""
        for side, (_, pid) in self.listening.items():
            held = servers.resident_mb(pid)
            if held is not None:
                self.table.add("memory after the run, HTTP", "MB", "", side, held)
