"""Where a revealed password goes, so that it is in no transcript: a file of its owner, or nowhere."""

import os
from pathlib import Path

from paperspace_mcp.contract.errors import Refusal
from paperspace_mcp.contract.shapes import Desktop
from paperspace_mcp.rules.guard.records import Record


def password(desktop: Desktop) -> str:
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
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(secret + "\n")
        except OSError:
            raise Refusal("reveal_unavailable") from None
        return {"file": str(path)}


class InlineSink:
    """Into the answer itself, and so into every transcript of it: only where an operator explicitly asked for that."""

    async def deliver(self, record: Record, target_name: str, desktop: Desktop) -> dict[str, str]:
        """Hand the password back."""
        del record, target_name
        return {"password": password(desktop)}
