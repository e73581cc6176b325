"""From a person's words to one machine on a large fleet: all of it is looked at before anything is said of it."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from tests.surface.stage import Stage
from tests.surface.talk import Assistant, Era, agrees, talking

from paperspace_mcp.simulator import Simulator, Variant

pytestmark = pytest.mark.anyio
MODERN: Era = "2026-07-28"
FILTERS = list(product(("contains", "prefix", "exact"), (False, True)))
"""All that the provider's `name` filter may be."""
TWINS = ("psoldest", "psnewest")


@pytest.fixture
def serving(stage: Stage) -> Callable[[], Any]:
    return lambda: talking(stage.served.server, MODERN, agrees)


def crowd(how: Any, *, folds: bool, twins: tuple[str, ...] = TWINS) -> Simulator:
    """700 machines whose names have `web-1` in them, and some that are called just that: the first made, the last."""
    sim = Simulator("empty", clock=lambda: 0.0, variant=Variant(name_filter=how, name_filter_folds=folds))
    now = sim.clock.now()
    for index in range(700):
        sim.add_machine(id=f"pscrowd{index:03d}", name=f"web-1{index:03d}", state="off", dtCreated=now - 5000 + index)
    for one in twins:
        sim.add_machine(id=one, name="web-1", state="off", dtCreated=now - (9999 if one == "psoldest" else 1))
    return sim


def deleted(sim: Simulator) -> list[str]:
    return [request.path for request in sim.mutations()]


@pytest.mark.parametrize(("how", "folds"), FILTERS)
async def test_of_two_namesakes_none_is_deleted_by_name(
    serving: Callable[[], Any], stage: Stage, how: str, folds: bool
) -> None:
    sim = stage.scene(crowd(how, folds=folds))
    async with serving() as assistant:
        reply = await assistant.call("delete_machine", machine="web-1")
        assert (reply.code, sorted(reply.candidates)) == ("ambiguous_machine", sorted(TWINS))
        assert (sim.mutations(), assistant.questions) == ([], [])
        await assistant.call("delete_machine", machine="psnewest")
        assert assistant.questions[0].endswith("type the exact id: psnewest")
    assert deleted(sim) == ["/machines/psnewest"]


@pytest.mark.parametrize(("how", "folds"), FILTERS)
async def test_the_only_one_of_its_name_is_found_behind_all_others(
    serving: Callable[[], Any], stage: Stage, how: str, folds: bool
) -> None:
    sim = stage.scene(crowd(how, folds=folds, twins=("psoldest",)))
    async with serving() as assistant:
        await assistant.call("delete_machine", machine="web-1")
        assert assistant.questions[0].endswith("type the exact name: web-1")
    assert deleted(sim) == ["/machines/psoldest"]
    assert all(request.query["name"] == "web-1" for request in sim.wire if request.path == "/machines")


@pytest.mark.parametrize(("how", "folds"), FILTERS)
async def test_in_another_case_both_are_seen(serving: Callable[[], Any], stage: Stage, how: str, folds: bool) -> None:
    sim = stage.scene(crowd(how, folds=folds))
    sim.change("psnewest", name="Web-1")
    async with serving() as assistant:
        assert (await assistant.call("get_machine", machine="Web-1")).data["machine"]["id"] == "psnewest"
        assert (await assistant.call("get_machine", machine="web-1")).data["machine"]["id"] == "psoldest"
        neither = await assistant.call("stop_machine", machine="WEB-1")
    assert (neither.code, sorted(neither.candidates)) == ("ambiguous_machine", sorted(TWINS))


@pytest.fixture
def large(stage: Stage) -> Simulator:
    """10,000 machines; what is looked for is among the oldest, and not in the first 500 of any order."""
    sim = stage.scene(Simulator(10_000, clock=lambda: 0.0))
    sim.change("ps0002000", name="Train-A", region="ny2", machineType="H100", publicIp="192.88.99.7")
    return sim


