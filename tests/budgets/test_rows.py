"""What lists cost a model in either half, for whoever shows only one. The ceilings only go down.

Ids of events are UUIDs, half of a row's tokens: their lists keep to ceilings of their own.
"""

from collections.abc import Callable

import pytest
from tests.budgets.scale import halves
from tests.surface.stage import Stage
from tests.surface.talk import talking

from paperspace_mcp.simulator import Simulator

pytestmark = pytest.mark.anyio

Fleet = Callable[[], Simulator]
PROMISED = {25: (1200, 1200), 100: (2800, 4500)}
"""Machines: tokens of the text and of the structured content, by rows."""
SLACK = 0.06
"""By which a ceiling may be above what is measured: ids and dates are new in every run."""


def named() -> Simulator:
    """More machines than a page, under names such as people give."""
    sim = Simulator(clock=lambda: 0.0)
    for number in range(90):
        team = ("train", "dev", "eval", "render")[number % 4]
        sim.add_machine(name=f"{team}-{number:02d}-a4000", state=("ready", "off", "off")[number % 3])
    return sim


def generated() -> Simulator:
    return Simulator(1301, clock=lambda: 0.0)


CEILINGS: dict[tuple[str, str, int], tuple[int, int]] = {
    ("list_machines", "named", 25): (740, 1150),
    ("list_machines", "named", 100): (2750, 4400),
    ("list_machines", "generated", 25): (630, 1050),
    ("list_machines", "generated", 100): (2200, 3900),
    ("list_machine_events", "named", 25): (1400, 1900),
    ("list_machine_events", "generated", 25): (1250, 1800),
    ("list_machine_events", "generated", 100): (4750, 6850),
}


@pytest.mark.parametrize(("tool", "fleet", "limit"), CEILINGS)
async def test_rows_keep_to_their_budget(stage: Stage, tool: str, fleet: str, limit: int) -> None:
    stage.scene({"named": named, "generated": generated}[fleet]())
    async with talking(stage.served.server, "2026-07-28") as assistant:
        reply = await assistant.call(tool, limit=limit)
    assert reply.data["returned"] == limit
    assert "next_cursor" in reply.data, "a list that goes on has the longest answer"
    for measured, ceiling, promised in zip(halves(reply), CEILINGS[tool, fleet, limit], PROMISED[limit], strict=True):
        assert measured <= ceiling <= measured * (1 + SLACK), (measured, ceiling)
        assert ceiling <= promised or tool == "list_machine_events"


async def test_twenty_five_is_what_is_listed_where_nothing_is_said(stage: Stage) -> None:
    stage.scene(named())
    async with talking(stage.served.server, "2026-07-28") as assistant:
        assert (await assistant.call("list_machines")).data["returned"] == 25
