"""A pseudo-terminal with a command in it: what it shows, and what a person types there."""

import codecs
import os
import pty
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.forked import ended, start
from tests.operator.commands import environment

PATIENCE_S = 20.0


@dataclass
class Terminal:
    """`shown` is everything so far, with what the terminal echoed."""

    process: ForkServerProcess
    handle: int
    shown: str = ""
    _seen: int = field(default=0)
    _decoder: codecs.IncrementalDecoder = field(default_factory=codecs.getincrementaldecoder("utf-8"))

    def until(self, text: str) -> str:
        """What is shown from the last look until this text is there."""
        ends = time.monotonic() + PATIENCE_S
        while text not in self.shown[self._seen :]:
            ready, _, _ = select.select([self.handle], [], [], max(0.0, ends - time.monotonic()))
            assert ready, f"{text!r} did not come: {self.shown}"
            self.shown += self._decoder.decode(os.read(self.handle, 65536))
        begun, self._seen = self._seen, self.shown.index(text, self._seen) + len(text)
        return self.shown[begun : self._seen]

    def types(self, line: str) -> None:
        os.write(self.handle, f"{line}\n".encode())

    def interrupts(self) -> int:
        """Ctrl-C; the exit code."""
        os.write(self.handle, b"\x03")
        return self.ended()

    def ended(self) -> int:
        """The exit code, once it has ended; whatever it still showed is read."""
        while True:
            try:
                said = os.read(self.handle, 65536)
            except OSError:  # how a pseudo-terminal says that nobody is at its other end
                break
            if not said:
                break
            self.shown += self._decoder.decode(said)
        return ended(self.process, PATIENCE_S)


@contextmanager
def sitting_at(state: Path, *words: str, **env: str) -> Iterator[Terminal]:
    """A person's terminal in which a command runs; further variables by name."""
    ours, theirs = pty.openpty()
    process = start(words, environment(PAPERSPACE_MCP_STATE_DIR=str(state), TERM="dumb", **env), (theirs,) * 3)
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        process.kill()
        process.join(PATIENCE_S)
        os.close(ours)
