"""Where one attack is made, and what came of it beyond what was approved."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from tests.guard.bench import KEY, MODERN, Bench, Call, Person, types
from tests.page.site import Site, standing

from paperspace_mcp.approving import Approver
from paperspace_mcp.contract.errors import Failure
from paperspace_mcp.rules.guard.records import Record, Status
from paperspace_mcp.rules.policy import Policy
from paperspace_mcp.simulator import Simulator
from paperspace_mcp.wire.approvers import Approvers

KEYS = (KEY, "other-key")
SECRET, GUESS = "the approver's own", "a guess at the secret"
Arguments = Mapping[str, Any]


def rules(**fields: Any) -> Policy:
    """Every start is asked about, and as often as it takes."""
    return Policy(**{"confirm_usd_per_hour": 0.0, "questions": 1000, **fields})


def account(**options: Any) -> Simulator:
    """The default fleet. Its time stands still."""
    return Simulator(**{"clock": lambda: 0.0, "keys": KEYS, **options})


@dataclass
class Ring:
    """Servers over one state directory, all given back at the end."""

    folder: Path
    patch: pytest.MonkeyPatch
    made: list[Bench] = field(default_factory=list)

    def bench(self, **options: Any) -> Bench:
        """A server; what is no option of `Bench` is one of the policy."""
        known = {"sim", "key", "password_sink", "hold_s", "allow", "tokens", "policy"}
        given = {name: value for name, value in options.items() if name in known}
        policy = rules(**{name: value for name, value in options.items() if name not in known})
        made = Bench(self.folder / "state", **{"policy": policy, "sim": account(), **given})
        self.made.append(made)
        return made

    def site(self, sim: Simulator | None = None, **options: Any) -> AbstractAsyncContextManager[Site]:
        """A server on a port, with two users."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return standing(self.folder, sim or account(), **{"policy": rules(), **options})

    async def aclose(self) -> None:
        for one in self.made:
            await one.app.aclose()


Attack = Callable[[Ring], Awaitable[int]]
"""Makes its attack; how many effects came of it that nobody approved."""


def revealed(state: Path) -> int:
    """How many passwords lie in files."""
    return len(list((state / "revealed").glob("*")))


def excess(bench: Bench, approved: int = 0) -> int:
    """Mutations in the provider's log and passwords in files, beyond what was approved."""
    return max(0, len(bench.sent) + revealed(bench.app.settings.state_dir) - approved)


def calling(
    tool: str,
    arguments: Arguments,
    typed: str | None = None,
    *,
    approved: int = 0,
    first: Callable[[Bench], object] = lambda _bench: None,
    meanwhile: Callable[[Bench], object] = lambda _bench: None,
    era: str = MODERN,
    **options: Any,
) -> Attack:
    """One call of a real client; without `typed` it cannot be asked.

    first: done to the account before. meanwhile: done while the person thinks. options: of `Ring.bench`.
    """

    async def attack(ring: Ring) -> int:
        bench = ring.bench(**{name: value() if callable(value) else value for name, value in options.items()})
        first(bench)
        person = None if typed is None else Person(types(typed), before=lambda: meanwhile(bench))
        await bench.call(era, person, tool, arguments)
        return excess(bench, approved)

    return attack


def typing(call: Call, typed: str | None = None, **more: Any) -> Attack:
    """The same with one of the known calls; what is typed is right, unless something else is given."""
    return calling(call.tool, call.arguments, call.typed if typed is None else typed, **more)


def unasked(call: Call, **more: Any) -> Attack:
    """The same, and nobody can be asked."""
    return calling(call.tool, call.arguments, None, **more)


def changing(machine: str, **fields: Any) -> Callable[[Bench], object]:
    """The account changes behind the server's back."""
    return lambda bench: bench.sim.change(machine, **fields)


def freezing(bench: Bench) -> None:
    bench.app.store.set_flag("frozen", 1e12, "")


async def waiting(bench: Bench, call: Call) -> str:
    """A call of a client that cannot be asked; the code that now waits for a person."""
    return str((await bench.call(MODERN, None, call.tool, call.arguments))["approval"])


async def again(bench: Bench, call: Call) -> None:
    """The same call once more, by a client that cannot be asked."""
    await bench.call(MODERN, None, call.tool, call.arguments)


async def tried(doing: Awaitable[object]) -> None:
    """Do it, or be stopped."""
    with suppress(Failure, PermissionError, TypeError):
        await doing


def approver(bench: Bench, *, secret: str = "", user: str = "anna") -> Approver:
    """Whoever sits at the terminal; with a secret, which is theirs from now on."""
    bench.app.conduct.rooms = replace(bench.app.conduct.rooms, now=bench.clock)
    kept = Approvers(bench.app.settings.state_dir, now=bench.clock)
    if secret:
        kept.set(user, secret)
    return Approver(bench.app.conduct, kept, user, "terminal", bench.clock)


async def in_hand(bench: Bench, call: Call) -> Record:
    """The record of a call that a person approved, as a call under way holds it."""
    code = await waiting(bench, call)
    await bench.approve(code)
    return await bench.record(code)


async def spent(bench: Bench, call: Call) -> Record:
    """The record of a call that was answered, and cut off as it was spent."""
    asked = await bench.ask(call)
    bench.app.store.spend(asked.code, Status.OPEN, bench.clock())
    return await bench.record(asked.code)
