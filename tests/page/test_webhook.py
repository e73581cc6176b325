"""The signed webhook: what a chat bot is told, and which decisions of a chat bot count."""

import json
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from pydantic import SecretStr
from tests.page.site import DELETE, DELETED, UNVERIFIED, Site, standing

from paperspace_mcp.cli.serve import Hints, telling
from paperspace_mcp.contract.errors import OperatorError
from paperspace_mcp.rules.guard.records import Record, Status
from paperspace_mcp.settings import Settings, from_environment
from paperspace_mcp.simulator import Simulator
from paperspace_mcp.webhook import SIGNATURE, TIMESTAMP, Outgoing, signature

pytestmark = pytest.mark.anyio
SECRET = "a secret that two sides hold"


@pytest.fixture
async def hooked(tmp_path: Path, sim: Simulator) -> AsyncIterator[Site]:
    """A server that takes decisions from a chat bot."""
    async with standing(tmp_path, sim, webhook_secret=SecretStr(SECRET)) as site:
        yield site


def said(code: str, **other: str) -> dict[str, str]:
    decision = {"code": code, "decision": "approve", "typed": "dev-ben", "approver": "anna", "nonce": "nonce-0001"}
    return decision | other


async def send(
    site: Site, decision: Any, *, at: float | str | None = None, secret: str = SECRET, **headers: str
) -> httpx.Response:
    """A decision as a chat bot signs it."""
    body = decision if isinstance(decision, bytes) else json.dumps(decision).encode()
    stamp = at if isinstance(at, str) else str(int(site.clock() if at is None else at))
    signed = {
        "Content-Type": "application/json",
        TIMESTAMP: stamp,
        SIGNATURE: signature(SecretStr(secret), stamp, body),
    }
    async with httpx.AsyncClient(base_url=site.url, verify=UNVERIFIED) as http:
        return await http.post("/approvals/webhook", content=body, headers={**signed, **headers})


async def test_a_signed_decision_approves(hooked: Site) -> None:
    code = await hooked.ask()
    answer = await send(hooked, said(code))
    assert (answer.status_code, answer.json()) == (200, {"code": code, "status": "approved"})
    record = await hooked.record(code)
    assert (record.status, record.approver) == (Status.APPROVED, "anna (webhook)")
    assert (await hooked.call("anna", "delete_machine", **DELETE)).data["status"] == "done"
    assert hooked.sent == DELETED


async def test_a_signed_decision_denies(hooked: Site) -> None:
    code = await hooked.ask()
    answer = await send(hooked, said(code, decision="deny", typed=""))
    assert (answer.status_code, answer.json()) == (200, {"code": code, "status": "declined"})
    assert (await hooked.record(code)).status is Status.DECLINED


async def test_it_decides_where_no_approver_has_a_secret(hooked: Site) -> None:
    (hooked.app.settings.state_dir / "approvers.json").unlink()
    code = await hooked.ask()
    assert (await send(hooked, said(code))).status_code == 200
    assert (await hooked.record(code)).approver == "anna (webhook)"


async def test_a_nonce_counts_once(hooked: Site) -> None:
    code = await hooked.ask()
    assert (await send(hooked, said(code, typed="wrong"))).status_code == 422
    answer = await send(hooked, said(code))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "replayed")
    assert (await hooked.record(code)).status is Status.OPEN


async def test_ten_replays_at_once_are_one_decision(hooked: Site) -> None:
    code = await hooked.ask()
    answers: list[int] = []

    async def replay() -> None:
        answers.append((await send(hooked, said(code))).status_code)

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(replay)
    assert sorted(answers) == [200] + [409] * 9


async def test_a_nonce_is_remembered_by_the_next_process(tmp_path: Path, sim: Simulator) -> None:
    async with standing(tmp_path, sim, webhook_secret=SecretStr(SECRET)) as first:
        code = await first.ask()
        assert (await send(first, said(code, typed="wrong"))).status_code == 422
    async with standing(tmp_path, sim, webhook_secret=SecretStr(SECRET)) as second:
        assert (await send(second, said(code))).json()["error"]["code"] == "replayed"


@pytest.mark.parametrize(
    ("age", "status"), [(301, 401), (302, 401), (-302, 401), (86_400, 401), (298, 200), (-298, 200)]
)
async def test_only_a_fresh_decision_counts(hooked: Site, age: float, status: int) -> None:
    code = await hooked.ask()
    assert (await send(hooked, said(code), at=hooked.clock() - age)).status_code == status
    assert ((await hooked.record(code)).status is Status.OPEN) == (status != 200)


