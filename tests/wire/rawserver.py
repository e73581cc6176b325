"""A server made of nothing but sockets: it counts every request that arrives and misbehaves on order."""

import asyncio
import socket
import ssl
import struct
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Seen:
    """One request as it arrived. `connection` numbers the connections from 1."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int
    head: bytes = b""


@dataclass
class Turn:
    """What a behaviour can do with one request; it returns whether the connection lives on."""

    seen: Seen
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    over: asyncio.Event


Behaviour = Callable[[Turn], Awaitable[bool]]


def answer(body: bytes = b"{}", status: int = 200, *, last: bool = False, **headers: str) -> Behaviour:
    """A proper answer; `last` closes the connection after it without having said so."""

    async def behave(turn: Turn) -> bool:
        turn.writer.write(packet(body, status, **headers))
        await turn.writer.drain()
        return not last

    return behave


def packet(body: bytes = b"{}", status: int = 200, **headers: str) -> bytes:
    lines = {"content_length": str(len(body)), **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode() + body


def raw(data: bytes) -> Behaviour:
    """These bytes, then the end of the connection."""

    async def behave(turn: Turn) -> bool:
        turn.writer.write(data)
        await turn.writer.drain()
        return False

    return behave


async def close(_: Turn) -> bool:
    return False


async def reset(turn: Turn) -> bool:
    connection = turn.writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    turn.writer.transport.abort()
    return False


async def stall(turn: Turn) -> bool:
    await turn.over.wait()
    return False


cut = raw(b'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{"data": {"id"')
cut_head = raw(b"HTTP/1.1 200 OK\r\nContent-Le")


async def stall_in_body(turn: Turn) -> bool:
    turn.writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{"data"')
    await turn.writer.drain()
    return await stall(turn)


async def reset_in_body(turn: Turn) -> bool:
    turn.writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{"data"')
    await turn.writer.drain()
    await asyncio.sleep(0.02)  # a reset overtakes what was written just before it
    return await reset(turn)


@dataclass
class RawServer:
    """Takes the behaviours in turn; the last one stays."""

    script: deque[Behaviour]
    port: int = 0
    scheme: str = "http"
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/v1"

    @property
    def methods(self) -> list[str]:
        return [seen.method for seen in self.seen]

    def then(self, *behaviours: Behaviour) -> None:
        self.script = deque(behaviours)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        try:
            while await self._one(reader, writer, number):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        seen = await _request(head, reader, number)
        self.seen.append(seen)
        behave = self.script.popleft() if len(self.script) > 1 else self.script[0]
        return await behave(Turn(seen, reader, writer, self.over))


async def _request(head: bytes, reader: asyncio.StreamReader, number: int) -> Seen:
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Seen(method, target, headers, body, number, head)


@asynccontextmanager
async def running(*script: Behaviour, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawServer]:
    """A server for the length of the block; it leaves no task and no socket behind."""
    raw_server = RawServer(deque(script or (answer(),)), scheme="https" if tls else "http")
    talks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            await raw_server.serve(reader, writer)
        except asyncio.CancelledError:
            pass  # only the end of the block cancels, and asyncio would log it
        finally:
            talks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    raw_server.port = server.sockets[0].getsockname()[1]
    try:
        yield raw_server
    finally:
        raw_server.over.set()
        server.close()
        left = list(talks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        return port
