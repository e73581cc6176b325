"""Each check of the guard taken out in turn: the attack that it stops then succeeds.

So every test of the same attack elsewhere in this folder is proven able to fail.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import anyio
import pytest
from mcp.server.mcpserver.resolve import AcceptedElicitation
from tests.guard.bench import CREATE, DELETE, MODERN, START, Bench, Person, types

from paperspace_mcp.conduct import corridor, outcomes, storing
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.errors import OperatorError, Refusal
from paperspace_mcp.rules.guard import demands, plans, records
from paperspace_mcp.rules.guard.demands import Ask, Rule
from paperspace_mcp.rules.guard.records import Channel, Meeting, Record, Status
from paperspace_mcp.rules.guard.warrants import Warrants
from paperspace_mcp.surface import consent
from paperspace_mcp.surface.tools import updating
from paperspace_mcp.wire.sqlite import SqliteStore

pytestmark = pytest.mark.anyio
Patch = pytest.MonkeyPatch
Attack = Callable[[Bench], Awaitable[object]]
PROD = {"machine": "psm9u09bwu5i"}


# -- attacks: each would put more on the wire than was approved -------------------------------------------------------


async def race(bench: Bench) -> None:
    """Two calls hold the same approved record in hand."""
    code = (await bench.call(MODERN, None, CREATE.tool, CREATE.arguments))["approval"]
    await bench.approve(code)
    record = await bench.record(code)
    for _ in range(2):
        await tried(bench.app.conduct.carry_out(record))


async def tried(doing: Awaitable[object]) -> None:
    """Do it, or be stopped by a refusal or a missing warrant."""
    with suppress(Refusal, PermissionError):
        await doing


async def wrong_text(bench: Bench) -> None:
    await bench.call(MODERN, Person(types("yes")), DELETE.tool, DELETE.arguments)


async def late_answer(bench: Bench) -> None:
    def pass_time() -> None:
        bench.clock.at += 121.0

    await bench.call("legacy", Person(types("dev-ben"), before=pass_time), DELETE.tool, DELETE.arguments)


async def late_approval(bench: Bench) -> None:
    code = (await bench.call(MODERN, None, CREATE.tool, CREATE.arguments))["approval"]
    await bench.approve(code)
    bench.clock.at += 901.0
    await bench.call(MODERN, None, CREATE.tool, CREATE.arguments)


async def changed_target(bench: Bench) -> None:
    person = Person(types("dev-ben"), before=lambda: bench.sim.change("dev-ben", diskSize=250))
    await bench.call(MODERN, person, DELETE.tool, DELETE.arguments)


async def no_warrant(bench: Bench) -> None:
    """Code of ours that forgot the guard."""
    from paperspace_mcp.contract.catalogue import DELETE_MACHINE

    await tried(bench.app.wire.mutate(DELETE_MACHINE, {"id": "ps8jo1fga"}, None, None))


async def delete_protected(bench: Bench) -> None:
    bench.sim.change(PROD["machine"], state="off")
    await bench.call(MODERN, Person(types("prod-api-1")), "delete_machine", PROD)


async def unprotect(bench: Bench) -> None:
    await bench.call(MODERN, Person(types("prod-api-1")), "update_machine", {**PROD, "name": "dev-api-1"})


async def grant_in_the_client(bench: Bench) -> None:
    person = Person(types("ben@example.com"))
    await bench.call(MODERN, person, "add_machine_accessor", {**PROD, "user": "ub3n7q2xd"})


async def lost_store(bench: Bench) -> None:
    def lose(*_given: Any) -> Any:
        raise OSError("disk full")

    bench.app.store.__dict__["spend"] = lose
    await bench.call(MODERN, Person(types("create")), CREATE.tool, CREATE.arguments)


async def replays(bench: Bench) -> None:
    asked = await bench.ask(CREATE)
    for _ in range(2):
        await asked.answer(types("create"))
        bench.clock.at += 1.0


async def no_client(bench: Bench) -> None:
    await bench.call(MODERN, None, DELETE.tool, DELETE.arguments)


async def a_no(bench: Bench) -> None:
    from mcp_types import ElicitResult

    await bench.call(MODERN, Person(ElicitResult(action="decline")), CREATE.tool, CREATE.arguments)


async def stop_protected_by_verb(bench: Bench) -> None:
    await bench.call(MODERN, Person(types("stop")), "stop_machine", PROD)


async def other_principal(bench: Bench) -> None:
    code = (await bench.call(MODERN, None, CREATE.tool, CREATE.arguments))["approval"]
    await bench.approve(code)
    other = Bench(bench.app.settings.state_dir, sim=bench.sim, key="other-key")
    other.refit(now=bench.clock)
    await other.call(MODERN, None, CREATE.tool, CREATE.arguments)
    await other.app.aclose()


async def other_arguments(bench: Bench) -> None:
    code = (await bench.call(MODERN, None, START.tool, START.arguments))["approval"]
    await bench.approve(code)
    await bench.call(MODERN, None, START.tool, {"machine": "legacy-jenkins"})


async def resumed(bench: Bench, record: Record) -> None:
    await tried(bench.app.conduct.go_on(record))


async def two_go_on(bench: Bench) -> None:
    """Two calls resume one spent plan at the same step."""
    asked = await bench.ask(CREATE)
    bench.app.store.spend(asked.code, Status.OPEN, bench.clock())
    record = await bench.record(asked.code)
    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(resumed, bench, record)


async def unfinished(bench: Bench) -> None:
    """The answer to a create was lost with the process; the call is repeated."""
    asked = await bench.ask(CREATE)
    bench.app.store.spend(asked.code, Status.OPEN, bench.clock())
    intent = outcomes.dump_outcomes([outcomes.Outcome("create_machine", "intent")])
    bench.app.store.note(asked.code, "", intent)
    await bench.call(MODERN, None, CREATE.tool, CREATE.arguments)


# -- checks taken out -------------------------------------------------------------------------------------------------


def always(value: Any) -> Callable[..., Any]:
    return lambda *_given, **_named: value


def no_spending(patch: Patch) -> None:
    patch.setattr(SqliteStore, "spend", always(True))
    patch.setattr(SqliteStore, "note", always(True))


def no_comparing(patch: Patch) -> None:
    judge = records.judge
    patch.setattr(records, "judge", lambda record, _typed, now: judge(record, record.expects, now))


def no_expiry(patch: Patch) -> None:
    patch.setattr(records, "alive", always(True))
    spend = SqliteStore.spend
    patch.setattr(
        SqliteStore,
        "spend",
        lambda self, code, expected, _now, charges=(): spend(self, code, expected, _issued(self, code), charges),
    )


def _issued(store: SqliteStore, code: str) -> float:
    record = store.get(code)
    assert record is not None
    return record.issued_at


def no_fingerprint(patch: Patch) -> None:
    patch.setattr(plans, "changes", always(()))


def no_redeeming(patch: Patch) -> None:
    patch.setattr(Warrants, "redeem", always(None))


def _rule(patch: Patch, effect: Effect, rule: Rule) -> None:
    patch.setitem(demands.TABLE, (effect, True), rule)


def no_refusing(patch: Patch) -> None:
    _rule(patch, Effect.DESTROY, Rule(Ask.NAME))


def no_out_of_band(patch: Patch) -> None:
    _rule(patch, Effect.GRANT, Rule(Ask.PERSON))


def no_name_on_protected(patch: Patch) -> None:
    _rule(patch, Effect.DISRUPT, Rule(Ask.VERB))


def no_rename_rule(patch: Patch) -> None:
    patch.setattr(updating, "unprotects", always(False))


def open_on_failure(patch: Patch) -> None:
    stored = storing.stored

    async def lenient(call: Callable[[], Any]) -> Any:
        try:
            return await stored(call)
        except OperatorError:
            patch.setattr(SqliteStore, "note", always(True))
            return True

    patch.setattr(corridor, "stored", lenient)


def no_memory(patch: Patch) -> None:
    """Spending forgets itself, and a repeat is not recognised: the plain resolver of the SDK."""
    patch.setattr(SqliteStore, "spend", always(True))
    patch.setattr(SqliteStore, "note", always(True))


def allow_when_nobody_can_be_asked(patch: Patch) -> None:
    patch.setattr(consent, "_required", _carried_out)
    answered = consent._answered

    async def lenient(met: consent.Met, record: Record, spoken: consent.Spoken) -> Any:
        if isinstance(spoken, AcceptedElicitation) and isinstance(spoken.data, consent.NotAsked):
            return await consent._done(met, record)
        return await answered(met, record, spoken)

    patch.setattr(consent, "_answered", lenient)


def _carried_out(record: Record) -> Any:
    raise AssertionError(record.code)


def a_no_is_a_yes(patch: Patch) -> None:
    patch.setattr(consent, "_answered", lambda met, record, _spoken: consent._done(met, record))


def no_principal(patch: Patch) -> None:
    _found_by(patch, "SELECT * FROM records WHERE digest = ?", lambda _principal, digest: (digest,))


def no_digest(patch: Patch) -> None:
    _found_by(patch, "SELECT * FROM records WHERE principal = ?", lambda principal, _digest: (principal,))


def _found_by(patch: Patch, query: str, values: Callable[[str, str], tuple[str, ...]]) -> None:
    from paperspace_mcp.wire import sqlite

    def meeting(db: Any, principal: str, digest: str, now: float, channel: Channel) -> Meeting:
        rows = db.execute(query, values(principal, digest)).fetchall()
        return records.meet([sqlite._record(row) for row in rows], now, channel)

    patch.setattr(sqlite, "_meeting", meeting)


def no_noting(patch: Patch) -> None:
    patch.setattr(SqliteStore, "note", always(True))


def no_unfinished(patch: Patch) -> None:
    async def again(met: consent.Met, record: Record) -> Any:
        outcomes = await met.desk.conduct.go_on(replace(record, outcome=""))
        return await consent._report(met, record, outcomes, "done")

    patch.setattr(consent, "_again", again)
    patch.setattr(SqliteStore, "note", always(True))


MUTANTS: list[tuple[Callable[[Patch], None], Attack, int]] = [
    (no_spending, race, 1),
    (no_memory, replays, 1),
    (no_comparing, wrong_text, 0),
    (no_expiry, late_answer, 0),
    (no_expiry, late_approval, 0),
    (no_fingerprint, changed_target, 0),
    (no_redeeming, no_warrant, 0),
    (no_refusing, delete_protected, 0),
    (no_out_of_band, grant_in_the_client, 0),
    (no_name_on_protected, stop_protected_by_verb, 0),
    (no_rename_rule, unprotect, 0),
    (open_on_failure, lost_store, 0),
    (allow_when_nobody_can_be_asked, no_client, 0),
    (a_no_is_a_yes, a_no, 0),
    (no_principal, other_principal, 0),
    (no_digest, other_arguments, 0),
    (no_noting, two_go_on, 1),
    (no_unfinished, unfinished, 0),
]
"""A check taken out, the attack on it, and how much may reach the provider while the check stands."""


def names(one: object) -> str | None:
    return getattr(one, "__name__", None)


@pytest.mark.parametrize(("mutant", "attack", "allowed"), MUTANTS, ids=names)
async def test_the_attack_fails_while_the_check_stands(
    bench: Bench, mutant: Callable[[Patch], None], attack: Attack, allowed: int
) -> None:
    del mutant
    await attack(bench)
    assert len(bench.sent) == allowed


@pytest.mark.parametrize(("mutant", "attack", "allowed"), MUTANTS, ids=names)
async def test_the_attack_succeeds_without_the_check(
    bench: Bench, monkeypatch: Patch, mutant: Callable[[Patch], None], attack: Attack, allowed: int
) -> None:
    mutant(monkeypatch)
    await attack(bench)
    assert len(bench.sent) > allowed
