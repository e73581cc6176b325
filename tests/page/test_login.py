"""Logging in, what the cookie is worth, and what every answer tells the browser."""

from base64 import urlsafe_b64encode
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from tests.page.site import Site, hidden, secret_of, standing, title_of

from paperspace_mcp.page.forms import peer_of
from paperspace_mcp.page.sessions import SESSION_S, Sessions
from paperspace_mcp.rules.guard.records import Status

pytestmark = pytest.mark.anyio
COOKIE = "paperspace_mcp_approvals"


async def test_the_cookie_is_short_lived_and_for_this_page_only(site: Site) -> None:
    async with site.browser() as browser:
        said = (await browser.log_in("anna", secret_of("anna"))).headers["Set-Cookie"].lower()
        browser.http.headers["Origin"] = site.url.replace("http://", "https://")
        through_tls = (await browser.log_in("anna", secret_of("anna"))).headers["Set-Cookie"].lower()
    for word in ("httponly", "samesite=strict", "path=/approvals", "max-age=600"):
        assert word in said
    assert "secure" not in said
    assert "secure" in through_tls


@pytest.mark.parametrize(
    ("user", "secret"),
    [
        ("anna", "wrong"),
        ("anna", ""),
        ("anna", "ben's own secret"),
        ("carol", "anna's own secret"),
        ("", "anna's own secret"),
        ("ANNA", "anna's own secret"),
        ("anna\n", "wrong"),
    ],
)
async def test_nobody_else_logs_in(site: Site, user: str, secret: str) -> None:
    async with site.browser() as browser:
        answer = await browser.log_in(user, secret)
        assert (answer.status_code, title_of(answer)) == (401, "Not logged in")
        assert "Set-Cookie" not in answer.headers
        assert (await browser.get("/approvals")).status_code == 401


async def test_a_user_without_a_secret_cannot_log_in_nor_stay(site: Site) -> None:
    code = await site.ask("anna")
    async with site.browser("anna") as browser:
        form = await browser.form(code)
        (site.app.settings.state_dir / "approvers.json").unlink()
        late = await browser.decide(code, "approve", "dev-ben", "", form)
        assert late.status_code == 401
        assert (await browser.log_in("anna", "")).status_code == 401
    assert (await site.record(code)).status is Status.OPEN


async def test_secrets_that_cannot_be_read_decide_nothing(site: Site) -> None:
    code = await site.ask("anna")
    async with site.browser("anna") as browser:
        form = await browser.form(code)
        (site.app.settings.state_dir / "approvers.json").write_text("{broken")
        assert (await browser.decide(code, "approve", "dev-ben", secret_of("anna"), form)).status_code == 401
        assert (await browser.log_in("anna", secret_of("anna"))).status_code == 503
    assert (await site.record(code)).status is Status.OPEN


async def test_a_login_ends_after_ten_minutes(site: Site) -> None:
    code = await site.ask("anna")
    async with site.browser("anna") as browser:
        form = await browser.form(code)
        site.clock.added += SESSION_S + 1
        seen = await browser.get(f"/approvals/{code}")
        late = await browser.decide(code, "approve", "dev-ben", secret_of("anna"), form)
    assert (seen.status_code, title_of(seen)) == (401, "Log in to decide")
    assert (late.status_code, title_of(late)) == (401, "Your login has ended")
    assert (await site.record(code)).status is Status.OPEN


async def test_logging_out_takes_the_cookie_away(site: Site) -> None:
    async with site.browser("anna") as browser:
        page = (await browser.get("/approvals")).text
        token = page.partition('name="token" value="')[2].partition('"')[0]
        assert (await browser.http.post("/approvals/logout", data={"token": "0"})).status_code == 403
        assert (await browser.http.post("/approvals/logout", data={"token": token})).status_code == 303
        assert (await browser.get("/approvals")).status_code == 401


async def test_logging_out_ends_the_session_for_whoever_kept_its_cookie(site: Site) -> None:
    code = await site.ask("anna")
    async with site.browser("anna") as browser, site.browser("anna") as other:
        kept, form = browser.http.cookies[COOKIE], await browser.form(code)
        assert (await browser.http.post("/approvals/logout", data={"token": form["token"]})).status_code == 303
        browser.http.cookies.set(COOKIE, kept, path="/approvals")
        assert (await browser.get("/approvals")).status_code == 401
        late = await browser.decide(code, "approve", "dev-ben", secret_of("anna"), form)
        assert (late.status_code, title_of(late)) == (401, "Your login has ended")
        assert (await other.get("/approvals")).status_code == 200, "another login of the same user goes on"
    assert (await site.record(code)).status is Status.OPEN


