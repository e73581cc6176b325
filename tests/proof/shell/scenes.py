"""The set-ups that an agent meets: a server of its own OS user, with and without a secret, and one of somebody else."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

from anyio.to_thread import run_sync
from tests.guard.bench import Call
from tests.operator.commands import KEY, Operator
from tests.operator.terminal import sitting_at
from tests.page.site import Site, standing
from tests.proof.shell.ways import NO_SECRET, Shell, Way, connected
from tests.proof.wire.ground import simulated

from paperspace_mcp.app import os_user
from paperspace_mcp.rules.policy import Mode, Policy
from paperspace_mcp.simulator import Simulator
from paperspace_mcp.simulator.server import running
from paperspace_mcp.wire.approvers import Approvers

ROOT = Path(__file__).resolve().parents[3]
TYPED_BY_A_PERSON = "what a person types"
POLICY = 'mode = "ask"\n'


class Scene:
    """A server on a port before an account on a port; questions of anna's assistant wait."""

    def __init__(self, site: Site, sim: Simulator, url: str, home: Path) -> None:
        self.site, self.sim, self.url, self.home = site, sim, url, home

    async def shell(self, call: Call, guesses: int = 1) -> Shell:
        """A call that waits for a person, and what an agent of the server's own user has."""
        state, arguments = self.site.app.settings.state_dir, dict(call.arguments)
        code = (await self.site.call("anna", call.tool, **arguments)).data["approval"]
        policy = {"PAPERSPACE_MCP_POLICY": str(self.home / "policy.toml")}
        return Shell(
            code=str(code),
            call=call,
            home=self.home,
            state=state,
            url=self.url,
            run=partial(_in_a_pipe, Operator(state, self.url), policy),
            sit=partial(_in_a_terminal, state),
            page=self.site.url,
            bearer=self.site.tokens["anna"],
            guesses=guesses,
        )

    async def came_through(self, shell: Shell) -> bool:
        """Anna's assistant repeats its call; whether anything reached the provider by now."""
        async with connected(self.site.url, shell.bearer) as client:
            await client.call_tool(shell.call.tool, dict(shell.call.arguments))
        return bool(self.sim.mutations())


@asynccontextmanager
async def scene(folder: Path, posture: str, mode: Mode = Mode.ASK) -> AsyncIterator[Scene]:
    """The server's files are as it makes them: 0700 and 0600. The folder around them is open to all."""
    sim, home = simulated(), folder / "home"
    home.mkdir(parents=True)
    for path, text, permissions in ((home / "policy.toml", POLICY, 0o644), (home / "key", f"{KEY}\n", 0o600)):
        path.write_text(text, encoding="utf-8")
        path.chmod(permissions)
    policy = Policy(confirm_usd_per_hour=0.0, questions=1_000, mode=mode)
    async with standing(folder, sim, policy=policy) as site:
        if posture == NO_SECRET:
            (site.app.settings.state_dir / "approvers.json").unlink()
        else:
            Approvers(site.app.settings.state_dir).set(os_user(), TYPED_BY_A_PERSON)
        with running(sim) as port:
            yield Scene(site, sim, port.url, home)


def _in_a_pipe(operator: Operator, policy: dict[str, str], *words: str, typed: Sequence[str] = ()) -> str:
    ended = operator.run(*words, typed="".join(f"{line}\n" for line in typed), **policy)
    return f"{ended.returncode} {ended.stdout} {ended.stderr}"


def _in_a_terminal(state: Path, *words: str, typed: Sequence[str] = ()) -> str:
    """Each line is typed when something is asked for, or never, where the command ends before."""
    with sitting_at(state, *words) as terminal:
        with suppress(OSError):  # nobody is at the other end any more
            for line, prompt in zip(typed, ("> ", "secret: "), strict=False):
                terminal.until(prompt)
                terminal.types(line)
        return f"{terminal.ended()} {terminal.shown}"


async def tried(way: Way, shell: Shell) -> str:
    """What the agent was shown, or what the system said to it."""
    try:
        return await way.act(shell)
    except (OSError, sqlite3.Error) as error:
        return repr(error)


async def tried_by_a_stranger(names: Sequence[str], shells: Sequence[Shell]) -> dict[str, str]:
    """The same ways in a process of another OS user; what each was shown."""
    own = shells[0].home.with_name("agent")
    await run_sync(partial(_place_for_all, own))
    told = [{"way": name, "own": str(own), **_plain(shell)} for name, shell in zip(names, shells, strict=True)]
    command = [sys.executable, "-m", "tests.proof.shell.stranger"]
    ended = await run_sync(
        partial(
            subprocess.run, command, cwd=ROOT, input=json.dumps(told), capture_output=True, text=True, timeout=300,
            check=False, env={"PATH": os.environ["PATH"]},
        )
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-2000:]
    found: dict[str, str] = json.loads(ended.stdout)
    return found


def _place_for_all(path: Path) -> None:
    path.mkdir()
    path.chmod(0o777)


def _plain(shell: Shell) -> dict[str, str]:
    return {name: str(getattr(shell, name)) for name in ("code", "home", "state", "url")}
