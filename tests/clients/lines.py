"""What another process writes, line by line, waited for no longer than asked."""

import queue
import threading
from typing import IO


class Lines:
    """Read on to the end by a thread: a pipe that nobody empties would stop the process that fills it."""

    def __init__(self, pipe: IO[str] | None) -> None:
        assert pipe is not None
        self._queue = queue.SimpleQueue[str]()
        threading.Thread(target=self._drain, args=(pipe,), daemon=True).start()

    def _drain(self, pipe: IO[str]) -> None:
        for line in pipe:
            self._queue.put(line)
        self._queue.put("")

    def next(self, seconds: float) -> str:
        """The next line; an empty one at the end.

        Raises:
            TimeoutError: where none came in that time.
        """
        try:
            return self._queue.get(timeout=seconds)
        except queue.Empty:
            raise TimeoutError(f"nothing was written for {seconds:g} s") from None
