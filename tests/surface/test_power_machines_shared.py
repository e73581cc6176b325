"""Power for many machines under limits, broken off and at the same time: each is told once, whoever goes on."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint
from tests.guard.bench import Bench, Person, error_of, types
from tests.surface.many import ANNA, CARLOS, DEVS, DIYA, STOP, call, crowd, results, together, told

from paperspace_mcp.conduct import batch, load_outcomes
from paperspace_mcp.simulator import Fault
from paperspace_mcp.wire.sqlite import SqliteStore

pytestmark = pytest.mark.anyio
Make = Callable[..., Bench]


# -- the provider's limits --------------------------------------------------------------------------------------------


async def test_a_pause_that_the_provider_wants_is_kept_by_all(benches: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "AT_ONCE", 1)
    bench = benches()
    bench.sim.faults.add(Fault("status", "stop", status=429, retry_after=1, machine=ANNA))
    moments: list[float] = []

    def note(request: Any) -> bool:
        if request.method == "PATCH":
            moments.append(anyio.current_time())
        return False

    bench.gate.holds = note
    answer = await call(bench, "legacy", Person(types("stop 3")), STOP)
    assert told(bench) == dict.fromkeys(DEVS, 1), "a request that was limited is not sent again by itself"
    assert (results(answer)[ANNA], answer["counts"]["done"]) == ("failed", 2)
    assert moments[1] - moments[0] >= 1.0


async def test_a_long_pause_leaves_the_rest_for_the_next_call(
    benches: Make, monkeypatch: pytest.MonkeyPatch, era: str
) -> None:
    monkeypatch.setattr(batch, "AT_ONCE", 1)
    bench, person = benches(), Person(types("stop 3"))
    bench.sim.faults.add(Fault("status", "stop", status=429, retry_after=600, machine=ANNA))
    answer = await call(bench, era, person, STOP)
    assert error_of(answer) == "rate_limited"
    assert {one: results(answer)[one] for one in DEVS} == {ANNA: "failed", CARLOS: "not_begun", DIYA: "not_begun"}
    assert told(bench) == {ANNA: 1}
    again = await call(bench, era, person, STOP)
    assert {one: results(again)[one] for one in DEVS} == {ANNA: "failed", CARLOS: "done", DIYA: "done"}
    assert told(bench) == dict.fromkeys(DEVS, 1)
    assert len(person.questions) == 1, "the rest was approved already"


async def test_eight_at_once_and_no_more(benches: Make) -> None:
    bench = benches()
    crowd(bench.sim, 12)
    under_way = most = 0
    full = anyio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        nonlocal under_way, most
        """Each waits for eight of them to be there, and then for a ninth to come or not."""
        if scope["method"] != "PATCH":
            return await inner(scope, receive, send)
        under_way += 1
        most = max(most, under_way)
        if under_way == 8:
            full.set()
        with anyio.move_on_after(5):
            await full.wait()
        for _ in range(20):
            await checkpoint()
        await inner(scope, receive, send)
        under_way -= 1
        return None

    inner = bench.gate._inner.app
    bench.gate._inner.app = slow
    answer = await call(bench, "legacy", Person(types("stop 12")), {"action": "stop", "name_globs": ["crowd-*"]})
    assert answer["counts"] == {"done": 12}
    assert most == 8


# -- broken off, and at the same time ---------------------------------------------------------------------------------


async def hung_up(
    bench: Bench, era: str, person: Person, arguments: dict[str, Any], held: Callable[[Any], bool]
) -> None:
    """A client that hangs up as soon as the gate holds a request."""
    bench.gate.holds = held
    async with bench.client(era, person) as client, anyio.create_task_group() as tasks:
        scope = anyio.CancelScope()

        async def hang_up() -> None:
            await bench.gate.reached.wait()
            scope.cancel()
            for _ in range(50):
                await checkpoint()
            bench.gate.opened.set()

        tasks.start_soon(hang_up)
        with scope:
            await client.call_tool("power_machines", arguments)
        await written(bench, person.codes[0])


async def written(bench: Bench, code: str) -> None:
    """Until nothing is between its intent and its outcome any more."""
    with anyio.move_on_after(2.0):
        while bench.app.conduct.under_way or _intents(await bench.record(code)):
            await checkpoint()


def _intents(record: Any) -> int:
    outcomes = load_outcomes(record.outcome)
    return not outcomes or any(one.status == "intent" for one in outcomes)


@pytest.mark.parametrize("after", [False, True])
async def test_a_call_that_was_broken_off_halfway_goes_on_with_the_rest(
    benches: Make, monkeypatch: pytest.MonkeyPatch, era: str, after: bool
) -> None:
    monkeypatch.setattr(batch, "AT_ONCE", 2)
    bench, person = benches(), Person(types("stop 6"))
    ids = crowd(bench.sim, 6)
    arguments = {"action": "stop", "name_globs": ["crowd-*"]}
    bench.gate.after = after
    await hung_up(bench, era, person, arguments, lambda request: request.url.path.endswith(f"{ids[2]}/stop"))
    first = told(bench)
    assert first == dict.fromkeys(first, 1)
    assert ids[2] in first, "what had left was written down"
    assert len(first) < 6
    other = benches(sim=bench.sim)  # a restart
    answer = await call(other, era, person, arguments)
    assert (answer["status"], answer["counts"]) == ("done", {"done": 6})
    assert told(bench) == dict.fromkeys(ids, 1)
    assert len(person.questions) == 1


class Dying:
    """A store of a process that dies: what it wrote until then stays, and nothing more is written."""

    def __init__(self, inner: SqliteStore, notes: int) -> None:
        self._inner, self._left = inner, notes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def note(self, *given: Any, **named: Any) -> bool:
        self._left -= 1
        if self._left < 0:
            raise OSError("dead")
        return self._inner.note(*given, **named)


@pytest.mark.parametrize("notes", range(8))
async def test_after_a_crash_at_any_moment_each_is_told_once(
    benches: Make, monkeypatch: pytest.MonkeyPatch, notes: int
) -> None:
    monkeypatch.setattr(batch, "OTHERS_S", 0.2)
    bench, person = benches(), Person(types("stop 3"))
    bench.refit(store=Dying(bench.app.store, notes))
    await call(bench, "legacy", person, STOP)
    other = benches(sim=bench.sim)
    for _ in range(2):
        answer = await call(other, "legacy", person, STOP)
    assert told(bench) == dict.fromkeys(DEVS, 1)
    assert {results(answer)[one] for one in DEVS} == {"done"}
    assert len(person.questions) == 1


async def test_what_died_before_it_was_sent_is_unknown_not_done_again(
    benches: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its intent is written, and nothing tells whether it left: nobody sends it for that approval any more."""
    monkeypatch.setattr(batch, "OTHERS_S", 0.05)
    monkeypatch.setattr(batch, "AT_ONCE", 1)
    bench, person = benches(), Person(types("stop 3"))
    bench.sim.faults.add(Fault("status", "stop", machine=ANNA, status=502))
    bench.refit(store=Dying(bench.app.store, 1))
    await call(bench, "legacy", person, STOP)
    assert told(bench) == {ANNA: 1}
    other = benches(sim=bench.sim)
    for _ in range(2):
        answer = await call(other, "legacy", person, STOP)
        assert {one: results(answer)[one] for one in DEVS} == {ANNA: "unknown", CARLOS: "done", DIYA: "done"}
    assert told(bench) == dict.fromkeys(DEVS, 1)
    assert len(person.questions) == 1


