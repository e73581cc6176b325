"""A policy that is tightened, classes that hide under others, and whose approval it is: judged by the wire."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.guard.bench import DELETE, MODERN, START, STOP, Bench, Call, Person, error_of, types

from paperspace_mcp.app import anonymous
from paperspace_mcp.conduct.outcomes import Outcome, dump_outcomes
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.errors import OperatorError
from paperspace_mcp.policy_file import parse
from paperspace_mcp.rules.guard.records import Meeting, Record, Status
from paperspace_mcp.rules.policy import Budgets, Charge, Mode, Policy, Standing, Strictness, fingerprint
from paperspace_mcp.simulator import Simulator
from paperspace_mcp.surface.tools import updating

pytestmark = pytest.mark.anyio
Make = Callable[..., Bench]
ASKS = Policy(questions=1000, confirm_usd_per_hour=0.0)
ERAS = ("auto", "legacy")

TIGHTER = {
    "inbox": replace(ASKS, mode=Mode.INBOX),
    "class in the inbox": replace(ASKS, classes={Effect.DISRUPT: Strictness.INBOX}),
    "class by name": replace(ASKS, classes={Effect.DISRUPT: Strictness.NAME}),
    "deny": replace(ASKS, mode=Mode.DENY),
    "protected": replace(ASKS, protect=("dev*",)),
    "another price": replace(ASKS, prices={"A4000": 99.0}),
    "a budget": replace(ASKS, budgets=Budgets(usd_per_hour=1.0)),
}


@pytest.mark.parametrize("policy", TIGHTER.values(), ids=list(TIGHTER))
@pytest.mark.parametrize("era", ERAS)
async def test_an_answer_counts_only_under_the_policy_of_its_question(benches: Make, era: str, policy: Policy) -> None:
    bench = benches(policy=ASKS)
    person = Person(types("stop"), before=lambda: bench.refit(policy=policy))
    answer = await bench.call(era, person, STOP.tool, STOP.arguments)
    if answer.get("status") == "done":
        assert len(set(person.codes)) == 2, "only under a question of the new policy"
        return
    assert bench.sent == []
    told = error_of(answer) or answer["status"]
    assert told in {"policy_changed", "mistyped", "denied_by_policy", "approval_required"}


@pytest.mark.parametrize("policy", TIGHTER.values(), ids=list(TIGHTER))
async def test_an_approval_out_of_band_counts_only_under_its_policy(benches: Make, policy: Policy) -> None:
    bench = benches(policy=ASKS)
    code = (await bench.call(MODERN, None, STOP.tool, STOP.arguments))["approval"]
    assert await bench.approve(code)
    bench.refit(policy=policy)
    answer = await bench.call(MODERN, None, STOP.tool, STOP.arguments)
    assert bench.sent == []
    assert (await bench.record(code)).status is Status.SUPERSEDED
    assert answer.get("approval") != code
    assert error_of(answer) == "denied_by_policy" or answer["status"] == "approval_required"


@pytest.mark.parametrize("policy", TIGHTER.values(), ids=list(TIGHTER))
async def test_what_was_spent_and_cut_off_is_not_gone_on_with_under_another_policy(
    benches: Make, policy: Policy
) -> None:
    bench = benches(policy=ASKS)
    asked = await bench.ask(STOP)
    assert bench.app.store.spend(asked.code, Status.OPEN, bench.clock())
    bench.refit(policy=policy)
    answer = await bench.call(MODERN, None, STOP.tool, STOP.arguments)
    assert bench.sent == []
    assert answer.get("approval") != asked.code
    assert error_of(answer) == "denied_by_policy" or answer["status"] == "approval_required"


async def test_what_was_begun_under_another_policy_is_neither_gone_on_with_nor_asked_about(benches: Make) -> None:
    """Of two machines one may have been stopped as the process died: nobody knows, so nothing more is done."""
    bench = benches(policy=ASKS)
    two = Call("power_machines", {"action": "stop", "machines": ["dev-anna", "dev-diya"]}, "stop 2", ())
    asked = await bench.ask(two)
    assert bench.app.store.spend(asked.code, Status.OPEN, bench.clock())
    begun = dump_outcomes([Outcome("stop_machine", "intent", STOP.id, at=bench.clock())])
    assert bench.app.store.note(asked.code, "", begun)
    bench.refit(policy=TIGHTER["inbox"])
    answer = await bench.call(MODERN, None, two.tool, two.arguments)
    assert (error_of(answer), answer["error"]["changed"], bench.sent) == ("policy_changed", "unknown", [])


@pytest.mark.parametrize("era", ERAS)
async def test_what_is_not_let_through_any_more_is_asked_about_by_the_next_call(benches: Make, era: str) -> None:
    """Of two starts at once the price rule lets one through; the other was told to call again, and is asked then."""
    bench = benches(policy=replace(ASKS, confirm_usd_per_hour=1.0))
    issue = bench.app.store.issue

    def issued(record: Record, targets: Collection[str], now: float, questions: int | None = None) -> Meeting:
        meeting = issue(record, targets, now, questions)
        other = replace(record, code="ZZZZ", digest="another")
        issue(other, (), now)
        charge = Charge(f"unasked:{record.principal}", 0.9, 1.0)
        assert bench.app.store.spend("ZZZZ", Status.APPROVED, now, [charge])
        bench.app.store.issue = issue  # type: ignore[method-assign]
        return meeting

    bench.app.store.issue = issued  # type: ignore[method-assign]
    person = Person(types("start"))
    assert error_of(await bench.call(era, person, START.tool, START.arguments)) == "approval_gone"
    assert (bench.sent, person.questions) == ([], [])
    assert (await bench.call(era, person, START.tool, START.arguments))["status"] == "done"
    assert (tuple(bench.sent), len(person.questions)) == (START.sent, 1)


async def test_what_only_opens_and_shuts_tools_leaves_an_approval_standing(benches: Make) -> None:
    bench = benches(policy=ASKS)
    code = (await bench.call(MODERN, None, STOP.tool, STOP.arguments))["approval"]
    assert await bench.approve(code)
    bench.refit(policy=replace(ASKS, toolsets=("machines",), questions=1))
    assert (await bench.call(MODERN, None, STOP.tool, STOP.arguments))["status"] == "done"
    assert tuple(bench.sent) == STOP.sent


def test_a_fingerprint_does_not_hang_on_the_order_in_which_rules_are_written() -> None:
    one = replace(ASKS, protect=("a", "b"), prices={"x": 1.0, "y": 2.0})
    other = replace(ASKS, protect=("b", "a"), prices={"y": 2.0, "x": 1.0}, classes={Effect.GRANT: Strictness.TABLE})
    assert fingerprint(one) == fingerprint(other) != fingerprint(ASKS)


HIDDEN: list[tuple[Effect, Mapping[str, Any]]] = [
    (Effect.SPEND, {"auto_shutdown_enabled": False, "auto_snapshot_frequency": "daily"}),
    (Effect.DISRUPT, {"name": "dev-benn", "disk_size_gb": 250}),
    (Effect.SPEND, {"machine_type": "RTX5000", "network_id": "nwhoe4ox"}),
]


@pytest.mark.parametrize(("effect", "wish"), HIDDEN)
@pytest.mark.parametrize("strict", [Strictness.DENY, Strictness.INBOX])
async def test_no_class_hides_under_a_higher_one(
    benches: Make, effect: Effect, wish: dict[str, Any], strict: Strictness
) -> None:
    bench = benches(policy=replace(ASKS, classes={effect: strict}))
    person = Person(types("dev-ben"))
    answer = await bench.call(MODERN, person, "update_machine", {"machine": "dev-ben", **wish})
    assert bench.sent == []
    assert person.questions == []
    assert error_of(answer) == "denied_by_policy" or answer["status"] == "approval_required"


async def test_a_create_that_grants_spends_all_the_same(benches: Make) -> None:
    bench = benches(policy=replace(ASKS, classes={Effect.SPEND: Strictness.DENY}))
    new = {"name": "n", "machine_type": "A4000", "template_id": "t0nspur5", "region": "ny2", "disk_size_gb": 50}
    answer = await bench.call(MODERN, None, "create_machine", {**new, "accessor_ids": ["ub3n7q2xd"]})
    assert error_of(answer) == "denied_by_policy"


async def test_the_limit_of_a_standing_update_holds_for_a_timer_taken_off_under_another_field(benches: Make) -> None:
    bench = benches(policy=ASKS)
    bench.sim.machine("dev-ben").usageRate = 5.0  # type: ignore[attr-defined]
    who = bench.app.desk.caller.principal
    bench.app.store.allow(Standing("STAND", ("update",), ("dev-*",), bench.clock() + 60, 5, 0.1, "anna", who))
    wish = {"machine": "dev-ben", "auto_shutdown_enabled": False, "auto_snapshot_frequency": "daily"}
    assert (await bench.call(MODERN, None, "update_machine", wish))["status"] == "approval_required"
    assert bench.sent == []


@pytest.mark.parametrize("name", ["dev-anna", "dеv-anna"])  # noqa: RUF001 - a Cyrillic letter, on purpose
async def test_a_name_that_is_asked_for_by_the_operator_is_an_id_where_it_tells_nothing(
    benches: Make, name: str
) -> None:
    bench = benches(policy=replace(ASKS, classes={Effect.DISRUPT: Strictness.NAME}))
    bench.sim.add_machine(id="pstwin", name=name, state="ready")
    person = Person(types("pstwin"))
    answer = await bench.call(MODERN, person, "stop_machine", {"machine": "pstwin"})
    assert "exact id: pstwin" in person.questions[0]
    assert answer["status"] == "done"
    assert bench.sent == ["PATCH /machines/pstwin/stop"]


async def test_a_static_address_of_unknown_kind_is_not_given_up_lightly(benches: Make) -> None:
    bench = benches(policy=ASKS)
    bench.sim.machine("dev-ben").publicIpType = "odd"
    person = Person(types("update"))
    answer = await bench.call(MODERN, person, "update_machine", {"machine": "dev-ben", "public_ip_type": "none"})
    assert error_of(answer) == "mistyped"
    assert bench.sent == []


async def test_an_approval_that_cannot_be_written_down_does_not_stand(
    benches: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = benches(policy=ASKS)
    code = (await bench.call(MODERN, None, STOP.tool, STOP.arguments))["approval"]
    write = bench.app.audit.write

    def fails(_entry: object) -> int:
        raise OSError("no space")

    monkeypatch.setattr(bench.app.audit, "write", fails)
    with pytest.raises(Exception, match="audit_unusable"):
        await bench.approve(code)
    monkeypatch.setattr(bench.app.audit, "write", write)
    assert (await bench.record(code)).status is Status.OPEN
    assert (await bench.call(MODERN, None, STOP.tool, STOP.arguments))["status"] == "approval_required"
    assert bench.sent == []


@pytest.fixture
def priced(benches: Make) -> Callable[..., Bench]:
    """One machine that runs, `dev-on`, and one that is off, `dev-off`, both of type A4000 at 0.76."""

    def make(**policy: Any) -> Bench:
        sim = Simulator(clock=lambda: 0.0, fleet="empty")
        sim.add_machine(id="pson", name="dev-on", state="ready", machineType="A4000", usageRate=0.76)
        sim.add_machine(id="psoff", name="dev-off", state="off", machineType="A4000", usageRate=0.76)
        return benches(sim=sim, policy=replace(ASKS, **policy))

    return make


async def test_a_dearer_type_of_what_is_off_takes_nothing_from_the_budget_of_what_runs(
    priced: Callable[..., Bench],
) -> None:
    bench = priced(budgets=Budgets(usd_per_hour=0.8))
    person = Person(types("update"))
    answer = await bench.call(MODERN, person, "update_machine", {"machine": "dev-off", "machine_type": "A6000"})
    assert answer["status"] == "done"
    bench.sim.advance(120)
    assert (await bench.call(MODERN, person, "start_machine", {"machine": "dev-off"}))["error"]["code"] == "over_budget"


@pytest.mark.parametrize(("limit", "sent"), [(1.5, 1), (1.3, 0)])
async def test_a_dearer_type_of_what_runs_takes_the_difference(
    priced: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch, limit: float, sent: int
) -> None:
    monkeypatch.setattr(updating, "STOP_WAIT_S", 0.01)
    bench = priced(budgets=Budgets(usd_per_hour=limit))
    person = Person(types("update"))
    wish = {"machine": "dev-on", "machine_type": "A5000", "when_running": "stop"}
    answer = await bench.call(MODERN, person, "update_machine", wish)
    assert bool(bench.sent) is bool(sent), answer


async def test_own_prices_count_what_runs(priced: Callable[..., Bench]) -> None:
    bench = priced(budgets=Budgets(usd_per_hour=150.0), prices={"A4000": 100.0})
    answer = await bench.call(MODERN, Person(types("start")), "start_machine", {"machine": "dev-off"})
    assert error_of(answer) == "over_budget"


async def test_whoever_calls_over_http_without_a_login_is_not_the_person_at_this_machine(benches: Make) -> None:
    bench = benches(policy=ASKS)
    stranger, mine = anonymous(bench.app.settings), bench.app.desk.caller
    assert stranger.account == mine.account
    assert stranger.principal != mine.principal
    assert not stranger.identified


@pytest.mark.parametrize("call", [STOP, DELETE], ids=lambda call: call.tool)
async def test_a_freeze_between_the_spent_mark_and_the_call_stops_it(benches: Make, call: Call) -> None:
    bench = benches(policy=ASKS)
    spend = bench.app.store.spend

    def spend_and_freeze(*args: Any) -> bool:
        done = spend(*args)
        bench.app.store.set_flag("frozen", bench.clock() + 60, "test")
        return done

    bench.refit(store=_Froze(bench.app.store, spend_and_freeze))
    answer = await bench.call(MODERN, Person(types(call.typed)), call.tool, call.arguments)
    assert error_of(answer) == "frozen"
    assert bench.sent == []


class _Froze:
    """The store, but that a freeze comes right after a record was spent."""

    def __init__(self, store: Any, spend: Callable[..., bool]) -> None:
        self._store, self.spend = store, spend

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


async def test_a_new_name_under_a_standing_approval_is_said_in_the_question(benches: Make) -> None:
    bench = benches(policy=ASKS)
    who = bench.app.desk.caller.principal
    bench.app.store.allow(Standing("STAND", ("stop", "update"), ("dev-*",), bench.clock() + 60, 5, None, "anna", who))
    person = Person(types("no"))
    await bench.call(MODERN, person, "update_machine", {"machine": "train-h100", "name": "dev-train"})
    assert "STAND covers it: stop, update is not asked about" in person.questions[0]


@pytest.mark.parametrize("name", ["prod* ", " db-*", "prod\u200b*"])
def test_a_glob_that_would_match_nothing_is_refused(name: str) -> None:
    allow = f'[[allow]]\nverbs = ["stop"]\nnames = ["{name}"]\nuntil = 2030-01-01\nuses = 1'
    for text in (f'protect = ["{name}"]', allow):
        with pytest.raises(OperatorError, match="bad_policy"):
            parse(text)
