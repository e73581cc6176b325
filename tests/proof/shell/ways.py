"""What an agent with a shell can try: commands in pipes and pseudo-terminals, plain HTTP, files, the key itself.

Every way is made with what any program of that user has. `falls`: where it must be expected to come through; everywhere
else the guard has to hold.
"""

import hashlib
import json
import re
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import httpx2
from anyio.to_thread import run_sync
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from tests.guard.bench import DELETE, MODERN, STOP, Call
from tests.page.site import UNVERIFIED, hidden
from tests.surface.talk import Answering, Person, agrees

from paperspace_mcp.app import os_user
from paperspace_mcp.rules.policy import Mode

NO_SECRET, SECRET, APART = POSTURES = (
    "same OS user, no secret",
    "same OS user, a secret",
    "another OS user: HTTP, tokens, a secret",
)
"""What the operator has set up against an agent that has a shell."""
OWN = "a secret of the agent's own"
GUESSES = ("demo-key", "", "password", "stop")
Run = Callable[..., str]
""" A command of ours; the lines that are typed into it as `typed`. What it showed."""


@dataclass(frozen=True, slots=True)
class Shell:
    """What lies before the agent: a question that waits under a code, and where everything is.

    home: where the operator's files are (`policy.toml`, `key`). run, sit: a command of ours in a pipe, in a
    pseudo-terminal; each gives what it showed. page: the address of the HTTP server, bearer: the agent's own token.
    """

    code: str
    call: Call
    home: Path
    state: Path
    url: str
    run: Run
    sit: Run
    page: str = ""
    bearer: str = ""
    guesses: int = 1


Act = Callable[[Shell], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Way:
    """name: as the page says it. act: gives what was shown, for whoever looks why it did not work.

    over_http: the way is a connection, and does not care whose process it comes from. mode: the operator's, for it.
    """

    name: str
    act: Act
    call: Call = DELETE
    falls: frozenset[str] = frozenset()
    over_http: bool = False
    mode: Mode = Mode.ASK


# -- commands ---------------------------------------------------------------------------------------------------------


async def approve_in_a_pipe(shell: Shell) -> str:
    """The text of the question, and guesses at the secret."""
    shown = ""
    for number in range(shell.guesses):
        guess = GUESSES[number] if number < len(GUESSES) else f"guess {number}"
        shown += await _run(shell, "approve", shell.code, typed=(shell.call.typed, guess))
    return shown


async def approve_in_a_terminal(shell: Shell) -> str:
    return await run_sync(partial(shell.sit, "approve", shell.code, typed=(shell.call.typed, GUESSES[0])))


async def set_a_secret(shell: Shell) -> str:
    """`--init` asks for the present secret where there is one: the first line is a guess then."""
    shown = await _run(shell, "approve", "--init", typed=(OWN, OWN, OWN))
    return shown + await _run(shell, "approve", shell.code, typed=(shell.call.typed, OWN))


async def run_in_a_terminal(shell: Shell) -> str:
    """`run` asks whoever sits at the terminal, and the agent does."""
    return await run_sync(partial(shell.sit, *_running(shell), typed=(shell.call.typed,)))


def _running(shell: Shell) -> tuple[str, ...]:
    return "run", shell.call.tool, "--arg", f"machine={shell.call.arguments['machine']}", "--api-url", shell.url


async def _run(shell: Shell, *words: str, typed: Sequence[str] = ()) -> str:
    return await run_sync(partial(shell.run, *words, typed=typed))


# -- files ------------------------------------------------------------------------------------------------------------


def _allowing(verb: str) -> Act:
    async def edit(shell: Shell) -> str:
        """A standing approval written into the policy file; then a process that reads it."""
        path, lasting = shell.home / "policy.toml", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        entry = f'[[allow]]\nverbs = ["{verb}"]\nnames = ["*"]\nuses = 9\nuntil = {lasting}\n'
        path.write_text(f'mode = "ask"\nprotect = []\n{entry}', encoding="utf-8")
        return await _run(shell, *_running(shell))

    return edit


async def mark_as_approved(shell: Shell) -> str:
    """The record in the store says that a person approved it."""
    with sqlite3.connect(shell.state / "approvals.sqlite3", timeout=5.0) as db:
        changed = db.execute("UPDATE records SET status = 'approved' WHERE code = ?", (shell.code,))
    return f"{changed.rowcount} changed"


async def replace_the_secret(shell: Shell) -> str:
    """The file of the secrets' hashes is the agent's own by now."""
    salt = b"sixteen bytes. ."
    kept = hashlib.scrypt(OWN.encode(), salt=salt, n=2**14, r=8, p=1).hex()
    mine = {os_user(): {"salt": salt.hex(), "hash": kept}}
    (shell.state / "approvers.json").write_text(json.dumps({"users": mine, "wrong": {}}))
    return await _run(shell, "approve", shell.code, typed=(shell.call.typed, OWN))


async def call_the_provider(shell: Shell) -> str:
    """The key is read where the server reads it, and nobody of ours is asked."""
    key = (shell.home / "key").read_text().strip()
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}, verify=UNVERIFIED) as http:
        answer = await http.delete(f"{shell.url}/machines/ps8jo1fga")
    return str(answer.status_code)


