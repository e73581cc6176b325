"""Several questions confirmed as one list: which go together, what is typed, and that each is still its own record."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.guard.bench import MODERN, Bench

from paperspace_mcp.approving import WEAKLY, Approver, Decided, worded
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.errors import Refusal
from paperspace_mcp.rules.guard import lists
from paperspace_mcp.rules.guard.records import Record, Status
from paperspace_mcp.rules.policy import Policy, Strictness
from paperspace_mcp.wire.approvers import Approvers

pytestmark = pytest.mark.anyio
Make = Callable[..., Bench]
SECRET = "secret-of-mine"
OFF = ("dev-ben", "legacy-jenkins", "train-v100-eu")
RUNNING = ("dev-anna", "dev-carlos", "dev-diya", "train-a100")


async def ask(bench: Bench, tool: str, **arguments: Any) -> str:
    answer = await bench.call(MODERN, None, tool, arguments)
    assert answer.get("status") == "approval_required", answer
    return str(answer["approval"])


async def asked(bench: Bench, tool: str, machines: tuple[str, ...]) -> list[str]:
    return [await ask(bench, tool, machine=machine) for machine in machines]


def approver_of(bench: Bench, *, secret: bool = True) -> Approver:
    approvers = Approvers(bench.app.settings.state_dir)
    if secret:
        approvers.set("anna", SECRET)
    return Approver(bench.app.conduct, approvers, "anna", "terminal", bench.clock)


async def statuses(bench: Bench, codes: list[str]) -> list[Status]:
    return [(await bench.record(code)).status for code in codes]


async def refused(bench: Bench, codes: list[str], typed: str, secret: str = SECRET) -> str:
    """The code of the refusal; every question is as open as before."""
    with pytest.raises(Refusal) as refusal:
        await approver_of(bench).approve_list(codes, typed, secret)
    assert set(await statuses(bench, codes)) == {Status.OPEN}
    return refusal.value.code


@pytest.mark.parametrize(
    ("tool", "machines", "typed", "method"),
    [("delete_machine", OFF, "delete 3", "DELETE"), ("stop_machine", RUNNING, "stop 4", "PATCH")],
    ids=["delete", "stop"],
)
async def test_one_text_approves_all_and_each_is_its_own_record(
    bench: Bench, tool: str, machines: tuple[str, ...], typed: str, method: str
) -> None:
    codes = await asked(bench, tool, machines)
    approver = approver_of(bench)
    assert (await approver.listing(codes)).typed == typed
    assert await approver.approve_list(codes, f" {typed} ", SECRET) == [Decided(code) for code in codes]
    assert bench.sent == [], "a list only decides; each call acts"
    written = {entry["code"]: entry["approver"] for entry in bench.app.audit.read() if entry["phase"] == "approved"}
    assert written == dict.fromkeys(codes, f"anna (terminal), list of {len(codes)}")
    for machine in machines:
        assert (await bench.call(MODERN, None, tool, {"machine": machine}))["status"] == "done"
    assert [one.split()[0] for one in bench.sent] == [method] * len(machines)


@pytest.mark.parametrize(
    "typed",
    ["", "delete", "delete 2", "delete 4", "Delete 3", "delete  3", "delete 3.", "3", "stop 3", "dev-ben", "yes"],
)
async def test_another_text_decides_none(bench: Bench, typed: str) -> None:
    codes = await asked(bench, "delete_machine", OFF)
    assert await refused(bench, codes, typed) == "mistyped_out_of_band"


async def test_the_count_is_of_what_was_shown(bench: Bench) -> None:
    codes = await asked(bench, "delete_machine", OFF)
    assert await refused(bench, codes[:2], "delete 3") == "mistyped_out_of_band"
    assert await refused(bench, [*codes, codes[0]], "delete 4") == "mistyped_out_of_band"


async def test_a_wrong_secret_decides_none(bench: Bench) -> None:
    codes = await asked(bench, "delete_machine", OFF)
    assert await refused(bench, codes, "delete 3", "another secret") == "wrong_secret"


async def test_without_any_secret_a_list_is_as_weak_as_its_class(bench: Bench) -> None:
    deletes, stops = await asked(bench, "delete_machine", OFF), await asked(bench, "stop_machine", RUNNING)
    approver = approver_of(bench, secret=False)
    with pytest.raises(Refusal, match="no_secret"):
        await approver.approve_list(deletes, "delete 3")
    assert await approver.approve_list(stops, "stop 4") == [Decided(code) for code in stops]
    assert {(await bench.record(code)).approver for code in stops} == {WEAKLY}
    assert set(await statuses(bench, deletes)) == {Status.OPEN}


async def test_several_machines_of_one_plan_count_each(bench: Bench) -> None:
    bulk = await ask(bench, "power_machines", action="stop", machines=["dev-anna", "dev-diya"])
    one = await ask(bench, "stop_machine", machine="dev-carlos")
    found = await approver_of(bench).listing([bulk, one])
    assert (found.typed, found.heading) == ("stop 3", "STOP 3, as one list of 2 questions.")


async def test_starts_tell_what_they_cost_together(benches: Make) -> None:
    bench = benches(policy=Policy(questions=1000, confirm_usd_per_hour=0.0))
    codes = await asked(bench, "start_machine", ("dev-ben", "train-v100-eu"))
    assert (await approver_of(bench).listing(codes)).heading.endswith(" Together 2.86 USD/h.")


ALONE: list[tuple[str, Mapping[str, Any], str]] = [
    ("add_machine_accessor", {"machine": "dev-ben", "user": "ud1yam5t2"}, "class"),
    ("get_machine_desktop", {"machine": "dev-diya", "reveal_password": True}, "class"),
    ("stop_machine", {"machine": "prod-api-1"}, "protected"),
    ("start_machine", {"machine": "prod-batch"}, "protected"),
    ("update_machine", {"machine": "dev-ben", "disk_size_gb": 250}, "typed"),
]


@pytest.mark.parametrize(("tool", "arguments", "why"), ALONE, ids=[f"{one[0]}-{one[2]}" for one in ALONE])
async def test_what_is_decided_by_itself_goes_into_no_list(
    benches: Make, tool: str, arguments: Mapping[str, Any], why: str
) -> None:
    bench = benches(password_sink="file", policy=Policy(questions=1000, confirm_usd_per_hour=0.0))
    if tool == "start_machine":
        bench.sim.add_machine(name="prod-batch", state="off")
    single = await ask(bench, tool, **arguments)
    stops = await asked(bench, "stop_machine", RUNNING[:2])
    assert lists.alone(await bench.record(single)) == why
    for codes in ([single, *stops], [stops[0], single], [single, single]):
        assert await refused(bench, codes, f"stop {len(codes)}") == "not_together"


async def test_two_grants_are_no_list(bench: Bench) -> None:
    codes = [await ask(bench, "add_machine_accessor", machine=one, user="ud1yam5t2") for one in ("dev-ben", "dev-anna")]
    for typed in ("add 2", "grant 2", "diya@example.com"):
        assert await refused(bench, codes, typed) == "not_together"


async def test_two_verbs_of_one_class_are_no_list(bench: Bench) -> None:
    codes = [
        await ask(bench, "stop_machine", machine="dev-anna"),
        await ask(bench, "restart_machine", machine="dev-diya"),
    ]
    assert await refused(bench, codes, "stop 2") == "not_together"


async def test_where_the_operator_wants_names_there_is_no_list(benches: Make) -> None:
    bench = benches(policy=Policy(questions=1000, classes={Effect.DISRUPT: Strictness.NAME}))
    codes = await asked(bench, "stop_machine", RUNNING[:2])
    assert await refused(bench, codes, "stop 2") == "not_together"


async def test_a_code_that_nobody_gave_decides_none(bench: Bench) -> None:
    codes = await asked(bench, "delete_machine", OFF)
    with pytest.raises(Refusal, match="unknown_code"):
        await approver_of(bench).approve_list([*codes, "ZZZZ"], "delete 4", SECRET)
    assert set(await statuses(bench, codes)) == {Status.OPEN}


async def test_what_was_decided_or_ran_out_meanwhile_is_told_and_the_others_go_on(bench: Bench) -> None:
    early = await ask(bench, "delete_machine", machine=OFF[0])
    bench.clock.at += 600
    late, denied = await asked(bench, "delete_machine", OFF[1:])
    approver = approver_of(bench)
    assert (await approver.listing([early, late, denied])).typed == "delete 3"
    await approver.deny(denied, SECRET)
    bench.clock.at += 400
    done = await approver.approve_list([early, late, denied], "delete 3", SECRET)
    assert [(one.code, one.failure and one.failure.code) for one in done] == [
        (early, "expired"),
        (late, None),
        (denied, "already_decided"),
    ]
    assert await statuses(bench, [early, late, denied]) == [Status.OPEN, Status.APPROVED, Status.DECLINED]
    assert (await bench.call(MODERN, None, "delete_machine", {"machine": OFF[0]}))["status"] == "approval_required"
    assert bench.sent == []


async def test_a_store_that_breaks_in_the_middle_is_told_for_each(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = await asked(bench, "delete_machine", OFF)
    close = bench.app.store.close

    def breaking(code: str, *given: Any, **more: Any) -> bool:
        if code == codes[1]:
            raise OSError("no space")
        return close(code, *given, **more)

    monkeypatch.setattr(bench.app.store, "close", breaking)
    done = await approver_of(bench).approve_list(codes, "delete 3", SECRET)
    assert [one.failure.code if one.failure else "" for one in done] == ["", "store_unusable", ""]
    assert await statuses(bench, codes) == [Status.APPROVED, Status.OPEN, Status.APPROVED]


async def test_a_no_is_for_all_whatever_they_are(bench: Bench) -> None:
    codes = [
        *await asked(bench, "delete_machine", OFF[:1]),
        await ask(bench, "add_machine_accessor", machine="dev-anna", user="ud1yam5t2"),
        *await asked(bench, "stop_machine", ("prod-api-1",)),
    ]
    with pytest.raises(Refusal, match="wrong_secret"):
        await approver_of(bench).deny_list(codes, "another secret")
    assert set(await statuses(bench, codes)) == {Status.OPEN}
    assert await approver_of(bench).deny_list(codes, SECRET) == [Decided(code) for code in codes]
    assert set(await statuses(bench, codes)) == {Status.DECLINED}


async def test_what_waits_is_sorted_into_lists_and_the_rest(bench: Bench) -> None:
    await asked(bench, "stop_machine", RUNNING[:2])
    await asked(bench, "delete_machine", OFF)
    await asked(bench, "stop_machine", ("prod-api-1",))
    await asked(bench, "restart_machine", ("dev-diya",))
    found, single = lists.sorted_out(await bench.app.conduct.inbox())
    assert [one.typed for one in found] == ["stop 2", "delete 3"]
    assert [one.tool for one in single] == ["stop_machine", "restart_machine"]


async def test_a_list_of_one_is_none(bench: Bench) -> None:
    record = await bench.record(await ask(bench, "delete_machine", machine=OFF[0]))
    assert lists.listed([record, record]) is None
    assert lists.listed([]) is None
    assert lists.listed([record, _another(record)]) is not None


def _another(record: Record) -> Record:
    return replace(record, code="ZZZZ")


def test_it_is_worded() -> None:
    assert "one list" in worded(Refusal("not_together"))
    assert worded(Refusal("unknown_code")).startswith("No question")
