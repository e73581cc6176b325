"""Ordinary days of a fleet, measured: what a person is asked, what a model calls, what goes to the provider."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
import httpx
from mcp import Client
from mcp_types import ElicitResult
from pydantic import SecretStr
from tests.conftest import provider
from tests.surface.meanwhile import when

from paperspace_mcp.app import App, build
from paperspace_mcp.rules.guard.records import Status
from paperspace_mcp.rules.policy import Mode, Policy, Standing
from paperspace_mcp.settings import Settings, Upstream
from paperspace_mcp.simulator import Simulator

NEW = {"name": "bench-1", "machine_type": "A4000", "template_id": "t0nspur5", "region": "ny2", "disk_size_gb": 100}


@dataclass(slots=True)
class Day:
    """One day under way. `decisions`: lists that a person decided out of band."""

    app: App
    sim: Simulator
    client: Client
    questions: list[str]
    calls: int = 0
    decisions: int = 0

    async def call(self, tool: str, **arguments: Any) -> Mapping[str, Any]:
        self.calls += 1
        return (await self.client.call_tool(tool, arguments)).structured_content or {}

    async def decide_list(self) -> None:
        """A person says yes to the whole list that waits."""
        waiting = await self.app.conduct.inbox()
        for record in waiting:
            await self.app.conduct.close(record, Status.APPROVED, "a person")
        self.decisions += 1

    @property
    def sent(self) -> list[str]:
        """What the provider was told to do and did; one that it refused is no change."""
        return [f"{request.method} {request.path}" for request in self.sim.mutations() if request.status == 200]


Run = Callable[[Day], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Ordinary:
    """A day: how it is told, how many questions it may cost, what must have been sent at its end.

    asks: one for each request of a person; twelve deletes in a row are asked one by one up to the prompt limit.
    """

    told: str
    asks: int
    run: Run
    sends: int
    mode: Mode = Mode.ASK


@dataclass(frozen=True, slots=True)
class Measured:
    day: Ordinary
    questions: int
    calls: int
    upstream: int
    sent: Sequence[str] = field(default=())


async def start_my_box(day: Day) -> None:
    started = await day.call("start_machine", machine="dev-ben")
    day.sim.advance(120)
    await day.call("wait_for_event", event_ids=[started["event"]["id"]])


async def stop_all_dev(day: Day) -> None:
    await day.call("power_machines", action="stop", name_globs=["dev-*"])


async def resize(day: Day) -> None:
    await day.call("update_machine", machine="psu6p1za3k9d", machine_type="A5000")


async def resize_what_runs(day: Day) -> None:
    wish = {"machine": "dev-anna", "machine_type": "A5000", "when_running": "stop_and_start"}
    when(day.sim, "/machine-events", lambda: day.sim.advance(60), times=9)
    await day.call("update_machine", **wish)
    assert day.sim.machine("dev-anna").machineType == "A5000"


async def create_for_a_colleague(day: Day) -> None:
    await day.call("list_templates", name_contains="22.04")
    await day.call("create_machine", **NEW, accessor_ids=["diya@example.com"])


async def restart_prod(day: Day) -> None:
    await day.call("restart_machine", machine="prod-api-1")


async def delete_twelve(day: Day) -> None:
    for number in range(12):
        day.sim.add_machine(id=f"psold{number}", name=f"old-{number}", state="off", machineType="C5")
    answers = [await day.call("delete_machine", machine=f"old-{number}") for number in range(12)]
    await day.decide_list()
    for number, answer in enumerate(answers):
        if answer["status"] == "approval_required":
            await day.call("delete_machine", machine=f"old-{number}")


async def nightly(day: Day) -> None:
    now, principal = day.app.conduct.rooms.now(), day.app.desk.caller.principal
    day.app.store.allow(Standing("NIGHT", ("stop",), ("dev-*",), now + 3600, 20, None, "anna", principal))
    await day.call("power_machines", action="stop", name_globs=["dev-*"])


async def come_and_go(day: Day) -> None:
    await day.call("add_machine_accessor", machine="dev-ben", user="carlos@example.com")
    await day.call("remove_machine_accessor", machine="train-a100", user="ben@example.com")


async def no_capacity(day: Day) -> None:
    for _ in range(2):
        started = await day.call("start_machine", machine="train-h100x8")
        day.sim.advance(120)
        await day.call("wait_for_event", event_ids=[started["event"]["id"]])


async def review(day: Day) -> None:
    await day.call("fleet_summary")
    await day.call("find_waste")


DAYS: tuple[Ordinary, ...] = (
    Ordinary("Start my box, and tell me when it is ready", 1, start_my_box, 1),
    Ordinary("Stop all dev machines", 1, stop_all_dev, 3),
    Ordinary("A bigger GPU for a machine that is off", 1, resize, 1),
    Ordinary("The same while it runs: stop it, change it, start it again", 1, resize_what_runs, 3),
    Ordinary("Create a machine for a colleague", 1, create_for_a_colleague, 1),
    Ordinary("Restart a production machine at night", 1, restart_prod, 1),
    Ordinary("Delete twelve old machines: six are asked about, six are decided as a list", 7, delete_twelve, 12),
    Ordinary("The same, where the operator chose `inbox`: all as one list", 1, delete_twelve, 12, Mode.INBOX),
    Ordinary("Stop dev every night, under a standing approval", 0, nightly, 3),
    Ordinary("One person comes, one leaves", 2, come_and_go, 2),
    Ordinary("A start that finds no capacity, and the retry", 2, no_capacity, 2),
    Ordinary("What does it cost, and what is wasted?", 0, review, 0),
)


def _types(question: str) -> ElicitResult:
    return ElicitResult(action="accept", content={"typed": question.rpartition(": ")[2]})


async def lived(ordinary: Ordinary, state: Path) -> Measured:
    """A day from a fresh account on."""
    sim, questions = Simulator(clock=lambda: 0.0), list[str]()

    async def asked(_context: Any, params: Any) -> ElicitResult:
        questions.append(params.message)
        return _types(params.message)

    upstream = Upstream(url="http://account.invalid/v1", key=SecretStr("demo-key"))
    person: Any = asked
    settings = Settings(upstream=upstream, state_dir=state, policy=Policy(mode=ordinary.mode))
    app = build(settings, transport=httpx.ASGITransport(provider(sim)))
    async with Client(app.server, elicitation_callback=person, cache=None) as client:
        day = Day(app, sim, client, questions)
        await ordinary.run(day)
    await app.aclose()
    measured = Measured(ordinary, len(questions) + day.decisions, day.calls, len(sim.wire))
    return replace(measured, sent=tuple(day.sent))


def table(measured: Sequence[Measured]) -> str:
    """The days as Markdown."""
    head = "| the day | questions | tool calls | upstream calls | changes |\n| --- | --- | --- | --- | --- |\n"
    return head + "".join(
        f"| {one.day.told} | {one.questions} | {one.calls} | {one.upstream} | {len(one.sent)} |\n" for one in measured
    )


def text() -> str:
    """The table as it is measured now."""

    async def all_days(state: Path) -> list[Measured]:
        return [await lived(day, state / str(number)) for number, day in enumerate(DAYS)]

    with TemporaryDirectory() as state:
        return table(anyio.run(all_days, Path(state)))
