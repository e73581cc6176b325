"""The lane of reads: aiohttp below httpx's interface, with its surprises taken out. Import it late, it is heavy.

httpx-aiohttp tells a refused connection and a lost answer alike as `ConnectTimeout`; only `__cause__` tells which.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from paperspace_mcp.wire.route import Route

CONNECTIONS = 100
KEEPALIVE_S = 30.0

# The first that fits counts: a ClientConnectorError is a ClientOSError too.
_WORDS: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (aiohttp.ClientHttpProxyError, httpx.ProxyError),
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.ServerFingerprintMismatch, httpx.ConnectError),
    (aiohttp.InvalidURL, httpx.UnsupportedProtocol),
    (aiohttp.NonHttpUrlClientError, httpx.UnsupportedProtocol),
    (TimeoutError, httpx.ReadTimeout),
    (aiohttp.ClientResponseError, httpx.RemoteProtocolError),
    (aiohttp.ClientPayloadError, httpx.RemoteProtocolError),
    (Exception, httpx.ReadError),
)


def reading_lane(route: Route) -> "ReadingLane":
    """A lane of the running loop."""
    connector = aiohttp.TCPConnector(ssl=route.tls, limit=CONNECTIONS, keepalive_timeout=KEEPALIVE_S)
    session = aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, auto_decompress=False
    )
    # Private, and pinned by a test: a second layer of retries below ours would double every attempt.
    session._retry_connection = False  # noqa: SLF001
    return ReadingLane(session, route)


class ReadingLane(httpx.AsyncBaseTransport):
    def __init__(self, session: aiohttp.ClientSession, route: Route) -> None:
        self._route = route
        self._inner = AiohttpTransport(verify=route.tls, trust_env=False, proxy=route.proxy, client=session)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._route.proxy is not None and request.url.scheme == "http":
            # aiohttp gives the proxy's headers to a CONNECT only
            request.headers.update(self._route.proxy.headers)
        with _in_true_words():
            response = await self._inner.handle_async_request(request)
        response.stream = Body(response.stream)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class Body(httpx.AsyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _in_true_words():
            async for piece in self._stream:
                yield piece

    async def aclose(self) -> None:
        with _in_true_words():
            await self._stream.aclose()


@contextmanager
def _in_true_words() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001  aiohttp lets some through that are neither its own nor httpx's
        source = error.__cause__ if isinstance(error, httpx.TransportError) else error
        raise _word(source or error)(str(error)) from source


def _word(source: BaseException) -> type[httpx.TransportError]:
    return next((word for kind, word in _WORDS if isinstance(source, kind)), httpx.ReadError)