@pytest.mark.parametrize("servers", [1, 2])
async def test_the_same_call_many_times_at_once_is_done_once(benches: Make, era: str, servers: int) -> None:
    made = [benches()]
    made += [benches(sim=made[0].sim) for _ in range(servers - 1)]
    for one in made:
        one.refit(now=made[0].clock)
    ids = crowd(made[0].sim, 10)
    arguments = {"action": "stop", "name_globs": ["crowd-*"]}
    answers = await together(*(call(made[n % servers], era, Person(types("stop 10")), arguments) for n in range(6)))
    assert told(made[0]) == dict.fromkeys(ids, 1)
    assert [answer.get("counts", answer) for answer in answers] == [{"done": 10}] * len(answers)


async def test_overlapping_calls_at_once_tell_each_machine_once(bench: Bench, era: str) -> None:
    crowd(bench.sim, 6)
    parts = [["crowd-000", "crowd-001", "crowd-002", "crowd-003"], ["crowd-002", "crowd-003", "crowd-004", "crowd-005"]]
    asked = [call(bench, era, Person(types("restart 4")), {"action": "restart", "machines": part}) for part in parts]
    await together(*asked)
    applied = Counter(request.path for request in bench.sim.mutations() if request.status == 200)
    assert set(applied.values()) == {1}
    assert len(applied) == 6


async def test_two_calls_share_what_was_broken_off(benches: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "AT_ONCE", 1)
    bench, person = benches(), Person(types("stop 12"))
    ids = crowd(bench.sim, 12)
    arguments = {"action": "stop", "name_globs": ["crowd-*"]}
    await hung_up(bench, "legacy", person, arguments, lambda request: request.url.path.endswith(f"{ids[0]}/stop"))
    assert told(bench) == {ids[0]: 1}
    bench.gate.holds = lambda _request: False
    other = benches(sim=bench.sim)
    answers = await together(*(call((bench, other)[n % 2], "legacy", None, arguments) for n in range(4)))
    assert told(bench) == dict.fromkeys(ids, 1)
    assert all(answer["counts"] == {"done": 12} for answer in answers)
