"""A model behind an OpenAI-compatible address, as the assistant of a request."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from mcp_types import Tool

from paperspace_mcp.contract.errors import OperatorError
from paperspace_mcp.evals.request import Request
from paperspace_mcp.evals.scene import Scene

TURNS = 12
"""A model that has not ended by then goes in circles."""
MODEL_S = 120.0
"""How long one answer of a model may take."""

_Message = dict[str, Any]


class Model:
    """Chat completions with tools, at `{url}/chat/completions`. An assistant in the sense of `scoring.score`."""

    def __init__(
        self, url: str, name: str, key: str = "", *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._url, self._name = f"{url.rstrip('/')}/chat/completions", name
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.AsyncClient(headers=headers, timeout=MODEL_S, transport=transport)

    async def __call__(self, under_way: Scene, request: Request) -> int:
        """Work on the request until the model says no more; the tokens it used, by its own count.

        Raises:
            OperatorError: model_unusable, where it does not answer as such an address does.
        """
        tools = [function(tool) for tool in (await under_way.client.list_tools()).tools]
        messages = self._opening(under_way, request)
        used = 0
        for _ in range(TURNS):
            message, tokens = await self._said(messages, tools)
            used += tokens
            messages.append(message)
            if not message.get("tool_calls"):
                break
            messages += [await _called(under_way, one) for one in message["tool_calls"]]
        return used

    @staticmethod
    def _opening(under_way: Scene, request: Request) -> list[_Message]:
        told = [{"role": "system", "content": under_way.instructions}] if under_way.instructions else []
        return [*told, {"role": "user", "content": request.words}]

    async def _said(self, messages: Sequence[_Message], tools: Sequence[Any]) -> tuple[_Message, int]:
        body = {"model": self._name, "messages": messages, "tools": tools, "temperature": 0}
        try:
            answer = (await self._client.post(self._url, json=body)).raise_for_status().json()
            message: _Message = answer["choices"][0]["message"]
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, LookupError, TypeError):
            raise OperatorError("model_unusable") from None
        return message, int((answer.get("usage") or {}).get("total_tokens") or 0)

    async def aclose(self) -> None:
        await self._client.aclose()


def function(tool: Tool) -> Mapping[str, Any]:
    """A tool's definition as function calling takes it."""
    described = {"name": tool.name, "description": tool.description or "", "parameters": tool.input_schema}
    return {"type": "function", "function": described}


async def _called(under_way: Scene, asked: Mapping[str, Any]) -> _Message:
    """One call of the model; arguments that are no JSON object are told to it, and nothing is called."""
    try:
        arguments = json.loads(asked["function"]["arguments"] or "{}")
    except ValueError:
        arguments = None
    if isinstance(arguments, dict):
        await under_way.call(asked["function"]["name"], arguments)
        content = under_way.texts[-1]
    else:
        content = "The arguments are no JSON object; nothing was called."
    return {"role": "tool", "tool_call_id": asked.get("id", ""), "content": content}
