"""The record of a question: written before anybody is asked, spent before anything happens, once."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from paperspace_mcp.contract.effects import Effect

CLIENT_S = 120.0
"""How long an answer given in the client counts."""
INBOX_S = 900.0
"""How long a question waits for a person out of band."""
REPEAT_S = 120.0
"""How long a repeated call is told the outcome of the first, instead of a new question."""


class Status(StrEnum):
    OPEN = "open"
    APPROVED = "approved"
    DECLINED = "declined"
    MISTYPED = "mistyped"
    SPENT = "spent"
    SUPERSEDED = "superseded"
    """The same wish was approved and done by another record, or is judged by another policy now."""


class Channel(StrEnum):
    CLIENT = "client"
    INBOX = "inbox"
    RULE = "rule"
    """Nobody is asked: a standing approval or the price rule covers the call."""


@dataclass(frozen=True, slots=True)
class Record:
    """A plan, the question that was asked about it, and what became of it. Times are seconds since the epoch.

    expects: the text that must be typed. policy: fingerprint of the rules under which it was asked. decision, rule:
    what the policy decided, and by which of them. spent_at: when it was spent, or decided. outcome: JSON of the steps
    that were taken, empty before the first. settled: whether every step has its outcome.
    """

    code: str
    principal: str
    account: str
    tool: str
    effect: Effect
    digest: str
    plan: str
    question: str
    expects: str
    channel: Channel
    issued_at: float
    expires_at: float
    status: Status = Status.OPEN
    out_of_band_only: bool = False
    """It may not be, or does not fit to be, asked in a client."""
    approver: str = ""
    spent_at: float = 0.0
    outcome: str = ""
    settled: bool = False
    repeatable: bool = False
    """Nothing changed, or the outcome is final enough to ask anew: a repeated call is a new question."""
    policy: str = ""
    client: str = ""
    """What the client that asked says of itself. Nothing is decided by it."""
    decision: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Meeting:
    """What a call finds of itself in the store. `record` is None where it must be asked about anew."""

    kind: str
    record: Record | None = None


FRESH = Meeting("fresh")


def alive(record: Record, now: float) -> bool:
    """Whether an answer to the record still counts. A clock that went backwards is a no."""
    return record.issued_at <= now <= record.expires_at


def meet(records: Sequence[Record], now: float, channel: Channel) -> Meeting:
    """What a call finds, given all records of the same principal and digest, newest first.

    open      the same question still stands: ask it in the same words
    approved  a person said yes out of band: go
    denied    a person said no out of band, not long ago: tell it, ask nothing
    resume    spent, and steps are left: go on where it stopped
    repeat    spent within two minutes: tell the outcome, ask nothing
    fresh     none of these: plan and ask anew
    """
    for record in records:
        if kind := _kind(record, now, channel):
            return Meeting(kind, record)
    return FRESH


def _kind(record: Record, now: float, channel: Channel) -> str:
    if record.status is Status.SPENT:
        return _kind_spent(record, now)
    if record.status is Status.DECLINED:
        recent = record.channel is Channel.INBOX and 0 <= now - record.spent_at <= REPEAT_S
        return "denied" if recent else ""
    if not alive(record, now):
        return ""
    if record.status is Status.APPROVED:
        return "approved"
    same = record.channel is channel or record.out_of_band_only
    return "open" if record.status is Status.OPEN and same else ""


def _kind_spent(record: Record, now: float) -> str:
    if record.repeatable or not 0 <= now - record.spent_at <= max(REPEAT_S, 0 if record.settled else INBOX_S):
        return ""
    return "repeat" if record.settled else "resume"


def judge(record: Record, typed: str, now: float) -> str:
    """The code of a refusal, or an empty string where the typed text approves the record."""
    if record.status is not Status.OPEN:
        return "already_spent" if record.status is Status.SPENT else "declined"
    if not alive(record, now):
        return "expired"
    if record.out_of_band_only and record.channel is Channel.CLIENT:
        return "out_of_band_only"
    return "" if record.expects and typed.strip() == record.expects else "mistyped"
