"""Lost answers: the mutation's answer never arrives, at every stage, and then everybody tries again."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import anyio
from mcp_types import ElicitResult
from tests.guard.bench import MODERN, Call, Person, raw
from tests.proof.wire import ground as grounds
from tests.proof.wire.family import Family, Given, Tally
from tests.proof.wire.ground import ERAS, Asked, Ground, Ours, provider

from paperspace_mcp.app import build
from paperspace_mcp.simulator import Fault, Simulator
from paperspace_mcp.simulator.server import Running

FAULTS: dict[str, dict[str, Any]] = {
    **{
        f"{kind} {stage}": {"kind": kind, "stage": stage}
        for kind in ("close", "reset")
        for stage in ("before", "after")
    },
    "close during": {"kind": "close", "stage": "during"},
    "reset during": {"kind": "reset", "stage": "during"},
    "cut": {"kind": "cut"},
    "malformed": {"kind": "malformed"},
    "empty": {"kind": "empty"},
    "500, done": {"kind": "status", "status": 500, "apply": True},
    "502, not done": {"kind": "status", "status": 502},
    "504, done": {"kind": "status", "status": 504, "apply": True},
    "a page of a proxy": {"kind": "malformed", "body": "<html>busy</html>", "content_type": "text/html", "status": 503},
}
HANG_UP = ("the client hangs up before it is sent", "the client hangs up before the answer")
AFTERWARDS = ("replay", "again", "nobody to ask", "restart", "later", "reads fail too")


class OnPort(Ours):
    """The product's server with the provider on a real port, where connections can be cut."""

    def __init__(self, state: Path, **settings: Any) -> None:
        super().__init__(state, **settings)
        front = Simulator("empty")
        front.app = provider(lambda: self.sim)  # type: ignore[assignment]
        self.port = Running(front).start()
        self.serve()

    def serve(self) -> None:
        """A new process of the server, as far as one can be had here."""
        upstream = replace(self.app.settings.upstream, url=self.port.url, max_attempts=1, read_timeout_s=2.0)
        self.app = build(replace(self.app.settings, upstream=upstream))
        self.refit(now=self.clock, settling_poll_s=0.001)

    async def aclose(self) -> None:
        await super().aclose()
        self.port.stop()


@dataclass(frozen=True, slots=True)
class Case:
    call: Call
    era: str
    fault: str
    afterwards: tuple[str, ...]


def cases(dice: Random, count: int, calls: Sequence[Call], *, hangs: bool) -> list[Case]:
    """Each fault for each call in both eras, with other things afterwards each time."""
    faults = (*FAULTS, *(HANG_UP if hangs else ()))
    every = [Case(call, era, fault, ()) for call, era, fault in product(calls, ERAS, faults)]
    dice.shuffle(every)
    chosen = (every * (count // len(every) + 1))[:count]
    return [replace(one, afterwards=tuple(dice.choices(AFTERWARDS, k=4))) for one in chosen]


async def attack(given: Given) -> Tally:
    """A fault in each scene; what more than one of the same mutation reaches the provider was approved by nobody."""
    tally = Tally()
    ours = given.make is Ours
    wired = replace(given, make=OnPort) if ours else given
    async with wired.ground() as ground, given.ground("other") as embedded:
        for case in cases(given.dice, given.count, ground.calls, hangs=ours):
            at = embedded if case.fault in HANG_UP else ground
            at.renew()
            await _scene(at, case)
            if at.sent:  # else no answer was lost
                tally.attempt(f"{case.call.tool}: {case.fault}, then {', '.join(case.afterwards)}", twice(at))
        await _controls(ground, tally)
    return tally


def twice(ground: Ground) -> int:
    """How often a mutation was sent that had been sent already."""
    return sum(times - 1 for times in Counter(ground.sent).values())


async def _scene(ground: Ground, case: Case) -> None:
    form = ground.form(case.call)
    right = raw({form.field: form.right})
    asked = await _first(ground, case, right)
    for what in case.afterwards:
        await _then(ground, case, what, asked, right)


async def _first(ground: Ground, case: Case, right: Any) -> Asked | None:
    """The approved call whose answer is lost; its sealed state, where there is one."""
    if case.fault in HANG_UP:
        await _hung_up(ground, case, right)
        return None
    async with ground.client(case.era, Person(right)) as client:
        asked = await grounds.ask(client, case.call) if case.era == MODERN else None
        ground.sim.faults.add(Fault(operation=case.call.operation, **FAULTS[case.fault]))
        await (grounds.reply(client, case.call, asked, right) if asked else _called(client, case.call))
    return asked


async def _called(client: Any, call: Call) -> None:
    await grounds.call(client, call.tool, call.arguments)


async def _hung_up(ground: Ground, case: Case, right: Any) -> None:
    """The client goes away while its mutation is at the provider."""
    assert isinstance(ground, Ours)
    gate = ground.gate
    gate.reached, gate.opened = anyio.Event(), anyio.Event()
    gate.holds, gate.after = (lambda request: request.method != "GET"), case.fault == HANG_UP[1]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_call_once, ground, case, right)
        await gate.reached.wait()
        tasks.cancel_scope.cancel()
        gate.opened.set()
    gate.holds = lambda _request: False


async def _call_once(ground: Ground, case: Case, right: Any) -> None:
    async with ground.client(case.era, Person(right)) as client:
        await _called(client, case.call)


async def _then(ground: Ground, case: Case, what: str, asked: Asked | None, right: Any) -> None:
    """What happens afterwards. Whoever is asked again says no."""
    refuses = None if what == "nobody to ask" else Person(ElicitResult(action="decline"))
    if what == "reads fail too":
        ground.sim.faults.add(Fault("status", "get_machine", times=2, status=503))
    elif what == "later":
        ground.clock.at += 45.0
    elif what == "restart":
        await _restart(ground)
    async with ground.client(case.era, refuses) as client:
        if what == "replay" and asked:
            await grounds.reply(client, case.call, asked, right)
        else:
            await _called(client, case.call)


async def _restart(ground: Ground) -> None:
    if isinstance(ground, OnPort):
        await ground.app.aclose()
        ground.serve()


async def _controls(ground: Ground, tally: Tally) -> None:
    """Without a fault each goes out once."""
    for call in ground.calls:
        ground.renew()
        form = ground.form(call)
        async with ground.client(MODERN, Person(raw({form.field: form.right}))) as client:
            await _called(client, call)
        tally.controls += grounds.exactly(ground, call)


LOST = Family(
    "lost answers",
    "The mutation's answer lost (closed, reset or cut at each stage, garbage, 5xx, the client gone) over real sockets; "
    "then replays, repeated calls, restarts and failing reads: the same mutation twice is a bypass.",
    attack,
    few=16,
    many=1_500,
    weak=True,
)
