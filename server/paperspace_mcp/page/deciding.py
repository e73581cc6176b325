"""What the page decides with: whose questions are seen, who may log in, and the answer to each form."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from anyio.to_thread import run_sync

from paperspace_mcp.approving import Approver, Decided
from paperspace_mcp.audit import Entry
from paperspace_mcp.conduct import Conduct
from paperspace_mcp.conduct.storing import audited, stored
from paperspace_mcp.contract.errors import Refusal
from paperspace_mcp.page.sessions import Session, Sessions
from paperspace_mcp.rules.guard.lists import Listing
from paperspace_mcp.rules.guard.records import Record
from paperspace_mcp.tokens import Tokens
from paperspace_mcp.wire.approvers import Approvers
from paperspace_mcp.wire.sinks import Held, LinkSink


@dataclass(frozen=True, slots=True)
class Page:
    """The page over one server. `principal_of`: the identity of a user's calls; `security`: the SDK's Host rules."""

    conduct: Conduct
    approvers: Approvers
    tokens: Tokens
    principal_of: Callable[[str], str]
    key: bytes
    security: Any
    now: Callable[[], float] = time.time

    @property
    def sessions(self) -> Sessions:
        return Sessions(self.key)

    async def session(self, cookie: str) -> Session | None:
        """Who is logged in. A user whose token or secret was taken away is out at once, and so is who logged out.

        Raises:
            OperatorError: store_unusable; who logged out is not known then.
        """
        session = self.sessions.find(cookie, self.now())
        if session is None or await stored(partial(self.conduct.rooms.store.flag, _ended(session), self.now())):
            return None
        with suppress(OSError):  # what cannot be read vouches for nobody
            return session if self._may(session.user) else None
        return None

    async def log_out(self, session: Session) -> None:
        """End a session for every process of this store: its cookie is worth nothing to whoever kept it."""
        await stored(partial(self.conduct.rooms.store.set_flag, _ended(session), session.until + 1, "logged out"))

    async def log_in(self, user: str, secret: str, peer: str) -> str:
        """The cookie of a new session. peer: from where; tries are counted for it.

        Raises:
            Refusal: wrong_login, too_many_tries.
        """
        right = await run_sync(partial(self.approvers.check, user, secret, peer=peer))
        if not right or not self._may(user):
            raise Refusal("wrong_login")
        return self.sessions.open(user, self.now())[1]

    def _may(self, user: str) -> bool:
        return self.tokens.known(user) and self.approvers.known(user)

    async def waiting(self, session: Session) -> list[Record]:
        """This user's open questions, oldest first."""
        return await self._approver(session).waiting(self.principal_of(session.user))

    async def show(self, session: Session, code: str) -> Record:
        """An open question of this user. Another user's is not told apart from none.

        Raises:
            Refusal: unknown_code, already_decided, expired.
        """
        await self._own(session, code)
        return await self._approver(session).show(code)

    async def _own(self, session: Session, code: str) -> None:
        record = await self.conduct.record(code)
        if record is None or record.principal != self.principal_of(session.user):
            raise Refusal("unknown_code")

    async def decide(self, session: Session, code: str, decision: str, typed: str, secret: str) -> Record:
        """Approve or deny, with the secret typed anew.

        Raises:
            Refusal: as `show`, and wrong_secret, too_many_tries, mistyped_out_of_band.
        """
        await self.show(session, code)
        approver = self._approver(session)
        if decision == "approve":
            return await approver.approve(code, typed, secret)
        return await approver.deny(code, secret)

    async def together(self, session: Session, codes: Sequence[str]) -> tuple[list[Record], list[Decided]]:
        """Of several questions of this user those that still wait, and what became of the others.

        Raises:
            Refusal: unknown_code.
        """
        waiting, ended = list[Record](), list[Decided]()
        for code in dict.fromkeys(codes):
            await self._own(session, code)
            try:
                waiting.append(await self._approver(session).show(code))
            except Refusal as refusal:
                ended.append(Decided(code, refusal))
        return waiting, ended

    async def listing(self, session: Session, codes: Sequence[str]) -> Listing:
        """Several questions of this user as one list.

        Raises:
            Refusal: unknown_code, not_together.
        """
        for code in codes:
            await self._own(session, code)
        return await self._approver(session).listing(codes)

    async def decide_list(
        self, session: Session, codes: Sequence[str], decision: str, typed: str, secret: str
    ) -> list[Decided]:
        """Approve or deny several with one text and the secret typed once; what became of each.

        Raises:
            Refusal: as `listing`, and wrong_secret, too_many_tries, mistyped_out_of_band; nothing is decided then.
        """
        for code in codes:
            await self._own(session, code)
        approver = self._approver(session)
        if decision == "approve":
            return await approver.approve_list(codes, typed, secret)
        return await approver.deny_list(codes, secret)

    @property
    def _sink(self) -> LinkSink | None:
        sink = self.conduct.rooms.sink
        return sink if isinstance(sink, LinkSink) else None

    def revealed(self, session: Session, code: str) -> Held:
        """A password that waits for this user; looking at it here does not use it up.

        Raises:
            Refusal: nothing_revealed.
        """
        held = self._sink.waits(code, self.principal_of(session.user)) if self._sink else None
        if held is None:
            raise Refusal("nothing_revealed")
        return held

    async def reveal(self, session: Session, code: str) -> Held:
        """A password, once, and written in the audit before it is shown.

        Raises:
            Refusal: nothing_revealed.
            OperatorError: audit_unusable; it still waits then.
        """
        held = self._sink.take(code, self.principal_of(session.user)) if self._sink else None
        if self._sink is None or held is None:
            raise Refusal("nothing_revealed")
        entry = Entry("shown", held.principal, effect="reveal", code=code, approver=f"{session.user} (page)")
        try:
            await audited(partial(self.conduct.rooms.audit.write, entry))
        except BaseException:
            self._sink.put_back(code, held)
            raise
        return held

    def _approver(self, session: Session) -> Approver:
        return Approver(self.conduct, self.approvers, session.user, "page", self.now)


def _ended(session: Session) -> str:
    return f"session-ended:{session.id}"
