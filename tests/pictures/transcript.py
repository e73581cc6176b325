"""The demo in a terminal, as lines for a picture: cut where it says what to do next, and the same in every run."""

import re
import tempfile
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from tests.operator.terminal import sitting_at

ANSWERS = ("start", "legacy-jenkins")
COLUMNS = 92
"""So wide that no question wraps, and no wider: a picture is shown as wide as README is."""
_TIME_SCALE = 2.2
"""The start takes 30 s: its bar is half full at the second that is kept, and the next look finds the address too."""
_KEPT = " 25 s "
_CODES = ("K4MT", "R7XD", "W2HP")
_CODE = re.compile(r"(?<=Approval )[A-Z0-9]{4}\b")
_LOTS = {
    re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"): "4b1c7e0a-93d2-4f58-a6e1-0c5d28f7b934",
    re.compile(r"\b198\.51\.100\.\d+"): "198.51.100.1",
}
"""An event's id and an address, and what is shown for them."""
_PAINT = re.compile(r"\x1b\[[0-9;]*[mK]")


def captured() -> str:
    """What the terminal was sent by `demo`, colours and moves of the cursor included. Takes a minute."""
    words = ("demo", "--answers", ",".join(ANSWERS), "--time-scale", str(_TIME_SCALE))
    with tempfile.TemporaryDirectory() as state, sitting_at(Path(state), *words, COLUMNS=str(COLUMNS)) as terminal:
        code = terminal.ended()
    if code or _KEPT not in terminal.shown:
        raise RuntimeError(f"The demo ended with {code}; a wait of{_KEPT}has to be in it:\n{terminal.shown}")
    return terminal.shown


def pictured(shown: str) -> list[str]:
    """The lines of a picture: what the terminal held, and of a wait how it stood at one second."""
    lines = [line for sent in shown.replace("\r\n", "\n").split("\n") for line in _held(sent)]
    return _cut(_still("\n".join(lines)).split("\n"))


def words(lines: Sequence[str]) -> list[str]:
    """What is said in the lines, however they are wrapped and painted; waits and the mark of the demo left out."""
    plain = (_PAINT.sub("", line) for line in lines)
    said = " ".join(line for line in plain if not line.startswith("Wait"))
    return said.replace("[demo] ", "").split()


def _held(sent: str) -> Iterator[str]:
    """A carriage return begins a line anew; what stood there before is gone, but for the kept second."""
    *gone, last = sent.split("\r")
    if kept := next((frame for frame in gone if _KEPT in frame), None):
        yield kept
    yield last


def _still(text: str) -> str:
    """What is drawn by lot in each run, always the same."""
    for lot, instead in _LOTS.items():
        text = lot.sub(instead, text)
    number = count()
    return _CODE.sub(lambda _found: _CODES[next(number)], text)


def _cut(lines: list[str]) -> list[str]:
    """Without what to do next, and without empty lines around."""
    ends = next(number for number, line in enumerate(lines) if _PAINT.sub("", line).startswith("Next"))
    return "\n".join(lines[:ends]).strip("\n").split("\n")
