"""Machines as resources: listed in pages, read by id, and never an error where a client only opens a connection."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, TextResourceContents
from pydantic import SecretStr
from tests.guard.bench import Bench
from tests.surface.talk import Assistant, Era, talking

from paperspace_mcp.app import App, build
from paperspace_mcp.rules.policy import Policy
from paperspace_mcp.settings import Settings, Upstream
from paperspace_mcp.simulator import Fault, Simulator

pytestmark = pytest.mark.anyio

ALL, SUMMARY = "paperspace://machines", "paperspace://fleet/summary"
ONE, EVENTS = f"{ALL}/{{id}}", f"{ALL}/{{id}}/events"


async def read(assistant: Assistant, uri: str) -> dict[str, Any]:
    [content] = (await assistant.client.read_resource(uri)).contents
    assert isinstance(content, TextResourceContents)
    assert content.mime_type == "application/json"
    found: dict[str, Any] = json.loads(content.text)
    return found


async def test_machines_are_listed_in_pages(serving: Callable[..., App], era: Era) -> None:
    sim = Simulator(fleet=120)
    async with talking(serving(sim).server, era) as assistant:
        pages = [await assistant.client.list_resources()]
        while pages[-1].next_cursor:
            pages.append(await assistant.client.list_resources(cursor=pages[-1].next_cursor))
    assert [len(page.resources) for page in pages] == [52, 50, 20]
    uris = [resource.uri for page in pages for resource in page.resources]
    assert uris[:2] == [ALL, SUMMARY]
    assert sorted(uris[2:]) == sorted(f"{ALL}/{machine_id}" for machine_id in sim.machines)
    assert len(sim.wire) == 3


async def test_the_list_is_private_and_short_lived(assistant: Assistant, era: Era) -> None:
    page = await assistant.client.list_resources()
    assert {resource.mime_type for resource in page.resources} == {"application/json"}
    if era != "legacy":
        assert (page.cache_scope, page.ttl_ms) == ("private", 5000)


async def test_one_template_for_a_machine_and_one_for_its_events(assistant: Assistant, sim: Simulator) -> None:
    templates = (await assistant.client.list_resource_templates()).resource_templates
    assert [one.uri_template for one in templates] == [f"{ALL}/{{id}}", f"{ALL}/{{id}}/events"]
    assert sim.wire == []


async def test_a_machine_its_events_and_the_fleet_are_read(assistant: Assistant, sim: Simulator) -> None:
    machine = await read(assistant, f"{ALL}/psoxnh2i7")
    assert (machine["machine"]["id"], machine["machine"]["name"]) == ("psoxnh2i7", "dev-anna")
    events = await read(assistant, f"{ALL}/psoxnh2i7/events")
    assert {event["id"] for event in events["events"]} == {
        event.id for event in sim.events.values() if event.machineId == "psoxnh2i7"
    }
    fleet = await read(assistant, ALL)
    assert {row["id"] for row in fleet["machines"]} == set(sim.machines)
    assert fleet["complete"] is True


async def test_what_is_read_is_private(assistant: Assistant, era: Era) -> None:
    for uri in (f"{ALL}/psoxnh2i7", ALL, SUMMARY):
        result = await assistant.client.read_resource(uri)
        if era != "legacy":
            assert (result.cache_scope, result.ttl_ms) == ("private", 5000)


async def test_the_summary_is_what_the_tool_answers(assistant: Assistant, sim: Simulator) -> None:
    found = await read(assistant, SUMMARY)
    assert len(sim.wire) == 1
    told = (await assistant.call("fleet_summary")).data
    assert {**found, "scanned_at": ""} == {**told, "scanned_at": ""}


async def test_what_is_simulated_is_marked(tmp_path: Path, sim: Simulator, era: Era) -> None:
    settings = Settings(
        upstream=Upstream(url="http://sim.invalid/v1", key=SecretStr("demo-key")), state_dir=tmp_path, demo=True
    )
    app = build(settings, transport=httpx.ASGITransport(sim.app))
    async with talking(app.server, era) as assistant:
        assert [(await read(assistant, uri))["demo"] for uri in (ALL, SUMMARY, f"{ALL}/psoxnh2i7")] == [True] * 3
    await app.aclose()


@pytest.mark.parametrize(
    "tail",
    [
        "/psw5y2hq8n6a%2Fdesktop",
        "/psw5y2hq8n6a/desktop",
        "/..%2F..%2Fusers",
        "/%2e%2e",
        "/../machines",
        "/psoxnh2i7%3Fx=1",
        "/psoxnh2i7?x=1",
        "/psoxnh2i7%23frag",
        "/psoxnh2i7#frag",
        "/psoxnh2i7%00",
        "/psoxnh2i7%20",
        "/%0Apsoxnh2i7",
        "/pso%25xnh",
        "/",
        "//events",
        "/psoxnh2i7/events/more",
        "/psoxnh2i7/Events",
        "/" + "p" * 65,
        "/" + "Zq7" * 700_000,
        "s",
    ],
    ids=lambda tail: tail[:30],
)
async def test_an_odd_uri_is_no_resource_and_nothing_is_sent(assistant: Assistant, sim: Simulator, tail: str) -> None:
    with pytest.raises(MCPError) as caught:
        await assistant.client.read_resource(ALL + tail)
    assert caught.value.error.code == INVALID_PARAMS
    assert len(tail) < 4 or tail not in caught.value.error.message
    assert len(caught.value.error.message) < 500
    assert sim.wire == []


async def test_a_machine_that_is_not_there(assistant: Assistant, sim: Simulator) -> None:
    with pytest.raises(MCPError) as caught:
        await read(assistant, f"{ALL}/psnothing")
    assert caught.value.error.code == INVALID_PARAMS
    assert "psnothing" not in caught.value.error.message
    assert [request.path for request in sim.wire] == ["/machines/psnothing"]


@pytest.mark.parametrize("cursor", ["nonsense", "e30", "é", "Zq7" * 1000])
async def test_a_foreign_cursor_is_refused(assistant: Assistant, sim: Simulator, cursor: str) -> None:
    with pytest.raises(MCPError) as caught:
        await assistant.client.list_resources(cursor=cursor)
    assert caught.value.error.code == INVALID_PARAMS
    assert cursor not in caught.value.error.message
    assert sim.wire == []


@pytest.mark.parametrize("key", [None, "wrong"])
async def test_without_a_good_key_the_list_has_its_static_entries(
    serving: Callable[..., App], sim: Simulator, era: Era, key: str | None
) -> None:
    async with talking(serving(sim, key=key).server, era) as assistant:
        page = await assistant.client.list_resources()
        assert ([resource.uri for resource in page.resources], page.next_cursor) == ([ALL, SUMMARY], None)
        for uri in (ALL, SUMMARY):
            with pytest.raises(MCPError) as caught:
                await read(assistant, uri)
            assert "key" in caught.value.error.message.lower()


async def test_without_an_upstream_the_list_has_its_static_entries(
    serving: Callable[..., App], sim: Simulator, era: Era
) -> None:
    sim.faults.add(Fault("close", "*", times=None))
    async with talking(serving(sim, max_attempts=1).server, era) as assistant:
        page = await assistant.client.list_resources()
        assert [resource.uri for resource in page.resources] == [ALL, SUMMARY]
        with pytest.raises(MCPError) as caught:
            await read(assistant, f"{ALL}/psoxnh2i7")
    assert "provider" in caught.value.error.message


async def test_a_hostile_name_stays_a_name(assistant: Assistant, sim: Simulator) -> None:
    sim.change("dev-anna", name="\u202eevil\nname")
    page = await assistant.client.list_resources()
    entry = next(one for one in page.resources if one.uri.endswith("/psoxnh2i7"))
    assert entry.name == "evil name"
    assert "evil" not in (entry.description or "")


SHUT: list[tuple[Policy, set[str]]] = [
    (Policy(tools_deny=("list_machines",)), {SUMMARY, ONE, EVENTS}),
    (Policy(tools_deny=("get_machine",)), {ALL, SUMMARY, EVENTS}),
    (Policy(toolsets=("events",)), {EVENTS}),
    (Policy(tools_allow=("fleet_summary",)), {SUMMARY}),
    (Policy(read_only=True), {ALL, SUMMARY, ONE, EVENTS}),
]
"""What is shut, and the resources that stay open."""


@pytest.mark.parametrize(("policy", "left"), SHUT)
async def test_a_resource_tells_nothing_that_its_tool_may_not(
    benches: Callable[..., Bench], era: Era, policy: Policy, left: set[str]
) -> None:
    bench = benches(policy=policy)
    async with talking(bench.app.server, era) as assistant:
        listed = {str(one.uri) for one in (await assistant.client.list_resources()).resources}
        templates = {one.uri_template for one in (await assistant.client.list_resource_templates()).resource_templates}
        assert (listed & {ALL, SUMMARY}) | templates == left
        assert bool(listed - {ALL, SUMMARY}) is ({ALL, ONE} <= left)
        for kind in {ALL, SUMMARY, ONE, EVENTS} - left:
            with pytest.raises(MCPError, match="policy shuts the tool") as error:
                await read(assistant, kind.format(id="psoxnh2i7"))
            assert error.value.error.code == INVALID_PARAMS
        for kind in left:
            assert await read(assistant, kind.format(id="psoxnh2i7"))
