"""A desktop password by a link: kept in memory, shown once, to whoever asked for it and logged in."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import httpx
import pytest
from tests.page.site import Site, hidden, secret_of, standing, title_of
from tests.surface.talk import ERAS, Era, Reply, types

from paperspace_mcp.simulator import Simulator
from paperspace_mcp.wire.sinks import LINK_S, LinkSink

pytestmark = pytest.mark.anyio
DESKTOP = "dev-diya"
WANTED = {"machine": DESKTOP, "reveal_password": True}


@pytest.fixture
async def linked(tmp_path: Path, sim: Simulator) -> AsyncIterator[Site]:
    """A server that delivers passwords by a link."""
    async with standing(tmp_path, sim, password_sink="link") as site:
        sink = site.app.conduct.rooms.sink
        assert isinstance(sink, LinkSink)
        sink.address, sink.now = site.url, site.clock
        yield site


async def revealed(site: Site, era: Era = "2026-07-28") -> tuple[Reply, str]:
    """The call's reply, once a person typed the name, and the path of its link."""
    async with site.assistant("anna", era, types(DESKTOP)) as client:
        reply = Reply(await client.call_tool("get_machine_desktop", WANTED))
    assert reply.code == "", reply.data
    return reply, str(reply.data["delivered"]["link"]).removeprefix(site.url)


async def show(site: Site, path: str, user: str = "anna") -> httpx.Response:
    """Log in, open the link, press the button."""
    async with site.browser(user) as browser:
        page = await browser.get(path)
        return await browser.http.post(path, data=hidden(page.text)) if page.status_code == 200 else page


def secret_in(answer: httpx.Response) -> str:
    return answer.text.partition('<p class="secret">')[2].partition("</p>")[0]


def files_with(secret: str, folder: Path) -> list[Path]:
    return [one for one in folder.rglob("*") if one.is_file() and secret.encode() in one.read_bytes()]


@pytest.mark.parametrize("era", ERAS)
async def test_the_password_is_shown_once_and_is_nowhere_else(linked: Site, era: Era, tmp_path: Path) -> None:
    reply, path = await revealed(linked, era)
    assert path == f"/approvals/revealed/{reply.data['approval']}"
    answer = await show(linked, path)
    assert (answer.status_code, title_of(answer)) == (200, f'The desktop password of "{DESKTOP}"')
    secret = secret_in(answer)
    assert len(secret) > 3
    assert secret not in reply.everything
    assert answer.headers["Cache-Control"] == "no-store"
    again = await show(linked, path)
    assert (again.status_code, title_of(again)) == (404, "No such password")
    assert files_with(secret, tmp_path) == []
    shown = [entry for entry in linked.app.audit.read() if entry["phase"] == "shown"]
    assert [(entry["code"], entry["approver"]) for entry in shown] == [(reply.data["approval"], "anna (page)")]


async def test_opening_the_link_uses_nothing_up(linked: Site) -> None:
    _, path = await revealed(linked)
    async with linked.browser("anna") as browser:
        for method in ("GET", "HEAD", "GET", "PUT"):
            answer = await browser.http.request(method, path)
            assert (answer.status_code in {200, 405}, secret_in(answer)) == (True, "")
    assert secret_in(await show(linked, path))


async def test_the_link_alone_opens_nothing(linked: Site) -> None:
    _, path = await revealed(linked)
    async with linked.browser() as stranger:
        seen = await stranger.get(path)
        assert (seen.status_code, title_of(seen)) == (401, "Log in to decide")
        assert (await stranger.http.post(path, data={"token": ""})).status_code == 401
        headers = {"Authorization": f"Bearer {linked.tokens['anna']}"}
        assert (await stranger.http.get(path, headers=headers)).status_code == 401, "a caller's token is no login"
        form = hidden(seen.text)
        answer = await stranger.log_in("anna", secret_of("anna"), code=form["code"], revealed=form["revealed"])
        assert answer.headers["Location"] == path
    async with linked.browser("ben") as ben:
        foreign, unknown = await ben.get(path), await ben.get("/approvals/revealed/ZZZZ")
        form = hidden((await ben.get("/approvals")).text)
        assert (await ben.http.post(path, data=form)).status_code == 404
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert foreign.text == unknown.text
    assert secret_in(await show(linked, path)), "nobody used it up"


async def test_a_form_of_a_strangers_page_shows_nothing(linked: Site) -> None:
    _, path = await revealed(linked)
    async with linked.browser("anna") as browser:
        form = hidden((await browser.get(path)).text)
        for token, origin in (("0" * 64, linked.url), (form["token"], "https://evil.example")):
            answer = await browser.http.post(path, data={"token": token}, headers={"Origin": origin})
            assert (answer.status_code, secret_in(answer)) == (403, "")
    assert secret_in(await show(linked, path))


async def test_it_waits_for_ten_minutes(linked: Site) -> None:
    _, path = await revealed(linked)
    linked.clock.added += LINK_S - 60
    async with linked.browser("anna") as browser:
        assert (await browser.get(path)).status_code == 200
    linked.clock.added += 61
    assert (await show(linked, path)).status_code == 404


async def test_ten_who_press_at_once_see_it_once(linked: Site) -> None:
    _, path = await revealed(linked)
    answers: list[httpx.Response] = []
    async with linked.browser("anna") as browser:
        form = hidden((await browser.get(path)).text)

        async def press() -> None:
            answers.append(await browser.http.post(path, data=form))

        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(press)
    assert sorted(one.status_code for one in answers) == [200] + [404] * 9


async def test_what_cannot_be_audited_is_not_shown_and_still_waits(
    linked: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, path = await revealed(linked)

    def full(_entry: object) -> int:
        raise OSError("no space")

    with monkeypatch.context() as patch:
        patch.setattr(linked.app.audit, "write", full)
        assert (await show(linked, path)).status_code == 503
    assert secret_in(await show(linked, path))


async def test_where_another_sink_is_set_the_page_has_no_passwords(site: Site) -> None:
    assert (await show(site, "/approvals/revealed/K7Q2")).status_code == 404


async def test_what_is_held_does_not_tell_itself(linked: Site) -> None:
    reply, path = await revealed(linked)
    sink = linked.app.conduct.rooms.sink
    assert isinstance(sink, LinkSink)
    principal = (await linked.record(reply.data["approval"])).principal
    told = repr(sink.waits(reply.data["approval"], principal)) + repr(vars(sink))
    assert secret_in(await show(linked, path)) not in told
