"""Both lanes take the same way: proxies, authorities, and what they say when the way is barred."""

import asyncio
import inspect
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import httpcore
import httpx
import pytest
from tests.wire.authority import Authority, authority
from tests.wire.calls import MUTATIONS, Bench, bench
from tests.wire.rawproxy import proxying
from tests.wire.rawserver import answer, close, free_port, running

from paperspace_mcp.contract.errors import Failure, OperatorError, OutcomeUnknown, UpstreamError
from paperspace_mcp.wire.lanes import Lanes, proxy_for
from paperspace_mcp.wire.route import Route

pytestmark = pytest.mark.anyio

BOTH = answer(b'{"id": "ps1", "data": {"id": "ps1"}}')
READ_OR_NOT = pytest.mark.parametrize("read", [True, False], ids=["read", "mutation"])


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("tls"))


async def ask(wire: Bench, *, read: bool) -> None:
    await (wire.get() if read else wire.mutate(MUTATIONS[3]))


async def barred(wire: Bench, *, read: bool) -> Failure:
    with pytest.raises(Failure) as told:
        await ask(wire, read=read)
    return told.value


@READ_OR_NOT
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_http_goes_through_the_proxy(read: bool, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with proxying() as proxy, running(BOTH) as server:
        monkeypatch.setenv(variable, proxy.url)
        async with bench(server.url) as wire:
            await ask(wire, read=read)
    method, tail = ("GET", "") if read else ("PATCH", "/start")
    assert proxy.asked == [f"{method} {server.url}/machines/ps1{tail}"]
    assert len(server.seen) == 1


@READ_OR_NOT
@pytest.mark.parametrize("spared", ["127.0.0.1", "*", "example.com,127.0.0.1"])
async def test_no_proxy_is_honoured(read: bool, spared: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with proxying() as proxy, running(BOTH) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", spared)
        async with bench(server.url) as wire:
            await ask(wire, read=read)
    assert (proxy.asked, len(server.seen)) == ([], 1)


@READ_OR_NOT
async def test_a_port_in_no_proxy_counts(read: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    async with proxying() as proxy, running(BOTH) as server:
        monkeypatch.setenv("HTTP_PROXY", f"127.0.0.1:{proxy.port}")
        for spared, asked in ((f"127.0.0.1:{server.port}", 0), (f"127.0.0.1:{server.port + 1}", 1)):
            monkeypatch.setenv("NO_PROXY", spared)
            async with bench(server.url) as wire:
                await ask(wire, read=read)
            assert len(proxy.asked) == asked


@READ_OR_NOT
@pytest.mark.parametrize("tls", [True, False])
async def test_a_proxys_credentials_reach_the_proxy(
    read: bool, tls: bool, local: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with proxying() as proxy, running(BOTH, tls=local.server if tls else None) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(local.certificate))
        monkeypatch.setenv("ALL_PROXY", f"http://us%20er:p%40ss@127.0.0.1:{proxy.port}")
        async with bench(server.url) as wire:
            await ask(wire, read=read)
    assert proxy.credentials == ["Basic dXMgZXI6cEBzcw=="]
    assert not tls or "proxy-authorization" not in server.seen[0].headers


@READ_OR_NOT
async def test_https_is_tunnelled_and_the_proxy_sees_no_key(
    read: bool, local: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with proxying() as proxy, running(BOTH, tls=local.server) as server:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("SSL_CERT_FILE", str(local.certificate))
        async with bench(server.url) as wire:
            await ask(wire, read=read)
            await ask(wire, read=read)
    assert proxy.asked == [f"CONNECT 127.0.0.1:{server.port}"]
    assert [seen.connection for seen in server.seen] == [1, 1]


FORBIDDEN = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


@READ_OR_NOT
@pytest.mark.parametrize("refusal", [FORBIDDEN, UNAVAILABLE], ids=["407", "503"])
async def test_a_proxy_that_refuses_the_tunnel_changed_nothing(
    read: bool, refusal: bytes, local: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with proxying(refusal) as proxy, running(BOTH, tls=local.server) as server:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        async with bench(server.url) as wire:
            failure = await barred(wire, read=read)
    assert (failure.code, failure.changed, failure.facts["cause"]) == ("unreachable", "no", "proxy")
    assert (len(proxy.asked), server.connections) == (1, 0)


@pytest.mark.parametrize("stalls", [True, False])
async def test_a_tunnel_that_is_never_made_changed_nothing(
    stalls: bool, local: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its class alone this looks like a lost answer; but the request was not yet written."""
    async with proxying(b"", stalls=stalls) as proxy, running(BOTH, tls=local.server) as server:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        async with bench(server.url) as wire:
            failure = await barred(wire, read=False)
    assert isinstance(failure, UpstreamError)
    assert (failure.code, failure.changed) == ("unreachable", "no")
    assert server.connections == 0


async def test_an_answer_lost_inside_a_tunnel_is_unknown(local: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    async with proxying() as proxy, running(close, tls=local.server) as server:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("SSL_CERT_FILE", str(local.certificate))
        async with bench(server.url) as wire:
            failure = await barred(wire, read=False)
    assert type(failure) is OutcomeUnknown
    assert len(server.seen) == 1


@READ_OR_NOT
async def test_a_proxy_that_is_not_there_changed_nothing(read: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    async with running(BOTH) as server, bench(server.url) as wire:
        failure = await barred(wire, read=read)
    assert (failure.code, failure.changed, failure.facts["cause"]) == ("unreachable", "no", "refused")
    assert server.seen == []


@READ_OR_NOT
@pytest.mark.parametrize("address", ["socks5://127.0.0.1:1", "http://", "ftp://x", "http://[", "http://u:p@"])
async def test_a_proxy_that_is_none_is_the_operators(read: bool, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", address)
    async with running(BOTH) as server, bench(server.url) as wire:
        failure = await barred(wire, read=read)
    assert type(failure) is OperatorError
    assert (failure.code, failure.facts) == ("bad_configuration", {"setting": "HTTP_PROXY"})
    assert server.seen == []


@READ_OR_NOT
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
async def test_the_operators_authorities_are_trusted(
    read: bool, variable: str, local: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = await asyncio.to_thread(_hashed, local.certificate, tmp_path)
    monkeypatch.setenv(variable, str(local.certificate if variable == "SSL_CERT_FILE" else hashed))
    async with running(BOTH, tls=local.server) as server, bench(server.url) as wire:
        await ask(wire, read=read)
    assert len(server.seen) == 1


def _hashed(certificate: Path, folder: Path) -> Path:
    """A folder as OpenSSL looks things up in it: by the hash of the subject."""
    command = ["openssl", "x509", "-noout", "-hash", "-in", str(certificate)]
    name = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    (folder / f"{name}.0").write_bytes(certificate.read_bytes())
    return folder


@READ_OR_NOT
async def test_a_certificate_that_nobody_vouches_for_gets_no_request(read: bool, local: Authority) -> None:
    async with running(BOTH, tls=local.server) as server, bench(server.url) as wire:
        failure = await barred(wire, read=read)
    assert (failure.code, failure.changed, failure.retryable) == ("unreachable", "no", False)
    assert failure.facts["cause"] == "tls"
    assert (server.seen, wire.slept) == ([], [])


@READ_OR_NOT
async def test_a_handshake_that_stalls_changed_nothing(read: bool) -> None:
    async def sit(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    over = asyncio.Event()
    server = await asyncio.start_server(sit, "127.0.0.1", 0)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, bench(url, connect_timeout_s=0.1, max_attempts=1) as wire:
        failure = await barred(wire, read=read)
        over.set()
    assert (failure.code, failure.changed, failure.facts["cause"]) == ("unreachable", "no", "connect_timeout")


@READ_OR_NOT
async def test_a_server_that_speaks_no_tls_changed_nothing(read: bool) -> None:
    async def mumble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(mumble, "127.0.0.1", 0)
    async with server, bench(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", max_attempts=1) as wire:
        failure = await barred(wire, read=read)
    assert (failure.code, failure.changed, failure.facts["cause"]) == ("unreachable", "no", "tls")


@READ_OR_NOT
async def test_authorities_that_cannot_be_loaded_are_the_operators(
    read: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    for path in (empty, tmp_path / "missing.pem"):
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        async with bench("https://127.0.0.1:1") as wire:
            failure = await barred(wire, read=read)
        assert (failure.code, failure.facts) == ("bad_configuration", {"setting": "SSL_CERT_FILE"})


@READ_OR_NOT
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(read: bool, status: int) -> None:
    async with running(BOTH) as elsewhere:
        moved = answer(b"", status, location=f"{elsewhere.url}/machines/ps1")
        async with running(moved) as server, bench(server.url) as wire:
            failure = await barred(wire, read=read)
    assert failure.facts["status"] == status
    assert (len(server.seen), elsewhere.seen) == (1, [])


def test_one_context_for_both_lanes_and_no_authorities_for_http(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[ssl.SSLContext] = []

    def create() -> ssl.SSLContext:
        made.append(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        return made[-1]

    monkeypatch.setattr(httpx, "create_ssl_context", create)
    assert Lanes("http://x").route.tls.get_ca_certs() == []
    assert made == []
    secure = Lanes("https://x")
    assert [secure.route.tls, secure.route.tls] == [made[0], made[0]]
    assert len(made) == 1


def test_proxies_by_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "secure:1")
    monkeypatch.setenv("ALL_PROXY", "http://rest:2")
    secure, rest = proxy_for(httpx.URL("https://x")), proxy_for(httpx.URL("http://x"))
    assert secure is not None
    assert rest is not None
    assert (str(secure.url), str(rest.url)) == ("http://secure:1", "http://rest:2")


async def test_aiohttp_still_has_the_switch_of_its_hidden_retry() -> None:
    """A contract with aiohttp: the private name exists, is on by default, and is read by `_request`."""
    from paperspace_mcp.wire.reading import reading_lane

    async with aiohttp.ClientSession() as session:
        assert session._retry_connection is True
    assert "self._retry_connection and method in IDEMPOTENT_METHODS" in inspect.getsource(
        aiohttp.ClientSession._request
    )
    lane = reading_lane(Route(Lanes("http://x").route.tls, None))
    inner = lane._inner.client
    assert isinstance(inner, aiohttp.ClientSession)
    assert inner._retry_connection is False
    assert isinstance(inner.cookie_jar, aiohttp.DummyCookieJar)
    await lane.aclose()


async def test_a_connection_that_closes_under_a_body_is_lost_and_not_unmade() -> None:
    """httpx-aiohttp calls it `ConnectTimeout`, as if nothing had been sent."""
    from paperspace_mcp.wire.reading import Body

    async def closing() -> AsyncIterator[bytes]:
        yield b"{"
        raise httpx.ConnectTimeout("Connection closed") from aiohttp.ClientConnectionError("Connection closed")

    with pytest.raises(httpx.ReadError):
        [piece async for piece in Body(closing())]


def test_httpcore_still_tells_when_a_request_leaves() -> None:
    """A contract with httpcore: the event comes before the first byte, and names the request."""
    from httpcore._async import http11

    source = inspect.getsource(http11.AsyncHTTP11Connection.handle_async_request)
    assert source.index('"send_request_headers", logger, request, kwargs') < source.index("_send_request_headers(**")
    assert httpcore.__version__.startswith("1.")


def test_aiohttp_is_not_loaded_before_the_first_read() -> None:
    code = (
        "import sys, paperspace_mcp.wire.paperspace as p, paperspace_mcp.wire.lanes as l, paperspace_mcp.wire.writing;"
        "l.Lanes('http://x');"
        "loaded = {'aiohttp', 'httpx_aiohttp', 'paperspace_mcp.simulator'} & set(sys.modules);"
        "sys.exit(str(loaded) if loaded else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


def test_nothing_is_left_open_at_the_end(tmp_path: Path) -> None:
    """In a process of its own, with every warning an error and the collector run at the end."""
    script = tmp_path / "whole_life.py"
    script.write_text(
        "import anyio, gc\n"
        "from tests.wire.calls import MUTATIONS, bench\n"
        "from tests.wire.rawserver import answer, running\n"
        "async def main():\n"
        '    async with running(answer(b\'{"id": "ps1", "data": {"id": "ps1"}}\')) as server:\n'
        "        async with bench(server.url) as wire:\n"
        "            await wire.get()\n"
        "            await wire.mutate(MUTATIONS[3])\n"
        "anyio.run(main)\n"
        "gc.collect()\n",
    )
    command = [sys.executable, "-X", "dev", "-W", "error", str(script)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={"PYTHONPATH": ".", "PATH": ""}, check=False
    )
    told = [line for line in done.stderr.splitlines() if not line.startswith("Executing <")]
    assert (done.returncode, told) == (0, [])
