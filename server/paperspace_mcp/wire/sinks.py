"""Where a revealed password goes, so that it is in no transcript: a file of its owner, a page of theirs, or nowhere."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from paperspace_mcp.contract.errors import Refusal
from paperspace_mcp.contract.shapes import Desktop
from paperspace_mcp.rules.guard.records import Record
from paperspace_mcp.state import made

LINK_S = 600.0
"""How long a password waits to be seen."""
LINK_PATH = "/approvals/revealed"


def password(desktop: Desktop) -> SecretStr:
    """The password of desktop settings. Raises a `Refusal` where there is none."""
    if desktop.vnc is None or not desktop.vnc.password:
        raise Refusal("no_password")
    return desktop.vnc.password


class FileSink:
    """A file per approval in the state directory, readable by its owner only."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "revealed"

    async def deliver(self, record: Record, target_name: str, desktop: Desktop) -> dict[str, str]:
        """Write the file; its path is what the answer says."""
        del target_name  # a name chosen by a stranger has no place in a path
        secret, path = password(desktop), self._directory / f"{record.code}.txt"
        try:
            made(self._directory.parent)
            self._directory.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(secret.get_secret_value() + "\n")
        except OSError:
            raise Refusal("reveal_unavailable") from None
        return {"file": str(path)}


@dataclass(frozen=True, slots=True)
class Held:
    """A password that waits to be seen, and by whom. Times are seconds since the epoch."""

    principal: str
    target_name: str
    until: float
    password: SecretStr


class LinkSink:
    """In the memory of this process, for ten minutes; a page shows it once, to whoever logged in as the caller.

    The link opens nothing by itself: it names the approval, which the answer tells anyway.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self.address = ""
        """Where the page is; known once the server listens."""
        self._held: dict[str, Held] = {}

    async def deliver(self, record: Record, target_name: str, desktop: Desktop) -> dict[str, str]:
        """Keep it; the link is what the answer says."""
        held = Held(record.principal, target_name, self.now() + LINK_S, password(desktop))
        self._forget()
        self._held[record.code] = held
        return {"link": f"{self.address}{LINK_PATH}/{record.code}"}

    def waits(self, code: str, principal: str) -> Held | None:
        """What waits under a code for its own caller; another's is not told apart from none."""
        self._forget()
        found = self._held.get(code)
        return found if found is not None and found.principal == principal else None

    def take(self, code: str, principal: str) -> Held | None:
        """The same, and from now on it is here no more: of many who ask at once, one is given it."""
        return self._held.pop(code) if self.waits(code, principal) else None

    def put_back(self, code: str, held: Held) -> None:
        """It could not be shown after all."""
        self._held[code] = held

    def _forget(self) -> None:
        for code in [code for code, held in self._held.items() if held.until < self.now()]:
            del self._held[code]


class InlineSink:
    """Into the answer itself, and so into every transcript of it: only where an operator explicitly asked for that."""

    async def deliver(self, record: Record, target_name: str, desktop: Desktop) -> dict[str, str]:
        """Hand the password back."""
        del record, target_name
        return {"password": password(desktop).get_secret_value()}
