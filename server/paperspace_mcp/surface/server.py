"""The MCP server: the SDK's, with our errors worded, arguments explained, and prompts and resources of our own."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mcp.server.caching import CacheableMethod, CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolResult,
    Completion,
    CompletionArgument,
    CompletionContext,
    GetPromptResult,
    InputRequiredResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    PaginatedRequestParams,
    Prompt,
    PromptReference,
    ResourceTemplateReference,
    Tool,
)
from pydantic import AnyUrl, BaseModel, ValidationError

from paperspace_mcp.conduct import Conduct
from paperspace_mcp.contract.errors import CallerError, Failure, Refusal
from paperspace_mcp.rules.naming import did_you_mean
from paperspace_mcp.surface import resources, wording
from paperspace_mcp.surface.arguments import problems
from paperspace_mcp.surface.instructions import instructions
from paperspace_mcp.surface.render import result

if TYPE_CHECKING:
    from paperspace_mcp.surface.completions import Completions

logger = logging.getLogger(__name__)
DOOR = "paperspace_mcp:approval"
"""The door's wire key. The SDK's own complaints about an answer name it."""
CACHE_HINTS: Mapping[CacheableMethod, CacheHint] = {
    "tools/list": CacheHint(ttl_ms=60_000, scope="public"),
    "prompts/list": CacheHint(ttl_ms=60_000, scope="public"),
    "resources/read": CacheHint(ttl_ms=resources.TTL_MS, scope="private"),
}
"""What is listed is the same for everybody whom this server serves; what is read is the account's."""


class Server(MCPServer[Any]):
    """Every tool call ends in the tool's own envelope: an answer, or an error that teaches."""

    def __init__(self, conduct: Conduct, *, listed: Sequence[str], demo: bool, **options: Any) -> None:
        super().__init__(instructions=instructions(listed), cache_hints=CACHE_HINTS, **options)
        self._listed = frozenset(listed)
        self._conduct = conduct
        self._demo = demo
        self.completion()(self._complete)  # type: ignore[no-untyped-call]

    async def list_tools(self) -> list[Tool]:
        """The tools that the policy leaves open. The others are refused in words where they are called all the same."""
        return [tool for tool in await super().list_tools() if tool.name in self._listed]

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """The SDK's call, with every failure worded. Protocol errors pass."""
        try:
            return await super().call_tool(name, arguments, context)
        except MCPError:
            raise
        except ToolError as error:
            failure = self._failure(name, error) or self._crashed(name, error)
            return result(wording.answer(failure), demo=self._demo)

    def _failure(self, name: str, error: ToolError) -> Failure | None:
        """The failure behind the SDK's error; None for a crash, which the SDK logs and hides."""
        cause = error.__cause__
        if isinstance(cause, Failure):
            return cause
        if isinstance(cause, ValidationError):
            return CallerError("bad_argument", facts={"problems": problems(cause, self._arguments(name))})
        if self._tool_manager.get_tool(name) is None:
            return self._unknown(name)
        return Refusal("mistyped") if DOOR in str(error) else None

    def _crashed(self, name: str, error: ToolError) -> Failure:
        """A crash: what it was stays in the log; what it changed is not known where it could change anything."""
        logger.error("Tool %s crashed", name, exc_info=error)
        tool = self._tool_manager.get_tool(name)
        harmless = tool is not None and tool.annotations is not None and tool.annotations.read_only_hint
        return Failure("internal_error", changed="no" if harmless else "unknown")

    def _arguments(self, name: str) -> type[BaseModel]:
        tool = self._tool_manager.get_tool(name)
        return BaseModel if tool is None else tool.fn_metadata.arg_model

    def _unknown(self, name: str) -> Failure:
        meant = did_you_mean(name, [tool.name for tool in self._tool_manager.list_tools()])
        hint = f" Did you mean {meant}?" if meant else ""
        return CallerError("bad_argument", facts={"problems": f"There is no such tool.{hint}"})

    async def list_prompts(self) -> list[Prompt]:
        """The prompts whose tools are open. The SDK's own have arguments without titles."""
        from paperspace_mcp.surface import prompts

        return prompts.listed(self._listed)

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None, context: Context[Any, Any] | None = None
    ) -> GetPromptResult:
        """One prompt. The SDK answers a wrong name or argument with the code of a crash."""
        from paperspace_mcp.surface import prompts

        try:
            return prompts.rendered(name, arguments or {}, self._listed)
        except Failure as failure:
            raise _invalid(failure) from None

    @cached_property
    def _completions(self) -> "Completions":
        from paperspace_mcp.surface.completions import Completions

        return Completions(self._conduct, self._listed)

    async def _complete(
        self,
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Completion:
        try:
            return await self._completions.complete(ref, argument.name, argument.value)
        except Failure as failure:
            raise _invalid(failure) from None

    async def _handle_list_resources(
        self, ctx: ServerRequestContext[Any], params: PaginatedRequestParams | None
    ) -> ListResourcesResult:
        """The SDK never pages; this override does."""
        return await resources.page_of_machines(self._conduct, self._listed, params.cursor if params else None)

    async def _handle_list_resource_templates(
        self, ctx: ServerRequestContext[Any], params: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        return ListResourceTemplatesResult(
            resource_templates=resources.templates(self._listed), ttl_ms=3_600_000, cache_scope="public"
        )

    async def read_resource(
        self, uri: AnyUrl | str, context: Context[Any, Any] | None = None
    ) -> Iterable[ReadResourceContents]:
        """Every resource is read by its URI; an error never repeats it."""
        text = await resources.read(self._conduct, self._listed, str(uri), demo=self._demo)
        return [ReadResourceContents(content=text, mime_type=resources.JSON)]


def _invalid(failure: Failure) -> MCPError:
    """A wrong request beside the tools: the protocol has a code for it, and the words are ours."""
    return MCPError(INVALID_PARAMS, " ".join(filter(None, wording.explain(failure))))
