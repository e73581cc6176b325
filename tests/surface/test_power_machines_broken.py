"""Power for many machines where some change, fail or are lost: the others are done, and each is told."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.guard.bench import Bench, Person, error_of, types
from tests.surface.many import ANNA, CARLOS, DEVS, DIYA, STOP, call, results, row, told

from paperspace_mcp.simulator import Fault

pytestmark = pytest.mark.anyio
Make = Callable[..., Bench]


# -- changed between the question and the answer ----------------------------------------------------------------------

CHANGES: list[dict[str, Any]] = [{"state": "off"}, {"name": "dev-other"}, {"name": "prod-anna"}]


@pytest.mark.parametrize("change", CHANGES, ids=str)
async def test_only_the_machine_that_changed_is_left_alone(bench: Bench, era: str, change: dict[str, Any]) -> None:
    person = Person(types("stop 3"), before=lambda: bench.sim.change(ANNA, **change))
    answer = await call(bench, era, person, STOP)
    assert told(bench) == dict.fromkeys(DEVS - {ANNA}, 1)
    assert (answer["status"], answer["changed"]) == ("partial", True)
    assert answer["counts"]["changed_meanwhile"] == 1
    assert row(answer, ANNA)["result"] == "changed_meanwhile"
    assert ("power" if "state" in change else "name") in row(answer, ANNA)["why"]


async def test_a_machine_that_is_gone_is_left_alone(bench: Bench, era: str) -> None:
    answer = await call(bench, era, Person(types("stop 3"), before=lambda: bench.sim.delete_behind(ANNA)), STOP)
    assert told(bench) == dict.fromkeys(DEVS - {ANNA}, 1)
    assert "exists" in row(answer, ANNA)["why"]


async def test_a_machine_that_became_dearer_is_not_started(bench: Bench, era: str) -> None:
    def dearer() -> None:
        bench.sim.change("dev-ben", machineType="H100")

    arguments = {"action": "start", "machines": ["dev-ben", "pse3n8ok5b2h"]}
    answer = await call(bench, era, Person(types("start 2"), before=dearer), arguments)
    assert told(bench) == {"pse3n8ok5b2h": 1}
    assert "type" in row(answer, "ps8jo1fga")["why"]


async def test_where_all_changed_it_is_an_error_that_says_so(bench: Bench, era: str) -> None:
    def all_off() -> None:
        for one in DEVS:
            bench.sim.change(one, state="off")

    answer = await call(bench, era, Person(types("stop 3"), before=all_off), STOP)
    assert error_of(answer) == "target_changed"
    assert answer["error"]["changed"] == "no"
    assert bench.sent == []
    assert {results(answer)[one] for one in DEVS} == {"changed_meanwhile"}


async def test_a_new_machine_that_fits_is_not_in_the_frozen_list(bench: Bench, era: str) -> None:
    def meanwhile() -> None:
        bench.sim.add_machine(id="pslate", name="dev-late", state="ready", machineType="A4000")

    await call(bench, era, Person(types("stop 3"), before=meanwhile), STOP)
    assert told(bench) == dict.fromkeys(DEVS, 1)


# -- one fails --------------------------------------------------------------------------------------------------------

REFUSED = [
    (400, "bad_request"),
    (403, "forbidden"),
    (404, "not_found"),
    (409, "conflict"),
    (412, "precondition_failed"),
]


@pytest.mark.parametrize(("status", "code"), REFUSED)
async def test_one_that_is_refused_takes_nothing_from_the_others(
    bench: Bench, era: str, status: int, code: str
) -> None:
    bench.sim.faults.add(Fault("status", "stop", status=status, machine=ANNA, message="Not on Sundays."))
    person = Person(types("stop 3"))
    answer = await call(bench, era, person, STOP)
    assert told(bench) == dict.fromkeys(DEVS, 1)
    assert (answer["status"], answer["counts"]["done"], answer["counts"]["failed"]) == ("partial", 2, 1)
    assert str(status) in row(answer, ANNA)["why"], code
    assert ('"Not on Sundays."' in row(answer, ANNA)["why"]) is (status != 403), "a key's trouble is not the provider's"
    assert answer["usd_per_hour"] == round(row(answer, CARLOS)["usd_per_hour"] + row(answer, DIYA)["usd_per_hour"], 4)
    person.answer = types("stop")
    again = await call(bench, era, person, STOP)
    assert (again["status"], again["counts"]) == ("done", {"done": 1, "unchanged": 3, "left_out": 1})
    assert told(bench) == {**dict.fromkeys(DEVS, 1), ANNA: 2}
    assert len(set(person.codes)) == 2, "what is left is a question of its own"


@pytest.mark.parametrize("seconds", [0, 100])
async def test_a_repeated_restart_is_of_the_rest_only(bench: Bench, era: str, seconds: int) -> None:
    """Those that were restarted run again by then, and nothing in the account tells them from the others."""
    bench.sim.faults.add(Fault("status", "restart", status=409, machine=ANNA, times=2))
    bench.sim.faults.add(Fault("status", "restart", status=409, machine=DIYA))
    arguments = {"action": "restart", "name_globs": ["dev-*"]}
    counts = []
    for verb in ("restart 3", "restart 2", "restart"):
        answer = await call(bench, era, Person(types(verb)), arguments)
        counts.append(told(bench))
        bench.sim.advance(seconds)
        bench.clock.at += seconds / 3
    assert counts == [dict.fromkeys(DEVS, 1), {CARLOS: 1, DIYA: 2, ANNA: 2}, {CARLOS: 1, DIYA: 2, ANNA: 3}]
    assert (answer["counts"]["done"], answer["status"]) == (1, "done")


async def test_what_a_colleague_has_just_stopped_is_not_asked_about(bench: Bench, era: str) -> None:
    """The state of a machine is behind its event."""
    await bench.call(era, Person(types("stop")), "stop_machine", {"machine": "dev-anna"})
    assert bench.sim.machine("dev-anna").state == "ready"
    answer = await call(bench, era, Person(types("stop 2")), STOP)
    assert (results(answer)[ANNA], answer["counts"]["done"]) == ("unchanged", 2)
    assert row(answer, ANNA)["event_id"] in bench.sim.events
    assert told(bench) == dict.fromkeys(DEVS, 1)


async def test_an_event_that_is_stuck_keeps_nobody_from_a_stop(bench: Bench, era: str) -> None:
    bench.sim.faults.add(Fault("stuck", "stop", machine=ANNA))
    await bench.call(era, Person(types("stop")), "stop_machine", {"machine": "dev-anna"})
    bench.clock.at += 600
    bench.sim.advance(600)
    bench.sim.change(ANNA, state="ready")
    bench.clock.at += 15  # what a state shows right after an event's end may still be the old one
    await call(bench, era, Person(types("stop 3")), STOP)
    assert told(bench) == {**dict.fromkeys(DEVS, 1), ANNA: 2}


async def test_where_all_are_refused_it_is_an_error(bench: Bench, era: str) -> None:
    bench.sim.faults.add(Fault("status", "stop", status=409, times=None))
    answer = await call(bench, era, Person(types("stop 3")), STOP)
    assert (error_of(answer), answer["error"]["changed"]) == ("conflict", "no")
    assert {results(answer)[one] for one in DEVS} == {"failed"}
    assert told(bench) == dict.fromkeys(DEVS, 1)


async def test_a_400_because_it_is_so_already_is_no_failure(bench: Bench, era: str) -> None:
    def off_in_the_last_moment(request: Any) -> bool:
        if request.url.path.endswith(f"{ANNA}/stop"):
            bench.sim.change(ANNA, state="off")
        return False

    bench.gate.holds = off_in_the_last_moment
    answer = await call(bench, era, Person(types("stop 3")), STOP)
    assert told(bench) == dict.fromkeys(DEVS, 1)
    assert results(answer)[ANNA] == "unchanged"
    assert "failed" not in answer["counts"]


async def test_one_whose_target_cannot_be_read_is_not_sent(bench: Bench, era: str) -> None:
    def bar() -> None:
        bench.sim.faults.add(Fault("status", "get_machine", times=None, status=403, machine=ANNA))

    answer = await call(bench, era, Person(types("stop 3"), before=bar), STOP)
    assert told(bench) == dict.fromkeys(DEVS - {ANNA}, 1)
    assert results(answer)[ANNA] in {"failed", "changed_meanwhile"}


# -- lost answers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["status", "empty", "malformed"])
async def test_a_lost_answer_that_was_done_is_found(bench: Bench, era: str, fault: str) -> None:
    params: dict[str, Any] = {"status": 500, "apply": True} if fault == "status" else {}
    bench.sim.faults.add(Fault(fault, "stop", machine=ANNA, **params))
    answer = await call(bench, era, Person(types("stop 3")), STOP)
    assert told(bench) == dict.fromkeys(DEVS, 1)
    assert (answer["status"], answer["reconciled"], answer["counts"]["done"]) == ("done", True, 3)
    assert "lost" in row(answer, ANNA)["why"]


async def test_a_lost_answer_without_a_trace_is_unknown_and_never_sent_again(bench: Bench, era: str) -> None:
    bench.sim.faults.add(Fault("status", "stop", machine=ANNA, status=502))
    bench.sim.faults.add(Fault("status", "stop", machine=CARLOS, status=409))
    person = Person(types("stop 3"))
    answer = await call(bench, era, person, STOP)
    assert (answer["status"], answer["changed"]) == ("partial", True)
    assert {one: results(answer)[one] for one in DEVS} == {ANNA: "unknown", CARLOS: "failed", DIYA: "done"}
    assert "get_machine" in answer["next"]
    for _ in range(2):
        again = await call(bench, era, person, STOP)
        assert results(again)[ANNA] == "unknown"
    assert told(bench) == dict.fromkeys(DEVS, 1)
    assert len(person.questions) == 1


async def test_an_unknown_one_is_looked_for_again(bench: Bench, era: str) -> None:
    bench.sim.faults.add(Fault("status", "stop", machine=ANNA, status=502, apply=True))
    unreadable = Fault("status", "list_machine_events", status=403)
    person = Person(types("stop 3"), before=lambda: bench.sim.faults.add(unreadable))
    first = await call(bench, era, person, STOP)
    assert results(first)[ANNA] == "unknown"
    again = await call(bench, era, person, STOP)
    assert (again["status"], results(again)[ANNA]) == ("already_done", "done")
    assert told(bench) == dict.fromkeys(DEVS, 1)


async def test_where_the_only_one_is_lost_it_is_an_error_of_the_unknown(bench: Bench, era: str) -> None:
    bench.sim.faults.add(Fault("status", "stop", machine=ANNA, status=502))
    answer = await call(bench, era, Person(types("stop")), {"action": "stop", "machines": ["dev-anna"]})
    assert (error_of(answer), answer["error"]["changed"]) == ("outcome_unknown", "unknown")
    assert told(bench) == {ANNA: 1}
