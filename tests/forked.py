"""Commands as processes of their own that start at once: forked from a process that has imported all they need.

A fresh interpreter spends nine tenths of a short command's time on imports, a thousand times a run. What is told apart
by a process stays so: its memory, environment, working directory, streams, terminal and end.
"""

import fcntl
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from pkgutil import walk_packages
from tempfile import TemporaryFile
from typing import IO

import paperspace_mcp

Streams = tuple[int, int, int]
"""The descriptors that become its input, its output and its errors."""

_IMPORTED = ("anyio._backends._asyncio", "bpe_openai", "httpx_aiohttp", "mcp.client.streamable_http", "uvicorn")
"""What commands import on their way, beside our own modules."""


def command(
    words: Sequence[str], typed: str, environment: Mapping[str, str], timeout: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """A command of ours to its end, or a script of Python where the first word is its path, as `subprocess.run` would.

    Raises:
        TimeoutError: it had not ended after `timeout` seconds, and was killed.
    """
    with TemporaryFile("w+b") as given, TemporaryFile("w+b") as shown, TemporaryFile("w+b") as told:
        given.write(typed.encode())
        given.seek(0)
        code = ended(start(words, environment, (given.fileno(), shown.fileno(), told.fileno())), timeout)
        return subprocess.CompletedProcess(words, code, *map(_text, (shown, told)))


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def start(words: Sequence[str], environment: Mapping[str, str], streams: Streams) -> ForkServerProcess:
    """A command under way. Where its streams are a terminal, that is its own: Ctrl-C reaches it."""
    ours = [one.name for one in walk_packages(paperspace_mcp.__path__, "paperspace_mcp.") if "__main__" not in one.name]
    handed = [Connection(os.dup(one)) for one in streams]  # what multiprocessing hands over as it is
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, *ours, *_IMPORTED])
    process = context.Process(target=_called, args=(tuple(words), dict(environment), str(Path.cwd()), handed))
    process.start()
    return process


class Background:
    """A command that goes on until it is told to end, with the names that `subprocess.Popen` has for it."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str]) -> None:
        reading, writing = os.pipe()
        with Path(os.devnull).open("r+b") as nothing:
            self._process = start(words, environment, (nothing.fileno(), nothing.fileno(), writing))
        os.close(writing)
        self.stderr = os.fdopen(reading, encoding="utf-8")

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()

    def wait(self, timeout: float) -> int:
        return ended(self._process, timeout)

    def end(self) -> None:
        """With a SIGTERM; killed where that does not help."""
        self.terminate()
        with suppress(TimeoutError):
            self.wait(5)
        self.stderr.close()


def ended(process: ForkServerProcess, timeout: float) -> int:
    """The exit code, as a shell tells it.

    Raises:
        TimeoutError: it had not ended in time, and was killed.
    """
    process.join(timeout)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise TimeoutError
    return process.exitcode


def _called(words: Sequence[str], environment: Mapping[str, str], directory: str, handed: Sequence[Connection]) -> None:
    """In the new process."""
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    _take(handed)
    sys.argv = list(words)
    sys.exit(_main(sys.argv))


def _take(handed: Sequence[Connection]) -> None:
    """The streams become the standard ones, and a terminal the process's own."""
    for number, stream in enumerate(handed):
        os.dup2(stream.fileno(), number)
        stream.close()
    os.setsid()
    with suppress(OSError):  # no terminal
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    sys.stdin, sys.stdout = os.fdopen(0, encoding="utf-8"), os.fdopen(1, "w", encoding="utf-8")
    sys.stderr = os.fdopen(2, "w", 1, encoding="utf-8")


def _main(words: list[str]) -> int:
    from paperspace_mcp.cli import main

    if words and words[0].endswith(".py"):
        runpy.run_path(words[0], run_name="__main__")
        return 0
    return main(words)
