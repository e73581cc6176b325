"""Where the API key is found, without showing it."""

import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from paperspace_mcp.checkup.rows import Level, Row
from paperspace_mcp.contract.errors import OperatorError
from paperspace_mcp.settings import from_environment

PART = "key"
KEY, KEY_FILE = "PAPERSPACE_API_KEY", "PAPERSPACE_API_KEY_FILE"
SHOWN = 4
_LONG_ENOUGH = 16
_NOWHERE = "/nonexistent/paperspace-mcp"
_ELSEWHERE = f"Set {KEY}, or {KEY_FILE} to a file that only you can read."
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_DOTENV = re.compile(rf"^\s*(?:export\s+)?{KEY}\s*=\s*\S", re.MULTILINE)


def masked(key: str) -> str:
    """At most its last four characters; of a short one none, for they would be most of it."""
    return f"...{key[-SHOWN:]}" if len(key) >= _LONG_ENOUGH and key.isascii() and key.isprintable() else "..."


def rows(environ: Mapping[str, str], here: Path) -> Iterator[Row]:
    source, key = found(environ)
    if not key:
        yield Row(PART, "key", Level.FAIL, "none is found", _ELSEWHERE)
        yield from _dotenv(here)
        return
    yield Row(PART, "key", Level.OK, f"{masked(key)} from {source}")
    yield from _looks(key)
    if path := file_of(environ, source):
        yield from _private(path)
    yield from _hidden(environ, source)


def found(environ: Mapping[str, str]) -> tuple[str, str]:
    """Where the key is taken from and the key, by the server's own reading; both empty where there is none."""
    for source, only in _sources(environ).items():
        try:
            key = from_environment({"XDG_CONFIG_HOME": _NOWHERE, **only}).upstream.key
        except OperatorError:
            return source, ""
        if key:
            return source, key.get_secret_value()
    return "", ""


def file_of(environ: Mapping[str, str], source: str) -> Path | None:
    """The file that holds the key; None where it is in no file."""
    if source == KEY:
        return None
    named = environ.get(KEY_FILE) if source.startswith(KEY_FILE) else None
    return Path(named).expanduser() if named else home(environ) / ".paperspace" / "credentials.toml"


def home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or Path.home())


def _sources(environ: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """What the server takes a key from, in its order, each as an environment with nothing else in it."""
    given = {name: environ[name] for name in (KEY, KEY_FILE) if environ.get(name, "").strip()}
    ways = {name: {"HOME": _NOWHERE, name: value} for name, value in given.items()}
    return {**ways, "~/.paperspace/credentials.toml": {"HOME": str(home(environ))}}


def _looks(key: str) -> Iterator[Row]:
    if "${" in key or key.startswith("$"):
        what = "it is a reference such as ${NAME} that nobody replaced"
        yield Row(PART, "form", Level.FAIL, what, "The client did not know the variable: start it where it is set.")
    elif not all("!" <= character <= "~" for character in key):
        yield Row(PART, "form", Level.FAIL, "it has a character that no key has", "Paste it again, without quotes.")
    elif key[0] in "\"'" or key[-1] in "\"'":
        yield Row(PART, "form", Level.WARN, "it stands in quotes", "Paste it again, without them.")


def _private(path: Path) -> Iterator[Row]:
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if mode & _OTHERS:
        what = f"{path} can be read by others (mode {stat.S_IMODE(mode):04o})"
        yield Row(PART, "file", Level.WARN, what, f"chmod 600 {path}")


def _hidden(environ: Mapping[str, str], source: str) -> Iterator[Row]:
    """Two ways at once: whoever changes the second wonders why nothing happens."""
    if source == KEY and environ.get(KEY_FILE, "").strip():
        yield Row(PART, "other", Level.NOTE, f"{KEY} is set, so {KEY_FILE} is not read")


def _dotenv(here: Path) -> Iterator[Row]:
    """The server reads no `.env`; people expect it, and then there is no key."""
    try:
        text = (here / ".env").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return
    if _DOTENV.search(text):
        what = f"the .env here sets {KEY}, and the server does not read it"
        yield Row(PART, ".env", Level.WARN, what, "Load it first: set -a; . ./.env; set +a")
