"""A row of a checkup: what was looked at, how it stands, what was seen and what helps. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from paperspace_mcp.rules.guard.cleaning import ERROR_CAP, clean

_INDENT = "       "


class Level(StrEnum):
    """fail: it does not work so. warn: it works, and is worth a look. note: only told."""

    OK = "ok"
    NOTE = "note"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Row:
    """`do` is what helps, empty where nothing needs to be done."""

    part: str
    about: str
    level: Level
    seen: str
    do: str = ""

    def as_json(self) -> dict[str, Any]:
        told = {"part": self.part, "about": self.about, "level": self.level.value, "seen": line(self.seen)}
        return {**told, "do": line(self.do)} if self.do else told


def failed(rows: Iterable[Row]) -> bool:
    return any(row.level is Level.FAIL for row in rows)


def table(rows: Sequence[Row]) -> str:
    """Rows below the name of their part, the names in columns."""
    width = max((len(row.about) for row in rows), default=0)
    lines = list[str]()
    for number, row in enumerate(rows):
        if number == 0 or rows[number - 1].part != row.part:
            lines += ["", row.part] if lines else [row.part]
        lines.append(f"  {row.level.value:<4} {row.about:<{width}}  {line(row.seen)}".rstrip())
        lines += [f"{_INDENT}{'':<{width}}  -> {line(row.do)}"] if row.do else []
    return "\n".join(lines) + "\n"


def ending(rows: Sequence[Row]) -> str:
    """One line: how many of each that needs a look."""
    counted = {level: sum(row.level is level for row in rows) for level in (Level.FAIL, Level.WARN)}
    told = [f"{number} {level.value}" for level, number in counted.items() if number]
    return f"{len(rows)} looked at: {', '.join(told) or 'all is well'}."


def line(text: str) -> str:
    """Paths and messages are somebody's text: one visible line of it."""
    return clean(text, ERROR_CAP).text