FORGERIES: dict[str, dict[str, Any]] = {
    "another secret": {"secret": "a secret that nobody holds"},
    "no secret": {"secret": ""},
    "no signature": {SIGNATURE: ""},
    "no scheme": {SIGNATURE: "0" * 64},
    "zeros": {SIGNATURE: "sha256=" + "0" * 64},
    "a later time under an older signature": {TIMESTAMP: "9999999999"},
    "no time": {"at": ""},
    "a time that is none": {"at": "now"},
    "a time in other digits": {"at": "1e9"},
    "a negative time": {"at": "-5"},
    "not a number": {"at": "nan"},
}


@pytest.mark.parametrize("change", FORGERIES.values(), ids=FORGERIES)
async def test_a_forged_decision_is_none(hooked: Site, change: dict[str, Any]) -> None:
    code = await hooked.ask()
    answer = await send(hooked, said(code), **change)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unsigned")
    assert (await hooked.record(code)).status is Status.OPEN
    assert (await send(hooked, said(code))).status_code == 200, "a forgery uses up no nonce"


async def test_a_body_that_was_changed_is_unsigned(hooked: Site) -> None:
    code = await hooked.ask()
    stamp = str(int(hooked.clock()))
    other = signature(SecretStr(SECRET), stamp, json.dumps(said(code, decision="deny")).encode())
    assert (await send(hooked, said(code), at=stamp, **{SIGNATURE: other})).status_code == 401


