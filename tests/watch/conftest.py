import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.watch.account import Account, tasks_of_the_watch


@pytest.fixture
async def account() -> AsyncIterator[Account]:
    """An empty account whose time runs by itself; every task of the watch that a test leaves behind fails it."""
    account = Account()
    time_passing = asyncio.create_task(account.clock.run())
    yield account
    assert tasks_of_the_watch() == []
    time_passing.cancel()
    await account.wire.aclose()
