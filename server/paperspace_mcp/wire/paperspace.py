"""The provider, as two verbs: `read`, which may be tried again, and `mutate`, which is sent once and pays a warrant."""

import json
import random
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property, lru_cache, partial
from http.cookiejar import CookieJar
from types import MappingProxyType
from typing import Any, TypeVar

import anyio
import httpx
from pydantic import BaseModel

from paperspace_mcp import __version__
from paperspace_mcp.contract.errors import CallerError, Failure, OperatorError
from paperspace_mcp.contract.operation import Operation
from paperspace_mcp.contract.shapes import Shape
from paperspace_mcp.rules.guard.warrants import Warrant, Warrants
from paperspace_mcp.rules.retrying import http_date, retry_after_s
from paperspace_mcp.settings import Upstream
from paperspace_mcp.wire.answers import Answer, shape_of, take
from paperspace_mcp.wire.lanes import Lanes, is_http
from paperspace_mcp.wire.retrying import Patience, with_retries
from paperspace_mcp.wire.troubles import Trouble, told, trouble_of
from paperspace_mcp.wire.urls import path_of

G = TypeVar("G", bound=BaseModel)

NOWHERE: Mapping[str, str] = MappingProxyType({})
_KEY = re.compile(r"[\x21-\x7e]{1,4096}")
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "Connection": "keep-alive",
    "User-Agent": f"paperspace-mcp/{__version__}",
}
_LETTING_GO_S = 2.0


