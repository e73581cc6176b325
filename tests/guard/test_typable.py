"""Nothing is asked for that cannot be typed: every face takes the longest text that any question asks for."""

from collections.abc import Callable

import pytest
from tests.guard.bench import MODERN, NEW, Bench, Person, error_of, types
from tests.operator.commands import SECRET

from paperspace_mcp.approving import Approver
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.page import html
from paperspace_mcp.rules.guard.demands import TYPED_CAP
from paperspace_mcp.rules.policy import Policy, Strictness
from paperspace_mcp.simulator import Fault
from paperspace_mcp.surface.consent import Typed
from paperspace_mcp.webhook import Decided
from paperspace_mcp.wire.approvers import Approvers

pytestmark = pytest.mark.anyio
BY_NAME = Policy(protect=(), classes={Effect.DISRUPT: Strictness.NAME}, questions=1000)


def approver(bench: Bench) -> Approver:
    approvers = Approvers(bench.app.settings.state_dir)
    approvers.set("anna", SECRET)
    return Approver(bench.app.conduct, approvers, "anna", "terminal", bench.clock)


@pytest.mark.parametrize("length", [37, 38])
async def test_names_are_asked_for_while_they_can_be_typed(benches: Callable[..., Bench], length: int) -> None:
    """Thirteen of 37 characters and what stands between them are 505 characters, of 38 they are 518."""
    bench, names = benches(policy=BY_NAME), [f"{number:02d}".ljust(length, "x") for number in range(13)]
    for number, name in enumerate(names):
        bench.sim.add_machine(id=f"psn{number:02d}", name=name, state="ready")
    wish = {"action": "stop", "machines": names}
    code = (await bench.call(MODERN, Person(types("stop 13")), "power_machines", wish))["approval"]
    record = await bench.record(code)
    assert record.expects == (", ".join(names) if length == 37 else "stop 13")
    assert (len(record.expects) <= TYPED_CAP, record.out_of_band_only) == (True, True)
    assert record.question.endswith(f": {record.expects}")
    await approver(bench).approve(code, record.expects, SECRET)
    assert (await bench.call(MODERN, None, "power_machines", wish))["status"] == "done"
    assert len(bench.sent) == 13


async def test_a_short_text_for_long_names_is_asked_for_out_of_band_only(benches: Callable[..., Bench]) -> None:
    bench, names = benches(policy=BY_NAME), [f"{number}".ljust(128, "x") for number in range(5)]
    for number, name in enumerate(names):
        bench.sim.add_machine(id=f"psn{number}", name=name, state="ready")
    person = Person(types("stop 5"))
    answer = await bench.call(MODERN, person, "power_machines", {"action": "stop", "machines": names})
    assert (answer["status"], person.questions, bench.sent) == ("approval_required", [], [])
    record = await bench.record(answer["approval"])
    assert record.expects == "stop 5"
    assert "To go ahead, type: stop 5" in record.question


@pytest.mark.parametrize(("people", "code"), [(21, ""), (40, "too_many_people")])
async def test_more_people_than_can_be_typed_are_given_access_one_by_one(bench: Bench, people: int, code: str) -> None:
    bench.sim.faults.add(Fault("status", "list_team_users", times=None, status=403))
    wish = {**NEW, "accessor_ids": [f"u{number:020d}" for number in range(people)]}
    answer = await bench.call(MODERN, None, "create_machine", wish)
    assert error_of(answer) == code
    if code:
        assert "add_machine_accessor" in answer["error"]["next"]
        assert await bench.app.conduct.inbox() == []
        return
    record = await bench.record(answer["approval"])
    await approver(bench).approve(record.code, record.expects, SECRET)
    await bench.call(MODERN, None, "create_machine", wish)
    assert bench.sent == ["POST /machines"], "it went, whatever the provider knows of these people"


async def test_every_face_takes_the_longest_text(bench: Bench) -> None:
    assert Typed.model_json_schema()["properties"]["typed"]["maxLength"] == TYPED_CAP
    assert Typed(typed="x" * TYPED_CAP)
    said = {"code": "K7Q2", "decision": "approve", "approver": "anna", "nonce": "12345678"}
    assert Decided(**said, typed="x" * TYPED_CAP)
    code = (await bench.call(MODERN, None, "stop_machine", {"machine": "dev-anna"}))["approval"]
    assert f'name="typed" maxlength="{TYPED_CAP}"' in html.question(await bench.record(code), "", 0.0)
