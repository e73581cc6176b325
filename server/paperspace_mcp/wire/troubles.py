"""What a broken connection means: did the request leave, and what is that called.

The lanes keep httpx's own meaning: `ConnectError` and its neighbours are raised only while nothing was sent.
Everything else, also what an embedded app raises, counts as sent: when unsure, unknown.
"""

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from paperspace_mcp.contract.errors import Failure, OutcomeUnknown, UpstreamError

NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
_CAUSES: tuple[tuple[type[BaseException], str], ...] = (
    (httpx.ConnectTimeout, "connect_timeout"),  # first: a handshake that stalls drags an SSLWantReadError along
    (socket.gaierror, "dns"),
    (ssl.SSLError, "tls"),
    (httpx.ProxyError, "proxy"),
    (ConnectionRefusedError, "refused"),
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """`sent`: bytes of the request may have left. `cause`: one word for programs."""

    sent: bool
    cause: str


def trouble_of(error: Exception) -> Trouble:
    """What an exception of the transport says about the request."""
    if isinstance(error, NOTHING_SENT):
        return Trouble(sent=False, cause=_connect_cause(error))
    return Trouble(sent=True, cause="timeout" if isinstance(error, (httpx.TimeoutException, TimeoutError)) else "lost")


def _connect_cause(error: Exception) -> str:
    chain = list(_chain(error))
    found = (word for kind, word in _CAUSES if any(isinstance(link, kind) for link in chain))
    return next(found, "not_connected")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it. Several addresses of a host that all refused come as a group."""
    link: BaseException | None = error
    for _ in range(16):  # a chain may bite its own tail
        if link is None:
            return
        yield link
        if isinstance(link, BaseExceptionGroup):
            yield from link.exceptions
        link = link.__cause__ or link.__context__


def told(trouble: Trouble, *, operation: str, mutates: bool) -> Failure:
    """The failure of a call that got no answer."""
    facts = {"operation": operation, "cause": trouble.cause}
    if trouble.sent and mutates:
        return OutcomeUnknown("outcome_unknown", "unknown", facts=facts)
    if trouble.sent and trouble.cause == "timeout":
        return UpstreamError("upstream_timeout", retryable=True, facts=facts)
    return UpstreamError("unreachable", retryable=trouble.cause != "tls", facts=facts)
