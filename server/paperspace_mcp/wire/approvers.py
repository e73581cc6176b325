"""The approvers' secrets: set once, stored hashed, typed each time something is decided out of band.

A terminal proves nothing, because an agent with a shell has one too; a secret that stands in no file does. Whoever can
write this file can set a secret of their own, so it is worth as much as the account that owns it.
"""

import hashlib
import hmac
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from paperspace_mcp.contract.errors import Refusal
from paperspace_mcp.state import made

SHORTEST = 8
TRIES = 5
TRIES_WINDOW_S = 600.0
LOGIN_TRIES, PEER_TRIES, USER_TRIES = 3, 20, 30
"""Wrong logins in the same time: of one user at one address, at one address over all names, of one user everywhere.

Whoever reaches the page can try. The first stops a guesser without shutting the user out elsewhere, the others bound
guessing over names and over addresses. None of them uses up the tries of those who are in.
"""
_EVERY = "*"
_N, _R, _P = 2**14, 8, 1
"""scrypt at about 50 ms and 16 MiB a try."""


class Approvers:
    """Users who may decide, by name.

    Raises:
        OSError: the file cannot be read or written; nobody can decide then.
    """

    def __init__(self, directory: Path, *, now: Callable[[], float] = time.time) -> None:
        self._path = directory / "approvers.json"
        self._now = now

    def known(self, user: str) -> bool:
        """Whether a secret is set for this user."""
        return user in self._read()["users"]

    def any(self) -> bool:
        """Whether anybody has a secret: from then on nothing is decided without one."""
        return bool(self._read()["users"])

    def set(self, user: str, secret: str) -> None:
        """Set a user's secret.

        Raises:
            ValueError: it is too short.
        """
        if len(secret) < SHORTEST:
            raise ValueError(f"a secret has at least {SHORTEST} characters")
        salt = secrets.token_bytes(16)
        with self._alone():
            content = self._read()
            content["users"][user] = {"salt": salt.hex(), "hash": _hash(secret, salt)}
            self._write(content)

    def check(self, user: str, secret: str, *, peer: str = "") -> bool:
        """Whether the secret is this user's. A wrong one is counted; after five in ten minutes none is looked at.

        peer: from where somebody tries to log in; such tries are counted apart from those of people who decide.

        Raises:
            Refusal: too_many_tries.
        """
        with self._alone():  # of a hundred guesses at once, the sixth must see the five before it
            return self._checked(user, secret, _limits(user, peer))

    def _checked(self, user: str, secret: str, limits: Mapping[str, int]) -> bool:
        content, since = self._read(), self._now() - TRIES_WINDOW_S
        wrong = {key: left for key, tries in content["wrong"].items() if (left := [at for at in tries if at > since])}
        if any(len(wrong.get(key, ())) >= limit for key, limit in limits.items()):
            raise Refusal("too_many_tries")
        stored = content["users"].get(user, {"salt": "00" * 16, "hash": ""})
        right = hmac.compare_digest(_hash(secret, bytes.fromhex(stored["salt"])), stored["hash"])
        if not right:
            counted = {key: [*wrong.get(key, ()), self._now()] for key in limits}
            self._write({**content, "wrong": {**wrong, **counted}})
        return right

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else at the file, in whatever process. The lock is a file of its own: the other is replaced."""
        try:
            import fcntl
        except ImportError:
            raise OSError("this system has no flock; tries cannot be counted, so nobody can decide") from None
        made(self._path.parent)
        handle = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _read(self) -> dict[str, Any]:
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            return {"users": dict(content["users"]), "wrong": dict(content.get("wrong", {}))}
        except FileNotFoundError:
            return {"users": {}, "wrong": {}}
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise OSError("approvers.json is broken: who may decide cannot be known") from error

    def _write(self, content: dict[str, Any]) -> None:
        """Whole or not at all."""
        made(self._path.parent)
        draft = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(content, file)
        draft.replace(self._path)


def _limits(user: str, peer: str) -> dict[str, int]:
    """What a wrong secret counts for, and how many may. No user's name has a space in it."""
    if not peer:
        return {user: TRIES}
    who = hashlib.sha256(user.encode()).hexdigest()[:16]  # of what strangers type, nothing is kept
    return {f"{who} {peer}": LOGIN_TRIES, f"{_EVERY} {peer}": PEER_TRIES, f"{who} {_EVERY}": USER_TRIES}


def _hash(secret: str, salt: bytes) -> str:
    return hashlib.scrypt(secret.encode(), salt=salt, n=_N, r=_R, p=_P).hex()
