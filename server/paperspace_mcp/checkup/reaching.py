"""The way to the API, step by step: name, TLS, answer, key, clock. Each step has a few seconds and no more."""

import asyncio
import os
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import anyio

from paperspace_mcp.checkup.rows import Level, Row, failed
from paperspace_mcp.contract.errors import OperatorError
from paperspace_mcp.rules.retrying import http_date
from paperspace_mcp.settings import DEFAULT_URL, Upstream
from paperspace_mcp.wire.accounts import shown
from paperspace_mcp.wire.probing import Probe, Seen

PART = "api"
STEP_S = 4.0
SLOW_S = 2.0
SKEW_S = 30.0
WRONG_SKEW_S = 300.0
_SOON_S = 14 * 86400
_FIREWALL = "Look at the firewall, VPN or proxy between here and it."


async def rows(upstream: Upstream, *, transport: Any = None) -> AsyncIterator[Row]:
    """`transport` is the embedded simulator: then there is no network to look at."""
    if transport is None:
        yield _address(upstream.url)
    before = [row async for row in _network(upstream.url)] if transport is None else []
    for row in before:
        yield row
    if failed(before):
        return  # the next step would only say the same in other words
    try:
        probe = Probe(upstream, transport=transport, timeout_s=STEP_S)
        seen = await probe.get("/machines", [("limit", "1")], key=upstream.key)
    except OperatorError as error:
        yield Row(PART, "settings", Level.FAIL, f"{error.facts.get('setting')} cannot be used", "Mend or unset it.")
        return
    for row in answer(seen, upstream):
        yield row
    await probe.aclose()


def _address(url: str) -> Row:
    other = "" if url == DEFAULT_URL else " (not the provider's own)"
    plain = url.startswith("http://") and (urlsplit(url).hostname or "") not in {"localhost", "127.0.0.1", "::1"}
    if plain:
        return Row(PART, "address", Level.WARN, f"{shown(url)}: the key goes over the net in clear", "Use https.")
    return Row(PART, "address", Level.OK, f"{shown(url)}{other}")


async def _network(url: str) -> AsyncIterator[Row]:
    for row in _environment():
        yield row
    parts = urlsplit(url)
    proxied = getproxies().get(parts.scheme) or getproxies().get("all")
    if proxied:
        return  # the proxy looks the name up and we see its answer below
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    row, found = await _name(host, port)
    yield row
    if found and parts.scheme == "https":
        yield await _handshake(host, port)


def _environment() -> list[Row]:
    """Proxy and authorities. A proxy's address may hold a password: only the rest is shown."""
    named = {name: address for name, address in getproxies().items() if name in {"http", "https", "all"}}
    told = ", ".join(f"{name} by {shown(address) or 'what is no address'}" for name, address in sorted(named.items()))
    found = [Row(PART, "proxy", Level.NOTE, told)] if told else []
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        if (path := os.environ.get(name)) and not os.path.exists(path):  # noqa: PTH110 - any text may stand there
            found.append(Row(PART, name, Level.FAIL, f"{path} is not there", "Mend or unset it."))
        elif path:
            found.append(Row(PART, name, Level.NOTE, f"authorities from {path}"))
    return found


async def _name(host: str, port: int) -> tuple[Row, bool]:
    began = time.monotonic()
    try:
        with anyio.fail_after(STEP_S):
            found = await anyio.getaddrinfo(host, port)
    except TimeoutError:
        return Row(PART, "dns", Level.FAIL, f"no answer in {STEP_S:g} s", "Look at the name server."), False
    except (OSError, UnicodeError):
        remedy = "Is there a network? Is the address right? " + _FIREWALL
        return Row(PART, "dns", Level.FAIL, f"{host} has no address", remedy), False
    count = len({one[4][0] for one in found})
    return Row(PART, "dns", Level.OK, f"{count} addresses in {_ms(time.monotonic() - began)}"), True


async def _handshake(host: str, port: int) -> Row:
    try:
        with anyio.fail_after(STEP_S):
            return await _shaken(host, port)
    except ssl.SSLCertVerificationError as error:
        remedy = "Behind a proxy that opens TLS, name its authority in SSL_CERT_FILE. Is the clock right?"
        return Row(PART, "tls", Level.FAIL, f"the certificate does not hold ({error.verify_message})", remedy)
    except TimeoutError:
        return Row(PART, "tls", Level.FAIL, f"no handshake in {STEP_S:g} s", _FIREWALL)
    except OSError as error:
        return Row(PART, "tls", Level.FAIL, f"no connection ({type(error).__name__})", _FIREWALL)


