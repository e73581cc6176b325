"""Made-up histories, and what `explain_machine` makes of them."""

from typing import Any

from tests.surface.talk import Assistant, Reply

from paperspace_mcp.simulator import Simulator

HOUR, DAY = 3600.0, 86400.0
ON, OFF, TIMED = "psfj3c701", "psu6p1za3k9d", "ps8jo1fga"
"""dev-carlos is on; one eval-runner is off, dev-ben too, and it has an auto-shutdown timer."""
NOT_US = "not through this server"


async def explained(assistant: Assistant, machine: str) -> Reply:
    reply = await assistant.call("explain_machine", machine=machine)
    assert reply.code == ""
    assert reply.data["summary"] in reply.text
    return reply


def happened(sim: Simulator, machine: str, name: str, hours: float, **fields: Any) -> str:
    """An event so many hours ago, ended after 30 s unless something else is said. Its id."""
    at = sim.clock.now() - hours * HOUR
    told = {"state": "done", "dtStarted": at + 1, "dtFinished": at + 30, **fields}
    return sim.world.event(name, sim.machine(machine), at, **told).id


def first_row(reply: Reply) -> dict[str, Any]:
    row: dict[str, Any] = reply.data["timeline"][0]
    return row