async def test_the_whole_of_a_large_fleet_is_looked_at(serving: Callable[[], Any], large: Simulator) -> None:
    async with serving() as assistant:
        for reference in ("TRAIN-A", "192.88.99.7", " Train-A\n"):
            large.wire.clear()
            reply = await assistant.call("get_machine", machine=reference)
            assert reply.data["machine"]["id"] == "ps0002000", reference
            assert len(large.wire) <= 10_000 // 120 + 5
        reply = await assistant.call("stop_machine", machine="trian-a")
    assert (reply.code, reply.candidates[0]) == ("unknown_machine", "ps0002000")
    assert "(10000)" in reply.error["message"]
    assert large.mutations() == []


async def test_without_candidates_none_is_spoken_of(assistant: Assistant, sim: Simulator) -> None:
    alone = await assistant.call("get_machine", machine="zzzzzz")
    several = await assistant.call("power_machines", action="stop", machines=["zzzzzz"])
    for reply in (alone, several):
        assert (reply.code, reply.candidates) == ("unknown_machine", [])
        assert "candidate" not in reply.error["next"]
        assert "list_machines" in reply.error["next"]
    assert sim.mutations() == []


# -- forms of one name ------------------------------------------------------------------------------------------------

COMPOSED, APART = "caf\u00e9-1", "cafe\u0301-1"


@pytest.mark.parametrize(("how", "folds"), FILTERS)
@pytest.mark.parametrize(("stored", "asked"), [(COMPOSED, APART), (APART, COMPOSED), (APART, APART)])
async def test_names_are_compared_composed(
    serving: Callable[[], Any], stage: Stage, how: Any, folds: bool, stored: str, asked: str
) -> None:
    variant = Variant(name_filter=how, name_filter_folds=folds)
    sim = stage.scene(Simulator("empty", clock=lambda: 0.0, variant=variant))
    sim.add_machine(id="ps1", name=stored, state="off")
    async with serving() as assistant:
        for given in (asked, asked.upper()):
            assert (await assistant.call("get_machine", machine=given)).data["machine"]["id"] == "ps1"
        sim.add_machine(id="ps2", name=COMPOSED if stored == APART else APART, state="off")
        reply = await assistant.call("delete_machine", machine=asked)
    assert (reply.code, sorted(reply.candidates), sim.mutations()) == ("ambiguous_machine", ["ps1", "ps2"], [])


@pytest.mark.parametrize("reference", [" psoxnh2i7 ", "psoxnh2i7\n", "\tpsoxnh2i7", "psoxnh2i7\u00a0"])
async def test_space_round_an_id_makes_it_no_id(assistant: Assistant, sim: Simulator, reference: str) -> None:
    """It is shown whose id it would be; nothing is sent with it, nor done by it."""
    for tool in ("get_machine", "stop_machine", "explain_machine"):
        reply = await assistant.call(tool, machine=reference)
        assert (reply.code, reply.candidates[0]) == ("unknown_machine", "psoxnh2i7")
    bulk = await assistant.call("power_machines", action="stop", machines=[reference])
    assert (bulk.code, bulk.candidates[0]) == ("unknown_machine", "psoxnh2i7")
    assert {request.path for request in sim.wire} <= {"/machines", "/machine-events"}
    assert not any("psoxnh2i7" in value for request in sim.wire for value in request.query.values())
    assert (sim.mutations(), assistant.questions) == ([], [])


async def test_space_round_a_name_is_a_slip(assistant: Assistant, sim: Simulator) -> None:
    for reference in (" dev-anna", "dev-anna\n", "\u00a0Dev-Anna "):
        assert (await assistant.call("get_machine", machine=reference)).data["machine"]["id"] == "psoxnh2i7"
    sim.change("dev-ben", name=" dev-anna")
    assert (await assistant.call("get_machine", machine=" dev-anna")).data["machine"]["id"] == "ps8jo1fga"
    assert (await assistant.call("get_machine", machine="dev-anna")).data["machine"]["id"] == "psoxnh2i7"


