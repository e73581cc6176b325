"""The way to the provider that both lanes share."""

import ssl
from dataclasses import dataclass

import httpx


@dataclass(frozen=True, slots=True)
class Route:
    """What both lanes share. `proxy` carries its credentials as a header, where both understand them."""

    tls: ssl.SSLContext
    proxy: httpx.Proxy | None
