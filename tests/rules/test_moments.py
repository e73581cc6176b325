"""Moments as they are written, by the server's clock."""

from datetime import UTC, datetime, timedelta

import pytest

from paperspace_mcp.rules.moments import moment

NOW = datetime(2026, 3, 1, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "ago"),
    [
        ("24h", timedelta(hours=24)),
        ("7d", timedelta(days=7)),
        ("7 days", timedelta(days=7)),
        ("7 days ago", timedelta(days=7)),
        ("last 2 weeks", timedelta(weeks=2)),
        ("the past hour", timedelta(hours=1)),
        ("Last Week", timedelta(weeks=1)),
        ("90 min", timedelta(minutes=90)),
        ("1.5h", timedelta(minutes=90)),
        ("now", timedelta()),
        ("today", timedelta(hours=10, minutes=30)),
        ("Yesterday", timedelta(days=1, hours=10, minutes=30)),
    ],
)
def test_relative_to_the_clock(words: str, ago: timedelta) -> None:
    assert moment(words, NOW.timestamp()) == NOW - ago


@pytest.mark.parametrize(
    ("words", "at"),
    [
        ("2026-02-28", datetime(2026, 2, 28, tzinfo=UTC)),
        ("2026-02-28T08:00:00Z", datetime(2026, 2, 28, 8, tzinfo=UTC)),
        ("2026-02-28T08:00:00", datetime(2026, 2, 28, 8, tzinfo=UTC)),
        (" 2026-02-28 08:00 ", datetime(2026, 2, 28, 8, tzinfo=UTC)),
        ("2026-02-28T09:00:00+01:00", datetime(2026, 2, 28, 8, tzinfo=UTC)),
    ],
)
def test_iso(words: str, at: datetime) -> None:
    assert moment(words, NOW.timestamp()) == at


@pytest.mark.parametrize("words", ["soon", "7", "24 parsecs", "-24h", "last month", "99999d", "2026-02-30", "ago"])
def test_what_is_no_moment(words: str) -> None:
    assert moment(words, NOW.timestamp()) is None
