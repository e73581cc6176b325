from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.surface.talk import Era, talking

from paperspace_mcp.app import App
from paperspace_mcp.simulator import Simulator


@pytest.fixture
def app(serving: Callable[..., App], sim: Simulator) -> App:
    """The server over the default fleet, by the provider's clock, with an audit of its own."""
    served = serving(sim)
    served.conduct.rooms = replace(served.conduct.rooms, now=sim.clock.now)
    return served


@pytest.fixture
async def assistant(app: App, era: Era) -> Any:
    async with talking(app.server, era) as connected:
        yield connected
