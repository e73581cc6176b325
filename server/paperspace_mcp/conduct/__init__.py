"""The corridor: every call walks it. Reads pass; a mutation passes only as a step of a spent record."""

from paperspace_mcp.conduct.corridor import Conduct
from paperspace_mcp.conduct.deeds import Deed, History, history, once_named
from paperspace_mcp.conduct.outcomes import Outcome, load_outcomes
from paperspace_mcp.conduct.parts import ANONYMOUS, Caller, Heard, Rooms, Sink, Wire, fingerprinted, unheard
from paperspace_mcp.conduct.pauses import Pauses

__all__ = [
    "ANONYMOUS",
    "Caller",
    "Conduct",
    "Deed",
    "Heard",
    "History",
    "Outcome",
    "Pauses",
    "Rooms",
    "Sink",
    "Wire",
    "fingerprinted",
    "history",
    "load_outcomes",
    "once_named",
    "unheard",
]
