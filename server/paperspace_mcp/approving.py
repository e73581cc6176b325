"""Deciding out of band: one interface (list, show, decide) behind which every face stands."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from paperspace_mcp.conduct import Conduct
from paperspace_mcp.contract.errors import Failure, Refusal
from paperspace_mcp.rules.guard import lists
from paperspace_mcp.rules.guard.demands import WEAK
from paperspace_mcp.rules.guard.lists import Listing
from paperspace_mcp.rules.guard.records import Channel, Record, Status, alive
from paperspace_mcp.surface.wording import explain
from paperspace_mcp.wire.approvers import Approvers

WEAKLY = "same-user, weak"
"""Who approved, as the record says it, where no secret is set: whoever has the account's shell could have been it."""

_WORDS = {
    "not_together": (
        "These are not confirmed as one list. Several of one class and one verb are; what grants, reveals, is "
        "protected and what asks for an exact name is decided by itself. Nothing was decided."
    ),
}


def worded(failure: Failure) -> str:
    """What went wrong, for the person who decides."""
    return _WORDS.get(failure.code) or " ".join(filter(None, explain(failure)))


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of one record of a list. `failure`: why it was not decided; the others were all the same."""

    code: str
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Approver:
    """Decides questions that wait for a person. `user`: in whose name; `face`: through which door, for the record."""

    conduct: Conduct
    approvers: Approvers
    user: str
    face: str
    now: Callable[[], float] = time.time

    async def waiting(self, principal: str = "") -> list[Record]:
        """The open questions, oldest first; of one principal only, where one is named."""
        return [one for one in await self.conduct.inbox() if not principal or one.principal == principal]

    async def show(self, code: str) -> Record:
        """An open question.

        Raises:
            Refusal: unknown_code, or how it was decided already (approved, declined, already_spent, expired).
        """
        record = await self._find(code)
        self._open(record)
        return record

    async def _find(self, code: str) -> Record:
        record = await self.conduct.record(code.strip().upper())
        if record is None or record.channel is not Channel.INBOX:
            raise Refusal("unknown_code")
        return record

    def _open(self, record: Record) -> None:
        if record.status is not Status.OPEN:
            raise Refusal("already_decided", facts={"approval": record.code, "how": record.status.value})
        if not alive(record, self.now()):
            raise Refusal("expired", facts={"approval": record.code})

    def authenticate(self, record: Record, secret: str) -> str:
        """Who decides, as the record will say. Without any secret set up, only the weak classes can be decided.

        Raises:
            Refusal: no_secret, wrong_secret, too_many_tries.
        """
        if not self.approvers.any():
            if record.effect not in WEAK:
                raise Refusal("no_secret")
            return WEAKLY
        if not self.approvers.check(self.user, secret):
            raise Refusal("wrong_secret")
        return f"{self.user} ({self.face})"

    async def approve(self, code: str, typed: str, secret: str = "") -> Record:
        """Approve a question with the text that it asks for.

        Raises:
            Refusal: as `show` and `authenticate`, and mistyped (the question stays open: people mistype).
        """
        record = await self.show(code)
        who = self.authenticate(record, secret)
        if not record.expects or typed.strip() != record.expects:
            raise Refusal("mistyped_out_of_band", facts={"approval": record.code})
        return await self._close(record, Status.APPROVED, who)

    async def deny(self, code: str, secret: str = "") -> Record:
        """Say no. That needs no secret where none is set up, whatever the class.

        Raises:
            Refusal: as `show`, and wrong_secret.
        """
        record = await self.show(code)
        return await self._close(record, Status.DECLINED, self._denier(record, secret))

    def _denier(self, record: Record, secret: str) -> str:
        return self.authenticate(record, secret) if self.approvers.any() else WEAKLY

    async def listing(self, codes: Sequence[str]) -> Listing:
        """Questions as one list, however each of them stands by now.

        Raises:
            Refusal: unknown_code; not_together, where they are not of one class and verb, or one is decided alone.
        """
        found = lists.listed([await self._find(code) for code in codes])
        if found is None:
            raise Refusal("not_together")
        return found

    async def approve_list(self, codes: Sequence[str], typed: str, secret: str = "") -> list[Decided]:
        """Approve a list with the one text that it asks for, as it was shown: all are judged by it, or none.

        Each record is then decided by itself: one that ran out of time or was decided meanwhile is told, the others
        go on.

        Raises:
            Refusal: as `listing` and `authenticate`, and mistyped_out_of_band. Nothing is decided then.
        """
        found = await self.listing(codes)
        who = self.authenticate(found.records[0], secret)
        if typed.strip() != found.typed:
            raise Refusal("mistyped_out_of_band", facts={"approval": found.records[0].code})
        return await self._each(found.records, Status.APPROVED, who)

    async def deny_list(self, codes: Sequence[str], secret: str = "") -> list[Decided]:
        """Say no to several, of whatever class. Each is decided by itself, as in `approve_list`.

        Raises:
            Refusal: unknown_code, and as `authenticate`.
        """
        found = list(dict.fromkeys([await self._find(code) for code in codes]))
        return await self._each(found, Status.DECLINED, self._denier(found[0], secret)) if found else []

    async def _each(self, records: Sequence[Record], status: Status, who: str) -> list[Decided]:
        how = who if who == WEAKLY else f"{who}, list of {len(records)}"
        return [Decided(one.code, await self._closed(one, status, how)) for one in records]

    async def _closed(self, record: Record, status: Status, who: str) -> Failure | None:
        try:
            self._open(record)
            await self._close(record, status, who)
        except Failure as failure:
            return failure
        return None

    async def _close(self, record: Record, status: Status, who: str) -> Record:
        if not await self.conduct.close(record, status, who):
            raise Refusal("already_decided", facts={"approval": record.code, "how": "meanwhile"})
        return record
