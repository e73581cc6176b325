from collections.abc import Iterator

import pytest
from tests.guard.conftest import schemas_made_once

__all__ = ["schemas_made_once"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Nothing is asserted of logs here, and an attacked server writes many."""
    import logging

    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
