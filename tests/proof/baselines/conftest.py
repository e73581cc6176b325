import pytest
from tests.guard.conftest import schemas_made_once

__all__ = ["schemas_made_once"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
