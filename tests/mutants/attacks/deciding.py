"""Attacks on whoever decides at the terminal, on tokens, and on the operator's commands."""

import io
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import Any

from mcp import Client
from tests.guard.bench import CREATE, DELETE, KEY, MODERN, START, Bench, Call, Person, types
from tests.mutants.attacks.judging import GRANT, REVEAL
from tests.mutants.ring import (
    GUESS,
    SECRET,
    Attack,
    Ring,
    again,
    approver,
    excess,
    freezing,
    tried,
    waiting,
)
from tests.surface.talk import types as typed_in

from paperspace_mcp import cli
from paperspace_mcp.app import os_user
from paperspace_mcp.approving import Approver
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.errors import Failure
from paperspace_mcp.rules.guard.records import Status
from paperspace_mcp.rules.policy import Strictness
from paperspace_mcp.settings import from_environment
from paperspace_mcp.wire.approvers import TRIES

Deciding = Callable[[Bench, Approver, str], Awaitable[object]]


# -- the terminal -----------------------------------------------------------------------------------------------------


def deciding(decide: Deciding, call: Call = CREATE, *, secret: str = "", **options: Any) -> Attack:
    """A call waits for a person, somebody decides, and the call is repeated."""

    async def attack(ring: Ring) -> int:
        bench = ring.bench(password_sink="file", **options)
        person = approver(bench, secret=secret)
        await tried(decide(bench, person, await waiting(bench, call)))
        await again(bench, call)
        return excess(bench)

    return attack


def approving(typed: str, secret: str = "") -> Deciding:
    return lambda _bench, person, code: person.approve(code, typed, secret)


async def in_the_client(ring: Ring) -> int:
    """What was asked in a client is approved at the terminal by whoever has a shell."""
    bench = ring.bench()
    asked = await bench.ask(CREATE)
    await tried(approver(bench).approve(asked.code, "create"))
    await bench.call(MODERN, Person(types("")), CREATE.tool, CREATE.arguments)
    return excess(bench)


async def denied_then_approved(bench: Bench, person: Approver, code: str) -> None:
    await person.deny(code)
    await person.approve(code, "create")
    del bench


async def approved_late(bench: Bench, person: Approver, code: str) -> None:
    bench.clock.at += 901.0
    await person.approve(code, "create")


async def guessed(_bench: Bench, person: Approver, code: str) -> None:
    """The right secret, after as many guesses as there are tries."""
    for _ in range(TRIES):
        await tried(person.approve(code, "create", GUESS))
    await person.approve(code, "create", SECRET)


def in_a_list(*calls: Call, typed: str, **options: Any) -> Attack:
    """Several questions, confirmed with one text."""

    async def attack(ring: Ring) -> int:
        bench = ring.bench(password_sink="file", **options)
        for machine in {str(call.arguments["machine"]) for call in calls if "machine" in call.arguments}:
            bench.sim.change(machine, templateId="tdsk2004", agentType="LinuxDesktop", password="canary")
        codes = [await waiting(bench, call) for call in calls]
        await tried(approver(bench, secret=SECRET).approve_list(codes, typed, SECRET))
        for call in calls:
            await again(bench, call)
        return excess(bench)

    return attack


def each_of(tool: str, *machines: str, **more: Any) -> tuple[Call, ...]:
    return tuple(Call(tool, {"machine": one, **more}, "", ()) for one in machines)


_CREATES = tuple(Call("create_machine", {**CREATE.arguments, "name": name}, "", ()) for name in ("one", "two"))
TERMINAL: dict[str, Attack] = {
    "only what waits out of band is decided there": in_the_client,
    "what is decided is not decided again": deciding(denied_then_approved),
    "decided in time": deciding(approved_late),
    "without a secret, the weak classes only": deciding(approving("dev-ben"), DELETE),
    "without a secret, no grant": deciding(approving(GRANT.typed), GRANT),
    "without a secret, no reveal": deciding(approving(REVEAL.typed), REVEAL),
    "without a secret, no destroy": deciding(approving("dev-ben"), DELETE),
    "where there is a secret, it is wanted": deciding(approving("create"), secret=SECRET),
    "the secret is the approver's": deciding(approving("create", GUESS), secret=SECRET),
    "the secret is compared": deciding(approving("create", GUESS), secret=SECRET),
    "guesses at a secret are counted": deciding(guessed, secret=SECRET),
    "what is typed out of band is compared": deciding(approving("yes", SECRET), secret=SECRET),
    "what is typed for a list is compared": in_a_list(*_CREATES, typed="yes"),
    "never in a list: grant": in_a_list(
        *each_of(GRANT.tool, "dev-ben", "dev-carlos", user="ud1yam5t2"), typed="grant 2"
    ),
    "never in a list: reveal": in_a_list(
        *each_of(REVEAL.tool, "dev-diya", "dev-anna", reveal_password=True), typed="reveal 2"
    ),
    "never in a list: what is protected": in_a_list(
        *each_of("stop_machine", "prod-api-1", "prod-api-2"), typed="stop 2"
    ),
    "never in a list: what asks for more than its verb": in_a_list(
        *each_of("stop_machine", "dev-anna", "dev-carlos"), typed="stop 2", classes={Effect.DISRUPT: Strictness.NAME}
    ),
    "never in a list: what destroys under another verb": in_a_list(
        *each_of("update_machine", "dev-ben", "staging-api", restore_point_enabled=True), typed="update 2"
    ),
}


