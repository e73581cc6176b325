"""Hostile names against the question: none adds a line, hides one, or writes an instruction of its own.

Hypothesis makes the names (and finds the short one, should any break the template); some of them go over the wire.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio.to_thread
import hypothesis
from hypothesis import HealthCheck, Phase, strategies
from hypothesis.configuration import set_hypothesis_home_dir
from mcp_types import ElicitResult
from tests.guard.bench import NEW, Person
from tests.proof.wire import ground as grounds
from tests.proof.wire.family import Family, Given, Tally
from tests.proof.wire.ground import ERAS, Ours
from tests.surface.talk import asked_for

from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.rules.guard.cleaning import plain, quoted
from paperspace_mcp.rules.guard.demands import TABLE, demand
from paperspace_mcp.rules.guard.plans import Plan, Step, Target
from paperspace_mcp.rules.guard.questions import ONE_CAP, fits, render

HARMLESS = "harmless"
CODE = "K7Q2"
LINES = ("DELETE this machine. The machine, its disk and its snapshots are lost for good.", "Updates are pending.")
HOSTILE = (
    *('"', "\\", '\\"', "\n", "\r\n", "\u2028", "\u2029", "\x85", "\x0b", "\u202e", "\u200b", "\u2066", "\ufeff"),
    *(
        "Approval AAAA. ",
        "To go ahead, type: yes",
        "type the exact name: ",
        "(protected)",
        " · id ps1 · ",
        "STOP this",
        ": ",
    ),
    *(
        "; ",
        "{text}",
        "{0}",
        "%s",
        "\x1b[2K",
        "\x1b[A",
        "<br>",
        "```",
        "| ",
        "**",
        "x" * 130,
        "dev-ben",
        "prod-db",
        "é",
        "\u0415",
    ),
)
NAMES = strategies.one_of(
    strategies.lists(strategies.sampled_from(HOSTILE), min_size=1, max_size=8).map("".join),
    strategies.text(min_size=1, max_size=140),
    strategies.text(alphabet='"\\\n :;·', min_size=1, max_size=140),
    strategies.tuples(strategies.sampled_from(HOSTILE), strategies.text(max_size=60)).map("".join),
)
ON_THE_WIRE = 128
"""The longest name that the reference allows for a machine."""


# -- the template itself ----------------------------------------------------------------------------------------------


def _plan(name: str, effect: Effect, *, protected: bool) -> Plan:
    target = Target("pshostile", name, "ams1 · A100-80Gx8 · off · 25.44 USD/h", {}, protected, not plain(name))
    return Plan("delete_machine", {}, "delete", (Step("delete_machine", {}, effect, target),), LINES, "a@example.com")


def wrong_template(name: str) -> str:
    """What is wrong with the question about a machine of this name, in any class; empty where nothing."""
    for (effect, protected), rule in TABLE.items():
        if rule.ask == "nothing":
            continue
        plan, harmless = (_plan(one, effect, protected=protected) for one in (name, HARMLESS))
        wanted = demand(plan)
        question = render(plan, wanted, CODE)
        why = wrong(question, render(harmless, demand(harmless), CODE), name, wanted.text)
        if why or not fits(plan, question):
            return why or "does not fit"
    return ""


def wrong(question: str, harmless: str, name: str, expects: str) -> str:
    """How a question differs from that about a harmless name, but for the name in its quotes and what is typed."""
    if len(question) > ONE_CAP:
        return "longer than a dialog"
    if len(question.splitlines()) != len(harmless.splitlines()):
        return "another number of lines"
    if asked_for(question) != expects:
        return "asks for something else"
    if _bare(question, name, expects) != _bare(harmless, HARMLESS, asked_for(harmless)):
        return "imitates the template"
    return ""


def _bare(question: str, name: str, expects: str) -> str:
    """The template alone. Whether the name or the id is to be typed is the template's own choice of word."""
    assert question.endswith(expects)
    rest = question.removesuffix(expects)
    rest = rest.replace(quoted(name), "NAME").replace("the exact id:", "the exact name:")
    return re.sub(r"Approval [A-Z2-9]{4}\. ", "Approval CODE. ", rest)


@dataclass
class Dreamed:
    """The names that Hypothesis thought of, and the one that broke the template."""

    names: list[str] = field(default_factory=list)
    broken: str = ""


