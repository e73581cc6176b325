"""Several questions decided together on the page: one list, one text, the secret once."""

import re
from typing import Any

import httpx
import pytest
from tests.page.site import Browser, Site, hidden, secret_of, title_of

from paperspace_mcp.rules.guard.records import Status

pytestmark = pytest.mark.anyio
OFF = ("dev-ben", "legacy-jenkins", "train-v100-eu")


async def ask_all(site: Site, user: str = "anna", tool: str = "delete_machine", machines: Any = OFF) -> list[str]:
    return [await site.ask(user, tool, machine=machine) for machine in machines]


def link(codes: list[str]) -> str:
    return "/approvals/list?" + "&".join(f"code={code}" for code in codes)


async def send(browser: Browser, codes: list[str], /, **fields: str) -> httpx.Response:
    """The list's form, filled in rightly but for what is given."""
    form = hidden((await browser.get(link(codes))).text)
    right = {**form, "decision": "approve", "typed": f"delete {len(codes)}", "secret": secret_of("anna")}
    return await browser.http.post("/approvals/list", data={**right, **fields})


async def statuses(site: Site, codes: list[str]) -> list[Status]:
    return [(await site.record(code)).status for code in codes]


async def test_the_overflow_is_offered_as_one_list(site: Site) -> None:
    codes = await ask_all(site)
    (stop,) = await ask_all(site, tool="stop_machine", machines=("dev-anna",))
    async with site.browser("anna") as browser:
        page = await browser.get("/approvals")
        assert title_of(page) == "4 questions wait for you"
        assert "<h2>3 to delete</h2>" in page.text
        assert re.findall(r'type="checkbox" name="code" value="(\w+)"', page.text) == codes
        assert link(codes).replace("&", "&amp;") in page.text
        assert f'href="/approvals/{stop}"' in page.text


async def test_one_text_approves_all_that_were_shown(site: Site) -> None:
    codes = await ask_all(site)
    async with site.browser("anna") as browser:
        shown = await browser.get(link(codes))
        assert title_of(shown) == "DELETE 3, as one list of 3 questions."
        assert '<span class="typed">delete 3</span>' in shown.text
        for name in OFF:
            assert f"&quot;{name}&quot;" in shown.text
        answer = await send(browser, codes)
    assert (answer.status_code, title_of(answer)) == (200, "3 approved")
    assert {(await site.record(code)).approver for code in codes} == {"anna (page), list of 3"}
    assert site.sent == []
    for name in OFF:
        assert (await site.call("anna", "delete_machine", machine=name)).data["status"] == "done"
    assert [method for method, _ in site.sent] == ["DELETE"] * 3


async def test_only_those_ticked_are_in_the_list(site: Site) -> None:
    codes = await ask_all(site)
    async with site.browser("anna") as browser:
        assert (await send(browser, codes[:2], typed="delete 3")).status_code == 422
        assert title_of(await send(browser, codes[:2])) == "2 approved"
    assert await statuses(site, codes) == [Status.APPROVED, Status.APPROVED, Status.OPEN]


async def test_all_are_denied_with_the_secret_only(site: Site) -> None:
    codes = await ask_all(site)
    async with site.browser("anna") as browser:
        answer = await send(browser, codes, decision="deny", typed="")
    assert (answer.status_code, title_of(answer)) == (200, "3 denied")
    assert set(await statuses(site, codes)) == {Status.DECLINED}


REFUSED: list[tuple[dict[str, str], int]] = [
    ({"typed": "delete 2"}, 422),
    ({"typed": "delete"}, 422),
    ({"typed": ""}, 422),
    ({"typed": "dev-ben"}, 422),
    ({"secret": "wrong"}, 403),
    ({"secret": ""}, 403),
    ({"decision": "deny", "secret": ""}, 403),
    ({"decision": "yes"}, 400),
    ({"token": "0" * 64}, 403),
    ({"codes": ""}, 400),
    ({"codes": "ZZZZ,YYYY"}, 404),
]


@pytest.mark.parametrize(("fields", "status"), REFUSED)
async def test_a_refused_form_leaves_all_open_and_leads_back(site: Site, fields: dict[str, str], status: int) -> None:
    codes = await ask_all(site)
    async with site.browser("anna") as browser:
        answer = await send(browser, codes, **fields)
        assert answer.status_code == status
        if status == 422:
            assert link(codes).replace("&", "&amp;") in answer.text
        assert set(await statuses(site, codes)) == {Status.OPEN}
        assert (await send(browser, codes)).status_code == 200, "it still can be decided"


