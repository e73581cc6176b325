from collections.abc import Iterator

import pytest
from tests.guard.conftest import schemas_made_once
from tests.proof.wire.undisturbed import undisturbed

__all__ = ["schemas_made_once"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _undisturbed() -> Iterator[None]:
    with undisturbed():
        yield
