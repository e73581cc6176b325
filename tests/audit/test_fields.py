"""Every line says what guard calls for: who, through what, what, by which rule, who allowed it, what became of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp_types import ElicitResult, Implementation
from tests.audit.conftest import FILE, stopped, ticking
from tests.guard.bench import DELETE, MODERN, STOP, Bench, Call, Person, error_of, said, types
from tests.operator.commands import SECRET, Operator

from paperspace_mcp.audit_records import FIRST, HEAD, Place, sealed_line
from paperspace_mcp.rules.guard.records import CLIENT_S, INBOX_S
from paperspace_mcp.rules.policy import Mode, Policy
from paperspace_mcp.simulator import Fault

pytestmark = pytest.mark.anyio
INFO = Implementation(name='tool\u202e\n"box"', version="9.1" + "x" * 99)
TOLD = 'tool "box" 9.1' + "x" * 29
"""What is kept of it: one visible line of at most 64 and 32 characters."""
ALWAYS = {"version", "sequence", "time", "phase", "principal", "client", "tool", "effect", "targets", "arguments"}
DECIDED = ALWAYS | {"code", "digest", "decision", "rule", "channel"}


async def call(bench: Bench, what: Call, person: Person | None, era: str = MODERN) -> dict[str, Any]:
    async with Client(bench.app.server, mode=era, elicitation_callback=person, client_info=INFO, cache=None) as client:  # type: ignore[arg-type]
        return await said(client, what.tool, what.arguments)


def lines(bench: Bench) -> dict[str, dict[str, Any]]:
    """The lines by phase, each at most once; without what the log itself adds."""
    found = [json.loads(line) for line in (bench.app.settings.state_dir / FILE).read_text().splitlines()]
    assert len({one["phase"] for one in found}) == len(found), [one["phase"] for one in found]
    return {one.pop("phase"): {**one, "phase": None} for one in found}


def missing(line: dict[str, Any], fields: set[str]) -> set[str]:
    return fields - line.keys()


@pytest.mark.parametrize("era", ["legacy", MODERN])
async def test_a_call_confirmed_in_the_client(bench: Bench, era: str) -> None:
    def after_a_while(_number: int) -> ElicitResult:
        bench.clock.at += 7
        return types("stop")

    assert (await call(bench, STOP, Person(after_a_while), era))["status"] == "done"
    found = lines(bench)
    assert list(found) == ["asked", "approved", "intent", "outcome"]
    principal = bench.app.desk.caller.principal
    for line in found.values():
        assert missing(line, DECIDED) == set()
        told = [line[name] for name in ("version", "principal", "client", "decision", "rule", "channel")]
        assert told == [2, principal, TOLD, "ask", "class:disrupt", "client"]
    assert "approver" not in found["asked"]
    assert (found["approved"]["approver"], found["approved"]["latency_ms"]) == (principal, 7000)
    assert found["intent"]["approver"] == found["outcome"]["approver"] == principal
    outcome = found["outcome"]
    assert (outcome["outcome"], outcome["upstream_status"]) == ("done", 200)
    assert outcome["latency_ms"] >= 0
    assert len(outcome["event_ids"]) == 1
    assert "upstream_status" not in found["intent"]


async def test_a_call_approved_at_a_terminal(bench: Bench) -> None:
    operator = Operator(bench.app.settings.state_dir).init()
    code = (await call(bench, DELETE, None))["approval"]
    typed = f"{DELETE.typed}\n{SECRET}\n"
    ended = await anyio.to_thread.run_sync(lambda: operator.run("approve", code, typed=typed))
    assert ended.returncode == 0, ended.stderr
    assert (await call(bench, DELETE, None))["status"] == "done"
    found = lines(bench)
    assert list(found) == ["asked", "approved", "intent", "outcome"]
    for line in found.values():
        assert missing(line, DECIDED) == set()
        assert (line["client"], line["channel"], line["rule"]) == (TOLD, "inbox", "class:destroy")
    assert {found[one]["approver"].partition(" ")[2] for one in ("approved", "intent", "outcome")} == {"(terminal)"}
    assert found["approved"]["latency_ms"] > 0
    shown = (await anyio.to_thread.run_sync(lambda: operator.did("audit", "show"))).splitlines()
    outcome = shown[0]
    for part in ("ask by rule class:destroy", "channel inbox", "(terminal)", r'client "tool \"box\" 9.1', "HTTP 200"):
        assert part in outcome
    assert f"event {found['outcome']['event_ids'][0]}" in outcome
    assert " ms" in outcome


async def test_a_call_that_needs_nobody(benches: Callable[..., Bench]) -> None:
    bench = benches(policy=Policy())
    wish = Call("start_machine", {"machine": "dev-ben"}, "", ())
    assert (await call(bench, wish, None))["status"] == "done"
    found = lines(bench)
    assert list(found) == ["granted", "intent", "outcome"]
    rule = "below_confirm_usd_per_hour"
    for line in found.values():
        assert missing(line, DECIDED) == set()
        told = [line[name] for name in ("client", "decision", "rule", "channel", "approver")]
        assert told == [TOLD, "go", rule, "rule", f"rule {rule}"]


async def test_a_call_that_is_refused(benches: Callable[..., Bench]) -> None:
    bench = benches(policy=Policy(mode=Mode.DENY))
    await call(bench, STOP, None)
    line = lines(bench)["refused"]
    assert missing(line, ALWAYS | {"digest", "decision", "rule"}) == set()
    assert (line["client"], line["decision"], line["rule"]) == (TOLD, "refuse", "denied_by_policy")


async def test_a_call_that_the_provider_refuses(bench: Bench) -> None:
    bench.sim.faults.add(Fault("status", "stop_machine", status=409))
    await call(bench, STOP, Person(types("stop")))
    outcome = lines(bench)["outcome"]
    assert (outcome["outcome"], outcome["reason"], outcome["upstream_status"]) == ("failed", "conflict", 409)


async def test_a_password_that_is_revealed(benches: Callable[..., Bench]) -> None:
    bench = benches(password_sink="file")
    wish = Call("get_machine_desktop", {"machine": "dev-diya", "reveal_password": True}, "", ())
    assert (await call(bench, wish, Person(types("dev-diya"))))["status"] == "done"
    assert lines(bench)["outcome"]["upstream_status"] == 200


@pytest.mark.parametrize("person", [Person(ElicitResult(action="decline")), Person(types("no"))], ids=["no", "wrong"])
async def test_a_call_that_is_not_confirmed(bench: Bench, person: Person) -> None:
    await call(bench, STOP, person)
    _asked, decided = lines(bench).values()
    assert missing(decided, DECIDED | {"latency_ms"}) == set()
    assert bench.sent == []


async def test_a_question_that_nobody_answers_leaves_a_line_at_the_next_look(bench: Bench) -> None:
    code = (await call(bench, STOP, None))["approval"]
    bench.clock.at += INBOX_S + 1
    assert await bench.app.conduct.inbox() == []
    assert await bench.app.conduct.inbox() == []
    found = lines(bench)
    assert list(found) == ["asked", "expired"]
    assert missing(found["expired"], DECIDED | {"latency_ms"}) == set()
    assert (found["expired"]["code"], found["expired"]["reason"]) == (code, "unanswered")


async def test_any_guarded_call_of_anybody_is_a_look(bench: Bench, benches: Callable[..., Bench]) -> None:
    await bench.ask(STOP)
    other = benches(key="other-key")
    other.clock.at = bench.clock.at + CLIENT_S + 1
    await call(other, DELETE, None)
    phases = [(one["phase"], one["tool"]) for one in bench.app.audit.read(newest_first=False)]
    assert phases == [("asked", "stop_machine"), ("expired", "stop_machine"), ("asked", "delete_machine")]


async def test_what_could_not_be_written_down_is_at_the_next_look(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_entry: object) -> int:
        raise OSError("no space")

    codes = {(await call(bench, one, None))["approval"] for one in (STOP, DELETE)}
    bench.clock.at += INBOX_S + 1
    with monkeypatch.context() as broken:
        broken.setattr(bench.app.audit, "write", full)
        assert error_of(await call(bench, STOP, None)) == "audit_unusable"
    await bench.app.conduct.inbox()
    expired = [one["code"] for one in bench.app.audit.read() if one["phase"] == "expired"]
    assert sorted(expired) == sorted(codes)


async def test_an_approval_that_nobody_uses_leaves_a_line_too(bench: Bench) -> None:
    await bench.approve((await call(bench, STOP, None))["approval"])
    bench.clock.at += INBOX_S + 1
    await bench.app.conduct.inbox()
    assert lines(bench)["expired"]["reason"] == "unused"


async def test_an_answer_that_comes_too_late_is_told_before_the_question_is_asked_anew(bench: Bench) -> None:
    asked = await bench.ask(STOP)
    bench.clock.at += CLIENT_S + 1
    await asked.answer(types("stop"))
    phases = [(one["phase"], one["code"] == asked.code) for one in bench.app.audit.read(newest_first=False)]
    assert phases == [("asked", True), ("expired", True), ("asked", False)]
    assert bench.sent == []


def test_a_log_of_an_older_version_verifies_and_goes_on(folder: Path) -> None:
    """As version 1 wrote it: no `version`, no rule beside an intent."""
    audit, before, place = ticking(folder), FIRST, Place()
    audit._prepare()
    key, written = (folder / "audit.key").read_bytes(), b""
    for number in range(1, 4):
        record = {"sequence": number, "time": "2026-01-01T00:00:00.000Z", "phase": "intent", "principal": "ann:1"}
        line = sealed_line(key, before, record) + b"\n"
        place, written = place.after(line), written + line
        before = place.mac
    (folder / FILE).write_bytes(written)
    head = {name: getattr(place, name) for name in ("file", "start", "end", "sequence", "before", "mac")}
    (folder / "audit.head").write_bytes(sealed_line(key, HEAD, head))
    assert audit.verify().records == 3
    audit.write(stopped())
    verdict = audit.verify()
    assert (verdict.ok, verdict.records) == (True, 4)
    assert [one.get("version", 1) for one in audit.read(newest_first=False)] == [1, 1, 1, 2]
