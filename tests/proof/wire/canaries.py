"""Canary secrets: the key, a token, a desktop's password, looked for in everything that the server puts out."""

import base64
import io
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mcp.shared.exceptions import MCPError
from tests.guard.bench import CALLS, Call
from tests.proof.wire.family import Family, Given, Tally
from tests.proof.wire.ground import ERAS, KEYS, Ours, simulated
from tests.proof.wire.paths import Agreeing

from paperspace_mcp.simulator import Fault, Simulator

KEY = "canaryKey7f3a9b1c5d2e8f4a6b0c9d1e3f5a7b2c"
PASSWORD = "canaryPw4e8a1f6c0b9d3e7a5f2c8b1d6e0a4f9c"
PIECE = 14
"""So many characters of a secret in a row are a leak too: both begin and end unlike anything else."""
DESKTOP = "psw5y2hq8n6a"
READS = tuple(
    Call(tool, arguments, "", ())
    for tool, arguments in (
        ("list_machines", {}),
        ("get_machine", {"machine": "dev-diya", "response_format": "detailed"}),
        ("list_machine_events", {"machine": "dev-diya"}),
        ("get_machine_event", {"event_id": "none"}),
        ("list_machine_accessors", {"machine": "train-a100"}),
        ("get_machine_accessor", {"machine": "train-a100", "user": "ub3n7q2xd"}),
        ("get_machine_desktop", {"machine": "dev-diya"}),
        ("list_templates", {}),
        ("fleet_summary", {}),
        ("find_waste", {}),
        ("explain_machine", {"machine": "dev-diya"}),
        ("wait_for_event", {"event_ids": ["none"], "timeout_seconds": 0}),
        ("no_such_tool", {}),
        ("get_machine", {"machine": "dev-diya", "key": "x"}),
    )
)
REVEAL = Call("get_machine_desktop", {"machine": "dev-diya", "reveal_password": True}, "dev-diya", ())
RESOURCES = ("paperspace://machines", f"paperspace://machines/{DESKTOP}", f"paperspace://machines/{DESKTOP}/events")
QUOTED = f"Authorization: Bearer {KEY}"
VNC = f'{{"vnc": {{"hostname": "h", "port": 5901, "password": "{PASSWORD}"'
FAULTS: dict[str, dict[str, Any] | None] = {
    "none": None,
    "the key in a message": {"kind": "status", "status": 400, "message": f"bad header {QUOTED}"},
    "the key in a long message": {"kind": "status", "status": 400, "message": f"{'x' * 270} {QUOTED}"},
    "the key at every end": {"kind": "status", "status": 422, "message": f"{KEY} {'y' * 230}{KEY}{'z' * 300}{KEY}"},
    "the key as a code": {"kind": "status", "status": 400, "code": KEY, "message": "no"},
    "the key in a page": {"kind": "malformed", "body": f"<p>{QUOTED}</p>", "content_type": "text/html", "status": 502},
    "the key in JSON that is cut": {"kind": "malformed", "body": f'{{"message": "{QUOTED}"'},
    "the key in a header": {"kind": "status", "status": 503, "headers": {"X-Echo": QUOTED, "WWW-Authenticate": QUOTED}},
    "the key as Retry-After": {"kind": "status", "status": 429, "headers": {"Retry-After": KEY}},
    "unauthorized": {"kind": "status", "status": 401, "message": QUOTED},
    "the password in JSON that is cut": {"kind": "malformed", "body": VNC},
    "the password in a page": {"kind": "malformed", "body": f"<p>{PASSWORD}</p>", "content_type": "text/html"},
    "the password beside a port that is none": {
        "kind": "malformed",
        "body": {"vnc": {"hostname": "h", "port": "none", "password": PASSWORD}},
    },
    "the password under another name": {"kind": "malformed", "body": {"vnc": {"secret": PASSWORD}, "note": PASSWORD}},
    "closed": {"kind": "close", "stage": "during"},
    "oversized": {"kind": "oversized", "size": 9_000_000},
}


def _forms(secret: str) -> list[str]:
    """A secret as it could turn up: whole or in part, written in other ways."""
    plain = [secret[:PIECE], secret[-PIECE:], secret[PIECE : 2 * PIECE]]
    coded = [base64.b64encode(f"{lead}{secret}".encode()).decode()[4:-4][:20] for lead in ("", "x", "xx")]
    return [*plain, *coded, secret[::-1][:PIECE], secret.encode().hex()[:28], quote(secret)[:PIECE]]


FORMS = {"key": _forms(KEY), "password": _forms(PASSWORD)}


