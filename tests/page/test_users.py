"""Who is who: bearer tokens, two users who cannot see or use each other's approvals, and nobody at all."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from tests.page.site import DELETE, DELETED, Site, secret_of, standing, title_of
from tests.surface.talk import ERAS, Era, agrees

from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.errors import OperatorError
from paperspace_mcp.rules.guard.records import Status
from paperspace_mcp.rules.policy import NEEDS_IDENTITY
from paperspace_mcp.simulator import Simulator
from paperspace_mcp.tokens import Tokens, issue

pytestmark = pytest.mark.anyio

LIST = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
MCP = {"Accept": "application/json, text/event-stream"}


async def test_a_foreign_user_cannot_see_or_decide_a_question(site: Site) -> None:
    code = await site.ask("anna")
    async with site.browser("ben") as browser:
        assert title_of(await browser.get("/approvals")) == "Nothing waits for you"
        unknown = await browser.get("/approvals/ZZZZ")
        foreign = await browser.get(f"/approvals/{code}")
        assert foreign.status_code == unknown.status_code == 404
        assert foreign.text.replace(code, "ZZZZ") == unknown.text
        own = await site.ask("ben", "stop_machine", machine="dev-anna")
        form = await browser.form(own)
        for decision in ("approve", "deny"):
            answer = await browser.decide(code, decision, "dev-ben", secret_of("ben"), form)
            assert (answer.status_code, title_of(answer)) == (404, "No such question")
    assert (await site.record(code)).status is Status.OPEN


@pytest.mark.parametrize("era", ERAS)
async def test_a_foreign_user_cannot_use_an_approval(site: Site, era: Era) -> None:
    code = await site.ask("anna")
    async with site.browser("anna") as browser:
        await browser.approve("anna", code)
    theirs = await site.call("ben", "delete_machine", era, **DELETE)
    assert theirs.data["status"] == "approval_required"
    assert theirs.data["approval"] != code
    assert site.sent == []
    assert (await site.call("anna", "delete_machine", era, **DELETE)).data["status"] == "done"
    assert site.sent == DELETED


async def test_a_foreign_user_cannot_wait_for_a_code(site: Site) -> None:
    code = await site.ask("anna")
    mine = await site.call("anna", "wait_for_event", event_ids=[code], timeout_seconds=1)
    theirs = await site.call("ben", "wait_for_event", event_ids=[code], timeout_seconds=1)
    assert "person" in mine.everything
    assert "person has not decided" not in theirs.everything
    assert "dev-ben" not in theirs.everything


async def test_a_foreign_user_cannot_go_on_with_a_session(site: Site) -> None:
    async with httpx.AsyncClient(base_url=site.url, headers=MCP) as http:
        made = await http.post("/mcp", json=LIST, headers=_bearer(site.tokens["anna"]))
        session = {"Mcp-Session-Id": made.headers["Mcp-Session-Id"]}
        call = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
        theirs = await http.post("/mcp", json=call, headers={**_bearer(site.tokens["ben"]), **session})
        mine = await http.post("/mcp", json=call, headers={**_bearer(site.tokens["anna"]), **session})
    assert (theirs.status_code, mine.status_code) == (404, 200)


async def test_a_sealed_state_is_its_users(site: Site) -> None:
    async with site.assistant("anna", answering=agrees) as anna, site.assistant("ben", answering=agrees) as ben:
        asked = await anna.session.call_tool("delete_machine", DELETE, allow_input_required=True)
        key = next(iter(asked.input_requests))  # type: ignore[union-attr, arg-type]
        answers: Any = {key: {"action": "accept", "content": {"typed": "dev-ben"}}}
        sealed: Any = {"input_responses": answers, "request_state": asked.request_state, "allow_input_required": True}  # type: ignore[union-attr]
        with pytest.raises(MCPError, match="requestState"):
            await ben.session.call_tool("delete_machine", DELETE, **sealed)
        assert site.sent == []
        await anna.session.call_tool("delete_machine", DELETE, **sealed)
    assert site.sent == DELETED


async def test_a_principal_is_told_from_an_os_user_of_the_same_name(site: Site) -> None:
    record = await site.record(await site.ask("anna"))
    assert record.principal == f"user:anna:{record.account}"


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


STRANGERS: list[tuple[str, Callable[[str], dict[str, str]]]] = [
    ("nothing", lambda _token: {}),
    ("no token", lambda _token: {"Authorization": "Bearer"}),
    ("another token", lambda _token: _bearer("x" * 43)),
    ("a part of a token", lambda token: _bearer(token[:-1])),
    ("its hash", lambda token: _bearer(sha256(token.encode()).hexdigest())),
    ("another scheme", lambda token: {"Authorization": f"Basic {token}"}),
    ("the wrong header", lambda token: {"X-Authorization": f"Bearer {token}"}),
]


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("headers", [one[1] for one in STRANGERS], ids=[one[0] for one in STRANGERS])
async def test_no_request_is_served_without_a_token(
    site: Site, method: str, headers: Callable[[str], dict[str, str]]
) -> None:
    async with httpx.AsyncClient(base_url=site.url, headers={**MCP, **headers(site.tokens["anna"])}) as http:
        answer = await http.request(method, "/mcp", json=LIST)
        health = await http.get("/healthz")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert health.status_code == 200


async def test_a_removed_line_ends_access_at_once(site: Site) -> None:
    code = await site.ask("anna")
    async with site.browser("anna") as browser, httpx.AsyncClient(base_url=site.url, headers=MCP) as http:
        form = await browser.form(code)
        lines = site.tokens_file.read_text().splitlines(keepends=True)
        site.tokens_file.write_text("".join(line for line in lines if not line.startswith("anna ")))
        assert (await http.post("/mcp", json=LIST, headers=_bearer(site.tokens["anna"]))).status_code == 401
        assert (await http.post("/mcp", json=LIST, headers=_bearer(site.tokens["ben"]))).status_code == 200
        late = await browser.decide(code, "approve", "dev-ben", secret_of("anna"), form)
        assert (late.status_code, title_of(late)) == (401, "Your login has ended")
        assert (await browser.log_in("anna", secret_of("anna"))).status_code == 401
    assert (await site.record(code)).status is Status.OPEN


@pytest.mark.parametrize("content", [None, "anna not-a-hash\n", b"\xff\xfe"])
async def test_a_file_that_breaks_lets_nobody_in(site: Site, content: str | bytes | None) -> None:
    async with httpx.AsyncClient(base_url=site.url, headers=MCP) as http:
        assert (await http.post("/mcp", json=LIST, headers=_bearer(site.tokens["anna"]))).status_code == 200
        if content is None:
            site.tokens_file.unlink()
        else:
            site.tokens_file.write_bytes(content.encode() if isinstance(content, str) else content)
        for user in site.tokens:
            assert (await http.post("/mcp", json=LIST, headers=_bearer(site.tokens[user]))).status_code == 401


@pytest.mark.parametrize("content", [None, "", "# nobody\n", "anna\n", "anna 12ab\n", "a b " + "0" * 64, b"\xff"])
async def test_a_file_that_names_nobody_is_refused_at_the_start(tmp_path: Path, content: str | bytes | None) -> None:
    path = tmp_path / "tokens.txt"
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(OperatorError):
        Tokens(path).check()


def test_a_token_is_appended_as_a_hash_that_its_owner_alone_reads(tmp_path: Path) -> None:
    path = tmp_path / "tokens.txt"
    path.write_text("# who may call")
    first, second = issue(path, "anna"), issue(path, "anna")
    tokens = Tokens(path)
    assert [tokens.name_of(one) for one in (first, second, "", "anna")] == ["anna", "anna", "", ""]
    assert first not in path.read_text()
    assert path.read_text().startswith("# who may call\nanna ")
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ValueError, match="letters"):
        issue(path, "anna\nben")


@pytest.fixture
def unidentified() -> dict[str, Any]:
    return {"tokens": None}


async def test_without_tokens_there_is_no_page(tmp_path: Path, sim: Simulator, unidentified: dict[str, Any]) -> None:
    async with standing(tmp_path, sim, **unidentified) as site, site.browser() as browser:
        for path in ("/approvals", "/approvals/login", "/approvals/K7Q2", "/approvals/webhook"):
            assert (await browser.get(path)).status_code == 404
            assert (await browser.http.post(path, data={"user": "anna"})).status_code == 404


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("can_ask", [True, False])
async def test_without_tokens_nothing_is_granted_or_revealed(
    tmp_path: Path, sim: Simulator, unidentified: dict[str, Any], era: Era, *, can_ask: bool
) -> None:
    new = {"name": "fresh", "machine_type": "A4000", "template_id": "t0nspur5", "region": "ny2", "disk_size_gb": 50}
    calls: list[tuple[str, dict[str, Any]]] = [
        ("add_machine_accessor", {"machine": "dev-ben", "user": "anna@example.com"}),
        ("create_machine", {**new, "accessor_ids": ["ub3n7q2xd"]}),
        ("get_machine_desktop", {"machine": "dev-diya", "reveal_password": True}),
    ]
    options = {**unidentified, "password_sink": "file"}
    async with standing(tmp_path, sim, **options) as site:
        async with site.assistant("", era, agrees if can_ask else None) as client:
            codes = [await _code_of(client, tool, arguments) for tool, arguments in calls]
        assert codes == ["identity_needed"] * len(calls)
        assert site.sent == []
        assert (await site.call("", "delete_machine", era, **DELETE)).data["status"] == "approval_required"


async def _code_of(client: Client, tool: str, arguments: dict[str, Any]) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.structured_content is not None
    return str(result.structured_content.get("error", {}).get("code", result.structured_content))


def test_identity_is_needed_for_access_and_passwords() -> None:
    assert {Effect.GRANT, Effect.REVEAL} == NEEDS_IDENTITY


async def test_a_way_round_the_tokens_has_no_identity(site: Site) -> None:
    async with Client(site.app.server, cache=None) as client:
        for tool, arguments in (("list_machines", {}), ("delete_machine", DELETE)):
            assert await _code_of(client, tool, dict(arguments)) == "identity_needed"
