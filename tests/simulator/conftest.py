"""A simulator on a real port whose time is moved by hand, and a client that holds its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from paperspace_mcp.simulator import Simulator
from paperspace_mcp.simulator.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from paperspace_mcp.simulator.server import Running

# verify=False: loading the authorities costs each client a tenth of a second, and nothing here is TLS.
KEY = {"Authorization": "Bearer demo-key"}


@pytest.fixture
def sim() -> Simulator:
    return Simulator(clock=lambda: 0.0)  # real time stands still: only advance() moves the world


@pytest.fixture
def served(sim: Simulator) -> Iterator[Running]:
    with running(sim) as server:
        yield server


@pytest.fixture
def api(served: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, headers=KEY, timeout=5, verify=False, trust_env=False) as client:
        yield client


@pytest.fixture
def control(served: Running) -> Iterator[httpx.Client]:
    base = served.url.removesuffix("/v1") + "/_control"
    with httpx.Client(base_url=base, timeout=5, verify=False, trust_env=False) as client:
        yield client
