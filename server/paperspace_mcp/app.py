"""The composition root: the one place that knows every room."""

import getpass
import hashlib
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from mcp.server.caching import CacheHint
from mcp.server.mcpserver import Context
from mcp.server.request_state import RequestStateSecurity
from pydantic import BaseModel

from paperspace_mcp import __version__
from paperspace_mcp.conduct import Caller, Conduct, Wire
from paperspace_mcp.contract.operation import Operation
from paperspace_mcp.contract.shapes import Shape
from paperspace_mcp.rules.guard.warrants import Warrant, Warrants
from paperspace_mcp.settings import Settings
from paperspace_mcp.surface.adapter import adapt
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.server import Server
from paperspace_mcp.surface.tools import TOOLS
from paperspace_mcp.watch import Watch
from paperspace_mcp.wire.sqlite import SqliteStore

Gives = TypeVar("Gives", bound=BaseModel)

INSTRUCTIONS = (
    "Machines are named by id or exact name. What costs, disrupts, grants or destroys is confirmed by a person: call "
    "the tool, the person is asked. Power and create answer with an event: wait_for_event says when it is ready."
)
"""Order and limits only; nothing that a model could take for leave."""
SEAL_S = 600.0
"""The SDK's sealed state outlives our records, so that an answer that is too late is told in our words."""


class LateWire:
    """The wire, made at the first call upstream: httpx is 60 ms of import that `tools/list` does not need."""

    def __init__(self, settings: Settings, warrants: Warrants, transport: Any = None) -> None:
        self._settings = settings
        self._warrants = warrants
        self._transport = transport

    @cached_property
    def _wire(self) -> Wire:
        from paperspace_mcp.wire.paperspace import Paperspace

        transport = self._transport() if callable(self._transport) else self._transport
        return Paperspace(self._settings.upstream, self._warrants, transport=transport)

    async def read(
        self,
        operation: Operation[Gives],
        path: Mapping[str, str] | None = None,
        query: Shape | None = None,
        *,
        budget_s: float | None = None,
    ) -> Gives:
        return await self._wire.read(operation, path or {}, query, budget_s=budget_s)

    async def mutate(
        self, operation: Operation[Gives], path: Mapping[str, str], body: Shape | None, warrant: Warrant | None
    ) -> Gives:
        return await self._wire.mutate(operation, path, body, warrant)

    def arguments(self, path: Mapping[str, str], body: Shape | None) -> dict[str, Any]:
        return self._wire.arguments(path, body)

    async def aclose(self) -> None:
        if "_wire" in self.__dict__:
            await self._wire.aclose()
            del self._wire


@dataclass(slots=True)
class App:
    """One process's server and what it owns."""

    settings: Settings
    server: Server
    conduct: Conduct
    wire: LateWire
    store: SqliteStore

    async def aclose(self) -> None:
        """Give back connections and files."""
        await self.wire.aclose()
        self.store.shut()


def build(settings: Settings, *, transport: Any = None) -> App:
    """Put the server together. `transport` (or what makes it) replaces the network: the embedded simulator.

    Nothing is read, opened or sent here: listing tools needs neither a key nor a network.
    """
    warrants, store = Warrants(), SqliteStore(settings.state_dir)
    wire = LateWire(settings, warrants, transport)
    conduct = Conduct(wire, store, warrants, protect=settings.protect)
    watch, caller = Watch(wire), identity(settings)

    def desk_of(ctx: Context[Any, Any]) -> Desk:
        return Desk(conduct, watch, caller, settings.max_wait_s, ctx.report_progress, _wants_progress(ctx))

    tools = [adapt(tool, desk_of, demo=settings.demo) for tool in TOOLS]
    server = Server(
        conduct,
        demo=settings.demo,
        name="paperspace",
        title="Paperspace machines",
        version=__version__,
        instructions=INSTRUCTIONS,
        tools=tools,
        subscriptions=False,
        log_level=settings.log_level,
        request_state_security=RequestStateSecurity(
            keys=[state_key(settings.state_dir)], audience="machines", ttl=SEAL_S
        ),
        cache_hints={"tools/list": CacheHint(ttl_ms=60_000, scope="public")},
    )
    return App(settings, server, conduct, wire, store)


def identity(settings: Settings) -> Caller:
    """On stdio and without an identity over HTTP: the OS user and a fingerprint of the key."""
    key = hashlib.sha256((settings.upstream.key or "").encode()).hexdigest()[:12]
    return Caller(f"{_os_user()}:{key}", key)


def _os_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return "unknown"


def _wants_progress(ctx: Context[Any, Any]) -> bool:
    meta = ctx.request_context.meta
    return bool(meta and meta.get("progress_token") is not None)


def state_key(directory: Path) -> bytes:
    """The key that seals the SDK's request state: 32 bytes beside the records, readable by their owner only.

    Where no file can be written a key of this process serves: then no approval can be recorded either, and reads work.
    """
    path = directory / "request-state.key"
    try:
        return path.read_bytes() if path.exists() else _new_key(path)
    except OSError:
        return secrets.token_bytes(32)


def _new_key(path: Path) -> bytes:
    """Written whole under another name and linked: of two processes that start at once, one wins and both agree."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(secrets.token_bytes(32))
    with suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
    return path.read_bytes()
