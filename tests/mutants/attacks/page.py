"""Attacks on whoever decides on the page or through the webhook, and on passwords that wait there."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable

import httpx
from pydantic import SecretStr
from tests.mutants.ring import GUESS, Attack, Ring
from tests.page.site import Browser, Site, hidden, secret_of
from tests.page.test_revealing import revealed, secret_in
from tests.page.test_webhook import SECRET as SHARED
from tests.page.test_webhook import said, send

from paperspace_mcp.page.routes import COOKIE
from paperspace_mcp.wire.approvers import LOGIN_TRIES, PEER_TRIES, USER_TRIES, Approvers
from paperspace_mcp.wire.sinks import LinkSink

OnPage = Callable[[Site, str], Awaitable[object]]


def on_page(decide: OnPage) -> Attack:
    """A delete of anna's waits; somebody does something on the page; anna's assistant repeats the call."""

    async def attack(ring: Ring) -> int:
        async with ring.site() as site:
            await decide(site, await site.ask("anna"))
            await site.call("anna", "delete_machine", machine="dev-ben")
            return len(site.sent)

    return attack


async def of_another(site: Site, code: str) -> None:
    """Ben, with his own secret and his own session's form."""
    mine = await site.ask("ben", "stop_machine", machine="dev-anna")
    async with site.browser("ben") as browser:
        await browser.decide(code, "approve", "dev-ben", secret_of("ben"), await browser.form(mine))


async def without_a_token(site: Site, code: str) -> None:
    """A form that a stranger's page made."""
    async with site.browser("anna") as browser:
        await browser.decide(code, "approve", "dev-ben", secret_of("anna"), {})


async def from_elsewhere(site: Site, code: str) -> None:
    """From another page of this machine, which has its name."""
    async with site.browser("anna") as browser:
        form = await browser.form(code)
        browser.http.headers["Origin"] = "http://127.0.0.1:1"
        await browser.decide(code, "approve", "dev-ben", secret_of("anna"), form)


async def after_its_end(site: Site, code: str) -> None:
    async with site.browser("anna") as browser:
        form = await browser.form(code)
        site.clock.added += 700.0
        await browser.decide(code, "approve", "dev-ben", secret_of("anna"), form)


async def after_logging_out(site: Site, code: str) -> None:
    """Somebody kept the cookie and the form."""
    async with site.browser("anna") as browser:
        form, cookie = await browser.form(code), browser.http.cookies[COOKIE]
        await browser.http.post("/approvals/logout", data=form)
        await with_cookie(site, cookie, code, form)


async def with_cookie(site: Site, cookie: str, code: str, form: dict[str, str]) -> None:
    async with site.browser() as browser:
        browser.http.headers["Cookie"] = f"{COOKIE}={cookie}"
        await browser.decide(code, "approve", "dev-ben", secret_of("anna"), form)


async def without_her_token(site: Site, code: str) -> None:
    """Anna was taken out of the file of tokens while she was logged in; she is back before the call is repeated."""
    kept = site.tokens_file.read_text()
    async with site.browser("anna") as browser:
        form = await browser.form(code)
        site.tokens_file.write_text("\n".join(line for line in kept.splitlines() if not line.startswith("anna")))
        await browser.decide(code, "approve", "dev-ben", secret_of("anna"), form)
    site.tokens_file.write_text(kept)


async def listed_without_a_token(ring: Ring) -> int:
    """A list's form that a stranger's page made."""
    async with ring.site() as site:
        codes = [await site.ask("anna", "stop_machine", machine=one) for one in ("dev-anna", "dev-carlos")]
        async with site.browser("anna") as browser:
            fields = {"codes": ",".join(codes), "decision": "approve", "typed": "stop 2", "secret": secret_of("anna")}
            await browser.http.post("/approvals/list", data=fields)
        for machine in ("dev-anna", "dev-carlos"):
            await site.call("anna", "stop_machine", machine=machine)
        return len(site.sent)


Showing = Callable[[Site, str], Awaitable[httpx.Response | None]]


def shown(show: Showing) -> Attack:
    """A password waits for anna; whether somebody else sees it."""

    async def attack(ring: Ring) -> int:
        async with ring.site(password_sink="link") as site:
            sink = site.app.conduct.rooms.sink
            assert isinstance(sink, LinkSink)
            sink.address, sink.now = site.url, site.clock
            _, path = await revealed(site)
            answer = await show(site, path)
            return int(answer is not None and bool(secret_in(answer)))

    return attack


