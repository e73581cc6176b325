"""When a read is tried again, without a clock."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from paperspace_mcp.rules.retrying import GiveUp, Sleep, decide, http_date, pause_s, retry_after_s

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


def verdict(
    kind: int | str | None,
    attempt: int = 1,
    *,
    retry_after_s: float | None = None,
    elapsed_s: float = 0.0,
    budget_s: float = 30.0,
    jitter: float = 1.0,
) -> Sleep | GiveUp:
    return decide(
        kind,
        attempt=attempt,
        max_attempts=4,
        elapsed_s=elapsed_s,
        budget_s=budget_s,
        jitter=jitter,
        retry_after_s=retry_after_s,
    )


@pytest.mark.parametrize("status", range(100, 600))
def test_only_four_statuses_are_worth_another_try(status: int) -> None:
    assert isinstance(verdict(status), Sleep) == (status in {429, 502, 503, 504})


@pytest.mark.parametrize("cause", ["refused", "dns", "connect_timeout", "not_connected", "lost", "timeout"])
def test_broken_connections_are_tried_again(cause: str) -> None:
    assert verdict(cause) == Sleep(0.25)


@pytest.mark.parametrize("cause", ["tls", "proxy", "budget", "unreadable_answer", "", None])
def test_what_another_try_cannot_mend_is_final(cause: str | None) -> None:
    assert verdict(cause) == GiveUp("final")


def test_the_last_attempt_is_the_last() -> None:
    assert verdict(503, attempt=3) == Sleep(1.0)
    assert verdict(503, attempt=4) == GiveUp("attempts")


def test_pauses_double_up_to_eight_seconds_and_jitter_takes_its_share() -> None:
    assert [pause_s(attempt, 1.0) for attempt in range(1, 9)] == [0.25, 0.5, 1, 2, 4, 8, 8, 8]
    assert pause_s(3, 0.5) == 0.5
    assert pause_s(3, 0.0) == 0.0
    assert pause_s(10_000, 1.0) == 8.0


def test_retry_after_is_not_undercut_and_not_slept_past_the_budget() -> None:
    assert verdict(429, retry_after_s=7.0) == Sleep(7.0)
    assert verdict(429, retry_after_s=0.0) == Sleep(0.25)
    assert verdict(429, retry_after_s=30.0) == GiveUp("budget")
    assert verdict(429, retry_after_s=7.0, elapsed_s=23.0) == GiveUp("budget")
    assert verdict(429, retry_after_s=7.0, elapsed_s=22.9) == Sleep(7.0)


def test_a_pause_that_ends_after_the_budget_is_not_begun() -> None:
    assert verdict(503, elapsed_s=29.9) == GiveUp("budget")
    assert verdict("lost", budget_s=0.0) == GiveUp("budget")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 5 ", 5.0),
        ("Tue, 24 Nov 2026 12:00:09 GMT", 9.0),
        ("Tue, 24 Nov 2026 11:00:00 GMT", 0.0),
        ("Tue, 24 Nov 2026 13:00:10 +0100", 10.0),
        ("Tuesday, 24-Nov-26 12:00:03 GMT", 3.0),
        ("Tue Nov 24 12:00:04 2026", 4.0),
        *[(text, None) for text in ("", "-1", "1.5", "1e3", "NaN", "soon", "9" * 5000, "٣", "5 s", "\x00", "1;2")],
        (None, None),
    ],
)
def test_retry_after_is_read_in_both_forms_and_nonsense_is_nothing(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header, NOW) == seconds


def test_a_date_that_no_calendar_knows_is_none() -> None:
    assert http_date("Tue, 99 Nov 2026 12:00:00 GMT") is None
    assert http_date("Tue, 24 Nov 99999999999 12:00:00 GMT") is None
    assert http_date("Tue, 24 Nov 2026 12:00:00 +0100") == NOW.replace(tzinfo=timezone(timedelta(hours=1)))
