"""The server on its transports: stdio, and Streamable HTTP with a health check."""

import logging
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Any

import anyio

from paperspace_mcp.app import App
from paperspace_mcp.contract.errors import OperatorError

GRACE_S = 1
"""How long open streams may hold a SIGTERM back."""
LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")


async def serve_stdio(app: App) -> None:
    """Serve one client on standard input and output until it hangs up or a SIGTERM comes."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_until_terminated, tasks.cancel_scope)
        try:
            await app.server.run_stdio_async()
        finally:
            with anyio.CancelScope(shield=True):
                await app.aclose()
            tasks.cancel_scope.cancel()


async def _until_terminated(scope: anyio.CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM) as signals:
        async for _ in signals:
            scope.cancel()
            return


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address; a name that is not `localhost` is taken for reachable."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def http_app(app: App, host: str, allowed_hosts: Sequence[str], *, stateless: bool) -> Any:
    """The ASGI application: MCP at `/mcp`, `/healthz` beside it.

    Raises:
        OperatorError: an address that others can reach, without the list of names under which it may be reached.
    """
    from mcp.server.transport_security import TransportSecuritySettings

    if not is_loopback(host) and not allowed_hosts:
        raise OperatorError("bad_configuration", facts={"setting": "--allowed-host (needed beyond loopback)"})
    names = [*LOCAL_NAMES, *allowed_hosts]
    security = TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=[*names, *(f"{name}:*" for name in names)],
        allowed_origins=[
            f"{scheme}://{name}{port}" for name in names for scheme in ("http", "https") for port in ("", ":*")
        ],
    )
    web = app.server.streamable_http_app(host=host, stateless_http=stateless, transport_security=security)
    _add_health(web)
    _close_with(web, app)
    return web


def _add_health(web: Any) -> None:
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    from paperspace_mcp import __version__

    async def healthz(_request: Request) -> JSONResponse:
        """The process serves. Says nothing of the provider, whose outage is no reason to restart us."""
        return JSONResponse({"status": "ok", "version": __version__})

    web.router.routes.append(Route("/healthz", healthz, methods=["GET"]))


def _close_with(web: Any, app: App) -> None:
    inner = web.router.lifespan_context

    @asynccontextmanager
    async def lifespan(scope: Any) -> AsyncIterator[Any]:
        async with inner(scope) as state:
            try:
                yield state
            finally:
                await app.aclose()

    web.router.lifespan_context = lifespan


def serve_http(web: Any, host: str, port: int) -> None:
    """Listen until a signal comes; open streams hold it back for a second at most."""
    import uvicorn

    config = uvicorn.Config(
        web, host=host, port=port, log_level="warning", access_log=False, timeout_graceful_shutdown=GRACE_S, ws="none"
    )
    _Announcing(config).run()


def _announce(url: str) -> None:
    sys.stderr.write(f"paperspace-mcp: listening on {url}\n")
    sys.stderr.flush()


class _Announcing:
    """uvicorn's server, which says where it listens once it does: with port 0 nobody else knows."""

    def __init__(self, config: Any) -> None:
        import uvicorn

        class Announcing(uvicorn.Server):
            async def startup(self, sockets: Any = None) -> None:
                await super().startup(sockets)
                for one in self.servers:
                    for sock in one.sockets:
                        host, port = sock.getsockname()[:2]
                        _announce(f"http://{f'[{host}]' if ':' in host else host}:{port}/mcp")

        self._server = Announcing(config)

    def run(self) -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
        self._server.run()
