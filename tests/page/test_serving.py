"""The commands as a person types them: make tokens and a secret, serve, call, approve in a browser."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from tests.forked import Background
from tests.page.site import DELETE, Browser, hidden, title_of
from tests.surface.talk import Person, Reply, types

from paperspace_mcp.cli import main
from paperspace_mcp.tokens import Tokens
from paperspace_mcp.wire.approvers import Approvers

pytestmark = pytest.mark.anyio
SECRET = "correct horse"


def make_token(path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["token", name, "--file", str(path)]) == 0
    return capsys.readouterr().out.strip()


def set_secret(state: Path, name: str, typed: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    return main(["token", name, "--secret", "--state-dir", str(state)])


@dataclass(frozen=True)
class Process:
    """A server that listens."""

    process: Background
    url: str


@contextmanager
def process(*arguments: str, **env: str) -> Iterator[Process]:
    """The server as a process of its own."""
    server = Background(["serve", "--demo", "--transport", "http", "--port", "0", *arguments], os.environ | env)
    try:
        line = next(line for line in server.stderr if "listening on " in line)
        yield Process(server, line.partition("listening on ")[2].strip().removesuffix("/mcp"))
    finally:
        server.end()


@contextmanager
def serving(*arguments: str) -> Iterator[str]:
    """Its address."""
    with process(*arguments) as server:
        yield server.url


async def call(
    url: str, token: str, tool: str = "delete_machine", arguments: dict[str, Any] = DELETE, *, typed: str = ""
) -> Reply:
    """A call; with a text, of a client whose person types it."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    person: Any = Person(types(typed)) if typed else None
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60.0) as http,
        Client(
            streamable_http_client(f"{url}/mcp", http_client=http), cache=None, elicitation_callback=person
        ) as client,
    ):
        return Reply(await client.call_tool(tool, arguments))


async def first_code(browser: Browser) -> str:
    """The code of the only question, as soon as there is one."""
    while "1 question waits" not in (listed := (await browser.get("/approvals")).text):
        await anyio.lowlevel.checkpoint()
    return listed.partition('class="card" href="/approvals/')[2][:4]


async def test_two_users_and_one_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, state = tmp_path / "tokens.txt", tmp_path / "state"
    tokens = {name: make_token(file, name, capsys) for name in ("anna", "ben")}
    for name in tokens:
        assert set_secret(state, name, f"{SECRET}\n{SECRET}\n", monkeypatch) == 0
    replies: list[Reply] = []
    with serving("--tokens", str(file), "--state-dir", str(state)) as url, anyio.fail_after(40):
        async with httpx.AsyncClient(base_url=url, headers={"Origin": url}) as http, anyio.create_task_group() as tasks:

            async def held() -> None:
                replies.append(await call(url, tokens["anna"]))

            tasks.start_soon(held)
            browser = Browser(http)
            assert (await browser.log_in("anna", SECRET)).status_code == 303
            code = await first_code(browser)
            await browser.log_in("ben", SECRET)
            assert (await browser.get(f"/approvals/{code}")).status_code == 404
            await browser.log_in("anna", SECRET)
            form = await browser.form(code)
            answer = await browser.decide(code, "approve", "dev-ben", SECRET, form)
            assert title_of(answer) == "Approved"
    assert replies[0].data["status"] == "done"


@pytest.mark.parametrize(("flags", "page"), [((), ""), (("--allowed-host", "mcp.example"), "https://mcp.example")])
async def test_the_hint_names_the_command_and_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], page: str
) -> None:
    token, state = make_token(tmp_path / "tokens.txt", "anna", capsys), tmp_path / "state"
    more = ("--tokens", str(tmp_path / "tokens.txt"), "--state-dir", str(state), *flags)
    with process(*more, PAPERSPACE_MCP_HOLD="0") as server:
        reply = await call(server.url, token)
        hint = await anyio.to_thread.run_sync(server.process.stderr.readline)
    code = reply.data["approval"]
    command, place = f"paperspace-mcp approve {code} --state-dir {state}", f"{page or server.url}/approvals/{code}"
    assert hint == f"paperspace-mcp: {code} waits for a person: {command}, or in a browser {place}\n"
    assert "approvals/" not in reply.everything, "no way to a yes for a model to go"


async def test_without_tokens_there_is_no_page_to_name(tmp_path: Path) -> None:
    with process("--state-dir", str(tmp_path), PAPERSPACE_MCP_HOLD="0") as server:
        reply = await call(server.url, "")
        hint = await anyio.to_thread.run_sync(server.process.stderr.readline)
    assert reply.data["approval"] in hint
    assert "browser" not in hint


async def test_a_password_by_a_link_through_the_real_server(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, state = tmp_path / "tokens.txt", tmp_path / "state"
    token = make_token(file, "anna", capsys)
    assert set_secret(state, "anna", f"{SECRET}\n{SECRET}\n", monkeypatch) == 0
    with serving("--tokens", str(file), "--state-dir", str(state), "--password-sink", "link") as url:
        wanted = {"machine": "dev-diya", "reveal_password": True}
        reply = await call(url, token, "get_machine_desktop", wanted, typed="dev-diya")
        link = reply.data["delivered"]["link"]
        assert link.startswith(f"{url}/approvals/revealed/")
        async with httpx.AsyncClient(base_url=url, headers={"Origin": url}) as http:
            browser = Browser(http)
            await browser.log_in("anna", SECRET)
            page = await browser.get(link)
            answer = await http.post(link, data=hidden(page.text))
    assert (answer.status_code, '<p class="secret">' in answer.text) == (200, True)


@pytest.mark.parametrize("flags", [("--transport", "http"), ("--transport", "stdio")], ids=" ".join)
def test_a_link_needs_users(flags: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--demo", "--port", "0", "--password-sink", "link", *flags]) == 2
    assert "--password-sink link (only with --tokens)" in capsys.readouterr().err


def test_a_secret_is_changed_by_whoever_knows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert set_secret(tmp_path, "anna", "correct horse\nanother horse\n", monkeypatch) == 1
    assert set_secret(tmp_path, "anna", "short\nshort\n", monkeypatch) == 1
    assert set_secret(tmp_path, "anna", f"{SECRET}\n{SECRET}\n", monkeypatch) == 0
    assert set_secret(tmp_path, "anna", "wrong\nanother one\nanother one\n", monkeypatch) == 1
    assert Approvers(tmp_path).check("anna", SECRET)
    assert set_secret(tmp_path, "anna", f"{SECRET}\nanother one\nanother one\n", monkeypatch) == 0
    assert Approvers(tmp_path).check("anna", "another one")


@pytest.mark.parametrize("name", ["", "a b", "anna#", "../anna", "anna\n", "x" * 65, "ä"])
def test_a_name_that_does_not_fit_a_line_gets_no_token(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["token", name, "--file", str(tmp_path / "tokens.txt")])
    assert capsys.readouterr().out == ""
    assert not (tmp_path / "tokens.txt").exists()


def test_a_token_is_printed_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    token = make_token(tmp_path / "tokens.txt", "anna", capsys)
    assert Tokens(tmp_path / "tokens.txt").name_of(token) == "anna"
    assert main(["token", "anna"]) == 2


@pytest.mark.parametrize("transport", ["stdio", "http"])
def test_tokens_that_cannot_be_used_are_no_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], transport: str
) -> None:
    missing = str(tmp_path / "none.txt")
    assert main(["serve", "--demo", "--transport", transport, "--port", "0", "--tokens", missing]) == 2
    assert "--tokens" in capsys.readouterr().err