# -- tokens, and the operator's commands -------------------------------------------------------------------------------


async def without_a_bearer(ring: Ring) -> int:
    """Where tokens are configured, a call comes in beside them."""
    bench = ring.bench(tokens=ring.folder / "tokens.txt")
    await bench.call(MODERN, Person(types("create")), CREATE.tool, CREATE.arguments)
    return excess(bench)


async def as_nobody(ring: Ring) -> int:
    """What the OS user's own client asked for, and a person approved, is called for over HTTP, where nobody logs in."""
    async with ring.site(tokens=None) as site:
        async with Client(site.app.server, mode=MODERN, cache=None) as client:
            answer = await client.call_tool(CREATE.tool, dict(CREATE.arguments))
        record = await site.record((answer.structured_content or {})["approval"])
        await site.app.conduct.close(record, Status.APPROVED, "a person")
        await site.call("", CREATE.tool, **CREATE.arguments)
        return len(site.sent)


async def with_a_strange_bearer(ring: Ring) -> int:
    async with ring.site() as site:
        site.tokens["forger"] = "nobody's token"
        with suppress(Exception):  # a client that is sent away ends with a group of errors
            async with site.assistant("forger", answering=typed_in("dev-ben")) as client:
                await client.call_tool("delete_machine", {"machine": "dev-ben"})
        return len(site.sent)


@contextmanager
def _at_the_shell(ring: Ring, secret: str) -> Iterator[None]:
    """The operator's environment, where this is typed as the secret. What is written stays here."""
    given = {
        "PAPERSPACE_API_URL": "http://double.test/v1",
        "PAPERSPACE_API_KEY": KEY,
        "PAPERSPACE_MCP_STATE_DIR": str(ring.folder / "state"),
        "XDG_CONFIG_HOME": "/nowhere",
    }
    for name, value in given.items():
        ring.patch.setenv(name, value)
    ring.patch.setattr(sys, "stdin", io.StringIO(f"{secret}\n"))
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        yield


def _run(*words: str) -> None:
    parsed = cli._parser(words[0]).parse_args(words)
    with suppress(Failure):
        parsed.execute(parsed)


def after_the_command(
    *words: str, call: Call, typed: str | None, kept: str = SECRET, secret: str = GUESS, frozen: bool = False
) -> Attack:
    """An operator's command, run by whoever has not the secret; then a call."""

    async def attack(ring: Ring) -> int:
        bench = ring.bench()
        approver(bench, secret=kept, user=os_user())
        if frozen:
            freezing(bench)
        with _at_the_shell(ring, secret):
            _run(*words)
        person = None if typed is None else Person(types(typed))
        await bench.call(MODERN, person, call.tool, call.arguments)
        return excess(bench)

    return attack


async def without_its_policy(ring: Ring) -> int:
    """The policy is a link to where it was kept; it denies everything, and is not there."""
    folder = ring.folder / "paperspace-mcp"
    folder.mkdir(parents=True)
    (folder / "policy.toml").symlink_to(ring.folder / "gone.toml")
    try:
        policy = from_environment({"XDG_CONFIG_HOME": str(ring.folder), "HOME": str(ring.folder)}).policy
    except Failure:
        return 0
    bench = ring.bench(policy=policy)
    await bench.call(MODERN, Person(types("create")), CREATE.tool, CREATE.arguments)
    return excess(bench)


IN_A_NAME: dict[str, Attack] = {
    "a policy that cannot be read is not none": without_its_policy,
    "no principal without a token": without_a_bearer,
    "an approval of the OS user is not anonymous": as_nobody,
    "a token is its user's": with_a_strange_bearer,
    "allowing takes a secret that is set": after_the_command(
        "allow", "start", "dev-*", call=START, typed=None, kept=""
    ),
    "allowing takes the secret": after_the_command("allow", "start", "dev-*", call=START, typed=None),
    "allowing names verbs that may be": after_the_command(
        "allow", "delete", "dev-*", call=DELETE, typed=None, secret=SECRET
    ),
    "lifting a freeze takes the secret": after_the_command(
        "freeze", "--lift", call=CREATE, typed="create", frozen=True
    ),
}
ATTACKS = {**TERMINAL, **IN_A_NAME}
