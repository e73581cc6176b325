"""The days as README tells them: one question for a request at most, none where nothing changes."""

from pathlib import Path

import pytest
from tests.days.days import DAYS, Ordinary, lived, text
from tests.readme.document import readme

from paperspace_mcp.tables import filled

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("day", DAYS, ids=lambda one: f"{one.run.__name__}-{one.mode}")
async def test_a_day_asks_once_for_a_request_at_most(day: Ordinary, tmp_path: Path) -> None:
    measured = await lived(day, tmp_path)
    assert measured.questions <= day.asks
    assert len(measured.sent) == day.sends
    assert day.sends or not measured.questions


def test_readme_tells_them_as_they_are() -> None:
    assert filled(readme(), "days", text()) == readme(), "python -m tests.readme.accept"
