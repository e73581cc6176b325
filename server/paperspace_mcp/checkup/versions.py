"""What is installed: the first thing that whoever helps asks for."""

import platform
import sqlite3
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from paperspace_mcp import __version__
from paperspace_mcp.checkup.rows import Level, Row

PART = "versions"
_PACKAGES = ("mcp", "httpx", "aiohttp", "pydantic")


def rows() -> Iterator[Row]:
    yield Row(PART, "paperspace-mcp", Level.OK, __version__)
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    python = f"{platform.python_version()}, SQLite {sqlite3.sqlite_version}, {system}"
    yield Row(PART, "python", Level.OK, python)
    yield Row(PART, "run by", Level.OK, sys.executable)
    yield Row(PART, "packages", Level.OK, ", ".join(f"{name} {_version(name)}" for name in _PACKAGES))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"
