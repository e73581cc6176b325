"""Posts over HTTP with next to no work: prepared bytes out, an answer's bytes in. No client library is that cheap."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence

from tests.benchmarks.speech import LEGACY, Message, call, hello

_PATIENCE_S = 120.0
_FIXED = "Host: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"


class Connection:
    """One kept connection to a server on loopback."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, port: int) -> "Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def post(self, request: bytes) -> tuple[dict[str, str], bytes]:
        """Send a whole request; the answer's headers (names in lower case) and body.

        Raises:
            ValueError: a status that is no success.
        """
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await self._body(headers)
        if not head[0].split()[1].startswith("2"):
            raise ValueError(f"{head[0]}: {body[:300]!r}")
        return headers, body

    async def _body(self, headers: Mapping[str, str]) -> bytes:
        if "content-length" in headers:
            return await self._reader.readexactly(int(headers["content-length"]))
        parts = []
        while size := int(await self._reader.readline(), 16):
            parts.append(await self._reader.readexactly(size))
            await self._reader.readexactly(2)
        await self._reader.readexactly(2)
        return b"".join(parts)

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


def posted(port: int, message: Message, session: str = "") -> bytes:
    """A message as the bytes of a request."""
    own = {**message.headers, **({"Mcp-Session-Id": session} if session else {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in own.items())
    head = f"POST /mcp HTTP/1.1\r\n{_FIXED.format(port=port)}{lines}Content-Length: {len(message.body)}\r\n\r\n"
    return head.encode() + message.body


async def calling(port: int, era: str) -> bytes:
    """The call as bytes. The older era shakes hands first, and the call carries its session.

    A session takes a request's number once at a time, so each connection wants a session of its own.
    """
    if era != LEGACY:
        return posted(port, call(era))
    connection = await Connection.to(port)
    greeting, ready = hello()
    headers, _ = await connection.post(posted(port, greeting))
    session = headers.get("mcp-session-id", "")
    await connection.post(posted(port, ready, session))
    await connection.close()
    return posted(port, call(era), session)


async def all_at_once(port: int, requests: Sequence[bytes], calls: int, check: Callable[[bytes], None]) -> None:
    """So many calls, over a connection for each of the requests; each connection makes one call after another."""
    turns: Iterator[int] = iter(range(calls))

    async def one(request: bytes) -> None:
        connection = await Connection.to(port)
        for _ in turns:
            check((await connection.post(request))[1])
        await connection.close()

    async with asyncio.timeout(_PATIENCE_S):
        await asyncio.gather(*(one(request) for request in requests))
