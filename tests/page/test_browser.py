"""The page in a real Chromium, on a phone of 390 points. An ordinary test run leaves it out; it runs with

    pytest tests/page -m browser

where `chromium` is installed or $CHROMIUM names one, and fails where there is none. With $PAGE_PICTURES set to a
folder, a picture of each page in light and dark is left there.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route
from tests.page.chromium import HEIGHT, WIDTH, Tab, browsing
from tests.page.site import DELETE, DELETED, Site, listening, secret_of, standing
from tests.surface.talk import Reply, types

from paperspace_mcp.rules.guard.records import Status
from paperspace_mcp.simulator import Simulator

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
NEW = {
    "name": "fresh",
    "machine_type": "A4000",
    "template_id": "t0nspur5",
    "region": "ny2",
    "disk_size_gb": 50,
    "accessor_ids": ["ub3n7q2xd", "anna@example.com"],
}
LONG = "a-name-without-a-single-space-" * 4


@pytest.fixture
async def tab(tmp_path: Path) -> AsyncIterator[Tab]:
    async with browsing(tmp_path / "profile") as opened:
        yield opened


async def check(tab: Tab, name: str) -> None:
    """The page fits, in both schemes, and the browser has nothing to complain of."""
    for scheme in ("light", "dark"):
        await tab.scheme(scheme)
        assert await tab.js("innerWidth") == WIDTH, name
        assert await tab.js("document.documentElement.scrollWidth") <= WIDTH, name
        assert await tab.js("getComputedStyle(document.body).marginTop") == "0px", "the style sheet applies"
        if folder := os.environ.get("PAGE_PICTURES"):
            await tab.picture(Path(folder) / f"page-{name}-{scheme}.png")
    wide = "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 0.5)"
    assert await tab.js(f"{wide}.map(e => e.outerHTML.slice(0, 80))") == [], name
    assert [one for one in tab.complaints if "status of" not in one] == []


async def log_in(tab: Tab, site: Site, user: str = "anna") -> None:
    await tab.open(f"{site.url}/approvals")
    await tab.fill(user=user, secret=secret_of(user))
    await tab.press("main button")


async def decide(tab: Tab, site: Site, code: str, which: str, typed: str, secret: str) -> str:
    await tab.open(f"{site.url}/approvals/{code}")
    await tab.fill(typed=typed, secret=secret)
    await tab.press(f"button[value={which}]")
    return await tab.title()


async def test_a_person_logs_in_reads_and_approves(site: Site, tab: Tab) -> None:
    code = await site.ask()
    await tab.open(f"{site.url}/approvals/{code}")
    await check(tab, "login")
    await tab.fill(user="anna", secret="wrong")
    await tab.press("main button")
    assert await tab.title() == "Not logged in"
    await check(tab, "login-refused")
    await tab.open(f"{site.url}/approvals/{code}")
    await tab.fill(user="anna", secret=secret_of("anna"))
    await tab.press("main button")
    assert await tab.js("location.pathname") == f"/approvals/{code}"
    await check(tab, "question")
    assert await tab.js("document.querySelector('.danger').getBoundingClientRect().bottom") < HEIGHT / 2
    assert await tab.js("document.cookie") == "", "scripts see no cookie"
    assert await decide(tab, site, code, "approve", "dev-ben", secret_of("anna")) == "Approved"
    await check(tab, "approved")
    assert (await site.call("anna", "delete_machine", **DELETE)).data["status"] == "done"
    assert site.sent == DELETED


async def test_every_other_page_fits_a_phone(site: Site, tab: Tab) -> None:
    await log_in(tab, site)
    assert await tab.title() == "Nothing waits for you"
    await check(tab, "empty")
    machine = next(one for one in site.sim.world.machines.values() if one.name == "legacy-jenkins")
    machine.name = LONG
    codes = [
        await site.ask(),
        await site.ask("anna", "stop_machine", machine="dev-anna"),
        await site.ask("anna", "delete_machine", machine=machine.id),
        await site.ask("anna", "create_machine", **NEW),
    ]
    await tab.open(f"{site.url}/approvals")
    await check(tab, "list")
    for code, name in zip(codes[2:], ("long-name", "create"), strict=True):
        await tab.open(f"{site.url}/approvals/{code}")
        await check(tab, name)
    assert (
        await decide(tab, site, codes[0], "approve", "dev-bem", secret_of("anna")) == "Not what the question asks for"
    )
    await check(tab, "mistyped")
    assert await decide(tab, site, codes[0], "approve", "dev-ben", "wrong") == "Wrong secret"
    await check(tab, "wrong-secret")
    assert await decide(tab, site, codes[0], "deny", "", secret_of("anna")) == "Denied"
    await check(tab, "denied")
    await tab.open(f"{site.url}/approvals/{codes[0]}")
    assert await tab.title() == "Decided already"
    await check(tab, "decided")
    await tab.open(f"{site.url}/approvals/ZZZZ")
    assert await tab.title() == "No such question"
    await check(tab, "unknown")
    for _ in range(4):
        await decide(tab, site, codes[1], "approve", "stop", "wrong")
    assert await decide(tab, site, codes[1], "approve", "stop", secret_of("anna")) == "Too many tries"
    await check(tab, "too-many-tries")


async def test_several_are_read_and_confirmed_together_on_a_phone(site: Site, tab: Tab) -> None:
    site.sim.add_machine(name=LONG, state="off")
    machines = ("dev-ben", "legacy-jenkins", LONG)
    codes = [await site.ask("anna", "delete_machine", machine=machine) for machine in machines]
    await site.ask("anna", "stop_machine", machine="dev-anna")
    await log_in(tab, site)
    assert await tab.title() == "4 questions wait for you"
    await check(tab, "overflow")
    boxes = "[...document.querySelectorAll('.pick label')].map(e => e.getBoundingClientRect())"
    assert await tab.js(f"Math.min(...{boxes}.map(b => Math.min(b.width, b.height)))") >= 44, "a thumb hits it"
    for number in (0, 1):
        await tab.js(f"document.querySelectorAll('.pick label')[{number}].click()")
    await tab.press(".group button")
    assert await tab.title() == "DELETE 2, as one list of 2 questions."
    await tab.open(f"{site.url}/approvals")
    await tab.press(".group .button")
    assert await tab.title() == "DELETE 3, as one list of 3 questions."
    await check(tab, "together")
    await tab.fill(typed="delete 2", secret=secret_of("anna"))
    await tab.press("button[value=approve]")
    assert await tab.title() == "Not what the question asks for"
    await tab.press("main a")
    await tab.fill(typed="delete 3", secret=secret_of("anna"))
    await tab.press("button[value=approve]")
    assert await tab.title() == "3 approved"
    await check(tab, "decided-together")
    assert {(await site.record(code)).status for code in codes} == {Status.APPROVED}


async def test_a_password_is_shown_once_on_a_phone(tmp_path: Path, sim: Simulator, tab: Tab) -> None:
    machine = next(one for one in sim.world.machines.values() if one.name == "dev-diya")
    machine.name = LONG
    async with standing(tmp_path, sim, password_sink="link") as site:
        async with site.assistant("anna", answering=types(LONG)) as client:
            wanted = {"machine": machine.id, "reveal_password": True}
            reply = Reply(await client.call_tool("get_machine_desktop", wanted))
        link = f"{site.url}{reply.data['delivered']['link']}"
        await tab.open(link)
        await tab.fill(user="anna", secret=secret_of("anna"))
        await tab.press("main button")
        await check(tab, "password-waits")
        await tab.press("main button")
        await check(tab, "password")
        assert len(await tab.js("document.querySelector('.secret').textContent")) > 3
        await tab.open(link)
        assert await tab.title() == "No such password"
        await check(tab, "password-gone")


async def test_what_ran_out_of_time_fits_a_phone(site: Site, tab: Tab) -> None:
    code = await site.ask()
    site.clock.added += 890
    await log_in(tab, site)
    await tab.open(f"{site.url}/approvals/{code}")
    await tab.fill(typed="dev-ben", secret=secret_of("anna"))
    site.clock.added += 20
    await tab.press("button[value=approve]")
    assert await tab.title() == "Too late"
    await check(tab, "expired")
    code = await site.ask()
    await tab.open(f"{site.url}/approvals/{code}")
    await tab.fill(typed="dev-ben", secret=secret_of("anna"))
    site.clock.added += 600
    await tab.press("button[value=approve]")
    assert await tab.title() == "Your login has ended"
    await check(tab, "login-ended")


async def test_a_double_click_is_one_decision(site: Site, tab: Tab) -> None:
    code = await site.ask()
    await log_in(tab, site)
    await tab.open(f"{site.url}/approvals/{code}")
    await tab.fill(typed="dev-ben", secret=secret_of("anna"))
    async with tab.loading():
        await tab.js("const b = document.querySelector('button[value=approve]'); b.click(); b.click()")
    replies = [await site.call("anna", "delete_machine", **DELETE) for _ in range(2)]
    assert [one.data["status"] for one in replies] == ["done", "already_done"]
    assert site.sent == DELETED


async def test_a_strangers_page_can_neither_send_the_form_nor_frame_the_page(site: Site, tab: Tab) -> None:
    code = await site.ask()
    await log_in(tab, site)
    await tab.open(f"{site.url}/approvals/{code}")
    token = await tab.js("document.querySelector('main input[name=token]').value")
    fields = {"token": token, "typed": "dev-ben", "secret": secret_of("anna"), "decision": "approve"}
    inputs = "".join(f"<input name='{name}' value=\"{value}\">" for name, value in fields.items())
    form = f"<h1>evil</h1><form method=post action='{site.url}/approvals/{code}'>{inputs}<button></button></form>"
    frame = f"<h1>evil</h1><iframe src='{site.url}/approvals/{code}'></iframe>"

    async def evil(request: Request) -> HTMLResponse:
        return HTMLResponse(frame if "frame" in request.query_params else form)

    async with listening(Starlette(routes=[Route("/", evil)])) as address:
        elsewhere = address.replace("127.0.0.1", "localhost")
        await tab.open(elsewhere)
        await tab.press("button")
        assert await tab.title() == "Not from this page"
        tab.complaints.clear()
        await tab.open(f"{elsewhere}/?frame")
        assert any("frame-ancestors" in one or "X-Frame-Options" in one for one in tab.complaints), tab.complaints
        await tab.open("about:blank")
    await anyio.lowlevel.checkpoint()
    assert (await site.record(code)).status is Status.OPEN
