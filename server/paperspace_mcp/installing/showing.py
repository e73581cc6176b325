"""A change as a person is shown it. A client's file may hold keys of other servers: theirs are not shown. Pure."""

import re
from collections.abc import Iterator
from difflib import unified_diff

from paperspace_mcp.rules.guard.cleaning import clean

WIDEST = 200
_VALUE = re.compile(r'"(?:[^"\\]|\\.){6,}"(?=\s*(?:[,}\]#]|//|$))')


def diff(before: str, after: str, name: str, ours: str) -> str:
    """The lines that change. `ours` is the text that we put in: its lines are shown as they are."""
    known = {line.strip().rstrip(",") for line in ours.splitlines()}
    changed = unified_diff(before.splitlines(), after.splitlines(), name, name, n=1, lineterm="")
    return "".join(f"{line}\n" for line in _shown(changed, known))


def _shown(lines: Iterator[str], known: set[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        if number < 2 or line.startswith("@@"):  # noqa: PLR2004 - the two lines of the head
            yield line
            continue
        mine = line[1:].strip().rstrip(",") in known
        text = line[1:] if mine else _VALUE.sub('"..."', line[1:])
        told = "".join(" " if character == "\t" else character for character in text)
        indent = len(told) - len(told.lstrip(" "))
        yield line[:1] + " " * min(indent, WIDEST) + clean(told, WIDEST).text
