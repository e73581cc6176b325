"""Forged answers: everything that a lying or careless client can send instead of the text that was asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import cycle, islice, product
from random import Random
from typing import Any

from mcp_types import ElicitResult
from tests.guard.bench import MODERN, Call, Person, raw
from tests.proof.wire import ground as grounds
from tests.proof.wire.family import Family, Given, Tally
from tests.proof.wire.ground import ERAS, Form, Ground

Shape = Callable[[Form, Call], Any]
BIG = "x" * 2_000_000


def _content(make: Callable[[str, Any, Call], Any]) -> Shape:
    return lambda form, call: raw(make(form.field, form.right, call))


def _typed(make: Callable[[str, Call], Any]) -> Shape:
    """Another value in the right field."""
    return lambda form, call: raw({form.field: make(str(form.right), call)})


def _middle(text: str, put: str) -> str:
    half = len(text) // 2
    return f"{text[:half]}{put}{text[half:]}"


def wide(text: str) -> str:
    return "".join(chr(ord(one) + 0xFEE0) if 0x20 < ord(one) < 0x7F else one for one in text)


def _other_case(text: str) -> str:
    return text.swapcase() if text.swapcase() != text else f"{text}A"


SHAPES: dict[str, Shape] = {
    "empty content": _content(lambda _f, _r, _c: {}),
    "no content": _content(lambda _f, _r, _c: None),
    "a list for content": _content(lambda _f, r, _c: [r]),
    "a string for content": _content(lambda _f, r, _c: r),
    "empty text": _typed(lambda _t, _c: ""),
    "spaces": _typed(lambda _t, _c: "   "),
    "null": _typed(lambda _t, _c: None),
    "true as text": _typed(lambda _t, _c: "true"),
    "yes": _typed(lambda _t, _c: "yes"),
    "on": _typed(lambda _t, _c: "on"),
    "1": _typed(lambda _t, _c: 1),
    "1 as text": _typed(lambda _t, _c: "1"),
    "0.5": _typed(lambda _t, _c: 0.5),
    "a list": _typed(lambda t, _c: [t]),
    "nested": _content(lambda f, r, _c: {f: {f: r}}),
    "nested twice": _content(lambda f, r, _c: {"content": {f: r}}),
    "under another name": _content(lambda _f, r, _c: {"value": r, "answer": r, "text": r, "confirm": r}),
    "a yes beside a no": _content(lambda f, _r, _c: {"confirm": True, "confirmed": True, f: "no"}),
    "wrong case": _typed(lambda t, _c: _other_case(t)),
    "zero width inside": _typed(lambda t, _c: _middle(t, "\u200b")),
    "zero width before": _typed(lambda t, _c: f"\ufeff{t}"),
    "soft hyphen": _typed(lambda t, _c: _middle(t, "\u00ad")),
    "turned around": _typed(lambda t, _c: f"\u202e{t[::-1]}"),
    "combining": _typed(lambda t, _c: f"{t}\u0301"),
    "full width": _typed(lambda t, _c: wide(t)),
    "NUL behind": _typed(lambda t, _c: f"{t}\x00"),
    "lone surrogate": _typed(lambda t, _c: f"{t}\ud800"),
    "quoted": _typed(lambda t, _c: f'"{t}"'),
    "twice": _typed(lambda t, _c: f"{t} {t}"),
    "two lines": _typed(lambda t, _c: f"{t}\n{t}"),
    "one letter less": _typed(lambda t, _c: t[:-1]),
    "a glob": _typed(lambda t, _c: f"{t[0]}*"),
    "the tool's name": _typed(lambda _t, c: c.tool),
    "the id for the name": _typed(lambda t, c: c.id if c.id != t else f"{t}0"),
    "the name for the verb": _typed(lambda t, c: c.name if c.name and c.name != t else "fresh"),
    "another machine's name": _typed(lambda _t, _c: "staging-api"),
    "the verb with a number": _typed(lambda t, c: f"{c.tool.split('_')[0]} 1" if t else t),
    "another verb": _typed(lambda t, _c: "update" if t != "update" else "create"),
    "the whole question's end": _typed(lambda t, _c: f"To go ahead, type: {t}"),
    "a code": _typed(lambda _t, _c: "K7Q2"),
    "two megabytes": _typed(lambda _t, _c: BIG),
    "declined": lambda _f, _c: ElicitResult(action="decline"),
    "cancelled": lambda _f, _c: ElicitResult(action="cancel"),
    "declined with the right text": lambda f, _c: ElicitResult.model_construct(
        action="decline", content={f.field: f.right}
    ),
    "an unknown action": lambda f, _c: ElicitResult.model_construct(
        action="approve",  # type: ignore[arg-type]
        content={f.field: f.right},
    ),
}
"""By what it is; `_typed` puts a value into the right field."""
FILLED = "filled in by the form's schema"
DECLINED_FIRST = "declined, then accepted"
NOBODY = "a client that cannot ask"
SPECIAL = (FILLED, DECLINED_FIRST, NOBODY)
EDIT = "a small edit of the right text"
EDITS = ("\u200b", "\u00a0", "\u0000", "-", "_", ".", "İ", "\u0430", "\ufe0f", "\n", "1")


def edited(dice: Random, right: str) -> str:
    """The right text with one to three small changes; never one that only adds space around it."""
    text = right
    while text.strip() == right:
        text = right
        for _ in range(dice.randint(1, 3)):
            at = dice.randrange(len(text) + 1)
            keep = at + dice.randint(0, 1)
            text = text[:at] + dice.choice(("", *EDITS)) + text[keep:]
    return text


def forgeries(dice: Random, count: int, calls: Sequence[Call]) -> list[tuple[str, str, Call]]:
    """Every shape for every call in both eras (some of them, for a small count), then small edits of the right text."""
    every = list(product((*SHAPES, *SPECIAL), ERAS, calls))
    if count < len(every):
        return dice.sample(every, count)
    edits = ((EDIT, era, dice.choice(calls)) for era in cycle(ERAS))
    return [*every, *islice(edits, count - len(every))]


async def attack(given: Given) -> Tally:
    """One forged answer in each scene."""
    tally, dice = Tally(), given.dice
    async with given.ground() as ground:
        consent = await _consent(ground)
        for what, era, call in forgeries(dice, given.count, ground.calls):
            ground.renew()
            await _forge(ground, what, era, replace(call, arguments={**call.arguments, **consent[call.tool]}), dice)
            tally.attempt(what, len(ground.sent))
        await _controls(ground, tally)
    return tally


CONSENT = frozenset({"confirm", "confirmed", "force", "yes", "approve", "approved", "acknowledge", "dry_run"})


async def _consent(ground: Ground) -> dict[str, dict[str, bool]]:
    """The arguments of each tool by which a model could give consent itself, given: it obeys every injection."""
    async with ground.client(MODERN) as client:
        tools = (await client.list_tools()).tools
    return {one.name: {name: True for name in one.input_schema["properties"] if name in CONSENT} for one in tools}


async def _forge(ground: Ground, what: str, era: str, call: Call, dice: Random) -> None:
    form = ground.form(call)
    if what == DECLINED_FIRST and era == MODERN:
        await _decline_then_accept(ground, call, form)
        return
    async with ground.client(era, _client(what, form, call, dice)) as client:
        await grounds.call(client, call.tool, call.arguments)


def _client(what: str, form: Form, call: Call, dice: Random) -> Any:
    """Who answers the question; None for nobody."""
    if what == NOBODY:
        return None
    if what == FILLED:
        return _fill
    if what == EDIT:
        return Person(raw({form.field: edited(dice, str(form.right))}))
    return Person(SHAPES["declined with the right text" if what == DECLINED_FIRST else what](form, call))


async def _fill(_context: Any, params: Any) -> ElicitResult:
    """A client that accepts every form by itself: defaults where there are any, yes to all that can be a yes."""
    fields = params.requested_schema["properties"]
    return ElicitResult(action="accept", content={name: _filled(one) for name, one in fields.items()})


def _filled(schema: Mapping[str, Any]) -> Any:
    if "default" in schema:
        return schema["default"]
    return True if schema.get("type") == "boolean" else schema.get("enum", [""])[0]


async def _decline_then_accept(ground: Ground, call: Call, form: Form) -> None:
    async with ground.client(MODERN, Person(None)) as client:
        asked = await grounds.ask(client, call)
        if asked is None:
            return
        await grounds.reply(client, call, asked, ElicitResult(action="decline"))
        await grounds.reply(client, call, asked, raw({form.field: form.right}))


async def _controls(ground: Ground, tally: Tally) -> None:
    """The right text, once for each call and era."""
    for era, call in product(ERAS, ground.calls):
        ground.renew()
        form = ground.form(call)
        async with ground.client(era, Person(raw({form.field: form.right}))) as client:
            await grounds.call(client, call.tool, call.arguments)
        tally.controls += grounds.exactly(ground, call)


FORGED = Family(
    "forged answers",
    "Answers of every wrong shape (empty, default, boolean, null, case, zero-width, full-width, id for name, nested, "
    "declined first, no client to ask), for every guarded tool, in both eras.",
    attack,
    few=100,
    many=10_000,
    weak=True,
)
