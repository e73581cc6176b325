"""Which address an account is at. A record knows its account by a fingerprint, and that tells a person nothing."""

import re
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from paperspace_mcp.state import made

_FINGERPRINT = re.compile(r"[0-9a-f]{4,64}")


class Accounts:
    """The addresses of a state directory's accounts: a small file each, so that no two processes write the same one."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "accounts"

    def remember(self, account: str, url: str) -> None:
        """Write down an address, for whoever reads a list later. What cannot be written is only not shown then."""
        with suppress(OSError):
            made(self._directory.parent)
            self._directory.mkdir(mode=0o700, exist_ok=True)
            (self._directory / account).write_text(shown(url), encoding="utf-8")

    def url(self, account: str) -> str:
        """The address; an empty string where it is not known."""
        if _FINGERPRINT.fullmatch(account):
            with suppress(OSError, UnicodeDecodeError):
                return shown((self._directory / account).read_text(encoding="utf-8"))
        return ""


def shown(url: str) -> str:
    """An address without what may be secret in it; an empty string for what is none."""
    try:
        parts = urlsplit(url.strip()[:300])
    except ValueError:
        return ""
    text = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return text if text.isascii() and text.isprintable() else ""
