"""What `policy check` and a dry run say of a call is what the call then meets."""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
from tests.guard.bench import CALLS, MODERN, Bench, Call, Person, error_of, title, types
from tests.operator.commands import Operator

from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.errors import Failure
from paperspace_mcp.rules.guard.records import Channel
from paperspace_mcp.rules.policy import Mode, Policy, Strictness
from paperspace_mcp.surface.explaining import explained

pytestmark = pytest.mark.anyio
Make = Callable[..., Bench]
REVEAL = Call("get_machine_desktop", {"machine": "dev-diya", "reveal_password": True}, "dev-diya", ())
MANY = Call("power_machines", {"action": "stop", "name_globs": ["*"]}, "", ())
TABLE = (*CALLS, REVEAL, MANY)
PROTECTING: tuple[tuple[str, ...], ...] = ((), ("dev-*",))
RULES = tuple(product(PROTECTING, Strictness, Mode))


def policy(protect: tuple[str, ...], strict: Strictness, mode: Mode) -> Policy:
    classes: dict[Effect, Strictness] = {effect: strict for effect in Effect if effect is not Effect.READ}
    return Policy(mode=mode, protect=protect, classes=classes, confirm_usd_per_hour=0.0, questions=1000)


Met = tuple[str, str]
"""Where a person decides (client, inbox, nobody) or refused, and what is typed or the code of the refusal."""
WHERE = {
    "nobody is asked": "nobody",
    "a person is asked in the client, or out of band where it cannot be": "client",
    "a person decides, out of band only": "inbox",
}


async def foretold(bench: Bench, call: Call) -> Met:
    try:
        lines = (await explained(bench.app.desk, call.tool, call.arguments)).splitlines()
    except Failure as failure:
        return "refused", failure.code
    if lines[0].startswith("allowed; nobody is asked."):
        return "nobody", ""
    where = WHERE[lines[1].partition(" (")[0]]
    return where, next((line.removeprefix("to type: ") for line in lines if line.startswith("to type: ")), "")


async def met(bench: Bench, call: Call) -> Met:
    """What the call meets through a client that can be asked; the person types what nothing asks for."""
    person = Person(types("no"))
    answer = await bench.call(MODERN, person, call.tool, call.arguments)
    if person.questions:
        record = await bench.record(person.codes[0])
        assert (record.channel, person.questions[0].endswith(f": {record.expects}")) == (Channel.CLIENT, True)
        return "client", record.expects
    if answer.get("status") == "approval_required":
        return "inbox", (await bench.record(answer["approval"])).expects
    return ("refused", error_of(answer)) if error_of(answer) else ("nobody", "")


@pytest.mark.parametrize("call", TABLE, ids=title)
async def test_what_is_foretold_is_what_is_met(benches: Make, call: Call) -> None:
    bench, wrong, kinds = benches(password_sink="file"), [], set[str]()
    for protect, strict, mode in RULES:
        bench.refit(policy=policy(protect, strict, mode))
        told = await foretold(bench, call)
        kinds.add(told[0])
        if told != (found := await met(bench, call)):
            wrong.append((protect, strict.value, mode.value, told, found))
    assert wrong == []
    assert {"client", "inbox", "refused"} <= kinds


async def test_nothing_is_written_by_asking_what_would_be(benches: Make) -> None:
    bench = benches(policy=policy(("dev-*",), Strictness.TABLE, Mode.ASK))
    for call in TABLE:
        await foretold(bench, call)
    assert list(bench.app.audit.read()) == []
    assert await bench.app.conduct.inbox() == []


async def test_a_dry_run_says_what_the_call_then_meets(benches: Make) -> None:
    bench, wish = benches(), {"action": "restart", "machines": ["dev-anna", "train-a100"]}
    places = {"refused": "refused: ", "client": "a person, in the client", "inbox": "a person, out of band"}
    for rules in RULES:
        bench.refit(policy=policy(*rules))
        dry = await bench.call(MODERN, None, "power_machines", {**wish, "dry_run": True})
        where, typed = await met(bench, Call("power_machines", wish, "", ()))
        would = dry.get("would_ask", f"refused: {error_of(dry)}")
        assert would.startswith(places[where]), rules
        assert where == "refused" or would.endswith(f"; to type: {typed}"), rules


def test_the_command_says_so(tmp_path: Path) -> None:
    operator, file = Operator(tmp_path / "state"), tmp_path / "policy.toml"
    file.write_text('protect = ["dev-ben"]\n[classes]\ndisrupt = "name"\n', encoding="utf-8")

    def check(*words: str) -> str:
        return operator.did("policy", "check", *words, "--demo", "--policy", str(file))

    stop = check("stop_machine", "--arg", "machine=dev-anna").splitlines()
    assert stop[:3] == [
        "class: disrupt",
        "a person is asked in the client, or out of band where it cannot be (rule class:disrupt)",
        "to type: dev-anna",
    ]
    grant = check("add_machine_accessor", "--arg", "machine=dev-ben", "--arg", "user=ud1yam5t2")
    assert grant.splitlines()[1] == "a person decides, out of band only (rule class:grant)"
    reveal = ("get_machine_desktop", "--arg", "machine=dev-diya", "--arg", "reveal_password=true")
    assert "to type: dev-diya" in check(*reveal), "on stdio there is a place to deliver it to"
    assert check(*reveal, "--anonymous").startswith("refused (reveal_unavailable)")
