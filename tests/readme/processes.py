"""Servers as processes of their own."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

BIN = Path(sys.executable).parent


@contextmanager
def listening(command: Sequence[str]) -> Iterator[str]:
    """A command of this installation that announces its address on standard error; the address."""
    words = [str(BIN / command[0]), *command[1:]]
    with subprocess.Popen(words, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stderr is not None
            announced = next((line for line in process.stderr if " on http" in line), "")
            yield announced.rpartition(" on ")[2].split()[0]
        finally:
            process.terminate()
            process.wait(10)
