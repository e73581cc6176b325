"""The composition root: the one place that knows every room."""

import hashlib
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any, TypeVar

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool as SdkTool
from mcp.server.request_state import RequestStateSecurity
from pydantic import AnyHttpUrl, BaseModel, SecretStr

from paperspace_mcp import __version__
from paperspace_mcp.audit import Audit
from paperspace_mcp.conduct import ANONYMOUS, Caller, Conduct, Heard, Rooms, Sink, Wire, unheard
from paperspace_mcp.contract.errors import Refusal
from paperspace_mcp.contract.operation import Operation
from paperspace_mcp.contract.shapes import Shape
from paperspace_mcp.policy_file import check
from paperspace_mcp.rules.guard.cleaning import clean
from paperspace_mcp.rules.guard.records import Record
from paperspace_mcp.rules.guard.warrants import Warrant, Warrants
from paperspace_mcp.rules.policy import Policy, permitted
from paperspace_mcp.settings import Settings
from paperspace_mcp.state import made
from paperspace_mcp.surface.adapter import adapt
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.fingerprint import version
from paperspace_mcp.surface.instructions import instructions
from paperspace_mcp.surface.resources import templates
from paperspace_mcp.surface.server import Server
from paperspace_mcp.surface.tool import Tool
from paperspace_mcp.surface.tools import NAMES, TOOLS, TOOLSETS
from paperspace_mcp.tokens import Tokens
from paperspace_mcp.watch import Watch
from paperspace_mcp.wire.sinks import FileSink, InlineSink, LinkSink
from paperspace_mcp.wire.sqlite import SqliteStore

Gives = TypeVar("Gives", bound=BaseModel)
Tell = Callable[[Record], Awaitable[None]]
TOOLSET_OF = {tool.name: toolset for toolset, tools in TOOLSETS.items() for tool in tools}

_AUTH = AuthSettings(issuer_url=AnyHttpUrl("https://tokens.invalid"), resource_server_url=None)
"""Tokens are made here, so no authorization server is announced; the SDK wants an address all the same."""
KEY_BYTES = 32
_CLIENT_CAPS = (64, 32)
"""How much of a client's name and version is kept."""
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
        heard: Heard = unheard,
    ) -> Gives:
        return await self._wire.read(operation, path or {}, query, budget_s=budget_s, heard=heard)

    async def mutate(
        self,
        operation: Operation[Gives],
        path: Mapping[str, str],
        body: Shape | None,
        warrant: Warrant | None,
        *,
        heard: Heard = unheard,
    ) -> Gives:
        return await self._wire.mutate(operation, path, body, warrant, heard=heard)

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
    audit: Audit
    watch: Watch
    tokens: Tokens | None = None

    @property
    def desk(self) -> Desk:
        """A desk without a client: what a command of ours looks through."""
        waits = (self.settings.max_wait_s, 0.0)
        return Desk(self.conduct, self.watch, identity(self.settings), *waits, _unreported, TOOLSET_OF.__getitem__)

    async def aclose(self) -> None:
        """Give back connections and files."""
        await self.wire.aclose()
        self.store.shut()


def build(settings: Settings, *, transport: Any = None, tell: Tell | None = None) -> App:
    """Put the server together. `transport` (or what makes it) replaces the network: the embedded simulator.

    Nothing is read, opened or sent here: listing tools needs neither a key nor a network.

    Raises:
        OperatorError: bad_policy, for a tool that there is not.
    """
    check(settings.policy, NAMES)
    warrants, store = Warrants(), SqliteStore(settings.state_dir)
    wire, audit = LateWire(settings, warrants, transport), Audit(settings.state_dir)
    rooms = Rooms(wire, store, warrants, audit, settings.policy, sink_of(settings))
    conduct = Conduct(replace(rooms, tell=tell) if tell else rooms)
    watch = Watch(wire)
    tokens = Tokens(settings.tokens) if settings.tokens else None
    server = _server(settings, conduct, watch, tokens)
    return App(settings, server, conduct, wire, store, audit, watch, tokens)


async def _unreported(_elapsed: float, _total: float, _message: str) -> None:
    """Nobody asked for progress."""


