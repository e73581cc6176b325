"""Deciding on the page: what each form does, and that nothing else does anything."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from tests.page.site import DELETE, DELETED, Browser, Site, hidden, secret_of, standing, title_of
from tests.surface.talk import ERAS, Era, Reply

from paperspace_mcp.rules.guard.records import Status
from paperspace_mcp.simulator import Simulator

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("era", ERAS)
async def test_an_approved_call_is_done_when_it_is_repeated(site: Site, era: Era) -> None:
    code = await site.ask()
    async with site.browser("anna") as browser:
        answer = await browser.approve("anna", code)
    assert (answer.status_code, title_of(answer)) == (200, "Approved")
    assert site.sent == [], "the page only decides; the call acts"
    assert (await site.call("anna", "delete_machine", era, **DELETE)).data["status"] == "done"
    assert site.sent == DELETED
    assert (await site.record(code)).approver == "anna (page)"


async def test_what_is_denied_is_not_done(site: Site) -> None:
    code = await site.ask()
    async with site.browser("anna") as browser:
        answer = await browser.deny("anna", code)
        assert (answer.status_code, title_of(answer)) == (200, "Denied")
        late = await browser.get(f"/approvals/{code}")
    assert (late.status_code, title_of(late)) == (409, "Decided already")
    assert (await site.record(code)).status is Status.DECLINED
    assert (await site.call("anna", "delete_machine", **DELETE)).data.get("executed") is not True
    assert site.sent == []


async def test_many_questions_are_listed_and_decided_one_by_one(site: Site) -> None:
    calls = [("delete_machine", "dev-ben"), ("stop_machine", "dev-anna"), ("restart_machine", "dev-anna")]
    codes = [await site.ask("anna", tool, machine=machine) for tool, machine in calls]
    async with site.browser("anna") as browser:
        listed = await browser.get("/approvals")
        assert title_of(listed) == "3 questions wait for you"
        assert sorted(codes, key=listed.text.index) == codes, "oldest first"
        await browser.deny("anna", codes[1])
        left = await browser.get("/approvals")
    assert [code in left.text for code in codes] == [True, False, True]
    assert [(await site.record(code)).status for code in codes] == [Status.OPEN, Status.DECLINED, Status.OPEN]


async def test_the_question_is_shown_whole_and_the_dangerous_line_first(site: Site) -> None:
    code = await site.ask()
    question = (await site.record(code)).question.splitlines()
    async with site.browser("anna") as browser:
        shown = await browser.get(f"/approvals/{code}")
    assert title_of(shown) == question[0]
    for line in question:
        assert line in shown.text.replace("&quot;", '"').replace("&#x27;", "'"), line


async def test_a_hostile_name_is_text_and_nothing_else(site: Site) -> None:
    hostile = '"><script>alert(1)</script><form action="https://evil.example">'
    machine = next(one for one in site.sim.world.machines.values() if one.name == "dev-ben")
    machine.name = hostile
    code = await site.ask(machine=machine.id)
    async with site.browser("anna") as browser:
        for path in ("/approvals", f"/approvals/{code}"):
            shown = (await browser.get(path)).text
            assert "<script" not in shown
            assert "evil.example\\&quot;" in shown or path == "/approvals"
            assert 'action="https' not in shown


REFUSED: list[tuple[str, Callable[[dict[str, str]], dict[str, str]], int, str]] = [
    ("wrong text", lambda f: {**f, "typed": "dev-bem"}, 422, "Not what the question asks for"),
    ("other case", lambda f: {**f, "typed": "DEV-BEN"}, 422, "Not what the question asks for"),
    ("no text", lambda f: {**f, "typed": ""}, 422, "Not what the question asks for"),
    ("the code for the text", lambda f: {**f, "typed": "delete"}, 422, "Not what the question asks for"),
    ("wrong secret", lambda f: {**f, "secret": "ben's own secret"}, 403, "Wrong secret"),
    ("no secret", lambda f: {**f, "secret": ""}, 403, "Wrong secret"),
    ("deny with a wrong secret", lambda f: {**f, "decision": "deny", "secret": "?"}, 403, "Wrong secret"),
    ("no decision", lambda f: {**f, "decision": ""}, 400, "Not a form of this page"),
    ("another decision", lambda f: {**f, "decision": "yes"}, 400, "Not a form of this page"),
    ("no form token", lambda f: {**f, "token": ""}, 403, "Not from this page"),
    ("a made-up form token", lambda f: {**f, "token": "0" * 64}, 403, "Not from this page"),
    ("a form token of other characters", lambda f: {**f, "token": "é"}, 403, "Not from this page"),
]


@pytest.mark.parametrize(("change", "status", "title"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
async def test_a_refused_form_leaves_the_question_open(
    site: Site, change: Callable[[dict[str, str]], dict[str, str]], status: int, title: str
) -> None:
    code = await site.ask()
    async with site.browser("anna") as browser:
        right = {**await browser.form(code), "decision": "approve", "typed": "dev-ben", "secret": secret_of("anna")}
        answer = await browser.http.post(f"/approvals/{code}", data=change(right))
        assert (answer.status_code, title_of(answer)) == (status, title)
        assert (await site.record(code)).status is Status.OPEN
        assert (await browser.http.post(f"/approvals/{code}", data=right)).status_code == 200, "it still can be decided"


async def test_another_session_of_the_same_user_has_another_form_token(site: Site) -> None:
    code = await site.ask()
    async with site.browser("anna") as first, site.browser("anna") as second:
        answer = await second.decide(code, "approve", "dev-ben", secret_of("anna"), await first.form(code))
    assert answer.status_code == 403
    assert (await site.record(code)).status is Status.OPEN


@pytest.mark.parametrize("origin", ["", "null", "https://evil.example", "http://127.0.0.1", "http://localhost:1"])
async def test_a_form_of_a_strangers_page_decides_nothing(site: Site, origin: str) -> None:
    code = await site.ask()
    async with site.browser("anna") as browser:
        form = await browser.form(code)
        del browser.http.headers["Origin"]
        if origin:
            browser.http.headers["Origin"] = origin
        answer = await browser.decide(code, "approve", "dev-ben", secret_of("anna"), form)
    assert answer.status_code == 403
    assert (await site.record(code)).status is Status.OPEN


async def test_a_get_never_decides(site: Site) -> None:
    code = await site.ask()
    async with site.browser("anna") as browser:
        fields = {**await browser.form(code), "decision": "approve", "typed": "dev-ben", "secret": secret_of("anna")}
        for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"):
            answer = await browser.http.request(method, f"/approvals/{code}", params=fields)
            assert answer.status_code in {200, 405}
    assert (await site.record(code)).status is Status.OPEN


async def test_a_form_of_another_kind_is_refused(site: Site) -> None:
    code = await site.ask()
    async with site.browser("anna") as browser:
        fields = {**await browser.form(code), "decision": "approve", "typed": "dev-ben", "secret": secret_of("anna")}
        url = f"/approvals/{code}"
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        twice = "&".join(f"{name}={value}" for name, value in fields.items()) + "&decision=deny"
        answers = [
            await browser.http.post(url, json=fields),
            await browser.http.post(url, data=fields, files={"file": b"x"}),
            await browser.http.post(url, data={**fields, "typed": "x" * 20_000}),
            await browser.http.post(url, content=twice, headers=form),
            await browser.http.post(url, content=b"token=%ff%fe", headers=form),
        ]
    assert [one.status_code for one in answers] == [415, 415, 413, 400, 400]
    assert (await site.record(code)).status is Status.OPEN


async def test_a_question_that_ran_out_of_time_is_told_so(site: Site) -> None:
    code = await site.ask()
    async with site.browser() as browser:
        await browser.log_in("anna", secret_of("anna"))
        form = await browser.form(code)
        site.clock.added += 800
        assert (await browser.log_in("anna", secret_of("anna"))).status_code == 303
        form = await browser.form(code)
        site.clock.added += 101
        late = await browser.decide(code, "approve", "dev-ben", secret_of("anna"), form)
        seen = await browser.get(f"/approvals/{code}")
    assert (late.status_code, title_of(late)) == (seen.status_code, title_of(seen)) == (410, "Too late")
    again = await site.call("anna", "delete_machine", **DELETE)
    assert again.data["status"] == "approval_required"
    assert again.data["approval"] != code
    assert site.sent == []


async def test_the_same_form_sent_ten_times_at_once_has_one_effect(site: Site) -> None:
    code = await site.ask()
    answers: list[Any] = []
    async with site.browser("anna") as browser:
        form = await browser.form(code)

        async def press() -> None:
            answers.append(await browser.decide(code, "approve", "dev-ben", secret_of("anna"), form))

        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(press)
    assert sorted(one.status_code for one in answers) == [200] + [409] * 9
    assert {title_of(one) for one in answers} == {"Approved", "Decided already"}
    replies = [await site.call("anna", "delete_machine", **DELETE) for _ in range(3)]
    assert [one.data["status"] for one in replies] == ["done", "already_done", "already_done"]
    assert site.sent == DELETED


async def test_approve_and_deny_at_once_is_one_of_them(site: Site) -> None:
    code = await site.ask()
    answers: dict[str, int] = {}
    async with site.browser("anna") as browser:
        form = await browser.form(code)

        async def press(decision: str) -> None:
            answer = await browser.decide(code, decision, "dev-ben", secret_of("anna"), form)
            answers[decision] = answer.status_code

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(press, "approve")
            tasks.start_soon(press, "deny")
    assert sorted(answers.values()) == [200, 409]
    expected = Status.APPROVED if answers["approve"] == 200 else Status.DECLINED
    assert (await site.record(code)).status is expected


@pytest.mark.parametrize("era", ERAS)
async def test_a_held_call_finishes_by_itself(tmp_path: Path, sim: Simulator, era: Era) -> None:
    replies: list[Reply] = []
    told: list[str | None] = []
    waits = anyio.Event()

    async def reported(progress: float, total: float | None, message: str | None) -> None:
        assert (progress, total) == (0.0, 40.0)
        told.append(message)
        waits.set()

    async with standing(tmp_path, sim, hold_s=40.0) as site, site.browser("anna") as browser:

        async def call() -> None:
            async with site.assistant("anna", era) as client:
                replies.append(Reply(await client.call_tool("delete_machine", DELETE, progress_callback=reported)))

        with anyio.fail_after(20):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(call)
                await waits.wait()
                code = await _only_code(browser)
                assert told == [f"A person must approve {code}."]
                assert (await browser.approve("anna", code)).status_code == 200
        assert replies[0].data["status"] == "done"
        assert replies[0].data["approval"] == code
        assert site.sent == DELETED


async def test_a_held_call_is_told_of_the_no(tmp_path: Path, sim: Simulator) -> None:
    replies: list[Reply] = []
    async with standing(tmp_path, sim, hold_s=40.0) as site, site.browser("anna") as browser:
        with anyio.fail_after(20):
            async with anyio.create_task_group() as tasks:

                async def call() -> None:
                    replies.append(await site.call("anna", "delete_machine", **DELETE))

                tasks.start_soon(call)
                while not (await site.app.conduct.inbox()):
                    await anyio.lowlevel.checkpoint()
                assert (await browser.deny("anna", await _only_code(browser))).status_code == 200
        assert replies[0].code == "declined"
        assert site.sent == []


async def _only_code(browser: Browser) -> str:
    listed = await browser.get("/approvals")
    return listed.text.partition('class="card" href="/approvals/')[2][:4]


async def test_the_login_goes_on_to_the_question(site: Site) -> None:
    code = await site.ask()
    async with site.browser() as browser:
        asked = await browser.get(f"/approvals/{code}")
        assert (asked.status_code, title_of(asked)) == (401, "Log in to decide")
        assert "dev-ben" not in asked.text
        answer = await browser.log_in("anna", secret_of("anna"), code=hidden(asked.text)["code"])
    assert answer.headers["Location"] == f"/approvals/{code}"
