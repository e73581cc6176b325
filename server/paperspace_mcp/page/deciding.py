"""What the page decides with: whose questions are seen, who may log in, and the answer to each form."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from paperspace_mcp.approving import Approver
from paperspace_mcp.conduct import Conduct
from paperspace_mcp.contract.errors import Refusal
from paperspace_mcp.page.sessions import Session, Sessions
from paperspace_mcp.rules.guard.records import Record
from paperspace_mcp.tokens import Tokens
from paperspace_mcp.wire.approvers import TRIES, TRIES_WINDOW_S, Approvers

LOGIN_TRIES = TRIES - 2
"""Whoever reaches the address can try to log in; that must not use up the tries of those who are in."""


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
    wrong_logins: list[float] = field(default_factory=list)

    @property
    def sessions(self) -> Sessions:
        return Sessions(self.key)

    def session(self, cookie: str) -> Session | None:
        """Who is logged in. A user whose token or secret was taken away is out at once."""
        session = self.sessions.find(cookie, self.now())
        with suppress(OSError):  # what cannot be read vouches for nobody
            return session if session is not None and self._may(session.user) else None
        return None

    def log_in(self, user: str, secret: str) -> str:
        """The cookie of a new session.

        Raises:
            Refusal: wrong_login, too_many_tries.
        """
        self.wrong_logins[:] = [at for at in self.wrong_logins if at > self.now() - TRIES_WINDOW_S]
        if len(self.wrong_logins) >= LOGIN_TRIES:
            raise Refusal("too_many_tries")
        if not self._may(user) or not self.approvers.check(user, secret):
            self.wrong_logins.append(self.now())
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
        record = await self.conduct.record(code)
        if record is None or record.principal != self.principal_of(session.user):
            raise Refusal("unknown_code")
        return await self._approver(session).show(code)

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

    def _approver(self, session: Session) -> Approver:
        return Approver(self.conduct, self.approvers, session.user, "page", self.now)
