"""The server on its transports: stdio, and Streamable HTTP with a health check."""

import hmac
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from ipaddress import ip_address
from typing import Any

import anyio

from paperspace_mcp.app import App, principal_of, state_key
from paperspace_mcp.contract.errors import OperatorError

FINISH_S = 1.5
"""How long a step that is on the wire may hold a SIGTERM back; its intent is written down in any case."""
FINISH_HTTP_S = 0.5
"""The same over HTTP, once open streams had their second."""
LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")


async def serve_stdio(app: App) -> None:
    """Serve one client on standard input and output until it hangs up or a SIGTERM comes."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_until_terminated, app)
        try:
            await app.server.run_stdio_async()
        finally:
            with anyio.CancelScope(shield=True):
                await app.aclose()
            tasks.cancel_scope.cancel()


async def _until_terminated(app: App) -> None:
    """The thread that reads standard input cannot be cancelled, so the process is ended under it, its books written."""
    with anyio.open_signal_receiver(signal.SIGTERM) as signals:
        async for _ in signals:
            with anyio.move_on_after(FINISH_S):
                await _finished(app)
                await app.aclose()
            os._exit(0)


async def _finished(app: App) -> None:
    """Until no step is between its intent and its outcome."""
    while app.conduct.under_way:
        await anyio.sleep(FINISH_S / 20)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address; a name that is not `localhost` is taken for reachable."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def http_app(app: App, host: str, allowed_hosts: Sequence[str], *, stateless: bool) -> Any:
    """The ASGI application: MCP at `/mcp`, `/healthz` beside it; with tokens, the approval page at `/approvals`.

    Raises:
        OperatorError: tokens that cannot be used, or an address that others can reach, without the list of names under
            which it may be reached.
    """
    if app.tokens:
        app.tokens.check()
    if not is_loopback(host) and not allowed_hosts:
        raise OperatorError("bad_configuration", facts={"setting": "--allowed-host (needed beyond loopback)"})
    security = _security([*LOCAL_NAMES, *allowed_hosts])
    web = app.server.streamable_http_app(host=host, stateless_http=stateless, transport_security=security)
    _add_health(web)
    web.router.routes.extend(_approval_routes(app, security))
    _close_with(web, app)
    return web


def _security(names: Sequence[str]) -> Any:
    """Under which names the server may be reached: a page of a stranger must not speak to it."""
    from mcp.server.transport_security import TransportSecuritySettings

    return TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=[*names, *(f"{name}:*" for name in names)],
        allowed_origins=[
            f"{scheme}://{name}{port}" for name in names for scheme in ("http", "https") for port in ("", ":*")
        ],
    )


def _approval_routes(app: App, security: Any) -> list[Any]:
    """The page where there are users, the webhook's answers where there is a secret to sign them with."""
    from paperspace_mcp.page import Page, page_routes
    from paperspace_mcp.webhook import Incoming, incoming_routes
    from paperspace_mcp.wire.approvers import Approvers

    secret, now = app.settings.webhook_secret, app.conduct.rooms.now
    routes = incoming_routes(Incoming(app.conduct, app.store, secret, security, now=now)) if secret else []
    if app.tokens is None:
        return routes
    key = hmac.digest(state_key(app.settings.state_dir), b"approval page", "sha256")
    approvers = Approvers(app.settings.state_dir, now=now)
    page = Page(app.conduct, approvers, app.tokens, partial(principal_of, app.settings), key, security, now)
    return [*routes, *page_routes(page)]


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
                with anyio.move_on_after(FINISH_HTTP_S):
                    await _finished(app)
                await app.aclose()

    web.router.lifespan_context = lifespan


def _nobody(_url: str) -> None:
    """Nobody needs to know where it listens."""


def serve_http(web: Any, host: str, port: int, announced: Callable[[str], None] = _nobody) -> None:
    """Listen until a signal comes; open streams hold it back for a second at most. `announced` is told the address."""
    from paperspace_mcp.listening import listen

    listen(web, host, port, announced)
