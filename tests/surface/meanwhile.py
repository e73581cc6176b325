"""What happens at the provider in the very moment in which a request arrives there."""

from collections.abc import Callable
from typing import Any

from paperspace_mcp.simulator import Simulator


def when(sim: Simulator, part: str, act: Callable[[], object], *, times: int = 1) -> None:
    """Do this just before the next requests whose path holds this."""
    inner, left = sim.app, [times]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if part in scope["path"] and left[0]:
            left[0] -= 1
            act()
        await inner(scope, receive, send)

    sim.app = app  # type: ignore[assignment]