async def test_an_ended_session_stays_ended_in_another_process(site: Site, tmp_path: Path) -> None:
    async with site.browser("anna") as browser:
        kept = browser.http.cookies[COOKIE]
        token = hidden((await browser.get("/approvals")).text)["token"]
        await browser.http.post("/approvals/logout", data={"token": token})
    async with standing(tmp_path, site.sim) as again, again.browser() as browser:
        browser.http.cookies.set(COOKIE, kept, path="/approvals")
        assert (await browser.get("/approvals")).status_code == 401


async def test_where_it_is_not_known_who_logged_out_nobody_is_in(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async with site.browser("anna") as browser:
        monkeypatch.setattr(site.app.store, "flag", _unusable)
        answer = await browser.get("/approvals")
    assert (answer.status_code, title_of(answer)) == (503, "Not possible now")


def _unusable(*_given: object) -> bool:
    raise OSError("no space")


FORGED = [
    "",
    ".",
    "x",
    "x.y",
    urlsafe_b64encode(b'["anna", 9999999999, "x"]').decode() + "." + "0" * 64,
    urlsafe_b64encode(b'["anna", 9999999999, "x"]').decode(),
]


@pytest.mark.parametrize("cookie", FORGED)
async def test_a_cookie_that_nobody_signed_is_none(site: Site, cookie: str) -> None:
    async with site.browser() as browser:
        browser.http.cookies.set(COOKIE, cookie, path="/approvals")
        assert (await browser.get("/approvals")).status_code == 401


async def test_a_cookie_with_another_user_in_it_is_none(site: Site) -> None:
    async with site.browser("anna") as browser:
        signature = browser.http.cookies[COOKIE].rpartition(".")[2]
        said = urlsafe_b64encode(b'["ben", 9999999999, "x"]').decode()
        browser.http.cookies.clear()
        browser.http.cookies.set(COOKIE, f"{said}.{signature}", path="/approvals")
        assert (await browser.get("/approvals")).status_code == 401


async def test_a_form_token_is_no_cookie(site: Site) -> None:
    code = await site.ask("anna")
    async with site.browser("anna") as browser:
        token = (await browser.form(code))["token"]
        said = browser.http.cookies[COOKIE].partition(".")[0]
        browser.http.cookies.clear()
        browser.http.cookies.set(COOKIE, f"{said}.{token}", path="/approvals")
        assert (await browser.get("/approvals")).status_code == 401


async def test_guessing_at_the_door_is_stopped_and_locks_nobody_out_who_is_in(site: Site) -> None:
    code = await site.ask("anna")
    async with site.browser("anna") as inside, site.browser() as outside:
        statuses = [(await outside.log_in("anna", f"guess {n}")).status_code for n in range(8)]
        assert statuses == [401] * 3 + [429] * 5
        assert (await outside.log_in("anna", secret_of("anna"))).status_code == 429
        assert (await inside.approve("anna", code)).status_code == 200
        site.clock.added += 601
        assert (await outside.log_in("anna", secret_of("anna"))).status_code == 303


async def guessed(site: Site, user: str, times: int, *, at: str) -> list[int]:
    async with site.browser(at=at) as browser:
        return [(await browser.log_in(user, f"guess {number}")).status_code for number in range(times)]


async def welcome(site: Site, user: str, *, at: str) -> bool:
    async with site.browser(at=at) as browser:
        return (await browser.log_in(user, secret_of(user))).status_code == 303


async def test_whoever_guesses_locks_nobody_else_out(site: Site) -> None:
    assert await guessed(site, "anna", 8, at="127.0.0.2") == [401] * 3 + [429] * 5
    assert await welcome(site, "ben", at="127.0.0.2"), "another user at the same address"
    assert await welcome(site, "anna", at="127.0.0.3"), "the same user elsewhere"


async def test_guessing_over_many_names_is_stopped_at_its_address_only(site: Site) -> None:
    statuses = [status for number in range(25) for status in await guessed(site, f"user{number}", 1, at="127.0.0.2")]
    assert statuses == [401] * 20 + [429] * 5
    assert not await welcome(site, "anna", at="127.0.0.2")
    assert await welcome(site, "anna", at="127.0.0.3")


async def test_guessing_at_one_name_from_many_addresses_is_stopped(site: Site) -> None:
    for number in range(2, 12):
        assert await guessed(site, "anna", 3, at=f"127.0.0.{number}") == [401] * 3
    assert not await welcome(site, "anna", at="127.0.0.99")
    assert await welcome(site, "ben", at="127.0.0.99")
    site.clock.added += 601
    assert await welcome(site, "anna", at="127.0.0.99")


async def test_guesses_are_counted_by_all_processes_together(site: Site, tmp_path: Path) -> None:
    assert await guessed(site, "anna", 2, at="127.0.0.2") == [401] * 2
    async with standing(tmp_path, site.sim) as again:
        assert await guessed(again, "anna", 2, at="127.0.0.2") == [401, 429]
    assert await guessed(site, "anna", 1, at="127.0.0.2") == [429]


async def test_what_was_guessed_long_ago_is_kept_nowhere(site: Site) -> None:
    await guessed(site, "x" * 4000, 2, at="127.0.0.2")
    site.clock.added += 601
    await guessed(site, "anna", 1, at="127.0.0.3")
    kept = (site.app.settings.state_dir / "approvers.json").read_text()
    assert ("xxxx" in kept, "127.0.0.2" in kept, "127.0.0.3" in kept) == (False, False, True)


@pytest.mark.parametrize(
    ("host", "peer"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:aaaa:bbbb:cccc:dddd", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("testclient", "elsewhere"),
        ("", "elsewhere"),
    ],
)
def test_an_address_is_what_one_guesser_can_have(host: str, peer: str) -> None:
    """Whoever has one address of the newer kind has a whole network of them."""
    assert peer_of(host) == peer


async def test_guessing_inside_is_stopped(site: Site) -> None:
    code = await site.ask("anna")
    async with site.browser("anna") as browser:
        form = await browser.form(code)
        answers = [await browser.decide(code, "approve", "dev-ben", f"guess {n}", form) for n in range(6)]
        assert [one.status_code for one in answers] == [403] * 5 + [429]
        late = await browser.decide(code, "approve", "dev-ben", secret_of("anna"), form)
    assert (late.status_code, title_of(late)) == (429, "Too many tries")
    assert (await site.record(code)).status is Status.OPEN


async def _every_answer(site: Site) -> list[httpx.Response]:
    code = await site.ask("anna")
    async with site.browser() as browser:
        found = [await browser.get(path) for path in ("/approvals", "/approvals/login", "/approvals/style.css")]
        found.append(await browser.log_in("anna", "wrong"))
        found.append(await browser.log_in("anna", secret_of("anna")))
        found += [await browser.get(path) for path in ("/approvals", f"/approvals/{code}", "/approvals/ZZZZ")]
        found.append(await browser.approve("anna", code, "wrong"))
        found.append(await browser.approve("anna", code))
        found.append(await browser.get(f"/approvals/{code}"))
        found.append(await browser.http.get("/approvals", headers={"Host": "evil.example"}))
    return found


async def test_every_answer_says_what_a_browser_must_not_do(site: Site) -> None:
    answers = await _every_answer(site)
    assert [one.status_code for one in answers] == [401, 200, 200, 401, 303, 200, 200, 404, 422, 200, 409, 421]
    for one in answers:
        policy = dict(part.strip().split(" ", 1) for part in one.headers["Content-Security-Policy"].split(";"))
        assert policy == {
            "default-src": "'none'",
            "style-src": "'self'",
            "form-action": "'self'",
            "base-uri": "'none'",
            "frame-ancestors": "'none'",
        }
        assert one.headers["X-Frame-Options"] == "DENY"
        assert one.headers["Cache-Control"] == "no-store"
        assert one.headers["Referrer-Policy"] == "same-origin"
        assert one.headers["X-Content-Type-Options"] == "nosniff"
        assert "<script" not in one.text
        assert " style=" not in one.text


async def test_another_name_for_the_server_is_refused(site: Site) -> None:
    async with site.browser("anna") as browser:
        for method, path in (("GET", "/approvals"), ("POST", "/approvals/login"), ("POST", "/approvals/webhook")):
            answer = await browser.http.request(method, path, headers={"Host": "evil.example"})
            assert answer.status_code in {404, 405, 421}
            assert "anna" not in answer.text


def test_a_signature_of_a_form_is_no_signature_of_a_cookie() -> None:
    sessions = Sessions(b"k" * 32)
    session, cookie = sessions.open("anna", 0.0)
    said, _, signature = cookie.partition(".")
    assert sessions.form_token(replace(session, id=said)) != signature