def _server(settings: Settings, conduct: Conduct, watch: Watch, tokens: Tokens | None) -> Server:
    def desk_of(ctx: Context[Any, Any]) -> Desk:
        long = _wants_progress(ctx)
        waits = (settings.max_wait_s, settings.hold_s)
        caller = replace(caller_of(settings, over_http=ctx.headers is not None), client=client_of(ctx))
        return Desk(conduct, watch, caller, *waits, ctx.report_progress, TOOLSET_OF.__getitem__, long_waits=long)

    tools = [adapt(tool, desk_of, demo=settings.demo) for tool in TOOLS]
    listed = [tool.name for tool in TOOLS if not shut(settings.policy, tool)]
    return Server(
        conduct,
        listed=listed,
        demo=settings.demo,
        name="paperspace",
        title="Paperspace machines",
        version=_version(listed, tools),
        tools=tools,
        token_verifier=tokens,
        auth=_AUTH if tokens else None,
        subscriptions=False,
        log_level=settings.log_level,
        request_state_security=RequestStateSecurity(
            keys=[state_key(settings.state_dir)], audience="machines", ttl=SEAL_S
        ),
    )


def _version(listed: Sequence[str], tools: Sequence[SdkTool]) -> str:
    """The first answer to a client carries it, so prompts are loaded for it at once."""
    from paperspace_mcp.surface import prompts

    beside = {"prompts": prompts.listed(listed), "resourceTemplates": templates(listed)}
    given = [tool for tool in tools if tool.name in listed]
    return version(__version__, given, instructions=instructions(listed), **beside)


def shut(policy: Policy, tool: Tool) -> str:
    """The rule that shuts a tool; an empty string where it is open."""
    return permitted(policy, tool.name, TOOLSET_OF[tool.name], tool.touches)


def sink_of(settings: Settings) -> Sink | None:
    """Where passwords are delivered; None reveals nothing."""
    if settings.password_sink == "file":  # noqa: S105 - the name of a sink
        return FileSink(settings.state_dir)
    if settings.password_sink == "link":  # noqa: S105
        return LinkSink()
    return InlineSink() if settings.password_sink == "inline" else None  # noqa: S105


def identity(settings: Settings) -> Caller:
    """On stdio and without an identity over HTTP: the OS user and a fingerprint of the key."""
    account = _account(settings.upstream.url, settings.upstream.key)
    return Caller(f"{os_user()}:{account}", account, allow=settings.allow)


@lru_cache(maxsize=8)
def _account(url: str, key: SecretStr | None) -> str:
    secret = key.get_secret_value() if key else ""
    return hashlib.sha256(f"{url} {secret}".encode()).hexdigest()[:12]


def caller_of(settings: Settings, *, over_http: bool) -> Caller:
    """Who makes this request: the user of its token; without tokens the OS user, or over HTTP nobody in particular.

    Raises:
        Refusal: identity_needed, where there are tokens and the request came in without one.
    """
    if settings.tokens is None:
        return anonymous(settings) if over_http else identity(settings)
    token = get_access_token()
    if token is None or not token.subject:
        raise Refusal("identity_needed")
    return replace(identity(settings), principal=principal_of(settings, token.subject))


def client_of(ctx: Context[Any, Any]) -> str:
    """What the client says of itself, for the audit: anybody can say anything. Empty where it says nothing."""
    told = ctx.session.client_params
    parts = (told.client_info.name, told.client_info.version) if told else ()
    return " ".join(filter(None, (clean(part, cap).text for part, cap in zip(parts, _CLIENT_CAPS, strict=False))))


def anonymous(settings: Settings) -> Caller:
    """Whoever reaches the port. What the person at this machine approved or allowed is not theirs."""
    account = identity(settings).account
    return Caller(f"{ANONYMOUS}:{account}", account, identified=False)


def principal_of(settings: Settings, user: str) -> str:
    """The identity of a user with a token; never that of an OS user of the same name."""
    return f"user:{user}:{identity(settings).account}"


@cache
def os_user() -> str:
    """The name of the user whose process this is: the system's word, for anybody can set LOGNAME."""
    try:
        import pwd
    except ImportError:
        return _said_user()
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user need not have a name
        return "unknown"


def _said_user() -> str:
    """Where the system has no such list, what it says by itself."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _wants_progress(ctx: Context[Any, Any]) -> bool:
    meta = ctx.request_context.meta
    return bool(meta and meta.get("progress_token") is not None)


def state_key(directory: Path) -> bytes:
    """The key that seals the SDK's request state: 32 bytes beside the records, readable by their owner only.

    Where no file can be written or read whole, a key of this process serves: no approval can be recorded then either,
    and reads work.
    """
    path = directory / "request-state.key"
    try:
        made(directory)
        key = path.read_bytes() if path.exists() else _new_key(path)
    except OSError:
        key = b""
    return key if len(key) >= KEY_BYTES else secrets.token_bytes(KEY_BYTES)


def _new_key(path: Path) -> bytes:
    """Written whole under another name and linked: of two processes that start at once, one wins and both agree."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
    with suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
    return path.read_bytes()