async def test_a_form_of_a_strangers_page_decides_nothing(site: Site) -> None:
    codes = await ask_all(site)
    async with site.browser("anna") as browser:
        browser.http.headers["Origin"] = "https://evil.example"
        assert (await send(browser, codes)).status_code == 403
    assert set(await statuses(site, codes)) == {Status.OPEN}


async def test_a_get_never_decides(site: Site) -> None:
    codes = await ask_all(site)
    async with site.browser("anna") as browser:
        fields = hidden((await browser.get(link(codes))).text)
        right = {**fields, "decision": "approve", "typed": "delete 3", "secret": secret_of("anna")}
        for method in ("GET", "HEAD", "PUT", "DELETE"):
            assert (await browser.http.request(method, "/approvals/list", params=right)).status_code in {200, 303, 405}
    assert set(await statuses(site, codes)) == {Status.OPEN}


async def test_another_users_questions_are_in_no_list(site: Site) -> None:
    annas = await ask_all(site)
    bens = await ask_all(site, "ben", machines=OFF[:2])
    async with site.browser("ben") as browser:
        assert (await browser.get(link([bens[0], annas[0]]))).status_code == 404
        form = hidden((await browser.get(link(bens))).text)
        for decision in ("approve", "deny"):
            mixed = {**form, "codes": f"{bens[0]},{annas[0]}", "decision": decision, "typed": "delete 2"}
            answer = await browser.http.post("/approvals/list", data={**mixed, "secret": secret_of("ben")})
            assert answer.status_code == 404
    assert set(await statuses(site, [*annas, *bens])) == {Status.OPEN}


async def test_what_does_not_go_together_is_told_so(site: Site) -> None:
    codes = [*await ask_all(site, machines=OFF[:1]), await site.ask("anna", "stop_machine", machine="dev-anna")]
    granted = await site.ask("anna", "add_machine_accessor", machine="dev-anna", user="ud1yam5t2")
    async with site.browser("anna") as browser:
        for several in (codes, [codes[0], granted]):
            shown = await browser.get(link(several))
            assert (shown.status_code, title_of(shown)) == (422, "Not as one list")
        assert 'type="checkbox"' not in (await browser.get("/approvals")).text


async def test_what_was_decided_meanwhile_is_told_and_the_others_go_on(site: Site) -> None:
    codes = await ask_all(site)
    async with site.browser("anna") as browser:
        form = hidden((await browser.get(link(codes))).text)
        await browser.deny("anna", codes[1])
        answer = await browser.http.post(
            "/approvals/list",
            data={**form, "decision": "approve", "typed": "delete 3", "secret": secret_of("anna")},
        )
        assert (answer.status_code, title_of(answer)) == (200, "2 approved, 1 not")
        assert "It was decided already (declined)." in answer.text
        again = await send(browser, codes, **form, typed="delete 3")
        assert (again.status_code, title_of(again)) == (409, "0 approved, 3 not")
    assert await statuses(site, codes) == [Status.APPROVED, Status.DECLINED, Status.APPROVED]


async def test_a_list_shows_only_what_still_waits(site: Site) -> None:
    codes = await ask_all(site)
    async with site.browser("anna") as browser:
        await browser.deny("anna", codes[0])
        shown = await browser.get(link(codes))
        assert title_of(shown) == "DELETE 2, as one list of 2 questions."
        assert f"{codes[0]}</span> It was decided already" in shown.text
        await browser.deny("anna", codes[1])
        assert (await browser.get(link(codes))).headers["Location"] == f"/approvals/{codes[2]}"
        await browser.deny("anna", codes[2])
        assert (await browser.get(link(codes))).headers["Location"] == "/approvals"
        assert (await browser.get("/approvals/list")).headers["Location"] == "/approvals"


async def test_the_list_needs_a_login(site: Site) -> None:
    codes = await ask_all(site)
    async with site.browser() as browser:
        shown = await browser.get(link(codes))
        assert (shown.status_code, title_of(shown)) == (401, "Log in to decide")
        answer = await browser.http.post("/approvals/list", data={"codes": ",".join(codes), "decision": "deny"})
        assert answer.status_code == 401
    assert set(await statuses(site, codes)) == {Status.OPEN}


async def test_a_hostile_name_is_text_in_a_list_too(site: Site) -> None:
    hostile = '"><script>alert(1)</script>'
    machine = next(one for one in site.sim.world.machines.values() if one.name == "legacy-jenkins")
    machine.name = hostile
    codes = await ask_all(site, machines=("dev-ben", machine.id))
    async with site.browser("anna") as browser:
        for path in ("/approvals", link(codes)):
            assert "<script" not in (await browser.get(path)).text
