"""Tools and a prompt that the conformance suite expects by name of a server that asks.

They are put into our server for the suite's run only. It judges what is around them: the transport, the sealed state,
the errors. What each must do is written in the suite's own descriptions of its scenarios.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.prompts.base import Prompt
from mcp.server.mcpserver.resolve import Elicit, ElicitationResult, Resolve
from mcp.shared.exceptions import MCPError
from mcp_types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    CreateMessageRequest,
    CreateMessageRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    InputRequest,
    InputRequiredResult,
    ListRootsRequest,
    SamplingMessage,
    TextContent,
)
from pydantic import BaseModel

from paperspace_mcp.surface.server import Server

Ctx = Context[Any, Any]
Requests = Mapping[str, InputRequest]
_PREFIX = "test_input_required_result_"


def _elicit(message: str, field: str = "name", kind: str = "string") -> InputRequest:
    schema = {"type": "object", "properties": {field: {"type": kind}}, "required": [field]}
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))


def _sample(prompt: str) -> InputRequest:
    message = SamplingMessage(role="user", content=TextContent(type="text", text=prompt))
    return CreateMessageRequest(params=CreateMessageRequestParams(messages=[message], max_tokens=100))


_NAME = {"user_name": _elicit("What is your name?")}
_CONFIRM = {"confirm": _elicit("Please confirm", "ok", "boolean")}
_ROOTS = {"client_roots": ListRootsRequest()}
ROUNDS: Mapping[str, Sequence[Requests]] = {
    "request_state": [_CONFIRM],
    "tampered_state": [_CONFIRM],
    "multiple_inputs": [{**_NAME, "greeting": _sample("Generate a greeting"), **_ROOTS}],
    "multi_round": [
        {"step1": _elicit("Step 1: What is your name?")},
        {"step2": _elicit("Step 2: What is your favorite color?", "color")},
    ],
}
"""What is asked in each round, by the rest of the tool's name. The state tells the round, so it is needed."""
AT_ONCE: Mapping[str, Requests] = {
    "elicitation": _NAME,
    "sampling": {"capital_question": _sample("What is the capital of France?")},
    "list_roots": _ROOTS,
}
"""Asked without a state."""


def _in_rounds(rounds: Sequence[Requests]) -> Callable[..., Any]:
    async def fixture(ctx: Ctx) -> str | InputRequiredResult:
        at = int(ctx.request_state or 0)
        answered = ctx.request_state is not None and rounds[at].keys() <= (ctx.input_responses or {}).keys()
        following = at + answered
        if following == len(rounds):
            return "state-ok"
        return InputRequiredResult(input_requests=dict(rounds[following]), request_state=str(following))

    return fixture


def _at_once(requests: Requests) -> Callable[..., Any]:
    async def fixture(ctx: Ctx) -> str | InputRequiredResult:
        answered = requests.keys() <= (ctx.input_responses or {}).keys()
        return "Thank you." if answered else InputRequiredResult(input_requests=dict(requests))

    return fixture


async def capabilities(ctx: Ctx) -> InputRequiredResult:
    """Asks only what the client said that it can answer."""
    can = ctx.client_capabilities
    asked: dict[str, InputRequest] = {}
    if can and can.sampling:
        asked["sample"] = _sample("Say hello")
    if can and can.elicitation:
        asked["ask"] = _elicit("What is your name?")
    return InputRequiredResult(input_requests=asked, request_state="asked")


async def sampling(ctx: Ctx) -> str:
    """Needs a client that can be asked to sample."""
    if ctx.client_capabilities and ctx.client_capabilities.sampling:
        return "The client can be asked to sample."
    needed: dict[str, Any] = {"requiredCapabilities": {"sampling": {}}}
    raise MCPError(MISSING_REQUIRED_CLIENT_CAPABILITY, "This tool requires sampling", needed)


class Profile(BaseModel):
    username: str
    email: str


async def _profile(message: str) -> Elicit[Profile]:
    return Elicit(message, Profile)


async def elicitation(message: str, answer: Annotated[ElicitationResult[Profile], Resolve(_profile)]) -> str:
    """Asks within the call, as the older era does."""
    del message
    return f"The answer was to {answer.action}."


async def prompt(ctx: Ctx) -> str | InputRequiredResult:
    """Asks for a context, then answers."""
    if "user_context" in (ctx.input_responses or {}):
        return "Use that context."
    asked = {"user_context": _elicit("What context should the prompt use?", "context")}
    return InputRequiredResult(input_requests=asked)


def tools() -> dict[str, Callable[..., Any]]:
    """All of them, by the suite's names."""
    return {
        **{_PREFIX + name: _in_rounds(rounds) for name, rounds in ROUNDS.items()},
        **{_PREFIX + name: _at_once(requests) for name, requests in AT_ONCE.items()},
        f"{_PREFIX}capabilities": capabilities,
        "test_missing_capability": sampling,
        "test_elicitation": elicitation,
    }


def furnish(server: Server) -> None:
    """Put all of them into a server."""
    added = tools()
    for name, function in added.items():
        server.add_tool(function, name=name, description="Asks, then answers.", structured_output=False)
    server._listed |= added.keys()
    _add_prompt(server, Prompt.from_function(prompt, name=f"{_PREFIX}prompt"))


def _add_prompt(server: Server, asking: Prompt) -> None:
    """Beside our prompts, which ask nothing and are no prompts of the SDK's."""
    ours = server.get_prompt

    async def get_prompt(name: str, arguments: dict[str, Any] | None = None, context: Ctx | None = None) -> Any:
        theirs = name == asking.name
        return await (MCPServer.get_prompt(server, name, arguments, context) if theirs else ours(name, arguments))

    server.add_prompt(asking)
    server.get_prompt = get_prompt  # type: ignore[method-assign]