BODIES: dict[str, Callable[[str], Any]] = {
    "no json": lambda _code: b"approve",
    "a list": lambda code: [said(code)],
    "no nonce": lambda code: {name: value for name, value in said(code).items() if name != "nonce"},
    "a short nonce": lambda code: said(code, nonce="1"),
    "no approver": lambda code: said(code, approver=""),
    "an approver that looks like another channel": lambda code: said(code, approver="anna (page)"),
    "an approver on two lines": lambda code: said(code, approver="anna\nben"),
    "an approver with a line end": lambda code: said(code, approver="anna\n"),
    "another decision": lambda code: said(code, decision="approved"),
    "a boolean decision": lambda code: {**said(code), "decision": True},
    "one thing more": lambda code: said(code, confirm="yes"),
    "far too long": lambda code: said(code, typed="x" * 20_000),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_body_of_another_shape_decides_nothing(hooked: Site, body: Callable[[str], Any]) -> None:
    code = await hooked.ask()
    answer = await send(hooked, body(code))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_body")
    assert (await hooked.record(code)).status is Status.OPEN


async def test_each_way_a_decision_fails_has_its_answer(hooked: Site) -> None:
    code = await hooked.ask()
    nonces = (f"nonce-{n:04}" for n in range(100))

    async def told(**other: str) -> tuple[int, str]:
        answer = await send(hooked, said(**{"code": code, "nonce": next(nonces), **other}))
        return answer.status_code, answer.json().get("error", {}).get("code", "")

    assert await told(code="ZZZZ") == (404, "unknown_code")
    assert await told(typed="dev-bem") == (422, "mistyped_out_of_band")
    assert await told() == (200, "")
    assert await told() == (409, "already_decided")
    other = await hooked.ask("ben", "stop_machine", machine="dev-anna")
    hooked.clock.added += 901
    assert await told(code=other) == (410, "expired")


async def test_without_a_secret_nothing_listens(site: Site) -> None:
    code = await site.ask()
    assert (await send(site, said(code))).status_code in {403, 404, 405}
    assert (await send(site, said(code), secret="")).status_code in {403, 404, 405}
    assert (await site.record(code)).status is Status.OPEN


class Bot:
    """A chat bot's address on a real port. `got` is what it was sent."""

    def __init__(self, status: int = 200, **headers: str) -> None:
        self.status = status
        self.headers = headers
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.paths: list[str] = []
        self.arrived = threading.Semaphore(0)
        self.url = ""


@contextmanager
def listening_bot(bot: Bot) -> Iterator[Bot]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            bot.got.append((dict(self.headers.items()), body))
            bot.paths.append(self.path)
            self.send_response(bot.status)
            for name, value in bot.headers.items():
                self.send_header(name, value)
            self.end_headers()
            bot.arrived.release()

        def log_message(self, *_said: Any) -> None:
            """Nothing to standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    bot.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield bot
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def use(site: Site, url: str) -> None:
    """Tell questions as `serve` does."""
    settings = Settings(webhook_url=url, webhook_secret=SecretStr(SECRET), state_dir=site.app.settings.state_dir)
    object.__setattr__(site.app.conduct.rooms, "tell", telling(settings, Hints(settings)))


async def test_a_bot_is_told_of_a_question_and_can_check_who_says_so(site: Site) -> None:
    with listening_bot(Bot()) as bot:
        use(site, bot.url)
        code = await site.ask()
        assert await anyio.to_thread.run_sync(lambda: bot.arrived.acquire(timeout=5))
    record = await site.record(code)
    headers, body = bot.got[0]
    assert json.loads(body) == {
        "code": code,
        "tool": "delete_machine",
        "class": "destroy",
        "question": record.question,
        "principal": record.principal,
        "expires_at": record.expires_at,
    }
    assert headers[SIGNATURE] == signature(SecretStr(SECRET), headers[TIMESTAMP], body)
    assert abs(int(headers[TIMESTAMP]) - site.clock()) < 60
    assert SECRET not in str(headers)


@pytest.mark.parametrize(("status", "headers"), [(500, {}), (307, {"Location": "/elsewhere"}), (404, {})])
async def test_a_bot_that_fails_changes_nothing_for_the_call(
    site: Site, caplog: pytest.LogCaptureFixture, status: int, headers: dict[str, str]
) -> None:
    with listening_bot(Bot(status, **headers)) as bot:
        use(site, bot.url)
        for machine in ("dev-ben", "ps8jo1fga"):
            await site.ask(machine=machine)
            assert await anyio.to_thread.run_sync(lambda: bot.arrived.acquire(timeout=5)), (
                "the next is told all the same"
            )
    assert bot.paths == ["/", "/"], "no redirect is followed, nothing is sent twice"
    assert SECRET not in caplog.text


async def test_a_bot_that_is_away_is_logged(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    seen = threading.Event()

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "webhook was not reached" in record.getMessage():
                seen.set()

    handler = Handler()
    logging.getLogger("paperspace_mcp.webhook").addHandler(handler)
    use(site, "http://127.0.0.1:1/")
    await site.ask()
    assert await anyio.to_thread.run_sync(lambda: seen.wait(5))
    logging.getLogger("paperspace_mcp.webhook").removeHandler(handler)
    assert SECRET not in caplog.text


async def test_a_slow_bot_holds_no_call_up(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody takes the notices: whatever does not fit is dropped and logged, and `tell` returns."""
    outgoing = Outgoing("http://127.0.0.1:1/", SecretStr(SECRET))
    outgoing._started = True
    record: Record = await site.record(await site.ask())
    with anyio.fail_after(2):
        for _ in range(101):
            await outgoing.tell(record)
    assert "too slow" in caplog.text


@pytest.mark.parametrize(
    ("variables", "setting"),
    [
        ({"PAPERSPACE_MCP_WEBHOOK_URL": "https://bot.example/"}, "PAPERSPACE_MCP_WEBHOOK_URL"),
        ({"PAPERSPACE_MCP_WEBHOOK_URL": "ftp://x", "PAPERSPACE_MCP_WEBHOOK_SECRET_FILE": "long"}, "_URL"),
        ({"PAPERSPACE_MCP_WEBHOOK_SECRET_FILE": "missing"}, "PAPERSPACE_MCP_WEBHOOK_SECRET_FILE"),
        ({"PAPERSPACE_MCP_WEBHOOK_SECRET_FILE": "short"}, "PAPERSPACE_MCP_WEBHOOK_SECRET_FILE"),
    ],
)
def test_settings_that_cannot_work_are_refused(tmp_path: Path, variables: dict[str, str], setting: str) -> None:
    (tmp_path / "short").write_text("123")
    (tmp_path / "long").write_text(SECRET)
    file = variables.get("PAPERSPACE_MCP_WEBHOOK_SECRET_FILE")
    environ = {**variables, "HOME": str(tmp_path)}
    if file:
        environ["PAPERSPACE_MCP_WEBHOOK_SECRET_FILE"] = str(tmp_path / file)
    with pytest.raises(OperatorError) as refused:
        from_environment(environ)
    assert setting in refused.value.facts["setting"]


def test_the_secret_is_shown_nowhere(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET + "\n")
    settings = from_environment({"HOME": str(tmp_path), "PAPERSPACE_MCP_WEBHOOK_SECRET_FILE": str(tmp_path / "secret")})
    assert settings.webhook_secret == SecretStr(SECRET)
    assert SECRET not in repr(settings)
