"""What the words of a command line may be: each says what is wrong with it, and argparse ends with 2."""

import argparse
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from paperspace_mcp.tokens import NAME

STATE_DIR = "where approvals are recorded (default: $PAPERSPACE_MCP_STATE_DIR or the user's)"
MOST_PORTS = 65535
FASTEST = 1e6


def address(text: str) -> str:
    """An address of the API, for a command line."""
    with suppress(ValueError):
        parts = urlsplit(text.strip())
        if parts.scheme in {"http", "https"} and parts.hostname:
            return text.strip()
    raise argparse.ArgumentTypeError("not an address such as https://api.example/v1")


def directory(text: str) -> Path:
    """A directory, for a command line; what says nothing is not where the command happens to run."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty")
    return Path(text).expanduser()


def port(text: str) -> int:
    """A port to listen on, for a command line; 0 takes a free one."""
    if not text.isdecimal() or int(text) > MOST_PORTS:
        raise argparse.ArgumentTypeError(f"a whole number from 0 to {MOST_PORTS}")
    return int(text)


def time_scale(text: str) -> float:
    """How fast simulated time goes, for a command line."""
    with suppress(ValueError):
        if 0 < (scale := float(text)) <= FASTEST:
            return scale
    raise argparse.ArgumentTypeError(f"a number above 0, at most {FASTEST:g}")


def fleet(text: str) -> str | int:
    """What a simulated account begins with, for a command line."""
    if text.isdecimal():
        return int(text)
    if text in {"default", "empty"}:
        return text
    raise argparse.ArgumentTypeError("default, empty, or a number of machines")


def user_name(text: str) -> str:
    """The name of a user with a token, for a command line."""
    if not NAME.fullmatch(text):
        raise argparse.ArgumentTypeError("a name has letters, digits and ._@- only, at most 64")
    return text
