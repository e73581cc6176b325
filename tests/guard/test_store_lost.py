"""A store that is lost in the middle of a call: nothing leaves unspent, and nothing leaves twice."""

from pathlib import Path
from typing import Any

import pytest
from tests.guard.bench import CALLS, CREATE, STOP, Bench, Person, error_of, title, types

from paperspace_mcp.conduct import Outcome, load_outcomes
from paperspace_mcp.conduct.outcomes import dump_outcomes
from paperspace_mcp.conduct.series import BROKEN_OFF_S
from paperspace_mcp.rules.guard.records import REPEAT_S, Status
from paperspace_mcp.surface import consent
from paperspace_mcp.wire.sqlite import SqliteStore

pytestmark = pytest.mark.anyio
LATER = 1e12


class Failing:
    """A store that is lost at one of its uses: the disk is full, the volume is gone."""

    def __init__(self, inner: SqliteStore, at: str, after: int = 0) -> None:
        self._inner, self._at, self._left = inner, at, after

    def __getattr__(self, name: str) -> Any:
        if name == self._at and self._left <= 0:
            return self._lost
        self._left -= name == self._at
        return getattr(self._inner, name)

    def _lost(self, *_given: Any, **_named: Any) -> Any:
        raise OSError("disk full")


@pytest.mark.parametrize("call", CALLS, ids=title)
@pytest.mark.parametrize("at", ["find", "issue", "spend", "note"])
async def test_a_store_lost_before_the_effect_is_a_no(bench: Bench, era: str, call: Any, at: str) -> None:
    bench.refit(store=Failing(bench.app.store, at))
    answer = await bench.call(era, Person(types(call.typed)), call.tool, call.arguments)
    assert error_of(answer) == "store_unusable"
    assert bench.sent == []


async def created_unwritten(bench: Bench, era: str) -> Person:
    """A machine was created, and its outcome could not be written down; whoever was asked about it."""
    whole, person = bench.app.store, Person(types("create"))
    bench.refit(store=Failing(whole, "note", after=1))
    await bench.call(era, person, CREATE.tool, CREATE.arguments)
    bench.refit(store=whole)
    return person


async def test_an_outcome_that_cannot_be_written_is_never_sent_again(
    bench: Bench, era: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consent, "OVERTAKEN_S", 0.1)
    person = await created_unwritten(bench, era)
    answer = await bench.call(era, person, CREATE.tool, CREATE.arguments)
    assert error_of(answer) == "unfinished"
    assert answer["error"]["changed"] == "unknown"
    assert bench.sent == ["POST /machines"]
    record = await bench.record(person.codes[0])
    assert [one.status for one in load_outcomes(record.outcome)] == ["intent"]


async def test_an_outcome_that_cannot_be_written_is_not_told_as_nothing(bench: Bench, era: str) -> None:
    bench.refit(store=Failing(bench.app.store, "note", after=1))
    answer = await bench.call(era, Person(types("create")), CREATE.tool, CREATE.arguments)
    assert bench.sent == ["POST /machines"]
    assert answer["changed"] is True, "it was done, and that is told, also where it cannot be written down"


async def test_what_was_sent_before_a_process_died_is_found_a_minute_later(
    bench: Bench, era: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consent, "OVERTAKEN_S", 0.1)
    person = await created_unwritten(bench, era)
    bench.clock.at += BROKEN_OFF_S - 1
    assert error_of(await bench.call(era, person, CREATE.tool, CREATE.arguments)) == "unfinished"
    bench.clock.at += 1
    answer = await bench.call(era, person, CREATE.tool, CREATE.arguments)
    assert (answer["status"], answer["machine"]["name"]) == ("done", CREATE.arguments["name"])
    again = await bench.call(era, person, CREATE.tool, CREATE.arguments)
    assert again["status"] == "already_done"
    assert bench.sent == ["POST /machines"]
    assert len(person.questions) == 1


async def test_what_died_before_it_was_sent_is_unknown_and_asked_about_two_minutes_later(
    bench: Bench, era: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consent, "OVERTAKEN_S", 0.1)
    code = (await bench.ask(STOP)).code
    begun = Outcome("stop_machine", "intent", STOP.id, at=bench.clock())
    assert bench.app.store.spend(code, Status.OPEN, bench.clock())
    assert bench.app.store.note(code, "", dump_outcomes([begun]))
    person = Person(types("stop"))
    assert error_of(await bench.call(era, person, STOP.tool, STOP.arguments)) == "unfinished"
    bench.clock.at += BROKEN_OFF_S
    for _ in range(2):
        assert error_of(await bench.call(era, person, STOP.tool, STOP.arguments)) == "outcome_unknown"
    assert (person.questions, bench.sent) == ([], [])
    bench.clock.at += REPEAT_S
    assert (await bench.call(era, person, STOP.tool, STOP.arguments))["status"] == "done"
    assert (len(person.questions), bench.sent) == (1, list(STOP.sent))


async def test_a_process_that_dies_after_spending_does_nothing_twice(bench: Bench, era: str) -> None:
    asked = await bench.ask(CREATE)
    assert bench.app.store.spend(asked.code, Status.OPEN, bench.clock())
    nobody = Person(types("create"))
    for _ in range(3):
        await asked.answer(types("create"))
        await bench.call(era, nobody, CREATE.tool, CREATE.arguments)
    assert bench.sent == ["POST /machines"], "what was approved is done by the first repeat, and once"
    assert nobody.questions == []


@pytest.mark.parametrize("after", ["moved", "put back"])
def test_a_running_server_uses_the_file_that_is_at_its_place(tmp_path: Path, after: str) -> None:
    state, running, aside = tmp_path / "state", SqliteStore(tmp_path / "state"), tmp_path / "aside"
    running.set_flag("old", LATER, "")
    state.rename(aside)
    SqliteStore(state).set_flag("frozen", LATER, "")
    assert (running.flag("frozen", 0.0), running.flag("old", 0.0)) == (True, False)
    running.set_flag("seen", LATER, "")
    if after == "put back":
        state.rename(tmp_path / "new")
        aside.rename(state)
    fresh = SqliteStore(state)
    found = {name for name in ("old", "frozen", "seen") if fresh.flag(name, 0.0)}
    assert found == ({"old"} if after == "put back" else {"frozen", "seen"})
    assert {name for name in ("old", "frozen", "seen") if running.flag(name, 0.0)} == found
