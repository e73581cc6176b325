"""Several processes of the server on one state directory: replays in all of them at once, budgets, and sudden death."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import anyio
from mcp_types import ElicitResult
from tests.guard.bench import CALLS, MODERN, NEW, Call, Person, raw
from tests.proof.wire import ground as grounds
from tests.proof.wire.family import Family, Given, Tally
from tests.proof.wire.ground import Asked, Ground
from tests.proof.wire.lost import OnPort, twice
from tests.proof.wire.worker import WORK, Task, Work, policy

from paperspace_mcp.simulator import Fault

ROOT = Path(__file__).resolve().parents[3]
PER_QUESTION = 3
"""How often each process uses each answer."""
FULL = 1_000
"""From so many attempts on, a run is a full one: four processes, more deaths."""
LIMIT = 5
SLOW_S = 60.0
ALL_AT_ONCE = [call for call in CALLS if call.tool in {"delete_machine", "stop_machine", "add_machine_accessor"}]


class Process:
    """A worker, from its start to its end."""

    def __init__(self, work: Work) -> None:
        pipe = subprocess.PIPE
        command = [sys.executable, "-m", "tests.proof.wire.worker"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
        self._tell(WORK.dump_json(work))

    def _tell(self, line: bytes) -> None:
        assert self._process.stdin
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()

    def hears(self, word: str) -> None:
        assert self._process.stdout
        said = self._process.stdout.readline().decode().strip()
        assert said == word, f"a worker said {said!r} instead of {word!r}"

    def start(self) -> None:
        self._tell(b"go")

    def kill(self) -> None:
        """As the kernel does it when memory runs out."""
        self._process.kill()

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


@contextmanager
def working(works: Sequence[Work]) -> Iterator[list[Process]]:
    """Workers that are ready, and begin in the same moment."""
    workers = [Process(work) for work in works]
    try:
        for worker in workers:
            worker.hears("ready")
        for worker in workers:
            worker.start()
        yield workers
    finally:
        for worker in workers:
            worker.end()


def _together(works: Sequence[Work]) -> None:
    with working(works) as workers:
        for worker in workers:
            worker.hears("done")


async def attack(given: Given) -> Tally:
    """Replays, then a budget, then deaths; each attempt is one use of an answer, or one call."""
    tally = Tally()
    many = 4 if given.count >= FULL else 2
    async with _ground(given, "replays") as ground:
        await _replays(ground, tally, many, given.count // (many * PER_QUESTION) or 1)
    async with _ground(given, "budget", creates_per_day=LIMIT) as ground:
        await _budget(ground, tally, many, max(LIMIT, given.count // 20))
    deaths = _deaths()[: len(_deaths()) if given.count >= FULL else 1]
    for number, (call, moment) in enumerate(deaths):
        async with _ground(given, f"death-{number}") as ground:
            await _death(ground, tally, call, moment)
    return tally


def _ground(given: Given, place: str, creates_per_day: int | None = None) -> "Living":
    return Living(OnPort(given.folder / place, policy=policy(creates_per_day)))


class Living:
    """A ground in real time, whose provider listens, so that other processes can share both."""

    def __init__(self, ground: OnPort) -> None:
        self._ground = ground

    async def __aenter__(self) -> OnPort:
        self._ground.refit(now=time.time)
        return self._ground

    async def __aexit__(self, *_error: object) -> None:
        await self._ground.aclose()


def _named(number: int) -> Call:
    return Call("create_machine", {**NEW, "name": f"box-{number}"}, "create", ("POST /machines",))


async def _asked(ground: Ground, call: Call) -> Asked:
    async with ground.client(MODERN, Person(None)) as client:
        asked = await grounds.ask(client, call)
    assert asked
    return asked


def _work(ground: OnPort, tasks: list[Task], times: int = 1, creates_per_day: int | None = None) -> Work:
    return Work(str(ground.app.settings.state_dir), ground.port.url, tasks, times, creates_per_day)


async def _replays(ground: OnPort, tally: Tally, many: int, questions: int) -> None:
    calls = [_named(number) for number in range(questions)]
    tasks = [Task(call.tool, dict(call.arguments), call.typed, await _asked(ground, call)) for call in calls]
    await anyio.to_thread.run_sync(partial(_together, [_work(ground, tasks, PER_QUESTION)] * many))
    names = Counter(request.body["name"] for request in ground.sim.mutations())
    tally.attempt("replays in several processes", sum(names.values()) - len(names), questions * many * PER_QUESTION)
    tally.controls += len(names)


async def _budget(ground: OnPort, tally: Tally, many: int, each: int) -> None:
    works = [
        _work(ground, [Task(call.tool, dict(call.arguments), call.typed) for call in map(_named, numbers)], 1, LIMIT)
        for numbers in (range(worker * each, (worker + 1) * each) for worker in range(many))
    ]
    await anyio.to_thread.run_sync(partial(_together, works))
    tally.attempt("a budget over several processes", len(ground.sent) - LIMIT, many * each)
    tally.controls += len(ground.sent)


def _deaths() -> list[tuple[Call, str]]:
    """Where a process dies: as its mutation is at the provider, or between the spent mark and the mutation."""
    return [(call, moment) for moment in ("the mutation", "the re-read") for call in ALL_AT_ONCE]


async def _death(ground: OnPort, tally: Tally, call: Call, moment: str) -> None:
    """Killed while the provider is slow; then everybody tries again."""
    asked = await _asked(ground, call)
    where = call.operation if moment == "the mutation" else "get_machine"
    ground.sim.faults.add(Fault("slow", where, seconds=SLOW_S, apply=True))
    before = len(ground.sim.wire)
    task = Task(call.tool, dict(call.arguments), call.typed, asked)
    await anyio.to_thread.run_sync(partial(_killed_when, ground, _work(ground, [task]), where, before))
    for _ in range(3):
        async with ground.client(MODERN, Person(ElicitResult(action="decline"))) as client:
            await grounds.reply(client, call, asked, raw({"typed": call.typed}))
            await grounds.call(client, call.tool, call.arguments)
    tally.attempt(f"{call.tool}: killed at {moment}", twice(ground), 6)


def _killed_when(ground: OnPort, work: Work, operation: str, before: int) -> None:
    with working([work]) as (worker,):
        until = time.monotonic() + 30.0
        while not any(one.operation == operation for one in ground.sim.wire[before:]) and time.monotonic() < until:
            time.sleep(0.01)
        worker.kill()


PROCESSES = Family(
    "several processes",
    "One state directory shared by several operating-system processes: the same answers in all of them at once, a "
    "budget overrun together, a process killed between the spent mark and the effect, or during it.",
    attack,
    few=60,
    many=3_000,
)
