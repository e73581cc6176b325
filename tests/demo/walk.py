"""The demo's walk in this process."""

import io
from functools import partial

from mcp import Client

from paperspace_mcp.app import App
from paperspace_mcp.cli import demo
from paperspace_mcp.cli.walkthrough import Screen, Walk


async def walked(app: App, answers: list[str] | None) -> str:
    """The demo over a server, in process; what it printed."""
    out = io.StringIO()
    screen = Screen(out)
    ask = partial(demo._ask, screen, demo._Given(answers) if answers is not None else demo._nobody)
    async with Client(app.server, elicitation_callback=ask, cache=None) as client:
        await Walk(client, screen).through()
    return out.getvalue()
