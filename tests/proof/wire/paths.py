"""Ids, names and addresses fuzzed over every text that a tool or a resource takes: no odd path reaches the provider."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import Any

from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitResult
from pydantic import ValidationError
from tests.guard.bench import NEW, Person
from tests.proof.wire import ground as grounds
from tests.proof.wire.family import Family, Given, Tally
from tests.proof.wire.forged import wide
from tests.proof.wire.ground import ERAS, Ground
from tests.surface.talk import asked_for

from paperspace_mcp.contract.catalogue import OPERATIONS
from paperspace_mcp.simulator import Request

ID = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
HEADERS = {
    *(
        "host",
        "accept",
        "accept-encoding",
        "user-agent",
        "authorization",
        "content-type",
        "content-length",
        "connection",
    ),
}
ATOMS = (
    *(
        "..",
        ".",
        "/",
        "//",
        "\\",
        "%2f",
        "%2F",
        "%252f",
        "%2e%2e",
        "%5c",
        "%00",
        "\x00",
        "\r\n",
        "\n",
        "\t",
        " ",
        "?",
        "#",
    ),
    *(";", "@", ":", "&", "=", "+", "*", "{", "}", "{id}", "~", "$", "'", '"', "\u2028", "\u202e", "\u200b", "\ufeff"),
    *("\uff0f", "\u2215", "\u29f8", "\uff0e\uff0e", "\uff11\uff12", "\u0661\u0662", "\u0967", "\u0131", "\ud800", "é"),
    *("ps8jo1fga", "psoxnh2i7", "machines", "desktop", "vnc", "accessors", "users", "start", "stop", "v1", "teams"),
    *(
        "http://evil.example",
        "Host: evil",
        "HTTP/1.1",
        "null",
        "true",
        "[]",
        "{}",
        "-1",
        "0",
        "ps",
        "dev-ben",
        "prod-db",
    ),
)
WHOLE = (
    *("../users", "ps8jo1fga/../psoxnh2i7", "ps8jo1fga/desktop", "ps8jo1fga%2fdesktop", "ps8jo1fga?x=1", "ps8jo1fga#x"),
    *(
        "ps8jo1fga/",
        "/ps8jo1fga",
        "//evil.example/x",
        "http://evil.example/",
        "ps8jo1fga\n",
        "\nps8jo1fga",
        "ps8jo1fga\x00",
    ),
    *(
        wide("ps8jo1fga"),
        f"ps{wide('8')}jo1fga",
        "ps8jo1fga;stop",
        "-ps8jo1fga",
        "_ps8jo1fga",
        ".",
        "..",
        "%2e%2e",
        "a" * 64,
    ),
    *("a" * 65, "a" * 10_000, "../" * 100, "ps8jo1fga\r\nX-Evil: 1", "ps8jo1fga HTTP/1.1\r\nHost: x", "availability"),
)
HUGE = "ps8jo1fga/../" * 150_000
BASES: dict[str, dict[str, Any]] = {
    "create_machine": dict(NEW),
    "power_machines": {"action": "stop", "machines": ["dev-anna"]},
    "wait_for_event": {"event_ids": ["none"], "timeout_seconds": 0},
    "get_machine_accessor": {"machine": "dev-anna", "user": "anna@example.com"},
    "add_machine_accessor": {"machine": "dev-ben", "user": "ud1yam5t2"},
    "remove_machine_accessor": {"machine": "dev-anna", "user": "anna@example.com"},
    "get_machine_event": {"event_id": "none"},
}
"""Arguments that each tool needs; a tool that is not here needs none but a machine."""
RESOURCES = ("paperspace://machines/{}", "paperspace://machines/{}/events", "paperspace://{}", "{}")


@dataclass(frozen=True, slots=True)
class Spot:
    """A text that a client sends: an argument of a tool, or a part of a resource's address."""

    tool: str
    argument: str
    many: bool = False

    def with_text(self, text: str) -> dict[str, Any]:
        base = BASES.get(self.tool, {"machine": "dev-ben"} if self.argument != "machine" else {})
        return {**base, self.argument: [text] if self.many else text}


