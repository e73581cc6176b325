"""The simulator on a real port, where connections can be closed, reset and cut."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import signal
import socket
import threading
from typing import TYPE_CHECKING, Any, Literal

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from paperspace_mcp.simulator.asgi import TRANSPORT
from paperspace_mcp.simulator.handle import Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_SILENT = logging.Logger("paperspace_mcp.simulator", logging.CRITICAL + 1)  # noqa: LOG001 - private: nobody's handlers


class _Protocol(H11Protocol):
    """uvicorn's protocol, silent, which hands each request its transport so that a fault can drop it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger, self.access_log = _SILENT, False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.app_state = {**self.app_state, TRANSPORT: transport}
        super().connection_made(transport)


class _Listener:
    """Connections of one simulator on one loop. Stopping drops them all: nothing may hang on a stalled answer."""

    def __init__(self, sim: Simulator, sock: socket.socket) -> None:
        self._sock = sock
        self._state = ServerState()
        self._config = Config(
            sim.app, lifespan="off", ws="none", log_config=None, log_level=None, timeout_keep_alive=75
        )

    async def run(self, stop: asyncio.Event, listening: Callable[[], None]) -> None:
        self._config.load()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._protocol, sock=self._sock, backlog=256)
        listening()
        await stop.wait()
        server.close()
        await self._drop_all()

    def _protocol(self) -> _Protocol:
        return _Protocol(self._config, self._state, {}, asyncio.get_running_loop())

    async def _drop_all(self) -> None:
        for connection in list(self._state.connections):
            connection.transport.abort()
        tasks = list(self._state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # lets the aborted transports close their sockets


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only on sockets that name their protocol; without it each answer waits 40 ms for an ACK
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}/v1" if ":" in host else f"http://{host}:{port}/v1"


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def serve(
    host: str = "127.0.0.1",
    port: int = 9100,
    *,
    time_scale: float = 1.0,
    fleet: Literal["default", "empty"] | int = "default",
    keys: Iterable[str] = ("demo-key",),
    ready: Callable[[str], None] | None = None,
    allow_remote: bool = False,
) -> None:
    """Serve until SIGTERM or SIGINT; `ready` gets the API's base address once it listens.

    Raises ValueError for a host that is not loopback (the control surface asks for no key) unless `allow_remote`,
    OSError when the port is taken.
    """
    if not (allow_remote or _loopback(host)):
        raise ValueError(f"{host} is not a loopback address, and the simulator's control surface asks for no key")
    sock = _bind(host, port)
    url = _url(host, sock.getsockname()[1])
    listener = _Listener(Simulator(fleet, keys=keys, time_scale=time_scale), sock)
    asyncio.run(_until_signal(listener, lambda: ready(url) if ready else None))


async def _until_signal(listener: _Listener, listening: Callable[[], None]) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
    await listener.run(stop, listening)


class Running:
    """A simulator that serves in a thread of its own. `url` is the API's base address, with /v1."""

    def __init__(self, sim: Simulator, port: int = 0) -> None:
        self._sock = _bind("127.0.0.1", port)
        self.sim = sim
        self.port: int = self._sock.getsockname()[1]
        self.url = _url("127.0.0.1", self.port)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)

    def start(self) -> Running:
        self._thread.start()
        if not self._listening.wait(10):
            raise RuntimeError("the simulator did not come up")
        return self

    def stop(self) -> None:
        """Drop every connection and end the thread; a second time does nothing."""
        if self._thread.is_alive() and self._loop and self._stop:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(10)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        await _Listener(self.sim, self._sock).run(self._stop, self._listening.set)


@contextlib.contextmanager
def running(sim: Simulator, port: int = 0) -> Iterator[Running]:
    """Serve `sim` on a loopback port (0: a free one) for the length of a `with` block."""
    served = Running(sim, port).start()
    try:
        yield served
    finally:
        served.stop()
