"""Deciding out of band: one interface (list, show, decide) behind which every face stands."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from paperspace_mcp.conduct import Conduct
from paperspace_mcp.contract.errors import Refusal
from paperspace_mcp.rules.guard.demands import WEAK
from paperspace_mcp.rules.guard.records import Channel, Record, Status, alive
from paperspace_mcp.wire.approvers import Approvers

WEAKLY = "same-user, weak"
"""Who approved, as the record says it, where no secret is set: whoever has the account's shell could have been it."""


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
        record = await self.conduct.record(code.strip().upper())
        if record is None or record.channel is not Channel.INBOX:
            raise Refusal("unknown_code")
        if record.status is not Status.OPEN:
            raise Refusal("already_decided", facts={"approval": record.code, "how": record.status.value})
        if not alive(record, self.now()):
            raise Refusal("expired", facts={"approval": record.code})
        return record

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
        weak = not self.approvers.any()
        who = WEAKLY if weak else self.authenticate(record, secret)
        return await self._close(record, Status.DECLINED, who)

    async def _close(self, record: Record, status: Status, who: str) -> Record:
        if not await self.conduct.close(record, status, who):
            raise Refusal("already_decided", facts={"approval": record.code, "how": "meanwhile"})
        return record
