"""What a program on the TypeScript SDK does with the server: today's SDK in both eras, and the 1.x that most are on."""

import json
import time
from dataclasses import replace
from typing import Any

from tests.clients.ground import TRANSPORTS, Ground, Transport, simulated
from tests.clients.rows import ERAS, HANDSHAKE, MODERN, Row, Scene
from tests.clients.typescript import Generation, Typescript, connected

_CLIENTS: tuple[tuple[Generation, str], ...] = (*(("2", era) for era in ERAS), ("1", HANDSHAKE))
_NAMES = {"1": "TypeScript SDK 1.32", "2": "TypeScript SDK 2.4"}
_MANY = 120
_QUIET_S = 6.0
"""Longer than the server rests between two looks at an event."""
_ACCESSOR = ("train-a100", "ub3n7q2xd")
"""A machine of the simulated fleet, and a person who has access to it."""


def program(ground: Ground) -> list[Row]:
    """Reads, errors, questions, pages, progress and a cancelled wait; no answer breaks the client's own checks."""
    return [
        row
        for transport in TRANSPORTS
        for generation, era in _CLIENTS
        for row in [*_one(ground, transport, generation, era), *_wrong_key(ground, transport, generation, era)]
    ] + _pages(ground)


def _scene(ground: Ground, transport: Transport, generation: Generation, era: str) -> Scene:
    return Scene(ground.account, _NAMES[generation], era, transport)


def _one(ground: Ground, transport: Transport, generation: Generation, era: str) -> list[Row]:
    scene = _scene(ground, transport, generation, era)
    with ground.server(transport) as server, connected(ground, server, generation, era) as (client, known):
        tools = _listed(scene, client, known)
        _reads(scene, client, tools)
        _errors(scene, client, tools)
        _questions(scene, client)
        _waits(scene, client)
    return scene.rows


def _listed(scene: Scene, client: Typescript, known: dict[str, Any]) -> list[dict[str, Any]]:
    version = str(known["version"])
    with scene.step(f"speaks {version}, lists tools", reads=False):
        assert version == scene.era or (scene.era == HANDSHAKE and version < MODERN)
        assert known["server"]["name"] == "paperspace"
        assert known["instructions"]
        assert client.ask("tools")["tools"]
    tools: list[dict[str, Any]] = client.ask("tools")["tools"]
    return tools


def _reads(scene: Scene, client: Typescript, tools: list[dict[str, Any]]) -> None:
    """With what a tool requires; a required argument that is not known here is a failure that names it."""
    reads = [tool for tool in tools if tool["annotations"]["readOnlyHint"]]
    with scene.step(f"{len(reads)} tools called that read, which is all of them"):
        done = client.call("list_machine_events", limit=1, states=["done"])["structuredContent"]["events"][0]["id"]
        given = {"machine": _ACCESSOR[0], "user": _ACCESSOR[1], "event_id": done, "event_ids": [done]}
        for tool in reads:
            needed = tool["inputSchema"].get("required", [])
            found = client.call(tool["name"], **{name: given[name] for name in needed})
            assert not found.get("isError"), found["structuredContent"]["summary"]


def _errors(scene: Scene, client: Typescript, tools: list[dict[str, Any]]) -> None:
    """Every tool answers an error in words: with nothing, with what is no argument, about a machine of nobody."""
    with scene.step(f"{len(tools)} tools called with an unknown argument", reads=False):
        codes = {client.error(tool["name"], nonsense=1) for tool in tools}
        assert codes == {"bad_argument"}, codes
    about = [tool["name"] for tool in tools if tool["inputSchema"].get("required") == ["machine"]]
    with scene.step(f"{len(about)} tools called about an unknown machine"):
        codes = {client.error(name, machine="nobody", **_some(name)) for name in about}
        assert codes == {"unknown_machine"}, codes


def _some(tool: str) -> dict[str, Any]:
    return {"auto_snapshot_enabled": True} if tool == "update_machine" else {}


