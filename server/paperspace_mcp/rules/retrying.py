"""When a read is tried again. Pure: no clock, no dice; both are handed in. Mutations never come here."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 8.0

TRANSIENT_STATUS = frozenset({429, 502, 503, 504})
TRANSIENT_CAUSE = frozenset({"refused", "dns", "connect_timeout", "not_connected", "lost", "timeout"})
"""Causes without a status. A certificate that is wrong now is wrong in a second, so `tls` is not among them."""

_SECONDS = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Sleep:
    """Try again after `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Tell the failure. `budget`: another attempt could have helped, but not within the time of the call."""

    why: Literal["final", "attempts", "budget"]


def decide(
    kind: int | str | None,
    *,
    attempt: int,
    max_attempts: int,
    elapsed_s: float,
    budget_s: float,
    jitter: float,
    retry_after_s: float | None = None,
) -> Sleep | GiveUp:
    """What follows the failed attempt number `attempt` (from 1).

    kind: the status, or the cause where no status came. jitter: 0 to 1, the share of the pause that is taken.
    A `Retry-After` is never undercut, and never slept past `budget_s`.
    """
    if kind not in TRANSIENT_STATUS and kind not in TRANSIENT_CAUSE:
        return GiveUp("final")
    if attempt >= max_attempts:
        return GiveUp("attempts")
    seconds = max(pause_s(attempt, jitter), retry_after_s or 0.0)
    return Sleep(seconds) if elapsed_s + seconds < budget_s else GiveUp("budget")


def pause_s(attempt: int, jitter: float) -> float:
    """Full jitter: anything from nothing to the doubled pause, so that many callers do not come back at once."""
    return jitter * min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(attempt - 1, 30))


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """Seconds that a `Retry-After` asks for: a number or an HTTP date seen from `now`. None for anything else."""
    text = (header or "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    moment = http_date(text)
    return None if moment is None else max(0.0, (moment - now).total_seconds())


def http_date(text: str | None) -> datetime | None:
    """The moment of an HTTP date; None if it is none."""
    try:
        moment = parsedate_to_datetime(text or "")
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