async def _shaken(host: str, port: int) -> Row:
    import httpx

    _, writer = await asyncio.open_connection(host, port, ssl=httpx.create_ssl_context())
    told = _certificate(writer.get_extra_info("peercert") or {}, writer.get_extra_info("ssl_object"))
    writer.transport.abort()  # nobody waits for the goodbye of a connection that was only looked at
    return told


def _certificate(certificate: Mapping[str, Any], connection: Any) -> Row:
    version = connection.version()
    ends = ssl.cert_time_to_seconds(certificate["notAfter"]) if "notAfter" in certificate else None
    if ends is None:
        return Row(PART, "tls", Level.OK, version)
    until = datetime.fromtimestamp(ends, UTC).date().isoformat()
    level = Level.WARN if ends - time.time() < _SOON_S else Level.OK
    return Row(PART, "tls", level, f"{version}, certificate until {until}")


_INSTEAD = {
    "timeout": (f"no answer in {STEP_S:g} s", "It may be down: try again, see its status page. " + _FIREWALL),
    "connection": ("no connection", _FIREWALL),
    "proxy": ("the proxy refused", "Look at HTTPS_PROXY and its credentials."),
    "unsendable": ("not asked: the key cannot be sent", "Paste it again."),
    "broken": ("the answer broke off", "Try again. " + _FIREWALL),
}


def answer(seen: Seen, upstream: Upstream) -> list[Row]:
    """What the answer to a list of machines says: of the way, the key and the clock."""
    if seen.trouble:
        what, remedy = _INSTEAD[seen.trouble]
        return [Row(PART, "answer", Level.FAIL, what, remedy)]
    slow = Level.WARN if seen.elapsed_s > SLOW_S else Level.OK
    told = Row(PART, "answer", slow, f"HTTP {seen.status} in {_ms(seen.elapsed_s)}")
    return [told, *_key(seen, upstream), *_clock(seen)]


def _key(seen: Seen, upstream: Upstream) -> list[Row]:
    """What the status says of the key, or of the API."""
    if seen.status == 401:  # noqa: PLR2004
        if not upstream.key:
            return [Row(PART, "key", Level.NOTE, "not tried: there is none. The API itself answers")]
        remedy = "Was it revoked, or made for another team? Make a new one in the console."
        return [Row(PART, "key", Level.FAIL, "the API refuses it", remedy)]
    if seen.status == 403:  # noqa: PLR2004
        return [Row(PART, "key", Level.FAIL, "it may not list machines", "Its user needs more rights in the team.")]
    if seen.good and isinstance(seen.body, dict) and "items" in seen.body:
        return [Row(PART, "key", Level.OK, "it lists machines")]
    return [_strange(seen)]


def _strange(seen: Seen) -> Row:
    if seen.status == 429:  # noqa: PLR2004
        return Row(PART, "key", Level.WARN, "not known: the API limits requests just now", "Try again in a minute.")
    if 300 <= seen.status <= 399:  # noqa: PLR2004
        return Row(PART, "key", Level.FAIL, "the address redirects", "PAPERSPACE_API_URL is not the API's own.")
    if seen.status == 404:  # noqa: PLR2004
        return Row(PART, "key", Level.FAIL, "there is no /machines at this address", "It ends in /v1, as a rule.")
    what = "no JSON: a login page or a proxy answers" if not seen.json else "this is no answer of the API"
    return Row(PART, "key", Level.FAIL, f"not known: {what}", "Try again. " + _FIREWALL)


def _clock(seen: Seen) -> list[Row]:
    """Approvals and certificates live by the clock."""
    theirs = http_date(seen.headers.get("date"))
    if theirs is None:
        return []
    skew = time.time() - theirs.timestamp()
    if abs(skew) <= SKEW_S:
        return [Row(PART, "clock", Level.OK, f"within {SKEW_S:g} s of the API's")]
    level = Level.FAIL if abs(skew) > WRONG_SKEW_S else Level.WARN
    which = "ahead of" if skew > 0 else "behind"
    what = f"{abs(skew):.0f} s {which} the API's"
    return [Row(PART, "clock", level, what, "Set the clock: times, certificates and approvals depend on it.")]


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
