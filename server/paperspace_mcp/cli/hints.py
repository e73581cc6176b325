"""Which command helps, told on standard error to whoever is at the shell. Texts for a model never name a command."""

from paperspace_mcp.approving import worded
from paperspace_mcp.contract.errors import Failure

HINTS = {
    "no_secret": "`paperspace-mcp approve --init` sets one.",
    "not_covered": "`paperspace-mcp allow --list` shows what it covers and what is left of it.",
}


def helped(failure: Failure) -> str:
    """What went wrong, and the command that helps."""
    return " ".join(filter(None, (worded(failure), HINTS.get(failure.code))))