def _questions(scene: Scene, client: Typescript) -> None:
    name, machine = scene.account.machine("ready")
    with scene.step("stop_machine, declined: nothing sent"):
        assert client.error("stop_machine", machine=name) == "declined"
    with scene.step("stop_machine, a wrong answer: nothing sent"):
        assert client.error("stop_machine", "yes", machine=name) == "mistyped"
    with scene.step("stop_machine, `stop` typed: done once", sends=[f"PATCH /machines/{machine}/stop"]):
        found = client.call("stop_machine", "stop", machine=name)
        assert (found["structuredContent"]["status"], len(found["questions"])) == ("done", 1)


def _waits(scene: Scene, client: Typescript) -> None:
    _name, machine = scene.account.machine("off")
    with scene.step("start_machine, then progress of its wait to the end", sends=[f"PATCH /machines/{machine}/start"]):
        started = client.call("start_machine", "start", machine=machine)["structuredContent"]
        waiting = _wait(client, started["event"]["id"])
        client.progress()
        scene.account.advance(120)
        assert client.outcome(waiting)["structuredContent"]["overall"] == "done"
    name, machine = scene.account.machine("ready")
    with scene.step("a wait cancelled under way; the next call is answered", sends=[f"PATCH /machines/{machine}/stop"]):
        stopped = client.call("stop_machine", "stop", machine=machine)["structuredContent"]
        waiting = _wait(client, stopped["event"]["id"])
        client.progress()
        client.ask("cancel", call=waiting)
        assert client.call("get_machine", machine=name)["structuredContent"]["machine"]["id"] == machine
    with scene.step("nobody waits any more: nothing is polled", reads=False):
        time.sleep(_QUIET_S)  # that nothing happens takes time to see


def _wait(client: Typescript, event_id: str) -> int:
    """Begun, and not waited for."""
    return client.send("call", name="wait_for_event", arguments={"event_ids": [event_id], "timeout_seconds": 45})


def _wrong_key(ground: Ground, transport: Transport, generation: Generation, era: str) -> list[Row]:
    scene = _scene(ground, transport, generation, era)
    with (
        ground.server(transport, PAPERSPACE_API_KEY="not-the-key") as server,
        connected(ground, server, generation, era) as (client, _known),
        scene.step("with a wrong key: errors in words, resources listed all the same"),
    ):
        client.ask("tools")
        codes = {client.error("list_machines"), client.error("stop_machine", machine="dev-anna")}
        assert codes == {"unauthorized"}, codes
        assert [one["name"] for one in client.ask("resources")["resources"]] == ["machines", "fleet_summary"]
    return scene.rows


def _pages(ground: Ground) -> list[Row]:
    """A fleet of several pages, an account of its own."""
    rows: list[Row] = []
    with simulated(str(_MANY)) as account:
        for generation, era in _CLIENTS:
            scene = Scene(account, _NAMES[generation], era, "http")
            with (
                replace(ground, account=account).server("http") as server,
                connected(ground, server, generation, era) as (client, _known),
                scene.step(f"resources/list of {_MANY} machines, page by page; one read; templates"),
            ):
                _page_through(client)
            rows += scene.rows
    return rows


def _page_through(client: Typescript) -> None:
    uris: list[str] = []
    cursor, pages = None, 0
    while cursor or not pages:
        # An explicit cursor, because without one SDK 2 walks every page by itself.
        page = client.ask("resources", cursor=cursor) if cursor else client.ask("resources")
        uris += [one["uri"] for one in page["resources"]]
        cursor, pages = page.get("nextCursor"), pages + 1
    assert len(uris) == len(set(uris)) == _MANY + 2
    assert json.loads(client.ask("read", uri=uris[-1])["contents"][0]["text"])["machine"]["id"] in uris[-1]
    assert len(client.ask("templates")["resourceTemplates"]) == 2