async def spots(client: Client) -> list[Spot]:
    """Every argument that takes a text, by the published schemas; then the resources."""
    found = [
        Spot(tool.name, name, schema.get("type") == "array")
        for tool in (await client.list_tools()).tools
        for name, schema in tool.input_schema["properties"].items()
        if schema.get("type") == "string" or schema.get("items", {}).get("type") == "string"
    ]
    return [*found, *(Spot("", template) for template in RESOURCES)]


def texts(dice: Random, count: int) -> list[str]:
    """Whole addresses that fooled somebody, then random strings of their parts."""
    return [dice.choice(WHOLE) if dice.random() < 0.4 else _mixed(dice) for _ in range(count)]


def _mixed(dice: Random) -> str:
    return "".join(dice.choices(ATOMS, k=dice.randint(1, 5)))


async def attack(given: Given) -> Tally:
    """A text in each spot after the other; whatever is asked about it, a person agrees to."""
    tally, dice = Tally(), given.dice
    async with given.ground() as ground:
        async with ground.client(ERAS[1]) as client:
            where = await spots(client)
        dice.shuffle(where)
        turns = list(product(range(given.count // len(where) + 1), where))[: given.count]
        for (turn, spot), text in zip(turns, texts(dice, len(turns)), strict=True):
            ground.renew()
            await _try(ground, ERAS[turn % 2], spot, text)
            tally.attempt(f"{spot.tool} {spot.argument}: {text[:60]!r}", sum(map(odd, ground.sim.wire)))
        for spot in dice.sample(where, min(len(where), given.count // 100)):
            ground.renew()
            await _try(ground, ERAS[0], spot, HUGE)
            tally.attempt(f"{spot.tool} {spot.argument}: two megabytes", sum(map(odd, ground.sim.wire)))
        tally.controls += await _plain(ground)
    return tally


class Agreeing(Person):
    """Types whatever is asked for: here the address must hold by itself."""

    def __init__(self) -> None:
        super().__init__(
            lambda nth: ElicitResult(action="accept", content={"typed": asked_for(self.questions[nth - 1])})
        )


async def _try(ground: Ground, era: str, spot: Spot, text: str) -> None:
    async with ground.client(era, Agreeing()) as client:
        with suppress(MCPError, ValidationError, ValueError):  # what the client's own library will not send
            if spot.tool:
                await grounds.call(client, spot.tool, spot.with_text(text))
            else:
                await client.read_resource(spot.argument.format(text))


async def _plain(ground: Ground) -> int:
    """Ids as they should be reach their paths."""
    ground.renew()
    for era in ERAS:
        async with ground.client(era, Agreeing()) as client:
            await grounds.call(client, "get_machine", {"machine": "ps8jo1fga"})
            await client.read_resource("paperspace://machines/ps8jo1fga")
    return sum(request.path == "/machines/ps8jo1fga" for request in ground.sim.wire)


def _queries() -> Mapping[str, frozenset[str]]:
    """The address of each operation as a pattern, and the names that its query may have."""
    found = dict[str, frozenset[str]]()
    for one in OPERATIONS.values():
        fields = one.query.model_fields if one.query else {}
        names = {field.alias or name for name, field in fields.items()} | set(fields)
        pattern = f"{one.method} {re.sub(r'{[A-Za-z]+}', ID, one.path)}"
        found[pattern] = found.get(pattern, frozenset()) | names
    return found


QUERIES = _queries()


def odd(request: Request) -> bool:
    """Whether a request's address is none of the reference's, or it carries what we never send."""
    line = f"{request.method} {request.path}"
    fitting = [names for pattern, names in QUERIES.items() if re.fullmatch(pattern, line, re.ASCII)]
    asked = any(set(request.query) <= names for names in fitting)
    at_home = request.headers.get("host") == "double.test"
    return not (asked and at_home and set(request.headers) <= HEADERS)


PATHS = Family(
    "ids and paths",
    "Traversal, %2f, unicode digits, control characters, headers, other hosts and two megabytes in every text of every "
    "tool and resource, each agreed to by a person: no path, query or header arrives that is not of the reference.",
    attack,
    few=100,
    many=12_000,
)
