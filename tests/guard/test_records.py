"""When an approval counts, as tables."""

from dataclasses import replace
from itertools import product

import pytest

from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.rules.guard.records import (
    CLIENT_S,
    FRESH,
    INBOX_S,
    REPEAT_S,
    Channel,
    Record,
    Status,
    alive,
    judge,
    meet,
)

NOW = 1_000_000.0
RECORD = Record(
    code="K7Q2",
    principal="anna:k",
    account="k",
    tool="delete_machine",
    effect=Effect.DESTROY,
    digest="d",
    plan="{}",
    question="?",
    expects="dev-ben",
    channel=Channel.CLIENT,
    issued_at=NOW,
    expires_at=NOW + CLIENT_S,
)
MOMENTS = [(-1e9, False), (-0.001, False), (0.0, True), (60.0, True), (120.0, True), (120.001, False), (1e9, False)]


def test_the_promised_times() -> None:
    assert (CLIENT_S, INBOX_S, REPEAT_S) == (120.0, 900.0, 120.0)


@pytest.mark.parametrize(("at", "counts"), MOMENTS)
def test_an_answer_counts_from_issue_to_expiry(at: float, counts: bool) -> None:
    assert alive(RECORD, NOW + at) is counts
    assert judge(RECORD, "dev-ben", NOW + at) == ("" if counts else "expired")


CODES = {Status.OPEN: "", Status.SPENT: "already_spent"}


@pytest.mark.parametrize(("status", "channel", "apart"), list(product(Status, Channel, (False, True))))
def test_judging_the_right_text(status: Status, channel: Channel, apart: bool) -> None:
    record = replace(RECORD, status=status, channel=channel, out_of_band_only=apart)
    refused = CODES.get(status, "declined")
    if not refused and apart and channel is Channel.CLIENT:
        refused = "out_of_band_only"
    assert judge(record, "dev-ben", NOW) == refused
    assert judge(record, "other", NOW) == (refused or "mistyped")


TYPED = {
    "dev-ben": "",
    " dev-ben\n": "",
    "\u2003dev-ben\t": "",
    "": "mistyped",
    "   ": "mistyped",
    "Dev-ben": "mistyped",
    "dev-ben\u200b": "mistyped",
    "dev\u2010ben": "mistyped",
    "dev-ben dev-ben": "mistyped",
    '"dev-ben"': "mistyped",
}


@pytest.mark.parametrize(("typed", "refused"), TYPED.items())
def test_the_text_is_compared_exactly(typed: str, refused: str) -> None:
    assert judge(RECORD, typed, NOW) == refused


@pytest.mark.parametrize("typed", ["", " ", "\n"])
def test_a_record_that_expects_nothing_is_never_met(typed: str) -> None:
    assert judge(replace(RECORD, expects=""), typed, NOW) == "mistyped"


# status, moment, channel asked from, out of band only -> kind
MEETINGS = {
    (Status.OPEN, 0.0, Channel.CLIENT, False): "open",
    (Status.OPEN, 120.0, Channel.CLIENT, False): "open",
    (Status.OPEN, 120.1, Channel.CLIENT, False): "fresh",
    (Status.OPEN, -0.1, Channel.CLIENT, False): "fresh",
    (Status.OPEN, 0.0, Channel.INBOX, False): "fresh",
    (Status.OPEN, 0.0, Channel.INBOX, True): "open",
    (Status.APPROVED, 0.0, Channel.CLIENT, False): "approved",
    (Status.APPROVED, 0.0, Channel.INBOX, False): "approved",
    (Status.APPROVED, 120.1, Channel.INBOX, False): "fresh",
    (Status.APPROVED, -0.1, Channel.INBOX, False): "fresh",
    (Status.DECLINED, 0.0, Channel.CLIENT, False): "fresh",
    (Status.MISTYPED, 0.0, Channel.CLIENT, False): "fresh",
}


@pytest.mark.parametrize(("case", "kind"), MEETINGS.items())
def test_what_a_call_finds(case: tuple[Status, float, Channel, bool], kind: str) -> None:
    status, at, channel, apart = case
    record = replace(RECORD, status=status, out_of_band_only=apart)
    meeting = meet([record], NOW + at, channel)
    assert meeting.kind == kind
    assert meeting.record == (None if kind == "fresh" else record)


# seconds since it was spent, settled, repeatable -> kind
SPENT = {
    (0.0, True, False): "repeat",
    (120.0, True, False): "repeat",
    (120.1, True, False): "fresh",
    (-0.1, True, False): "fresh",
    (0.0, True, True): "fresh",
    (0.0, False, False): "resume",
    (120.1, False, False): "resume",
    (900.0, False, False): "resume",
    (900.1, False, False): "fresh",
    (-0.1, False, False): "fresh",
    (0.0, False, True): "fresh",
}


@pytest.mark.parametrize(("case", "kind"), SPENT.items())
@pytest.mark.parametrize("channel", list(Channel))
def test_what_a_repeated_call_finds(case: tuple[float, bool, bool], kind: str, channel: Channel) -> None:
    since, settled, repeatable = case
    record = replace(RECORD, status=Status.SPENT, spent_at=NOW, settled=settled, repeatable=repeatable)
    assert meet([record], NOW + since, channel).kind == kind


def test_nothing_recorded_is_fresh() -> None:
    assert meet([], NOW, Channel.CLIENT) == FRESH


def test_the_newest_that_stands_is_found() -> None:
    gone, spent = replace(RECORD, status=Status.DECLINED), replace(RECORD, status=Status.SPENT, spent_at=NOW)
    assert meet([gone, RECORD, spent], NOW, Channel.CLIENT).record is RECORD
    assert meet([spent, RECORD], NOW, Channel.CLIENT).record is spent


@pytest.mark.parametrize(("status", "at"), list(product(Status, [-1e9, -0.1, 0.0, 119.0, 121.0, 899.0, 901.0, 1e9])))
def test_nothing_but_an_open_or_approved_and_living_record_can_be_spent(status: Status, at: float) -> None:
    """Whatever `meet` calls open or approved is alive: no other kind leads to spending."""
    record = replace(RECORD, status=status, spent_at=NOW)
    for channel in Channel:
        if meet([record], NOW + at, channel).kind in {"open", "approved"}:
            assert alive(record, NOW + at)
            assert status in {Status.OPEN, Status.APPROVED}
