"""An assistant for the fleet: any model behind an OpenAI- or Anthropic-compatible address, and you in the terminal.

    export PAPERSPACE_ASSISTANT_KEY=...
    uv run --group assistant python examples/assistant.py --demo http://127.0.0.1:11434/v1 qwen3
    uv run --group assistant python examples/assistant.py --anthropic https://api.anthropic.com claude-sonnet-5

Say what you want, a line at a time; an empty line ends it. What costs or destroys is asked of you, not of the model:
an empty line is a no. With `--demo` the fleet is simulated; without it the server uses your PAPERSPACE_API_KEY.
"""

import os
import sys
from typing import Any

import anyio
from fastmcp.client.transports import StdioTransport
from mcp_types import ElicitResult
from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider


async def heard(prompt: str) -> str:
    """A line of the person."""
    print(prompt, end="", flush=True)
    line: str = await anyio.to_thread.run_sync(sys.stdin.readline)
    return line.strip()


async def ask(message: str, *_more: Any) -> ElicitResult:
    """Show the server's question. What is typed goes back as it is; the model never sees it."""
    typed = await heard(f"\n{message}\n> ")
    return ElicitResult(action="accept", content={"typed": typed}) if typed else ElicitResult(action="decline")


def fleet(*, demo: bool) -> MCPToolset:
    """The server's tools, over stdio."""
    passed = {name: value for name, value in os.environ.items() if name.startswith("PAPERSPACE_")}
    command = ["-m", "paperspace_mcp.cli", "serve", *(["--demo"] if demo else [])]
    return MCPToolset(StdioTransport(sys.executable, command, env=passed), elicitation_handler=ask)


def model(url: str, name: str, *, anthropic: bool) -> Model:
    """The model, and the key it is reached with."""
    key = os.environ.get("PAPERSPACE_ASSISTANT_KEY", "none")
    if anthropic:
        return AnthropicModel(name, provider=AnthropicProvider(base_url=url, api_key=key))
    return OpenAIChatModel(name, provider=OpenAIProvider(base_url=url, api_key=key))


async def talk(agent: Agent) -> None:
    """One conversation: every answer is given with all that was said before."""
    said: list[Any] = []
    async with agent:
        while line := await heard("\nYou: "):
            answer = await agent.run(line, message_history=said)
            said = answer.all_messages()
            print(f"Assistant: {answer.output}")


def main() -> int:
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    try:
        url, name = words
    except ValueError:
        print(__doc__, file=sys.stderr)
        return 2
    chosen = model(url, name, anthropic="--anthropic" in sys.argv)
    anyio.run(talk, Agent(chosen, toolsets=[fleet(demo="--demo" in sys.argv)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
