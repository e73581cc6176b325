"""Where the records of approvals live: one small interface, whatever the engine."""

from collections.abc import Collection, Sequence
from typing import Protocol

from paperspace_mcp.rules.guard.records import Channel, Meeting, Record, Status
from paperspace_mcp.rules.policy import Charge, Standing


class Store(Protocol):
    """Shared by every process that serves or approves. Each method is one transaction, and blocks.

    Raises:
        OSError: the store cannot be used; whoever asked must take it as a no.
    """

    def find(self, principal: str, digest: str, now: float, channel: Channel) -> Meeting:
        """What a call finds of itself (see `records.meet`)."""
        ...

    def issue(self, record: Record, targets: Collection[str], now: float, questions: int | None = None) -> Meeting:
        """Write a new record, unless the same call was recorded meanwhile; either way, the one that stands.

        questions: how many a principal may be asked in a client in ten minutes, this one among them.

        Raises:
            KeyError: the code is taken, or so many were asked already.
        """
        ...

    def get(self, code: str) -> Record | None:
        """The record of a code, whatever became of it."""
        ...

    def inbox(self, now: float) -> list[Record]:
        """The open records that wait for a person out of band, oldest first."""
        ...

    def lapsed(self, now: float) -> list[Record]:
        """The questions that nobody answered in time, and the approvals that nobody used; each is given once."""
        ...

    def unlapsed(self, codes: Collection[str]) -> None:
        """They could not be written down after all: give them again."""
        ...

    def close(self, code: str, status: Status, *, approver: str = "", now: float = 0.0) -> bool:
        """Move an open record to APPROVED, DECLINED or MISTYPED; False where it was no longer open."""
        ...

    def retire(self, code: str) -> bool:
        """Take an open or approved record out of use for ever; False where it was neither."""
        ...

    def spend(self, code: str, expected: Status, now: float, charges: Sequence[Charge] = ()) -> bool:
        """Spend a record, once for ever, and enter its charges; False where it was not in that state or has expired.

        Raises:
            Refusal: over_budget, for a charge that does not fit; then nothing is spent either.
        """
        ...

    def note(self, code: str, before: str, after: str, *, settled: bool = False, repeatable: bool = False) -> bool:
        """Write down what became of a spent record's steps so far; False where another process wrote first."""
        ...

    def spent(self, principal: str, digest: str, since: float) -> list[Record]:
        """The records of this call that were spent since."""
        ...

    def told(self, event_id: str, but: str) -> bool:
        """Whether another record's outcome has this event, so that it is not the trace of the record `but`."""
        ...

    def asked(self, principal: str, since: float) -> int:
        """How many questions this principal's client was asked since."""
        ...

    def over(self, charges: Sequence[Charge]) -> str:
        """The first ledger that a charge would not fit into; an empty string where all fit. Nothing is entered."""
        ...

    def landed(self, code: str, machine_id: str) -> None:
        """Say which machine a record's charges are about, once it is known: that of a create."""
        ...

    def total(self, ledger: str, since: float) -> float:
        """The sum of a ledger's entries since."""
        ...

    def allow(self, standing: Standing) -> None:
        """Write down a standing approval. Raises KeyError where its code is taken."""
        ...

    def standing(self, now: float) -> list[Standing]:
        """The standing approvals that have not run out of time."""
        ...

    def end(self, code: str) -> bool:
        """End a standing approval; False where there is none."""
        ...

    def set_flag(self, name: str, until: float, reason: str) -> None:
        """Raise a flag (`frozen`, `unlocked:PRINCIPAL`) until a time; a time that is past lowers it."""
        ...

    def flag(self, name: str, now: float) -> bool:
        """Whether a flag is raised."""
        ...
