"""A person in a terminal of their own, who types after each prompt."""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

_OWN = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # where a password is read
os.execv(sys.argv[1], sys.argv[1:])
"""
_PATIENCE_S = 30.0


def typed(command: Sequence[str], environment: Mapping[str, str], *answers: tuple[str, str]) -> tuple[int, str]:
    """Runs a command; each answer is a prompt to wait for and what is typed then. Its exit code, and all it showed."""
    ours, theirs = pty.openpty()
    words = [sys.executable, "-c", _OWN, *command]
    with subprocess.Popen(
        words, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    ) as process:
        os.close(theirs)
        try:
            shown = "".join(_answer(ours, prompt, text) for prompt, text in answers)
            shown += _until(ours, None)
            return process.wait(_PATIENCE_S), shown
        finally:
            process.kill()
            os.close(ours)


def _answer(terminal: int, prompt: str, text: str) -> str:
    shown = _until(terminal, prompt)
    os.write(terminal, f"{text}\n".encode())
    return shown


def _until(terminal: int, prompt: str | None) -> str:
    """What is shown until the prompt; without one, until nobody writes any more."""
    shown, end = b"", time.monotonic() + _PATIENCE_S
    while prompt is None or not shown.decode(errors="replace").endswith(prompt):
        if not select.select([terminal], [], [], max(0.0, end - time.monotonic()))[0]:
            raise TimeoutError(f"no {prompt or 'end'} after {shown[-80:]!r}")
        part = _read(terminal)
        if not part:
            break
        shown += part
    return shown.decode(errors="replace")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how Linux says that nobody writes any more
        return b""
