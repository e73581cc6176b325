from collections.abc import Iterator

import pytest
from tests.proof.wire.undisturbed import undisturbed


@pytest.fixture(autouse=True)
def _undisturbed() -> Iterator[None]:
    with undisturbed():
        yield