async def _press(browser: Browser, path: str) -> httpx.Response:
    page = await browser.get(path)
    return await browser.http.post(path, data=hidden(page.text))


async def to_ben(site: Site, path: str) -> httpx.Response:
    async with site.browser("ben") as browser:
        mine = await site.ask("ben", "stop_machine", machine="dev-anna")
        return await browser.http.post(path, data=await browser.form(mine))


async def without_a_form(site: Site, path: str) -> httpx.Response:
    async with site.browser("anna") as browser:
        return await browser.http.post(path, data={"token": ""})


async def with_a_forged_session(site: Site, path: str) -> httpx.Response:
    """Ben's own session, in which he wrote anna's name. Its form he knows."""
    mine = await site.ask("ben", "stop_machine", machine="dev-anna")
    async with site.browser("ben") as browser:
        form, (told, _, signature) = await browser.form(mine), browser.http.cookies[COOKIE].strip('"').partition(".")
    _, until, number = json.loads(urlsafe_b64decode(told))
    forged = urlsafe_b64encode(json.dumps(["anna", until, number]).encode()).decode()
    async with site.browser() as browser:
        browser.http.headers["Cookie"] = f"{COOKIE}={forged}.{signature}"
        return await browser.http.post(path, data=form)


async def with_a_guess(site: Site, path: str) -> httpx.Response | None:
    async with site.browser() as browser:
        answer = await browser.log_in("anna", GUESS)
        return await _press(browser, path) if answer.status_code == 303 else None


def after_guesses(guess: Callable[[Site], Awaitable[object]]) -> Attack:
    """The right secret, after as many guesses as there are tries."""

    async def show(site: Site, path: str) -> httpx.Response | None:
        await guess(site)
        async with site.browser() as browser:
            answer = await browser.log_in("anna", secret_of("anna"))
            return await _press(browser, path) if answer.status_code == 303 else None

    return shown(show)


async def of_this_user(site: Site) -> None:
    async with site.browser() as browser:
        for _ in range(LOGIN_TRIES):
            await browser.log_in("anna", GUESS)


async def of_every_name(site: Site) -> None:
    async with site.browser() as browser:
        for number in range(PEER_TRIES):
            await browser.log_in(f"user-{number}", GUESS)


async def from_everywhere(site: Site) -> None:
    kept = Approvers(site.app.settings.state_dir)
    for number in range(USER_TRIES):
        kept.check("anna", GUESS, peer=f"10.0.0.{number}")


PAGE: dict[str, Attack] = {
    "a user sees their own questions": on_page(of_another),
    "a form knows its session": on_page(without_a_token),
    "a list's form knows its session": listed_without_a_token,
    "a password's form knows its session": shown(without_a_form),
    "a form comes from the page itself": on_page(from_elsewhere),
    "a session was signed here": shown(with_a_forged_session),
    "a session has an end": on_page(after_its_end),
    "who logged out is out": on_page(after_logging_out),
    "who has no token any more is out": on_page(without_her_token),
    "a login takes a token and the secret": shown(with_a_guess),
    "guesses at a login are counted": after_guesses(of_this_user),
    "guesses over all names are counted": after_guesses(of_every_name),
    "guesses from everywhere are counted": after_guesses(from_everywhere),
    "a password is shown to whoever asked for it": shown(to_ben),
}


# -- the webhook ------------------------------------------------------------------------------------------------------


def hooked(decide: OnPage) -> Attack:
    async def attack(ring: Ring) -> int:
        async with ring.site(webhook_secret=SecretStr(SHARED)) as site:
            await decide(site, await site.ask("anna"))
            await site.call("anna", "delete_machine", machine="dev-ben")
            return len(site.sent)

    return attack


async def unsigned(site: Site, code: str) -> None:
    await send(site, said(code), secret="another secret that two sides hold")


async def stale(site: Site, code: str) -> None:
    await send(site, said(code), at=site.clock() - 400.0)


async def replayed(site: Site, code: str) -> None:
    """The same nonce, and by now another text."""
    await send(site, said(code, typed="wrong"))
    await send(site, said(code))


ATTACKS: dict[str, Attack] = {
    **PAGE,
    "a webhook's decision is signed": hooked(unsigned),
    "a webhook's decision is fresh": hooked(stale),
    "a webhook's decision counts once": hooked(replayed),
}
