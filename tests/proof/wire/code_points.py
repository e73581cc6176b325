"""Every code point there is through the cleaner, and through a list of machines as a client sees it."""

import unicodedata
from itertools import islice
from typing import Any

from tests.proof.wire import ground as grounds
from tests.proof.wire.family import Family, Given, Tally
from tests.proof.wire.ground import ERAS, Ground

from paperspace_mcp.rules.guard.cleaning import clean, quoted

ALL = 0x110000
GONE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")
"""Letters by their category, and nothing to see."""
IN_A_NAME = 100


def dirty(text: str) -> bool:
    """Whether a text could hide something, turn something around, or begin a line."""
    hidden = any(unicodedata.category(one) in GONE or one in FILLERS for one in text)
    return hidden or len(text.splitlines()) > 1 or not unicodedata.is_normalized("NFC", text)


def wrong(character: str) -> str:
    """What the cleaner lets through with this character, alone and between two letters; empty where nothing."""
    alone, between, named = clean(character).text, clean(f"a{character}b").text, quoted(f'"{character}"')
    if dirty(alone) or dirty(between) or dirty(named):
        return "seen"
    if clean(between).text != between:
        return "not the same twice"
    open_quotes = named.replace("\\\\", "").replace('\\"', "").count('"')
    return "" if open_quotes == 2 else "ends its quotes"


async def attack(given: Given) -> Tally:
    """Each character by itself; then a hundred of them in the name of a machine, listed in both eras."""
    tally = Tally()
    points = range(ALL) if given.count >= ALL else sorted(given.dice.sample(range(ALL), given.count))
    for point in points:
        how = wrong(chr(point))
        tally.attempt(f"U+{point:04X} {how}", bool(how))
    tally.controls = sum(clean(chr(point)).text == chr(point) for point in points)
    async with given.ground() as ground:
        rest = iter(points)
        while some := list(islice(rest, IN_A_NAME * 60)):
            await _listed(ground, tally, some)
    return tally


async def _listed(ground: Ground, tally: Tally, points: list[int]) -> None:
    """Sixty machines, whose names are made of these characters."""
    ground.renew()
    for start in range(0, len(points), IN_A_NAME):
        name = "x".join(map(chr, points[start : start + IN_A_NAME]))
        ground.sim.add_machine(name=name.encode("utf-8", "replace").decode(), state="off")
    for era in ERAS:
        async with ground.client(era) as client:
            answer = await grounds.call(client, "list_machines", {"limit": 200, "response_format": "detailed"})
        tally.attempt(f"a list with U+{points[0]:04X}", sum(map(dirty, _texts(answer))))


def _texts(value: Any) -> list[str]:
    """Every text in an answer."""
    if isinstance(value, str):
        return [value]
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inside for text in _texts(one)]


CODE_POINTS = Family(
    "code points",
    "All 1,114,112 code points through the cleaner, alone, between letters and in quotes, and in the names of machines "
    "that are listed in both eras: nothing invisible, no second line, no ended quote.",
    attack,
    few=4_000,
    many=ALL,
)
