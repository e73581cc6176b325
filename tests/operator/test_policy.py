"""What an operator sets, seen on the provider's wire: prices, budgets, standing approvals, limits, freeze, sinks."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from tests.guard.bench import CREATE, DELETE, KEY, MODERN, START, STOP, Bench, Person, error_of, types

from paperspace_mcp.conduct.judging import FROZEN, unlocked
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.rules.guard.records import Status
from paperspace_mcp.rules.policy import Budgets, Mode, Policy, Standing, Strictness
from paperspace_mcp.simulator import Simulator

pytestmark = pytest.mark.anyio
Make = Callable[..., Bench]
FREE = Policy(questions=1000)
NOBODY = None


def standing(bench: Bench, **changed: object) -> Standing:
    one = Standing("STAND", ("stop", "start"), ("dev-*",), bench.clock() + 3600, 2, None, "anna", _principal(bench))
    return replace(one, **changed)  # type: ignore[arg-type]


def _principal(bench: Bench) -> str:
    return bench.app.desk.caller.principal


async def test_a_cheap_start_is_not_asked_about(benches: Make) -> None:
    bench = benches(policy=FREE)
    answer = await bench.call(MODERN, NOBODY, START.tool, START.arguments)
    assert answer["status"] == "done"
    assert tuple(bench.sent) == START.sent


async def test_starts_that_add_up_are_asked_about(benches: Make) -> None:
    bench = benches(policy=replace(FREE, confirm_usd_per_hour=1.0))
    for name in ("one", "two", "three"):
        bench.sim.add_machine(id=f"ps{name}", name=name, state="off", machineType="RTX4000", usageRate=0.56)
    answers = [await bench.call(MODERN, NOBODY, "start_machine", {"machine": name}) for name in ("one", "two")]
    assert [answer["status"] for answer in answers] == ["done", "approval_required"]
    bench.clock.at += 3601
    assert (await bench.call(MODERN, NOBODY, "start_machine", {"machine": "three"}))["status"] == "done"


async def test_parallel_starts_never_pass_the_threshold_unasked(benches: Make) -> None:
    bench = benches(policy=replace(FREE, confirm_usd_per_hour=1.7))
    for index in range(12):
        bench.sim.add_machine(id=f"psn{index}", name=f"n{index}", state="off", machineType="RTX4000", usageRate=0.56)
    async with anyio.create_task_group() as tasks:
        for index in range(12):
            tasks.start_soon(bench.call, MODERN, NOBODY, "start_machine", {"machine": f"psn{index}"})
    assert len(bench.sent) == 3, "three of 0.56 USD/h fit into 1.70"


@pytest.mark.parametrize("machine", ["prod-like", "unpriced"])
async def test_a_protected_or_unpriced_start_is_asked_about(benches: Make, machine: str) -> None:
    bench = benches(policy=replace(FREE, protect=("prod*",)))
    bench.sim.add_machine(id="psnew", name=machine, state="off", machineType="C5", usageRate=0)
    answer = await bench.call(MODERN, NOBODY, "start_machine", {"machine": "psnew"})
    assert answer["status"] == "approval_required"
    assert bench.sent == []


async def test_a_budget_of_creates_holds_against_many_at_once(benches: Make) -> None:
    bench = benches(policy=replace(FREE, budgets=Budgets(creates_per_day=3)))

    async def create(index: int) -> None:
        arguments = {**CREATE.arguments, "name": f"new-{index}"}
        code = (await bench.call(MODERN, NOBODY, CREATE.tool, arguments))["approval"]
        await bench.approve(code)
        await bench.call(MODERN, NOBODY, CREATE.tool, arguments)

    async with anyio.create_task_group() as tasks:
        for index in range(20):
            tasks.start_soon(create, index)
    assert bench.sent == ["POST /machines"] * 3


@pytest.mark.parametrize(
    ("budgets", "code"),
    [
        (Budgets(machine_types=("C5",)), "type_not_allowed"),
        (Budgets(machines=5), "over_budget"),
        (Budgets(usd_per_hour=1.0), "over_budget"),
    ],
)
async def test_a_create_beyond_a_budget_is_refused(benches: Make, budgets: Budgets, code: str) -> None:
    bench = benches(policy=replace(FREE, budgets=budgets))
    answer = await bench.call(MODERN, Person(types("create")), CREATE.tool, CREATE.arguments)
    assert error_of(answer) == code
    assert bench.sent == []


async def test_a_standing_approval_covers_and_runs_out(benches: Make) -> None:
    bench = benches(policy=replace(FREE, confirm_usd_per_hour=0.0))
    bench.app.store.allow(standing(bench))
    done = [
        await bench.call(MODERN, NOBODY, tool, {"machine": name})
        for tool, name in (("stop_machine", "dev-anna"), ("start_machine", "dev-ben"), ("stop_machine", "dev-carlos"))
    ]
    assert [answer["status"] for answer in done] == ["done", "done", "approval_required"]
    assert len(bench.sent) == 2


@pytest.mark.parametrize(
    "changed",
    [{"verbs": ("restart",)}, {"names": ("test-*",)}, {"until": 0.0}, {"uses": 0}, {"principal": "somebody-else"}],
    ids=lambda changed: next(iter(changed)),
)
async def test_a_standing_approval_covers_nothing_else(benches: Make, changed: dict[str, object]) -> None:
    bench = benches(policy=FREE)
    bench.app.store.allow(standing(bench, **changed))
    assert (await bench.call(MODERN, NOBODY, STOP.tool, STOP.arguments))["status"] == "approval_required"
    assert bench.sent == []


async def test_a_standing_approval_never_destroys_nor_touches_the_protected(benches: Make) -> None:
    bench = benches(policy=replace(FREE, confirm_usd_per_hour=0.0))
    bench.app.store.allow(standing(bench, verbs=("delete", "stop", "grant"), names=("*",)))
    for tool, arguments in ((DELETE.tool, DELETE.arguments), ("stop_machine", {"machine": "prod-db"})):
        assert (await bench.call(MODERN, NOBODY, tool, arguments))["status"] == "approval_required"
    assert bench.sent == []


async def test_the_last_use_of_a_standing_approval_is_had_once(benches: Make) -> None:
    bench = benches(policy=FREE)
    bench.app.store.allow(standing(bench, uses=1))
    names = [f"dev-{index}" for index in range(8)]
    for index, name in enumerate(names):
        bench.sim.add_machine(id=f"psd{index}", name=name, state="ready")
    async with anyio.create_task_group() as tasks:
        for name in names:
            tasks.start_soon(bench.call, MODERN, NOBODY, "stop_machine", {"machine": name})
    assert len(bench.sent) == 1


async def test_the_seventh_question_goes_to_the_inbox_until_it_is_unlocked(benches: Make) -> None:
    bench = benches(policy=Policy(questions=6))
    person = Person(types("no"))
    for _ in range(7):
        answer = await bench.call(MODERN, person, STOP.tool, STOP.arguments)
    assert answer["status"] == "approval_required"
    assert len(person.questions) == 6
    bench.app.store.set_flag(unlocked(_principal(bench)), bench.clock() + 60, "incident")
    await bench.call(MODERN, person, "restart_machine", STOP.arguments)
    assert len(person.questions) == 7


async def test_of_many_calls_at_once_no_more_are_asked_about_than_of_many_in_turn(benches: Make) -> None:
    """A model that sends twenty calls in one breath floods nobody: the rest waits as a list."""
    bench, person, told = benches(policy=Policy(questions=6)), Person(types("no")), list[str]()

    async def create(number: int) -> None:
        answer = await bench.call(MODERN, person, CREATE.tool, {**CREATE.arguments, "name": f"box-{number}"})
        told.append(error_of(answer) or answer["status"])

    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(create, number)
    assert (len(person.questions), bench.sent) == (6, [])
    assert Counter(told) == {"mistyped": 6, "approval_required": 14}


@pytest.mark.parametrize(
    ("policy", "code"),
    [(Policy(mode=Mode.DENY), "denied_by_policy"), (Policy(read_only=True), "read_only"),
     (Policy(toolsets=("events",)), "toolset_off"), (Policy(tools_deny=("stop_machine",)), "tool_off")],
    ids=["deny", "read-only", "toolsets", "tools"],
)  # fmt: skip
async def test_a_shut_tool_is_refused_at_the_call(benches: Make, policy: Policy, code: str) -> None:
    bench = benches(policy=policy)
    assert error_of(await bench.call(MODERN, Person(types("stop")), STOP.tool, STOP.arguments)) == code
    assert bench.sent == []


async def test_read_only_hides_what_changes_something(benches: Make) -> None:
    bench = benches(policy=Policy(read_only=True))
    async with bench.client(MODERN) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
    assert "get_machine_desktop" in names
    assert not {name for name in names if name.startswith(("create", "delete", "start", "stop", "add", "remove"))}


async def test_a_freeze_stops_what_was_approved_before(benches: Make) -> None:
    bench = benches()
    code = (await bench.call(MODERN, NOBODY, STOP.tool, STOP.arguments))["approval"]
    await bench.approve(code)
    bench.app.store.set_flag(FROZEN, 1e12, "incident")
    assert error_of(await bench.call(MODERN, NOBODY, STOP.tool, STOP.arguments)) == "frozen"
    assert bench.sent == []
    bench.app.store.set_flag(FROZEN, 0.0, "")
    assert (await bench.call(MODERN, NOBODY, STOP.tool, STOP.arguments))["status"] == "done"


async def test_a_revealed_password_is_in_its_file_and_nowhere_else(benches: Make, tmp_path: Path) -> None:
    bench = benches(password_sink="file")
    machine = next(one for one in bench.sim.machines.values() if one.agentType == "LinuxDesktop")
    person = Person(types(machine.name))
    answer = await bench.call(MODERN, person, "get_machine_desktop", {"machine": machine.id, "reveal_password": True})
    only_in_its_file(Path(answer["delivered"]["file"]), tmp_path, str(answer) + "".join(person.questions))


def only_in_its_file(delivered: Path, state: Path, seen: str) -> None:
    secret = delivered.read_text(encoding="utf-8").strip()
    assert len(secret) > 3
    assert delivered.stat().st_mode & 0o777 == 0o600
    assert secret not in seen
    others = [path for path in state.rglob("*") if path.is_file() and path != delivered]
    assert [path for path in others if secret.encode() in path.read_bytes()] == []


async def test_nothing_is_revealed_without_a_place_to_deliver_to(benches: Make) -> None:
    answer = await benches().call(
        MODERN, NOBODY, "get_machine_desktop", {"machine": "dev-anna", "reveal_password": True}
    )
    assert error_of(answer) == "reveal_unavailable"


async def test_a_held_call_ends_by_itself_when_a_person_decides(benches: Make) -> None:
    bench = benches(hold_s=30.0)
    answers: list[dict[str, object]] = []

    async def call() -> None:
        answers.append(await bench.call(MODERN, NOBODY, STOP.tool, STOP.arguments))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call)
        while not (waiting := await bench.app.conduct.inbox()):
            await anyio.lowlevel.checkpoint()
        await bench.app.conduct.close(waiting[0], Status.APPROVED, "a person")
    assert answers[0]["status"] == "done"
    assert tuple(bench.sent) == STOP.sent


async def test_the_audit_tells_the_whole_of_a_call_and_verifies(benches: Make) -> None:
    bench = benches()
    await bench.call(MODERN, Person(types("stop")), STOP.tool, STOP.arguments)
    phases = [entry["phase"] for entry in bench.app.audit.read(newest_first=False)]
    assert phases == ["asked", "approved", "intent", "outcome"]
    assert bench.app.audit.verify().ok


async def test_without_an_audit_nothing_is_sent(benches: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = benches()

    def full(_entry: object) -> int:
        raise OSError("no space")

    monkeypatch.setattr(bench.app.audit, "write", full)
    assert error_of(await bench.call(MODERN, Person(types("stop")), STOP.tool, STOP.arguments)) == "audit_unusable"
    assert bench.sent == []


async def test_an_approval_is_waited_for_by_its_code(benches: Make) -> None:
    bench = benches()
    code = (await bench.call(MODERN, NOBODY, STOP.tool, STOP.arguments))["approval"]
    wait = {"event_ids": [code], "timeout_seconds": 0}
    assert (await bench.call(MODERN, NOBODY, "wait_for_event", wait))["overall"] == "pending"
    await bench.approve(code)
    assert (await bench.call(MODERN, NOBODY, "wait_for_event", wait))["overall"] == "done"


@pytest.mark.parametrize(
    "wish",
    [
        {"machine": "dev-anna", "machine_type": "A6000", "when_running": "stop_and_start"},
        {"machine": "dev-ben", "machine_type": "RTX5000", "auto_shutdown_timeout_hours": 3},
        {"machine": "dev-ben", "name": "dev-other"},
    ],
    ids=["resize", "dearer-under-a-setting", "rename"],
)
async def test_a_standing_update_covers_neither_price_nor_power(benches: Make, wish: dict[str, object]) -> None:
    bench = benches(policy=FREE)
    bench.app.store.allow(standing(bench, verbs=("update",), uses=9, usd_per_hour=1.0))
    assert (await bench.call(MODERN, NOBODY, "update_machine", wish))["status"] == "approval_required"
    assert bench.sent == []


async def test_a_denied_class_is_denied_also_under_a_higher_one(benches: Make) -> None:
    bench = benches(policy=replace(FREE, classes={Effect.SPEND: Strictness.DENY}))
    wish = {"machine": "dev-ben", "machine_type": "RTX5000", "auto_shutdown_timeout_hours": 3}
    answer = await bench.call(MODERN, Person(types("update")), "update_machine", wish)
    assert error_of(answer) == "denied_by_policy"
    assert bench.sent == []


async def test_a_freeze_stops_a_plan_between_its_steps(benches: Make) -> None:
    bench = benches(sim=Simulator(time_scale=1e6, keys=(KEY,)))
    bench.gate.holds, bench.gate.after = lambda request: request.url.path.endswith("/stop"), True
    wish = {"machine": "dev-anna", "disk_size_gb": 250, "when_running": "stop_and_start"}
    answers = []

    async def resizing() -> None:
        answers.append(await bench.call(MODERN, Person(types("dev-anna")), "update_machine", wish))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(resizing)
        await bench.gate.reached.wait()
        bench.app.store.set_flag(FROZEN, 1e12, "incident")
        bench.gate.opened.set()
    assert bench.sent == ["PATCH /machines/psoxnh2i7/stop"]
    assert (error_of(answers[0]), answers[0]["error"]["changed"]) == ("frozen", "yes")


async def test_a_started_machine_is_counted_once(benches: Make) -> None:
    bench = benches(policy=replace(FREE, budgets=Budgets(usd_per_hour=1.2)))
    for machine in list(bench.sim.world.machines):
        bench.sim.change(machine, state="off")
    for name in ("one", "two", "three"):
        bench.sim.add_machine(id=f"ps{name}", name=name, state="off", machineType="RTX4000", usageRate=0.56)
    for name in ("one", "two"):
        assert (await bench.call(MODERN, NOBODY, "start_machine", {"machine": name}))["status"] == "done"
        bench.clock.at += 30
        bench.sim.advance(240)
    assert error_of(await bench.call(MODERN, NOBODY, "start_machine", {"machine": "three"})) == "over_budget"
    assert len(bench.sent) == 2


async def test_a_created_machine_is_counted_once(benches: Make) -> None:
    bench = benches(policy=replace(FREE, budgets=Budgets(machines=len(benches().sim.world.machines) + 2)))
    answers = []
    for name in ("one", "two", "three"):
        arguments = {**CREATE.arguments, "name": name}
        answers.append(await bench.call(MODERN, Person(types("create")), CREATE.tool, arguments))
    assert [answer.get("status") or error_of(answer) for answer in answers] == ["done", "done", "over_budget"]
    assert len(bench.sent) == 2


async def test_nobody_is_asked_about_what_a_budget_refuses(benches: Make) -> None:
    bench = benches(policy=replace(FREE, budgets=Budgets(creates_per_day=0)))
    person = Person(types("create"))
    assert error_of(await bench.call(MODERN, person, CREATE.tool, CREATE.arguments)) == "over_budget"
    assert (person.questions, bench.sent) == ([], [])


@pytest.mark.parametrize(("price", "fits"), [(0.08, True), (9.0, False), (None, False)])
async def test_what_runs_is_counted_at_the_operators_own_prices(benches: Make, price: float | None, fits: bool) -> None:
    prices = {} if price is None else {"C5": price}
    bench = benches(
        sim=Simulator("empty", keys=(KEY,)), policy=replace(FREE, budgets=Budgets(usd_per_hour=5.0), prices=prices)
    )
    bench.sim.add_machine(name="odd", machineType="C5", region="ny2", state="ready", usageRate=None)
    await bench.call(MODERN, Person(types("create")), CREATE.tool, CREATE.arguments)
    assert bench.sent == ["POST /machines"] * fits
