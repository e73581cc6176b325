"""Three weak guards, each of a kind that is often met: an argument, the SDK's form, a form with the name in it."""

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from mcp import Client
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.resolve import Elicit, Resolve
from pydantic import BaseModel
from tests.guard.bench import CALLS, Call, Clock
from tests.proof.baselines.api import Api, Plain
from tests.proof.wire.ground import Form, simulated


class Confirm(BaseModel):
    """The form of the SDK's own example."""

    ok: bool


class Typed(BaseModel):
    typed: str


Wrap = Callable[[Plain], Callable[..., Any]]


def _signed(wrapper: Any, plain: Plain, **more: inspect.Parameter) -> Any:
    """The wrapper with the signature of what it wraps, and more."""
    parameters = {**inspect.signature(plain).parameters, **more}
    wrapper.__signature__ = inspect.Signature(list(parameters.values()), return_annotation=str)
    wrapper.__annotations__ = {name: one.annotation for name, one in parameters.items()} | {"return": str}
    wrapper.__name__, wrapper.__doc__ = getattr(plain, "__name__", ""), plain.__doc__
    return wrapper


def _keyword(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def with_argument(plain: Plain) -> Callable[..., Any]:
    """Consent is an argument of the tool."""

    async def tool(**arguments: Any) -> str:
        if not arguments.pop("confirm"):
            return "This needs confirmation: call again with confirm: true."
        return await plain(**arguments)

    return _signed(tool, plain, confirm=_keyword("confirm", bool, default=False))  # type: ignore[no-any-return]


def with_resolver(plain: Plain) -> Callable[..., Any]:
    """The SDK's resolver as its documentation shows it: a boolean in a form, and nothing is remembered."""

    async def ask(**arguments: Any) -> Elicit[Confirm]:
        return Elicit(f"{getattr(plain, '__name__', '')} {arguments}?", Confirm)

    _resolver(ask, plain)

    async def tool(answer: Any, **arguments: Any) -> str:
        if not answer.ok:
            raise ToolError("not confirmed")
        return await plain(**arguments)

    asked = _keyword("answer", Annotated[Confirm, Resolve(ask)])
    return _signed(tool, plain, answer=asked)  # type: ignore[no-any-return]


def with_typed_name(plain: Plain) -> Callable[..., Any]:
    """A better form: the machine's name (or the verb) is typed. No fingerprint, and it can be used again."""

    async def ask(**arguments: Any) -> Elicit[Typed]:
        return Elicit(f"Type {expected(plain, arguments)} for {getattr(plain, '__name__', '')} {arguments}", Typed)

    _resolver(ask, plain)

    async def tool(answer: Any, **arguments: Any) -> str:
        if answer.typed.strip() != expected(plain, arguments):
            raise ToolError("not confirmed")
        return await plain(**arguments)

    asked = _keyword("answer", Annotated[Typed, Resolve(ask)])
    return _signed(tool, plain, answer=asked)  # type: ignore[no-any-return]


def expected(plain: Plain, arguments: dict[str, Any]) -> str:
    """What is to be typed: the machine as the call names it, and the verb where there is none."""
    return str(arguments.get("machine") or getattr(plain, "__name__", "").split("_")[0])


def _resolver(ask: Any, plain: Plain) -> None:
    """A resolver takes the tool's arguments by name."""
    parameters = [_keyword(name, one.annotation) for name, one in inspect.signature(plain).parameters.items()]
    ask.__signature__ = inspect.Signature(parameters)
    ask.__annotations__ = {one.name: one.annotation for one in parameters}


class Weak:
    """A weak server under attack. `state` is not used: it remembers nothing."""

    def __init__(self, state: Path, wrap: Wrap, form: Callable[[Call], Form], **_settings: Any) -> None:
        del state
        self.sim = simulated()
        self.clock = Clock()
        self._form = form
        self._api = Api(lambda: self.sim)
        self.server = MCPServer("weak")
        for plain in self._api.tools:
            self.server.add_tool(wrap(plain))
        known = {getattr(plain, "__name__", "") for plain in self._api.tools}
        self.calls = tuple(call for call in CALLS if call.tool in known)

    @property
    def sent(self) -> list[str]:
        return [f"{request.method} {request.path}" for request in self.sim.mutations()]

    def form(self, call: Call) -> Form:
        return self._form(call)

    @asynccontextmanager
    async def client(self, era: str, person: Any = None) -> AsyncIterator[Client]:
        async with Client(self.server, mode=era, elicitation_callback=person, cache=None) as client:
            yield client

    def renew(self) -> None:
        self.sim = simulated()

    async def aclose(self) -> None:
        await self._api.http.aclose()


def argument(state: Path, **settings: Any) -> Weak:
    return Weak(state, with_argument, lambda _call: Form("confirm", True), **settings)


def resolver(state: Path, **settings: Any) -> Weak:
    return Weak(state, with_resolver, lambda _call: Form("ok", True), **settings)


def typed_name(state: Path, **settings: Any) -> Weak:
    def right(call: Call) -> Form:
        return Form("typed", str(call.arguments.get("machine") or call.tool.split("_")[0]))

    return Weak(state, with_typed_name, right, **settings)


BASELINES: dict[str, Callable[..., Weak]] = {
    "a `confirm: true` argument": argument,
    "the SDK's resolver, with a boolean": resolver,
    "a form with the name to type": typed_name,
}
