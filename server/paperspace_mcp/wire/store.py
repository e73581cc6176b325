"""Where the records of approvals live: one small interface, whatever the engine."""

from collections.abc import Collection
from typing import Protocol

from paperspace_mcp.rules.guard.records import Channel, Meeting, Record, Status


class Store(Protocol):
    """Shared by every process that serves or approves. Each method is one transaction, and blocks.

    Raises:
        OSError: the store cannot be used; whoever asked must take it as a no.
    """

    def find(self, principal: str, digest: str, now: float, channel: Channel) -> Meeting:
        """What a call finds of itself (see `records.meet`)."""
        ...

    def issue(self, record: Record, targets: Collection[str], now: float) -> Meeting:
        """Write a new record, unless the same call was recorded meanwhile; either way, the one that stands.

        Raises:
            KeyError: the code is taken.
        """
        ...

    def get(self, code: str) -> Record | None:
        """The record of a code, whatever became of it."""
        ...

    def inbox(self, now: float) -> list[Record]:
        """The open records that wait for a person out of band, oldest first."""
        ...

    def close(self, code: str, status: Status, *, approver: str = "") -> bool:
        """Move an open record to APPROVED, DECLINED or MISTYPED; False where it was no longer open."""
        ...

    def spend(self, code: str, expected: Status, now: float) -> bool:
        """Spend a record, once for ever; False where it was not in the expected state or has expired."""
        ...

    def note(self, code: str, before: str, after: str, *, settled: bool = False, repeatable: bool = False) -> bool:
        """Write down what became of a spent record's steps so far; False where another process wrote first."""
        ...
