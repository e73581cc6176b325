"""Whatever the provider turns out to do where its reference is silent, every reading tool answers as it should.

The same account is asked in the default variant and in each other one. The answers are equal, but for those that
`DIFFERS` names with what they must be instead.
"""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.surface.stage import Stage, on_a_port
from tests.surface.talk import Assistant, talking
from tests.variants import OTHERS, words

from paperspace_mcp.settings import Upstream
from paperspace_mcp.simulator import Simulator, Variant
from paperspace_mcp.surface.tools import TOOLS

pytestmark = pytest.mark.anyio

GONE, LIVING = "psy1a5oe7h3v", 21
"""ci-runner, which is deleted, and how many are left; win-cad is off."""

CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "list": ("list_machines", {}),
    "list in parts": ("list_machines", {"limit": 9}),
    "list in full": ("list_machines", {"response_format": "detailed"}),
    "list: beginning of a name": ("list_machines", {"name_contains": "dev-"}),
    "list: middle of a name": ("list_machines", {"name_contains": "ain"}),
    "list: name in another case": ("list_machines", {"name_contains": "DEV"}),
    "list: type": ("list_machines", {"machine_type": "A4000"}),
    "list: type in another case": ("list_machines", {"machine_type": "a4000", "name_contains": "eval"}),
    "list: region": ("list_machines", {"region": "East Coast (NY2)", "order_by": "name", "order": "asc"}),
    "list: agent": ("list_machines", {"agent_type": "WindowsDesktop"}),
    "list: states": ("list_machines", {"states": ["off"], "order_by": "state"}),
    "get by id": ("get_machine", {"machine": "psoxnh2i7", "response_format": "detailed"}),
    "get by name": ("get_machine", {"machine": "dev-anna"}),
    "get by name in another case": ("get_machine", {"machine": "Dev-Anna"}),
    "get: several": ("get_machine", {"machine": "eval-runner"}),
    "get: none, some like it": ("get_machine", {"machine": "dev-ana"}),
    "get: none, one like it is deleted": ("get_machine", {"machine": "ci-runer"}),
    "get: none": ("get_machine", {"machine": "psnothing"}),
    "get: deleted": ("get_machine", {"machine": GONE}),
    "events": ("list_machine_events", {"limit": 60}),
    "events of one": ("list_machine_events", {"machine": "dev-anna", "response_format": "detailed"}),
    "accessors": ("list_machine_accessors", {"machine": "train-a100"}),
    "accessors in parts": ("list_machine_accessors", {"machine": "train-a100", "limit": 2}),
    "accessor": ("get_machine_accessor", {"machine": "train-a100", "user": "ben@example.com"}),
    "accessor: removed": ("get_machine_accessor", {"machine": "train-a100", "user": "uc4rl0s9f"}),
    "desktop: linux": ("get_machine_desktop", {"machine": "dev-diya"}),
    "desktop: off": ("get_machine_desktop", {"machine": "win-cad"}),
    "desktop: headless": ("get_machine_desktop", {"machine": "dev-anna"}),
    "templates": ("list_templates", {"machine_type": "h100", "name_contains": "box"}),
    "summary": ("fleet_summary", {}),
    "waste": ("find_waste", {"min_off_days": 1}),
    "explain: on": ("explain_machine", {"machine": "dev-anna"}),
    "explain: off": ("explain_machine", {"machine": "dev-ben"}),
    "explain: stuck": ("explain_machine", {"machine": "dev-new-gpu"}),
    "explain: failed": ("explain_machine", {"machine": "train-h100x8"}),
    "explain: deleted": ("explain_machine", {"machine": GONE}),
}
_OF_AN_EVENT = {"event": "get_machine_event", "wait": "wait_for_event", "wait: deleted": "wait_for_event"}
RESOURCES = ("", "/psoxnh2i7", "/psoxnh2i7/events", f"/{GONE}")

Told = tuple[dict[str, Any], str]
"""Both halves of an answer."""


@dataclass
class Account:
    """One account whose API is now this, now that."""

    stage: Stage
    sim: Simulator
    state: Path
    default: dict[str, Told] | None = None

    @property
    def upstream(self) -> Upstream:
        return self.stage.served.settings.upstream

    async def told(self, **readings: Any) -> dict[str, Told]:
        """What every reading tool says of it in a variant."""
        async with self.talking(**readings) as assistant:
            answers = await _called(assistant, self.sim)
            return answers | await _resources(assistant)

    @asynccontextmanager
    async def talking(self, **readings: Any) -> AsyncIterator[Assistant]:
        """An assistant before this variant, at a server whose clock is the account's, and stands.

        Each test has a loop of its own, and so a server of its own.
        """
        self.sim.variant.set(**vars(Variant()) | readings)
        self.stage.serve(self.upstream, self.state, None)
        served = self.stage.served
        served.conduct.rooms = replace(served.conduct.rooms, now=self.sim.clock.now)
        async with talking(served.server, "2026-07-28") as assistant:
            yield assistant
        await served.aclose()


