"""The demo as a command: in a terminal with a person, and without either."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pty = pytest.importorskip("pty")  # no Windows has one

COMMAND = [sys.executable, "-m", "paperspace_mcp.cli", "demo", "--time-scale", "200"]
_OWN_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that Ctrl-C in it is a signal
os.execv(sys.argv[1], sys.argv[1:])
"""
PROMPT = "└ > ".encode()


class Terminal:
    """The demo in a terminal of its own, and who types there."""

    def __init__(self) -> None:
        self.seen = b""
        self._end, theirs = pty.openpty()
        env = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), theirs)
        command = [sys.executable, "-c", _OWN_TERMINAL, *COMMAND]
        self._process = subprocess.Popen(command, **pipes, env=env, start_new_session=True)
        os.close(theirs)

    def until(self, prompts: int) -> None:
        """Read until that many questions were asked, or the demo is over."""
        while self.seen.count(PROMPT) < prompts:
            try:
                part = os.read(self._end, 65536)
            except OSError:  # how Linux says that nobody writes any more
                return
            if not part:
                return
            self.seen += part

    def type(self, text: bytes) -> None:
        os.write(self._end, text)

    def code(self) -> int:
        """Read to the end; the exit code."""
        self.until(1_000)
        os.close(self._end)
        return self._process.wait(10)


def test_a_person_answers_in_the_terminal() -> None:
    terminal = Terminal()
    terminal.until(1)
    terminal.type(b"start\n")
    terminal.until(2)
    terminal.type(b"not the name\n")
    assert terminal.code() == 0
    text = terminal.seen.decode()
    assert "machine ready" in text
    assert "is not what the question asked for" in text
    assert "\x1b[33m" in text
    assert "█" in text


def test_control_c_at_a_question_ends_it() -> None:
    terminal = Terminal()
    terminal.until(1)
    terminal.type(b"\x03")
    assert terminal.code() == 130


def test_without_a_terminal_and_without_answers_it_declines(tmp_path: Path) -> None:
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    ran = subprocess.run(
        COMMAND, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=30, env=env
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("nobody to ask here") == 2
    assert list(tmp_path.iterdir()) == [], "the demo's state is thrown away with it"