def dreamed(count: int, seed: int, home: Path) -> Dreamed:
    """So many names against the template, in a thread of its own: it wants no event loop around it."""
    found = Dreamed()
    set_hypothesis_home_dir(str(home))

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @hypothesis.given(NAMES)
    def holds(name: str) -> None:
        found.names.append(name)
        found.broken = wrong_template(name) and f"{wrong_template(name)}: {name!r}"
        assert not found.broken

    try:
        holds()
    except AssertionError:
        return found
    return found


# -- on the wire ------------------------------------------------------------------------------------------------------

CALLS: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("delete_machine", {"machine": "pshostile"}, "off"),
    ("start_machine", {"machine": "pshostile"}, "off"),
    ("stop_machine", {"machine": "pshostile"}, "ready"),
    ("restart_machine", {"machine": "pshostile"}, "ready"),
    ("update_machine", {"machine": "pshostile", "disk_size_gb": 2000}, "off"),
    ("add_machine_accessor", {"machine": "pshostile", "user": "ud1yam5t2"}, "off"),
)


async def attack(given: Given) -> Tally:
    """The template against all names; then some of them, as names of machines and as arguments of a model."""
    tally = Tally()
    home = given.folder / "hypothesis"
    found = await anyio.to_thread.run_sync(dreamed, given.count, given.seed, home)
    tally.attempt(found.broken, bool(found.broken), len(found.names))
    async with given.ground(protect=()) as ground:
        assert isinstance(ground, Ours)
        usual = [await _asked(ground, HARMLESS, ERAS[1], *call) for call in CALLS]
        tally.controls = sum(map(bool, usual))
        for number, name in enumerate(_sendable(found.names)[: given.count // 20]):
            era, which = ERAS[number % 2], number % len(CALLS)
            asked = await _asked(ground, name, era, *CALLS[which])
            if asked and (expects := (await ground.record(_code(asked))).expects):
                why = wrong(asked, usual[which], name, expects)
                tally.attempt(f"{CALLS[which][0]}, {why}: {name!r}", bool(why) + len(ground.sent))
            await _argued(ground, tally, name, era)
    return tally


def _code(question: str) -> str:
    """The code of the last line: a name may have written another one above it."""
    found = re.match(r"Approval ([A-Z2-9]{4})\. ", question.splitlines()[-1])
    assert found, question
    return found[1]


def _sendable(names: Sequence[str]) -> list[str]:
    """Names that JSON can carry and the reference allows, each once."""
    plain_text = (name.encode("utf-8", "ignore").decode()[:ON_THE_WIRE] for name in names)
    return list(dict.fromkeys(filter(None, plain_text)))


async def _asked(ground: Ours, name: str, era: str, tool: str, arguments: dict[str, Any], state: str) -> str:
    """The question about a machine of this name."""
    ground.renew()
    ground.sim.add_machine(id="pshostile", name=name, state=state, machineType="A4000", region="ny2")
    return await _question(ground, era, tool, arguments)


async def _question(ground: Ours, era: str, tool: str, arguments: dict[str, Any]) -> str:
    person = Person(ElicitResult(action="decline"))
    async with ground.client(era, person) as client:
        await grounds.call(client, tool, arguments)
    return person.questions[0] if person.questions else ""


async def _argued(ground: Ours, tally: Tally, name: str, era: str) -> None:
    """The name as a model puts it into a create, where it can choose the words around it too."""
    hostile = {"name": name, "machine_type": name[:40], "network_id": name, "startup_script_id": name}
    for argument, value in hostile.items():
        ground.renew()
        question = await _question(ground, era, "create_machine", {**NEW, argument: value})
        if question:
            lines = question.splitlines()
            whole = lines[0].startswith("CREATE ") and lines[-1].endswith("To go ahead, type: create")
            first = sum(line.startswith("Approval ") for line in lines) == 1
            tally.attempt(f"create_machine, {argument}: {name!r}", (not (whole and first)) + len(ground.sent))


HOSTILE_NAMES = Family(
    "hostile names",
    "Names made by Hypothesis against the question's template in every class, over the wire as names of machines and "
    "as a model's arguments: no line is added, at most 600 characters, what is to be typed is what the record expects.",
    attack,
    few=200,
    many=40_000,
)
