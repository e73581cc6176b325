"""One more process of the server, and a client in it that does what it is told on standard input.

The first line is a `Work` as JSON; `ready` is answered, the second line starts it, `done` ends it.
"""

import logging
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
from mcp import Client
from pydantic import SecretStr, TypeAdapter
from tests.guard.bench import KEY, MODERN, Call, Person, raw
from tests.proof.wire import ground as grounds
from tests.proof.wire.ground import Asked
from tests.proof.wire.undisturbed import undisturbed

from paperspace_mcp.app import build
from paperspace_mcp.rules.policy import Budgets, Policy
from paperspace_mcp.settings import Settings, Upstream


@dataclass(frozen=True)
class Task:
    """A call, answered with this text; with `asked`, the second round of one that another process began."""

    tool: str
    arguments: dict[str, Any]
    typed: str
    asked: Asked | None = None


@dataclass(frozen=True)
class Work:
    """Tasks on a state directory. times: how often each is done, all at once."""

    state: str
    url: str
    tasks: list[Task]
    times: int = 1
    creates_per_day: int | None = None


WORK = TypeAdapter(Work)


def policy(creates_per_day: int | None = None) -> Policy:
    return Policy(confirm_usd_per_hour=0.0, questions=1_000_000, budgets=Budgets(creates_per_day=creates_per_day))


async def work(told: Work) -> None:
    upstream = Upstream(url=told.url, key=SecretStr(KEY), max_attempts=1)
    app = build(Settings(upstream=upstream, state_dir=Path(told.state), policy=policy(told.creates_per_day)))
    person: Any = Person(raw({"typed": told.tasks[0].typed}))
    async with Client(app.server, mode=MODERN, elicitation_callback=person, cache=None) as client:
        await client.list_tools()
        _say("ready")
        await anyio.to_thread.run_sync(sys.stdin.readline)
        async with anyio.create_task_group() as group:
            for task in told.tasks * told.times:
                group.start_soon(_do, client, task)
    await app.aclose()
    _say("done")


async def _do(client: Client, task: Task) -> None:
    if task.asked is None:
        await grounds.call(client, task.tool, task.arguments)
        return
    call = Call(task.tool, task.arguments, task.typed, ())
    await grounds.reply(client, call, task.asked, raw({"typed": task.typed}))


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    with undisturbed():
        anyio.run(work, WORK.validate_json(sys.stdin.readline()))
