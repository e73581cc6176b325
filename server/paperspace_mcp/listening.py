"""uvicorn as this server uses it: it says where it listens, and a signal is an ordinary end."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import uvicorn

GRACE_S = 1
"""How long open streams may hold a SIGTERM back."""
LAST_S = 1.8
"""When the process ends whatever is still open: what is on the wire has its intent written down."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
Announced = Callable[[str], None]


def listen(web: Any, host: str, port: int, announced: Announced) -> None:
    """Listen until a signal comes. `announced` is told the address: with port 0 nobody else knows it."""
    config = uvicorn.Config(
        web, host=host, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=GRACE_S, ws="none"
    )
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    server = _Server(config, announced)
    with _quiet_at_the_end(server):
        server.run()
    if server.interrupted:
        raise KeyboardInterrupt


class _Server(uvicorn.Server):
    interrupted = False

    def __init__(self, config: uvicorn.Config, announced: Announced) -> None:
        super().__init__(config)
        self._announced = announced

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        for sock in [sock for one in self.servers for sock in one.sockets]:
            host, port = sock.getsockname()[:2]
            url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
            self._announced(url)
            sys.stderr.write(f"paperspace-mcp: listening on {url}/mcp\n")
            sys.stderr.flush()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """uvicorn raises a signal anew once it has shut down, and so ends by it."""
        before = {one: signal.signal(one, self.handle_exit) for one in _SIGNALS}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.interrupted = sig == signal.SIGINT
        if not self.should_exit:
            last = threading.Timer(LAST_S, os._exit, (130 if self.interrupted else 0,))
            last.daemon = True
            last.start()
        super().handle_exit(sig, frame)


@contextmanager
def _quiet_at_the_end(server: uvicorn.Server) -> Iterator[None]:
    """Calls and streams that are cut off by the end are what a signal means; each would be told as an error."""

    def wanted(record: logging.LogRecord) -> bool:
        cause = record.exc_info[1] if record.exc_info else None
        return not server.should_exit or not (cause is None or _cut_off(cause))

    handlers = logging.getLogger().handlers
    for handler in handlers:
        handler.addFilter(wanted)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(wanted)


def _cut_off(cause: BaseException) -> bool:
    if isinstance(cause, BaseExceptionGroup):
        return all(map(_cut_off, cause.exceptions))
    return not isinstance(cause, Exception)
