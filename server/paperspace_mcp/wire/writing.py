"""The lane of everything that changes something: httpx's own transport, which sends each request once.

Whether anything left is not guessed from an exception's class but seen: httpcore reports `send_request_headers.started`
just before it hands over the first byte of a request. Before that, all troubles are a `ConnectError`.
"""

from collections.abc import Mapping
from typing import Any

import httpx

from paperspace_mcp.wire.route import Route
from paperspace_mcp.wire.troubles import NOTHING_SENT

KEEPALIVE_S = 2.0
"""Short, so that no mutation meets a connection that the server is just closing (Node's default is 5 s)."""


class WritingLane(httpx.AsyncBaseTransport):
    def __init__(self, route: Route) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=KEEPALIVE_S)
        self._own = httpx.AsyncHTTPTransport(
            verify=route.tls, trust_env=False, proxy=route.proxy, retries=0, http2=False, limits=limits
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        departure = Departure()
        request.extensions = {**request.extensions, "trace": departure}
        try:
            return await self._own.handle_async_request(request)
        except Exception as error:
            truth = truth_of(error, sent=departure.seen)
            if truth is error:
                raise
            raise truth from error

    async def aclose(self) -> None:
        await self._own.aclose()


class Departure:
    """Sees the request leave. `seen` is set before the first byte, never after it."""

    def __init__(self) -> None:
        self.seen = False

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        # The CONNECT to a proxy carries the same extensions, and is not the request.
        if event.endswith(".send_request_headers.started") and info["request"].method != b"CONNECT":
            self.seen = True


def truth_of(error: Exception, *, sent: bool) -> Exception:
    """The error whose class says the truth; the same one where it does already."""
    if sent:
        return httpx.ReadError(str(error)) if isinstance(error, NOTHING_SENT) else error
    return error if isinstance(error, NOTHING_SENT) else httpx.ConnectError(str(error))
