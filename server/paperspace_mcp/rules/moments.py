"""A moment as people and models write it. Models have no clock, so that what is relative is so to ours."""

import re
from datetime import UTC, datetime, timedelta

_AGO = re.compile(r"(?:(?:the )?(?:last|past) )?(?P<number>[0-9]{1,4}(?:\.[0-9]{1,3})?)? ?(?P<unit>[a-z]+)(?: ago)?")
_SECONDS = {
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86_400.0),
    **dict.fromkeys(("w", "wk", "week", "weeks"), 604_800.0),
}
_DAYS = {"now": None, "today": 0, "yesterday": 1}
FORMS = "an ISO 8601 time such as 2026-01-31T08:00:00Z, or 24h, 7d, today or yesterday"


def moment(words: str, now: float) -> datetime | None:
    """The moment that words mean, in UTC where they name no zone; None where they mean none. now: Unix seconds."""
    folded = " ".join(words.casefold().split())
    at = datetime.fromtimestamp(now, UTC)
    if folded in _DAYS:
        return _midnight(at, _DAYS[folded])
    ago = _AGO.fullmatch(folded)
    if ago and ago["unit"] in _SECONDS:
        return at - timedelta(seconds=float(ago["number"] or 1) * _SECONDS[ago["unit"]])
    return _iso(words.strip())


def _midnight(at: datetime, days_ago: int | None) -> datetime:
    if days_ago is None:
        return at
    return at.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days_ago)


def _iso(words: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(words)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
