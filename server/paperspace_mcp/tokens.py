"""Static bearer tokens: a file of lines `name sha256-hex`. It holds hashes only, so reading it lets nobody in."""

import hashlib
import hmac
import logging
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from paperspace_mcp.contract.errors import OperatorError

if TYPE_CHECKING:
    from mcp.server.auth.provider import AccessToken

ISSUER = "paperspace-mcp"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_LINE = re.compile(rf"({NAME.pattern})\s+([0-9a-f]{{64}})")
_log = logging.getLogger(__name__)


class Tokens:
    """Who may speak to the server over HTTP. The file is read again whenever it changes.

    A file that cannot be used lets nobody in.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._names: Mapping[str, str] = {}

    def check(self) -> None:
        """Raises an `OperatorError` where the file cannot be used, or names nobody."""
        try:
            usable = bool(_parse(self._path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            usable = False
        if not usable:
            raise OperatorError("bad_configuration", facts={"setting": "--tokens"})

    def name_of(self, token: str) -> str:
        """Whose token it is; an empty string for nobody's. Every hash is compared, whichever fits."""
        presented = _hash(token)
        found = ""
        for stored, name in self._current().items():
            found = name if hmac.compare_digest(stored, presented) else found
        return found

    def known(self, name: str) -> bool:
        """Whether this user has a token."""
        return name in self._current().values()

    async def verify_token(self, token: str) -> "AccessToken | None":
        """The SDK's question, at every request. The name is its session's owner and its sealed state's principal."""
        from mcp.server.auth.provider import AccessToken

        name = self.name_of(token)
        if not name:
            return None
        return AccessToken(token="", client_id=name, scopes=[], subject=name, claims={"iss": ISSUER})

    def _current(self) -> Mapping[str, str]:
        try:
            stat = self._path.stat()
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if seen != self._seen:
                self._names = _parse(self._path.read_text(encoding="utf-8"))
                self._seen = seen
        except (OSError, ValueError) as error:
            self._seen, self._names = None, {}
            _log.warning("the file of tokens cannot be used, so nobody gets in (%s)", error.__class__.__name__)
        return self._names


def _parse(text: str) -> dict[str, str]:
    """Names by hash.

    Raises:
        ValueError: a line is neither empty, a comment, nor `name sha256-hex`.
    """
    found = dict[str, str]()
    for line in text.splitlines():
        said = line.partition("#")[0].strip()
        if not said:
            continue
        match = _LINE.fullmatch(said)
        if match is None:
            raise ValueError("a line is not `name sha256-hex`")
        found[match[2]] = match[1]
    return found


def issue(path: Path, name: str) -> str:
    """Make a token for a user and append its hash. The token itself is kept nowhere.

    Raises:
        ValueError: the name has other characters than letters, digits and `._@-`.
        OSError: the file cannot be written.
    """
    if not NAME.fullmatch(name):
        raise ValueError("a name has letters, digits and ._@- only, at most 64")
    token = secrets.token_urlsafe(32)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "r+", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o600)
        gap = "" if file.read()[-1:] in {"", "\n"} else "\n"
        file.write(f"{gap}{name} {_hash(token)}\n")
    return token


def _hash(token: str) -> str:
    """A plain hash is enough: the tokens are random and long."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