async def _called(assistant: Assistant, sim: Simulator) -> dict[str, Told]:
    calls = {**CALLS, **_of_events(sim)}
    return {label: await _answer(assistant, label, tool, arguments) for label, (tool, arguments) in calls.items()}


async def _answer(assistant: Assistant, label: str, tool: str, arguments: dict[str, Any]) -> Told:
    """Both halves of an answer, or of all its parts."""
    replies = [await assistant.call(tool, **arguments)]
    while "in parts" in label and (cursor := replies[-1].data.get("next_cursor")):
        replies.append(await assistant.call(tool, **arguments, cursor=cursor))
    text = "\n".join(_steady(reply.text) for reply in replies)
    return (_steady(replies[0].data) if len(replies) == 1 else {"parts": [reply.data for reply in replies]}), text


def _of_events(sim: Simulator) -> dict[str, tuple[str, dict[str, Any]]]:
    ended = [event.id for event in sim.events.values() if event.machineId == "psoxnh2i7"]
    (deleted,) = [event.id for event in sim.events.values() if event.name == "deactivate"]
    given: dict[str, dict[str, Any]] = {
        "event": {"event_id": ended[-1]},
        "wait": {"event_ids": ended},
        "wait: deleted": {"event_ids": [deleted]},
    }
    return {label: (tool, given[label]) for label, tool in _OF_AN_EVENT.items()}


async def _resources(assistant: Assistant) -> dict[str, Told]:
    listed = await assistant.client.list_resources()
    told: dict[str, Told] = {"resources": ({"all": [one.model_dump(mode="json") for one in listed.resources]}, "")}
    for tail in RESOURCES:
        try:
            read = await assistant.client.read_resource(f"paperspace://machines{tail}")
        except Exception as error:  # noqa: BLE001 - what it says is compared
            told[f"resource {tail}"] = {"error": str(error)}, ""
        else:
            told[f"resource {tail}"] = {}, "".join(getattr(one, "text", "") for one in read.contents)
    return told