async def test_a_number_is_a_name(assistant: Assistant, sim: Simulator) -> None:
    sim.change("dev-anna", name="42")
    assert (await assistant.call("get_machine", machine=42)).data["machine"]["id"] == "psoxnh2i7"
    assert (await assistant.call("list_machine_events", machine=42)).data["total"] > 0
    await assistant.call("power_machines", action="stop", machines=[42])
    assert deleted(sim) == ["/machines/psoxnh2i7/stop"]


# -- candidates -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "name"),
    [("alhpa", "alpha"), ("bta", "beta"), ("gpu1", "gpu-1"), ("trian-01", "train-h100"), ("training box", "train-h100"),
     ("PSBETA0", "beta"), ("psbetao", "beta"), ("10.1.2.3", "gpu-1"), ("the A100", "alpha"), ("amsterdam", "beta")],
)  # fmt: skip
async def test_who_was_meant_is_shown_and_not_taken(
    serving: Callable[[], Any], stage: Stage, reference: str, name: str
) -> None:
    sim = stage.scene(Simulator("empty", clock=lambda: 0.0))
    for one, fields in {
        "alpha": {"machineType": "A100", "region": "ny2"},
        "beta": {"id": "psbeta0", "machineType": "C5", "region": "ams1"},
        "gpu-1": {"machineType": "P4000", "region": "ca1", "privateIp": "10.1.2.3"},
        "train-h100": {"machineType": "H100", "region": "ny2"},
    }.items():
        sim.add_machine(name=one, state="ready", **{"id": f"ps{one}", **fields})
    async with serving() as assistant:
        reply = await assistant.call("stop_machine", machine=reference)
        assert assistant.questions == []
    assert (reply.code, reply.error["candidates"][0]["name"]) == ("unknown_machine", name)
    assert sim.mutations() == []


async def test_a_region_has_one_form_everywhere(serving: Callable[[], Any], stage: Stage) -> None:
    stage.scene(Simulator(clock=lambda: 0.0, variant=Variant(long_regions=True)))
    async with serving() as assistant:
        row = (await assistant.call("get_machine", machine="dev-anna")).data["machine"]
        [candidate] = (await assistant.call("get_machine", machine="dev-ana")).error["candidates"][:1]
        listed = {one.name: one.description for one in (await assistant.client.list_resources()).resources}
    assert (row["region"], candidate["id"], candidate["region"]) == ("ny2", "psoxnh2i7", "ny2")
    assert listed["dev-anna"].split()[-1] == "ny2"


# -- lists without an end ---------------------------------------------------------------------------------------------


class Endless:
    """A provider whose list of machines leads back into itself; single machines can be read."""

    def __init__(self, sim: Simulator, *, only: str) -> None:
        self.app, self.only, self.rows = sim.app, only, [one.id for one in sim.machines.values()]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        named = bool(request.query_params.get("name"))
        if request.url.path.endswith("/machines") and (named or self.only == "all"):
            items = [{"id": one, "name": "web-1", "state": "off"} for one in self.rows]
            answer = JSONResponse({"hasMore": True, "items": items, "nextPage": "again"})
            await answer(scope, receive, send)
        else:
            await self.app(scope, receive, send)


@pytest.mark.parametrize("only", ["all", "filtered"])
async def test_a_name_is_not_taken_for_the_only_one_where_the_list_has_no_end(
    serving: Callable[[], Any], stage: Stage, only: str
) -> None:
    sim = stage.scene(Simulator("empty", clock=lambda: 0.0))
    sim.add_machine(id="ps1", name="web-1", state="off")
    sim.app = Endless(sim, only=only)  # type: ignore[assignment]
    async with serving() as assistant:
        reply = await assistant.call("delete_machine", machine="web-1")
        if only == "all":
            assert (reply.code, reply.candidates, assistant.questions) == ("fleet_incomplete", ["ps1"], [])
            assert "id" in reply.error["next"]
            reply = await assistant.call("delete_machine", machine="ps1")
        assert assistant.questions[0].endswith("type the exact id: ps1")
    assert [request.path for request in sim.mutations()] == ["/machines/ps1"]
