"""Logins of the page: a short-lived cookie that this server signed, and a form token that belongs to it."""

import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

SESSION_S = 600.0


@dataclass(frozen=True, slots=True)
class Session:
    """Who logged in, until when (seconds since the epoch)."""

    user: str
    until: float
    id: str


@dataclass(frozen=True, slots=True)
class Sessions:
    """Opens and recognises sessions. Nothing is kept: the cookie says it, and the key vouches for it."""

    key: bytes

    def open(self, user: str, now: float) -> tuple[Session, str]:
        """A new session, and its cookie."""
        session = Session(user, now + SESSION_S, secrets.token_urlsafe(16))
        said = urlsafe_b64encode(json.dumps([session.user, session.until, session.id]).encode()).decode()
        return session, f"{said}.{self._sign('session', said)}"

    def find(self, cookie: str, now: float) -> Session | None:
        """The session of a cookie; None for one that is over, or that nobody here signed."""
        said, _, signature = cookie.partition(".")
        if not hmac.compare_digest(self._sign("session", said).encode(), signature.encode()):
            return None
        user, until, number = json.loads(urlsafe_b64decode(said))
        session = Session(user, until, number)
        return session if session.until - SESSION_S <= now <= session.until else None

    def form_token(self, session: Session) -> str:
        """What a form of this session carries: a page of a stranger cannot know it."""
        return self._sign("form", session.id)

    def fits(self, session: Session, token: str) -> bool:
        return hmac.compare_digest(self.form_token(session).encode(), token.encode())

    def _sign(self, purpose: str, said: str) -> str:
        return hmac.digest(self.key, f"{purpose}:{said}".encode(), "sha256").hex()