# -- connections ------------------------------------------------------------------------------------------------------


async def post_to_the_page(shell: Shell) -> str:
    """Forms as `curl` sends them: without a login, with guesses, with the token that its client has."""
    shown = ""
    async with httpx.AsyncClient(base_url=shell.page, headers={"Origin": shell.page}, verify=UNVERIFIED) as http:
        decision = {"decision": "approve", "typed": shell.call.typed, "secret": OWN, "token": ""}
        shown += (await http.post(f"/approvals/{shell.code}", data=decision)).text
        for guess in (*GUESSES, shell.bearer, OWN):
            answer = await http.post("/approvals/login", data={"user": "anna", "secret": guess, "code": shell.code})
            form = hidden((await http.get(f"/approvals/{shell.code}")).text)
            await http.post(f"/approvals/{shell.code}", data={**decision, "secret": guess, **form})
            shown += str(answer.status_code)
    return re.sub(r"<[^>]*>", " ", shown)


@asynccontextmanager
async def connected(page: str, bearer: str, answering: Answering | None = None) -> AsyncIterator[Client]:
    """A client with a token. Without `answering` it cannot be asked."""
    headers = {"Authorization": f"Bearer {bearer}"}
    person: Any = Person(answering) if answering else None
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60.0, verify=UNVERIFIED) as http,
        Client(
            streamable_http_client(f"{page}/mcp", http_client=http),
            mode=MODERN,
            elicitation_callback=person,
            cache=None,
        ) as client,
    ):
        yield client


async def answer_itself(shell: Shell) -> str:
    """The client is the agent's: where it is asked, it types what the question wants."""
    async with connected(shell.page, shell.bearer, agrees) as client:
        answer = await client.call_tool(shell.call.tool, dict(shell.call.arguments))
    return str(answer.structured_content)


_EVERYWHERE, _SAME_USER, _UNSET = frozenset(POSTURES), frozenset((NO_SECRET, SECRET)), frozenset((NO_SECRET,))
WAYS: tuple[Way, ...] = (
    Way("`approve` in a pipe: a stop", approve_in_a_pipe, STOP, _UNSET),
    Way("`approve` in a pipe: a delete", approve_in_a_pipe),
    Way("`approve` in a pseudo-terminal: a stop", approve_in_a_terminal, STOP, _UNSET),
    Way("`approve --init` with a secret of its own, then `approve`: a delete", set_a_secret, falls=_UNSET),
    Way("the page by plain HTTP: a delete", post_to_the_page, over_http=True),
    Way(
        "it is the client, and types what is asked: a delete",
        answer_itself,
        falls=_EVERYWHERE,
        over_http=True,
    ),
    Way('the same under `mode = "inbox"`: a delete', answer_itself, over_http=True, mode=Mode.INBOX),
    Way("`run` in a pseudo-terminal, typing what is asked: a delete", run_in_a_terminal, falls=_SAME_USER),
    Way("the policy file: a stop allowed in advance", _allowing("stop"), STOP, _SAME_USER),
    Way("the policy file: a delete allowed in advance", _allowing("delete")),
    Way("the state directory: the question marked as approved: a delete", mark_as_approved, falls=_SAME_USER),
    Way("the state directory: a secret of its own written there: a delete", replace_the_secret, falls=_SAME_USER),
    Way("the key read, the API called: a delete", call_the_provider, falls=_SAME_USER),
)
