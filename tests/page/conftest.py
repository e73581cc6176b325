from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.page.site import Site, standing

from paperspace_mcp.simulator import Simulator


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: needs Chromium; runs only with `-m browser`")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """An ordinary test run needs no browser."""
    if "browser" in config.getoption("markexpr"):
        return
    left_out = [item for item in items if item.get_closest_marker("browser")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture
async def site(tmp_path: Path, sim: Simulator) -> AsyncIterator[Site]:
    """A server with two users, on a real port."""
    async with standing(tmp_path, sim) as made:
        yield made
