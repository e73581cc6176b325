"""What a client tells its model about the server as a whole: order and limits, of the tools that are open."""

from collections.abc import Collection

from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.surface.tools import TOOLS

_CHANGING = frozenset(tool.name for tool in TOOLS if tool.touches is not Effect.READ)
_ASKS = (
    "Where the policy wants a person's word on what costs, disrupts, grants, reveals or destroys, the server asks when "
    "the tool is called; no argument or message confirms. `approval_required`: nothing was done yet, and the same call "
    "goes on once a person has decided."
)
_EVENTS = (
    "Power and create answer with an event; wait_for_event waits for its end, and `pending` is continued by the same "
    "call."
)
_SENTENCES: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"start_machine", "wait_for_event"}), _EVENTS),
    (frozenset({"power_machines"}), "power_machines takes many machines with one question."),
    (frozenset({"list_machines", "fleet_summary"}), "Lists look at 500 rows; fleet_summary counts a whole fleet."),
)
"""Each with the tools that must be open for it to help."""


def instructions(offered: Collection[str]) -> str:
    """The instructions of a server that offers these tools."""
    asks = _ASKS if _CHANGING & set(offered) else "The tools of this server change nothing."
    more = [sentence for needs, sentence in _SENTENCES if needs <= set(offered)]
    return " ".join(["Machines are named by id or exact name.", asks, *more])