class Paperspace:
    """The API of one account.

    A transport is given for the embedded simulator; else there is one client per process, made at the first call
    and bound to its loop. `sleep` and `clock` count seconds, `jitter` gives 0 to 1.
    """

    def __init__(
        self,
        upstream: Upstream,
        warrants: Warrants,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._upstream, self._warrants, self._transport = upstream, warrants, transport
        self._sleep, self._clock, self._jitter = sleep, clock, jitter
        self._client: httpx.AsyncClient | None = None

    async def read(
        self,
        operation: Operation[G],
        path: Mapping[str, str] = NOWHERE,
        query: Shape | None = None,
        *,
        budget_s: float | None = None,
        heard: Callable[[int], None] = lambda _status: None,
    ) -> G:
        """What a GET gives, tried again as long as that can help and `budget_s` lasts (default: `Upstream.budget_s`).

        heard: is told the HTTP status of each answer that came.

        Raises:
            Failure: anything expected; `changed` is always "no".
            TypeError: a mutation, or a query of another operation (mistakes in our code).
        """
        _demand(not operation.mutates, operation, "is no read")
        _demand(query is None or _fits(query, operation.query), operation, "takes another query")
        attempt = partial(self._read_once, operation, path_of(operation, path), plain(query), heard)
        return await with_retries(attempt, self._patience(operation, budget_s))

    async def mutate(
        self,
        operation: Operation[G],
        path: Mapping[str, str],
        body: Shape | None,
        warrant: Warrant | None,
        *,
        heard: Callable[[int], None] = lambda _status: None,
    ) -> G:
        """What a mutation answers. It is sent at most once, whatever happens. `heard` is told its HTTP status.

        Raises:
            PermissionError: no valid warrant for exactly this call; nothing was sent.
            OutcomeUnknown: it may have been carried out; `facts["cause"]` says what came instead of an answer.
            Failure: anything else expected; `changed` is "no".
            TypeError: a read, or a body of another operation (mistakes in our code).
        """
        _demand(operation.mutates, operation, "is no mutation")
        _demand(
            body is None if operation.body is None else _fits(body, operation.body), operation, "takes another body"
        )
        where = path_of(operation, path)
        self._warrants.redeem(warrant, operation.name, self.arguments(path, body))
        request = self._request(operation, where, content=_content(operation, body))
        answer = await self._exchange_in_time(operation, request)
        heard(answer.status)
        return self._shape(operation, answer)

    @staticmethod
    def arguments(path: Mapping[str, str], body: Shape | None) -> dict[str, Any]:
        """What a warrant is minted over: `{"path": {...}, "body": {...}}`, the body as it goes out."""
        return {"path": dict(path), "body": plain(body)}

    async def aclose(self) -> None:
        """Close every connection. A later call opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _read_once(
        self, operation: Operation[G], where: str, query: dict[str, Any], heard: Callable[[int], None]
    ) -> G:
        request = self._request(operation, where, **({"params": query} if query else {}))
        answer = await self._exchange(operation, request)
        heard(answer.status)
        return self._shape(operation, answer)

    async def _exchange_in_time(self, operation: Operation[Any], request: httpx.Request) -> Answer:
        """An answer that trickles in for ever is no answer either."""
        longest = max(self._upstream.budget_s, self._upstream.connect_timeout_s + self._upstream.read_timeout_s)
        with anyio.move_on_after(longest):
            return await self._exchange(operation, request)
        raise told(Trouble(sent=True, cause="timeout"), operation=operation.name, mutates=operation.mutates)

    async def _exchange(self, operation: Operation[Any], request: httpx.Request) -> Answer:
        client = self._connected()
        try:
            response = await client.send(request, stream=True, auth=None, follow_redirects=False)
            try:
                return await take(response, self._upstream.max_answer_bytes, _retry_after(response))
            finally:
                if not response.is_closed:  # one that was read to its end is
                    with anyio.move_on_after(_LETTING_GO_S, shield=True):
                        await response.aclose()
        except OperatorError:
            raise
        except Exception as error:
            trouble = trouble_of(error)
            raise told(trouble, operation=operation.name, mutates=operation.mutates) from error

    def _shape(self, operation: Operation[G], answer: Answer) -> G:
        try:
            return shape_of(operation, answer)
        except Failure as failure:
            if self._key() in failure.facts.get("provider_message", ""):
                del failure.facts["provider_message"]  # somebody on the way quotes the request's headers
            raise

    def _request(self, operation: Operation[Any], where: str, **rest: Any) -> httpx.Request:
        self._connected()  # a base URL that is none is the operator's mistake, not the call's
        headers = {**_HEADERS, "Authorization": f"Bearer {self._key()}"}
        if rest.get("content") is not None:
            headers["Content-Type"] = "application/json"
        timeout = {"timeout": self._timeout}
        try:
            url = _url(self._upstream.url + where)
            # Not the client's build_request, which merges URLs, headers and cookies: a tenth of a call's CPU.
            return httpx.Request(operation.method, url, headers=headers, extensions=timeout, **rest)
        except (httpx.InvalidURL, UnicodeError):
            raise CallerError("bad_argument", facts={"operation": operation.name, "argument": "query"}) from None

    def _key(self) -> str:
        if not self._upstream.key:
            raise OperatorError("no_key")
        key = self._upstream.key.get_secret_value()
        if not _KEY.fullmatch(key):
            raise OperatorError("bad_key")
        return key

    @cached_property
    def _timeout(self) -> dict[str, float | None]:
        upstream = self._upstream
        return httpx.Timeout(upstream.read_timeout_s, connect=upstream.connect_timeout_s, pool=None).as_dict()

    def _patience(self, operation: Operation[Any], budget_s: float | None) -> Patience:
        return Patience(
            operation.name,
            self._upstream.budget_s if budget_s is None else budget_s,
            self._upstream.max_attempts,
            self._clock,
            self._sleep,
            self._jitter,
        )

    def _connected(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                transport=self._transport or Lanes(_checked(self._upstream.url)),
                cookies=NoCookies(),
                trust_env=False,
            )
        return self._client


class NoCookies(CookieJar):
    """The API knows no cookies, and what a proxy sets goes nowhere. The base class works hard on every answer."""

    def extract_cookies(self, _response: Any, _request: Any) -> None:
        """Take none."""


@lru_cache(maxsize=512)
def _url(text: str) -> httpx.URL:
    """Parsed once: what is polled is asked for again and again."""
    return httpx.URL(text)


def plain(shape: Shape | None) -> dict[str, Any]:
    """The provider's own names for what was set: false, 0 and "" are values; None means not given."""
    if shape is None:
        return {}
    dumped = shape.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
    return {name: _whole(value) for name, value in dumped.items()}


def _whole(value: Any) -> Any:
    """100.0 goes out as 100: the reference shows whole numbers only."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _content(operation: Operation[Any], body: Shape | None) -> bytes | None:
    """With `Content-Type: application/json` and no body a PATCH fails (facts.md 7), so it gets `{}`."""
    if body is None and operation.method != "PATCH":
        return None
    try:
        return json.dumps(plain(body), separators=(",", ":"), allow_nan=False).encode("ascii")
    except ValueError:
        raise CallerError("bad_argument", facts={"operation": operation.name, "argument": "body"}) from None


def _retry_after(response: httpx.Response) -> float | None:
    """Dates are compared with the answer's own clock, where it tells one."""
    if "retry-after" not in response.headers:
        return None
    now = http_date(response.headers.get("date")) or datetime.now(UTC)
    return retry_after_s(response.headers.get("retry-after"), now)


def _checked(url: str) -> str:
    """A base URL that carries nothing but an address: credentials in it would replace the bearer."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    if not is_http(parsed) or parsed.userinfo or parsed.query or parsed.fragment:
        raise OperatorError("bad_configuration", facts={"setting": "PAPERSPACE_API_URL"})
    return url


def _fits(given: Shape | None, wanted: type[BaseModel] | None) -> bool:
    return wanted is not None and isinstance(given, wanted)


def _demand(holds: bool, operation: Operation[Any], complaint: str) -> None:
    if not holds:
        raise TypeError(f"{operation.name} {complaint}")