def leaks(text: str) -> list[str]:
    """The secrets that a text gives away."""
    return [name for name, forms in FORMS.items() if any(form in text for form in forms)]


class Sinks:
    """Everything that the server put out since it was last looked at, by where."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, str]] = []

    def put(self, where: str, text: str) -> None:
        self.texts.append((where, text))

    def drain(self) -> list[tuple[str, str]]:
        found, self.texts = self.texts, []
        return found


class _Handler(logging.Handler):
    def __init__(self, sinks: Sinks) -> None:
        super().__init__(logging.NOTSET)
        self._sinks = sinks

    def emit(self, record: logging.LogRecord) -> None:
        raised = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        self._sinks.put("logs", f"{record.getMessage()} {record.__dict__} {raised}")


@contextmanager
def listening(sinks: Sinks) -> Iterator[None]:
    """Every log of every library at its most talkative, and standard error."""
    root, handler = logging.getLogger(), _Handler(sinks)
    level, handlers, disabled = root.level, root.handlers[:], root.manager.disable
    logging.disable(logging.NOTSET)
    root.setLevel(logging.DEBUG)
    root.handlers[:] = [handler]
    written = io.StringIO()
    try:
        with redirect_stderr(written):
            yield
    finally:
        sinks.put("standard error", written.getvalue())
        root.setLevel(level)
        root.handlers[:] = handlers
        logging.disable(disabled)


async def attack(given: Given) -> Tally:
    """One call under one fault in each scene. A secret in any sink is a bypass; the sink asked for is no sink here."""
    tally, sinks, dice = Tally(), Sinks(), given.dice
    every = list(product((*READS, REVEAL, *CALLS, *RESOURCES), FAULTS, ERAS))
    dice.shuffle(every)
    async with given.ground(key=KEY, password_sink="file") as ground:
        assert isinstance(ground, Ours)
        with listening(sinks):
            for what, fault, era in (every * (given.count // len(every) + 1))[: given.count]:
                ground.renew()
                ground.sim = account(FAULTS[fault])
                await _one(ground, what, era, sinks)
                _judge(tally, f"{what.tool if isinstance(what, Call) else what}: {fault}", sinks)
            ground.renew()
            ground.sim = account(None)
            await _one(ground, REVEAL, ERAS[0], sinks)
        _files(ground.app.settings.state_dir, sinks)
        sinks.put("settings", repr(ground.app.settings))
        _judge(tally, "what is left behind", sinks)
        tally.controls = _revealed(ground.app.settings.state_dir)
    return tally


def account(fault: dict[str, Any] | None) -> Simulator:
    sim = simulated(keys=(*KEYS, KEY))
    sim.change(DESKTOP, password=PASSWORD)
    if fault:
        sim.faults.add(Fault(operation="*", times=None, after=0, **fault))
    return sim


async def _one(ground: Ours, what: Call | str, era: str, sinks: Sinks) -> None:
    async def progress(progress: float, total: float | None, message: str | None) -> None:
        sinks.put("progress", repr((progress, total, message)))

    person = Agreeing()
    async with ground.client(era, person) as client:
        try:
            if isinstance(what, str):
                sinks.put("resources", (await client.read_resource(what)).model_dump_json())
                sinks.put("resources", (await client.list_resources()).model_dump_json())
            else:
                answer = await client.call_tool(what.tool, dict(what.arguments), progress_callback=progress)
                sinks.put("results", answer.model_dump_json())
        except MCPError as error:
            sinks.put("errors", f"{error!r} {error.error!r}")
    sinks.put("questions", repr(person.questions))


def _files(state: Path, sinks: Sinks) -> None:
    """The state directory without the folder of revealed passwords."""
    for path in state.rglob("*"):
        if path.is_file() and path.parent.name != "revealed":
            where = "audit" if path.name.startswith("audit") else "store"
            sinks.put(where, path.read_bytes().decode("latin-1"))


def _revealed(state: Path) -> int:
    """The passwords that were delivered where they belong."""
    return sum(path.read_text().strip() == PASSWORD for path in (state / "revealed").glob("*"))


def _judge(tally: Tally, what: str, sinks: Sinks) -> None:
    found = {f"{what}: the {name} in {where}" for where, text in sinks.drain() for name in leaks(text)}
    tally.attempts += 1
    tally.bypasses += len(found)
    tally.by.update(found)


CANARIES = Family(
    "canary secrets",
    "Every tool and resource under providers that quote the key or cut the desktop's password short, in both eras: "
    "results, errors, questions, progress, all logs at their most talkative, standard error, audit, store, settings.",
    attack,
    few=90,
    many=4_000,
)