def _steady(half: Any) -> Any:
    """Without the one thing that goes by this machine's clock."""
    if isinstance(half, str):
        return re.sub(r"scanned_at.*", "", half)
    return {name: value for name, value in half.items() if name != "scanned_at"}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Over HTTP."""
    state = tmp_path_factory.mktemp("state")
    with on_a_port(state) as stage:
        sim = stage.scene(Simulator(clock=lambda: 0.0))
        sim.delete_behind("ci-runner")
        sim.change("win-cad", state="off")
        yield Account(stage, sim, state)


# -- where the answers are others --------------------------------------------------------------------------------------

Must = Callable[[Told, Told], bool]
"""Whether an answer is what it must be: the default variant's, and this one's."""


def _without(name: str) -> Must:
    """The same but for one field, wherever it stands."""

    def stripped(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: stripped(one) for key, one in value.items() if key != name}
        return [stripped(one) for one in value] if isinstance(value, list) else value

    return lambda default, told: stripped(default[0]) == stripped(told[0]) and default != told


def _code(code: str) -> Must:
    return lambda _default, told: told[0].get("error", {}).get("code") == code


def _says(text: str) -> Must:
    return lambda _default, told: text in told[1] or text in str(told[0])


def _rows(told: Told, name: str) -> list[dict[str, Any]]:
    """The rows of a list, or of all its parts."""
    return [row for part in told[0].get("parts", [told[0]]) for row in part[name]]


def _people(*names: str) -> Must:
    return lambda _default, told: [one["first_name"] for one in _rows(told, "accessors")] == list(names)


def _unpriced(default: Told, told: Told) -> bool:
    """An off machine without a listed price has none; the others have the price of the list."""
    pairs = list(zip(_rows(default, "machines"), _rows(told, "machines"), strict=True))
    others = [other for one, other in pairs if one != other]
    expected = [one for one, _ in pairs if one["state"] == "off" and one["machine_type"].startswith("C")]
    return [one["id"] for one in others] == [one["id"] for one in expected] and "usd_per_hour" not in str(others)


def _unrated(_default: Told, told: Told) -> bool:
    """The raw rate of each machine that is off is 0."""
    rows = _rows(told, "machines")
    return len(rows) == LIVING and all((one["usage_rate"] == 0) == (one["state"] == "off") for one in rows)


_DELETED: dict[str, Must] = {
    "get: deleted": _says('"ci-runner" (psy1a5oe7h3v) was deleted'),
    "explain: deleted": _says('"ci-runner" (psy1a5oe7h3v) was deleted at'),
    f"resource /{GONE}": _says("deleted_at"),
}
DIFFERS: dict[tuple[str, Any], dict[str, Must]] = {
    ("tombstones_listed", False): {
        "accessors": _people("Diya", "Ben"),
        "accessors in parts": _people("Diya", "Ben"),
        "accessor: removed": _says("has no explicit access to"),
    },
    ("desktop_when_off", True): {"desktop: off": _says("is reached by windows at")},
    ("deleted_machines", "readable"): _DELETED,
    ("deleted_machines", "listed"): _DELETED,
    ("storage_rate", "hour"): {
        "list in full": _without("storage_rate"),
        "get by id": _without("storage_rate"),
        "resource /psoxnh2i7": _says('"storage_rate":0.009589'),
    },
    ("free_when_off", True): {
        **dict.fromkeys(("list", "list in parts", "list: region", "list: states"), _unpriced),
        "list in full": _unrated,
        "resource ": _says('"state":"off","machine_type":"C4","region":"ny2"}'),
    },
    ("not_found_text", "its own"): {f"resource /{GONE}": _says("Machine not found")},
    ("neighbours", False): {"templates": _code("unavailable_here")},
}


CHANGES = {
    "resize_refusal": 412,
    "delete_needs_off": True,
    "auto_shutdown_bug": True,
    "open_disk_size": True,
    "strict_bodies": True,
    "console_rules": True,
    "start_on_create": False,
    "public_ip_type": "static",
}
"""What shows in changes only: all at once."""


@pytest.mark.parametrize(("field", "value"), [one for one in OTHERS if one[0] not in CHANGES], ids=words)
async def test_every_reading_tool_under_every_reading(account: Account, field: str, value: Any) -> None:
    await compared(account, DIFFERS.get((field, value), {}), **{field: value})


async def test_what_shows_in_changes_only(account: Account) -> None:
    await compared(account, {}, **CHANGES)


async def compared(account: Account, must: dict[str, Must], **readings: Any) -> None:
    """The answers in this variant beside those in the default one."""
    account.default = account.default or await account.told()
    told = await account.told(**readings)
    assert told.keys() == account.default.keys()
    for label, default in account.default.items():
        check = must.get(label, _the_same)
        assert check(default, told[label]), (label, told[label])
    assert account.sim.mutations() == []
    assert all("limit" in one.query for one in account.sim.wire if str(one.operation).startswith("list_"))


def _the_same(default: Told, told: Told) -> bool:
    return default == told


async def test_ids_of_events_in_another_form(account: Account) -> None:
    """They are given when an event is made, so this account is another."""
    sim = Simulator(clock=lambda: 0.0, variant=Variant(event_ids="short"))
    account.stage.sim = sim
    try:
        async with account.talking() as assistant:
            listed = await assistant.call("list_machine_events", machine="dev-anna")
            ids = [event["id"] for event in listed.data["events"]]
            assert all(re.fullmatch(r"e[0-9a-z]{10}", one) for one in ids)
            assert (await assistant.call("get_machine_event", event_id=ids[0])).data["event"]["id"] == ids[0]
            assert (await assistant.call("wait_for_event", event_ids=ids)).data["overall"] == "done"
            assert not (await assistant.call("explain_machine", machine="dev-anna")).error
    finally:
        account.stage.sim = account.sim


def test_no_reading_tool_is_left_out() -> None:
    called = {tool for tool, _ in CALLS.values()} | set(_OF_AN_EVENT.values())
    assert called == {tool.name for tool in TOOLS if tool.touches.value == "read" or tool.name == "get_machine_desktop"}


def test_no_difference_is_kept_that_is_none() -> None:
    assert set(DIFFERS) <= set(OTHERS)


async def test_a_deleted_machine_that_is_shown_is_not_acted_on(account: Account) -> None:
    async with account.talking(deleted_machines="readable") as assistant:
        for tool in ("start_machine", "stop_machine", "restart_machine", "update_machine"):
            given = {"name": "other"} if tool == "update_machine" else {}
            assert (await assistant.call(tool, machine=GONE, **given)).code == "machine_deleted", tool
        assert (await assistant.call("delete_machine", machine=GONE)).data["status"] == "unchanged"
        assert assistant.questions == []
    assert account.sim.mutations() == []
