"""A proxy made of sockets: it forwards http, tunnels https, and writes down what it was asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class RawProxy:
    """`refuse`: what is answered to CONNECT instead of a tunnel; `b""` hangs up, None makes the tunnel."""

    port: int = 0
    refuse: bytes | None = None
    stalls: bool = False
    asked: list[str] = field(default_factory=list)
    credentials: list[str] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        self.asked.append(f"{method} {target}")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self.credentials.append(headers.get("proxy-authorization", ""))
        if method == "CONNECT":
            await self._tunnel(target, reader, writer)
        else:
            await _forward(method, target, head, reader, writer)

    async def _tunnel(self, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.stalls:
            await self.over.wait()
        if self.refuse is not None:
            writer.write(self.refuse)
            return
        host, _, port = target.rpartition(":")
        far = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await _join(reader, writer, *far)


async def _forward(
    method: str, target: str, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    parts = urlsplit(target)
    far_reader, far_writer = await asyncio.open_connection(parts.hostname, parts.port)
    far_writer.write(f"{method} {parts.path} HTTP/1.1".encode() + head[head.index(b"\r\n") :])
    await _join(reader, writer, far_reader, far_writer)


async def _join(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    far_reader: asyncio.StreamReader,
    far_writer: asyncio.StreamWriter,
) -> None:
    ways = [asyncio.ensure_future(_pump(reader, far_writer)), asyncio.ensure_future(_pump(far_reader, writer))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        far_writer.close()
        await asyncio.gather(*ways, return_exceptions=True)


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while piece := await source.read(65536):
        sink.write(piece)
        await sink.drain()


@asynccontextmanager
async def proxying(refuse: bytes | None = None, *, stalls: bool = False) -> AsyncIterator[RawProxy]:
    proxy = RawProxy(refuse=refuse, stalls=stalls)
    talks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        with suppress(asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError):
            await proxy.serve(reader, writer)
        talks.discard(task)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        proxy.over.set()
        server.close()
        left = list(talks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
