"""One plain GET, told as it came: for a checkup, which wants the answer and not what it means.

It can send nothing else, so that no checkup can ever change anything. Nothing is tried again.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx
from pydantic import SecretStr

from paperspace_mcp import __version__
from paperspace_mcp.settings import Upstream
from paperspace_mcp.wire.lanes import Lanes

LIMIT = 4 * 1024 * 1024
_SECRET_FIELDS = frozenset({"password"})
Query = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer. trouble: why there is none. body: parsed JSON, None for anything else."""

    status: int = 0
    body: Any = field(default=None, repr=False)
    json: bool = False
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    elapsed_s: float = 0.0
    trouble: str = ""

    @property
    def good(self) -> bool:
        return self.status == httpx.codes.OK and self.json


class Probe:
    """GETs to one account. `key` None sends no credential."""

    def __init__(
        self, upstream: Upstream, *, transport: httpx.AsyncBaseTransport | None = None, timeout_s: float = 5.0
    ) -> None:
        self._upstream, self._timeout_s = upstream, timeout_s
        self._client = httpx.AsyncClient(
            transport=transport or Lanes(upstream.url), timeout=httpx.Timeout(timeout_s), follow_redirects=False
        )

    async def get(self, path: str, query: Query = (), *, key: SecretStr | None = None) -> Seen:
        """The answer, or what came instead; it takes no longer than the probe's time."""
        began = time.monotonic()
        try:
            with anyio.fail_after(self._timeout_s):
                return await self._get(path, query, key, began)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, OSError) as error:
            return Seen(elapsed_s=time.monotonic() - began, trouble=_trouble(error))

    async def _get(self, path: str, query: Query, key: SecretStr | None, began: float) -> Seen:
        headers = {"Accept": "application/json", "User-Agent": f"paperspace-mcp/{__version__} doctor"}
        headers |= {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
        url = f"{self._upstream.url}{path}"
        async with self._client.stream("GET", url, params=list(query), headers=headers) as answer:
            first = time.monotonic() - began
            content = await _read(answer)
        body, is_json = _parsed(content)
        return Seen(answer.status_code, body, is_json, dict(answer.headers), first)

    async def aclose(self) -> None:
        await self._client.aclose()


async def _read(answer: httpx.Response) -> bytes:
    """At most so much: what is longer is no answer that we look at."""
    content = b""
    async for part in answer.aiter_bytes():
        content += part
        if len(content) > LIMIT:
            return b""
    return content


def _parsed(content: bytes) -> tuple[Any, bool]:
    import json

    try:
        return _without_secrets(json.loads(content)), True
    except (ValueError, RecursionError):
        return None, False


def _without_secrets(value: Any) -> Any:
    """A desktop's password is dropped where it comes in; only that there was one is kept."""
    if isinstance(value, dict):
        return {name: "" if name in _SECRET_FIELDS else _without_secrets(one) for name, one in value.items()}
    return [_without_secrets(one) for one in value] if isinstance(value, list) else value


def _trouble(error: Exception) -> str:
    """A word for why no answer came."""
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return "timeout"
    if isinstance(error, UnicodeError | httpx.LocalProtocolError):
        return "unsendable"
    if isinstance(error, httpx.ProxyError):
        return "proxy"
    return "connection" if isinstance(error, httpx.ConnectError) else "broken"
