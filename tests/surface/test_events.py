"""Events: listed, read and waited for."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from tests.conftest import Talking
from tests.guard.bench import Bench, Person
from tests.guard.bench import types as typed
from tests.surface.meanwhile import when
from tests.surface.talk import Assistant, Era, Reports

from paperspace_mcp.simulator import Fault, Simulator

pytestmark = pytest.mark.anyio

BEN = "ps8jo1fga"


def of_machine(sim: Simulator, machine_id: str) -> set[str]:
    return {event.id for event in sim.events.values() if event.machineId == machine_id}


async def started(assistant: Assistant, machine: str = "dev-ben") -> str:
    """The id of a start that has just begun."""
    reply = await assistant.call("start_machine", machine=machine)
    return str(reply.data["event"]["id"])


# -- listing ----------------------------------------------------------------------------------------------------------


async def test_the_events_of_a_machine_newest_first(assistant: Assistant, sim: Simulator) -> None:
    reply = await assistant.call("list_machine_events", machine="dev-ben")
    rows = reply.data["events"]
    assert {row["id"] for row in rows} == of_machine(sim, BEN)
    assert [row["created_at"] for row in rows] == sorted((row["created_at"] for row in rows), reverse=True)
    assert (reply.data["complete"], reply.data["total"]) == (True, len(rows))
    assert all(row["id"] in reply.text for row in rows)
    assert sim.wire[-1].query == {"machineId": BEN, "order": "desc", "limit": "120"}


async def test_the_events_of_all_machines_are_paged(assistant: Assistant, sim: Simulator) -> None:
    seen, cursor = list[str](), ""
    while not seen or cursor:
        reply = await assistant.call("list_machine_events", limit=60, order="asc", cursor=cursor)
        seen += [row["id"] for row in reply.data["events"]]
        cursor = reply.data.get("next_cursor", "")
    assert len(seen) == len(set(seen)) == len(sim.events)


async def test_events_are_filtered_by_state_name_and_time(assistant: Assistant, sim: Simulator) -> None:
    failed = await assistant.call("list_machine_events", states="error")
    assert [row["machine_id"] for row in failed.data["events"]] == ["psf09rl6t2zc"]
    assert "insufficient capacity" in failed.text
    named = await assistant.call("list_machine_events", names=["stop"], machine="dev-ben")
    assert {row["name"] for row in named.data["events"]} == {"stop"}
    since = (sim.now() - timedelta(hours=1)).astimezone(UTC)
    fresh = await assistant.call("list_machine_events", since=since.isoformat())
    assert {row["name"] for row in fresh.data["events"]} == {"create"}
    assert all(datetime.fromisoformat(row["created_at"]) >= since for row in fresh.data["events"])


async def test_a_list_that_is_longer_than_one_call_looks_at_says_so(assistant: Assistant, sim: Simulator) -> None:
    for _ in range(601):
        sim.world.event("stop", sim.machine(BEN), sim.clock.now())
    reply = await assistant.call("list_machine_events", machine=BEN)
    assert reply.data["complete"] is False
    assert "total" not in reply.data
    assert "next_cursor" in reply.data["next"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"since": "the day before"}, "bad_argument"),
        ({"limit": 0}, "bad_argument"),
        ({"limit": "many"}, "bad_argument"),
        ({"order": "newest"}, "bad_argument"),
    ],
)
async def test_a_wrong_filter_is_refused_unsent(
    assistant: Assistant, sim: Simulator, given: dict[str, object], code: str
) -> None:
    assert (await assistant.call("list_machine_events", **given)).code == code
    assert sim.wire == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"states": ["finished"]}, ("states: nothing here is called that; seen: done (", "done may be meant")),
        ({"states": "failed"}, ("error may be meant",)),
        ({"names": ["reboot"]}, ("names: nothing here is called that", "restart may be meant")),
        ({"names": "shut_down, delete"}, ("stop and deactivate may be meant",)),
    ],
)
async def test_a_word_that_no_event_answers_to_is_told(
    assistant: Assistant, given: dict[str, object], said: tuple[str, ...]
) -> None:
    reply = await assistant.call("list_machine_events", **given)
    assert (reply.code, reply.data["events"]) == ("", [])
    assert all(part in reply.data["next"] for part in said), reply.data["next"]


async def test_words_of_events_are_taken_as_people_write_them(assistant: Assistant, sim: Simulator) -> None:
    sim.world.event("vm-upgrade", sim.machine(BEN), sim.clock.now() - 60)
    reply = await assistant.call("list_machine_events", names="VM_Upgrade", states="In_Progress, New, done, any")
    assert [event["name"] for event in reply.data["events"]] == ["vm-upgrade"]
    assert "next" not in reply.data


@pytest.mark.parametrize(("since", "hours"), [("24h", 24), ("7d", 168), ("2 weeks ago", 336), ("yesterday", None)])
async def test_since_is_relative_to_the_servers_clock(
    client: Talking, sim: Simulator, since: str, hours: int | None
) -> None:
    """Models have no clock."""
    now = datetime.now(UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    edge = now - timedelta(hours=hours) if hours else midnight - timedelta(days=1)
    for minutes, name in ((5, "snapshot-create"), (-5, "snapshot-delete")):
        sim.world.event(name, sim.machine(BEN), (edge + timedelta(minutes=minutes)).timestamp())
    async with client("2026-07-28") as assistant:
        wanted = "snapshot-create,snapshot-delete"
        reply = await assistant.call("list_machine_events", machine=BEN, names=wanted, since=since)
    assert [event["name"] for event in reply.data["events"]] == ["snapshot-create"]


async def test_one_event_is_read(assistant: Assistant, sim: Simulator) -> None:
    event_id = min(of_machine(sim, BEN))
    reply = await assistant.call("get_machine_event", event_id=event_id)
    assert (reply.data["event"]["id"], reply.data["event"]["machine_id"]) == (event_id, BEN)
    assert event_id in reply.text
    assert [request.path for request in sim.wire] == [f"/machine-events/{event_id}"]


async def test_an_event_that_is_not_there(assistant: Assistant) -> None:
    reply = await assistant.call("get_machine_event", event_id="dev-anna")
    assert (reply.code, "list_machine_events" in reply.error["next"]) == ("unknown_event", True)


async def test_what_is_no_id_is_told_by_the_name_of_its_argument(assistant: Assistant, sim: Simulator) -> None:
    for tool, given in (("get_machine_event", {"event_id": "dev anna"}), ("wait_for_event", {"event_ids": "a/b"})):
        reply = await assistant.call(tool, **given)
        assert reply.code == "bad_id"
        assert f"`{next(iter(given))}`" in reply.error["message"]
        assert "list_machine_events" in reply.error["next"]
    assert sim.wire == []


@pytest.mark.parametrize("status", [404, 400])
async def test_an_id_that_is_no_events_is_not_told_as_failed(client: Talking, sim: Simulator, status: int) -> None:
    """The provider has no such event, or cannot even read the id."""
    async with client("2026-07-28") as assistant:
        event_id = await started(assistant)
        sim.advance(70)
        done = await assistant.call("wait_for_event", event_ids=[event_id], timeout_seconds=0)
        sim.faults.add(Fault("status", "get_machine_event", times=None, status=status))
        alone = await assistant.call("wait_for_event", event_ids=["dev-anna"])
        both = await assistant.call("wait_for_event", event_ids=[event_id, "dev-anna"])
        other = await assistant.call("wait_for_event", event_ids=["dev-anna", event_id], until="any")
    assert done.data["overall"] == "done"
    assert (alone.data["overall"], alone.data["events"][0]["verdict"]) == ("unknown_event", "unknown_event")
    assert "list_machine_events" in alone.data["next"]
    assert not {"failed", "unreadable"} & set(alone.text.replace(":", " ").split())
    assert [one["verdict"] for one in both.data["events"]] == ["done", "unknown_event"]
    assert (both.data["overall"], other.data["overall"]) == ("unknown_event", "done")


# -- waiting ----------------------------------------------------------------------------------------------------------


async def test_a_wait_ends_when_the_machine_is_ready(assistant: Assistant, sim: Simulator) -> None:
    event_id = await started(assistant)
    sim.advance(70)
    reply = await assistant.call("wait_for_event", event_ids=[event_id])
    [event] = reply.data["events"]
    assert (reply.data["overall"], event["verdict"], event["machine_state"]) == ("done", "done", "ready")
    assert event["public_ip"] == sim.machine(BEN).publicIp
    assert event["public_ip"] in reply.text
    assert len(sim.mutations()) == 1


@pytest.mark.parametrize("bare", [False, True])
async def test_pending_is_a_normal_answer(assistant: Assistant, sim: Simulator, *, bare: bool) -> None:
    event_id = await started(assistant)
    sim.advance(10)
    reply = await assistant.call("wait_for_event", event_ids=event_id if bare else [event_id], timeout_seconds=0)
    assert (reply.data["overall"], reply.code) == ("pending", "")
    assert "same ids" in reply.data["next"]


async def test_many_events_are_answered_in_their_order(assistant: Assistant, sim: Simulator) -> None:
    ids = [await started(assistant, name) for name in ("dev-ben", "staging-api")]
    stop = await assistant.call("stop_machine", machine="dev-anna")
    ids.append(stop.data["event"]["id"])
    sim.advance(40)  # the stop takes 30 s, a start 55 s
    reply = await assistant.call("wait_for_event", event_ids=ids, timeout_seconds=0)
    assert [event["id"] for event in reply.data["events"]] == ids
    assert [event["verdict"] for event in reply.data["events"]] == ["pending", "pending", "done"]
    assert reply.data["overall"] == "pending"
    any_of = await assistant.call("wait_for_event", event_ids=ids, timeout_seconds=30, until="any")
    assert any_of.data["overall"] == "done"


async def test_no_capacity_is_a_failure_with_its_reason(assistant: Assistant, sim: Simulator) -> None:
    event_id = await started(assistant, "train-h100x8")
    sim.advance(60)
    reply = await assistant.call("wait_for_event", event_ids=[event_id])
    [event] = reply.data["events"]
    assert (reply.data["overall"], event["verdict"], event["note"]) == ("failed", "failed", "capacity")
    assert "insufficient capacity" in reply.text
    assert not reply.error


async def test_an_event_that_vanishes_under_the_wait_is_told(client: Talking, sim: Simulator) -> None:
    sim.faults.add(Fault("event_vanish", "start"))
    async with client("2026-07-28") as assistant:
        event_id = await started(assistant)
        when(sim, "/machine-events/", lambda: sim.advance(20), times=9)
        reply = await assistant.call("wait_for_event", event_ids=[event_id], timeout_seconds=20)
    assert (reply.data["overall"], reply.data["events"][0]["verdict"]) == ("failed", "vanished")
    assert reply.data["events"][0]["name"] == "start"


async def test_a_machine_that_is_deleted_meanwhile_ends_the_wait(assistant: Assistant, sim: Simulator) -> None:
    event_id = await started(assistant)
    sim.advance(70)
    sim.delete_behind(BEN)
    reply = await assistant.call("wait_for_event", event_ids=[event_id], timeout_seconds=1)
    assert reply.data["events"][0]["verdict"] == "machine_gone"
    assert reply.data["overall"] == "failed"


async def test_a_wish_beyond_the_cap_is_no_mistake(assistant: Assistant, sim: Simulator) -> None:
    event_id = await started(assistant)
    sim.advance(70)
    reply = await assistant.call("wait_for_event", event_ids=[event_id], timeout_seconds=3600)
    assert reply.data["overall"] == "done"
    assert "capped" not in reply.data["summary"], "it was over before"


async def test_a_longer_wish_that_matters_is_told(benches: Callable[..., Bench], era: str) -> None:
    bench = benches(max_wait_s=0.5)
    began = await bench.call(era, Person(typed("start")), "start_machine", {"machine": "dev-ben"})
    ids = [began["event"]["id"]]
    for wish in (3600, 10**12, "2 minutes"):
        cut = await bench.call(era, None, "wait_for_event", {"event_ids": ids, "timeout_seconds": wish})
        assert cut["summary"].startswith("pending (capped at 0.5 s)")
    whole = await bench.call(era, None, "wait_for_event", {"event_ids": ids, "timeout_seconds": 0})
    assert whole["summary"].startswith("pending:")


async def test_progress_is_reported_where_it_is_asked_for(client: Talking, sim: Simulator, era: Era) -> None:
    reports = Reports()
    async with client(era) as assistant:
        event_id = await started(assistant)
        sim.advance(10)
        when(sim, "/machine-events/", lambda: sim.advance(30), times=9)
        result = await assistant.client.call_tool(
            "wait_for_event", {"event_ids": [event_id], "timeout_seconds": 40}, progress_callback=reports
        )
    assert result.structured_content is not None
    assert result.structured_content["overall"] == "done"
    assert {total for total, _ in reports.told} == {40}
    assert reports.told[-1][1] == "1 done"


@pytest.mark.parametrize("ids", [[], ["../machines"], ["a/b"], ["x" * 65], ["x"] * 51, {"id": "x"}, 7])
async def test_what_is_no_id_is_refused_unsent(assistant: Assistant, sim: Simulator, ids: object) -> None:
    reply = await assistant.call("wait_for_event", event_ids=ids)
    assert reply.code in {"bad_id", "bad_argument"}
    assert sim.wire == []
