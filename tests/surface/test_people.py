"""Accessors, desktops and templates."""

import pytest
from tests.conftest import Talking
from tests.surface.talk import Assistant, declines, types

from paperspace_mcp.simulator import Fault, Simulator

pytestmark = pytest.mark.anyio

BEN, CARLOS, DIYA = "ub3n7q2xd", "uc4rl0s9f", "ud1yam5t2"
TRAIN = "psx7d4gv1p9e"
"""train-a100: Ben and Diya may use it, Carlos may no longer."""


async def test_people_with_access_are_listed_and_the_removed_marked(assistant: Assistant, sim: Simulator) -> None:
    reply = await assistant.call("list_machine_accessors", machine="train-a100")
    removed = {row["user_id"]: row["removed"] for row in reply.data["accessors"]}
    assert removed == {BEN: False, CARLOS: True, DIYA: False}
    assert reply.data["machine_id"] == TRAIN
    assert reply.data["summary"].startswith("2 ")
    assert "ben@example.com" in reply.text
    assert sim.mutations() == []


async def test_the_list_of_people_is_paged(assistant: Assistant) -> None:
    first = await assistant.call("list_machine_accessors", machine=TRAIN, limit=2, order="asc")
    rest = await assistant.call(
        "list_machine_accessors", machine=TRAIN, limit=2, order="asc", cursor=first.data["next_cursor"]
    )
    assert [row["user_id"] for row in first.data["accessors"] + rest.data["accessors"]] == [BEN, CARLOS, DIYA]
    assert (first.data["complete"], rest.data["complete"]) == (False, True)
    other = await assistant.call("list_machine_accessors", machine="dev-ben", cursor=first.data["next_cursor"])
    assert other.code == "bad_cursor"


@pytest.mark.parametrize("user", [BEN, "ben@example.com", "BEN@example.com"])
async def test_one_person_by_id_or_address(assistant: Assistant, user: str) -> None:
    reply = await assistant.call("get_machine_accessor", machine="train-a100", user=user)
    assert reply.data["accessor"]["user_id"] == BEN
    assert "has access" in reply.text


async def test_a_person_without_access(assistant: Assistant) -> None:
    gone = await assistant.call("get_machine_accessor", machine="train-a100", user=CARLOS)
    assert gone.data["accessor"]["removed"]
    assert "no longer has" in gone.data["summary"]
    assert (await assistant.call("get_machine_accessor", machine="dev-ben", user=DIYA)).code == "not_found"
    assert (
        await assistant.call("get_machine_accessor", machine="dev-ben", user="no@example.com")
    ).code == "unknown_user"


@pytest.mark.parametrize("user", [DIYA, "diya@example.com"])
async def test_access_is_given_once_and_confirmed_by_the_address(
    assistant: Assistant, sim: Simulator, user: str
) -> None:
    reply = await assistant.call("add_machine_accessor", machine="dev-ben", user=user)
    [request] = sim.mutations()
    assert (request.method, request.path, request.body) == (
        "POST",
        "/machines/ps8jo1fga/accessors",
        {"userId": DIYA},
    )
    assert "full admin" in assistant.questions[0]
    assert assistant.questions[0].endswith("type who gets access: diya@example.com")
    assert (reply.data["changed"], reply.data["accessor"]["user_id"]) == (True, DIYA)
    assert "diya@example.com" in reply.text


async def test_access_that_is_there_already_asks_nothing(assistant: Assistant, sim: Simulator) -> None:
    reply = await assistant.call("add_machine_accessor", machine="dev-ben", user=BEN)
    assert reply.data["changed"] is False
    assert (sim.mutations(), assistant.questions) == ([], [])


async def test_access_is_taken_once(assistant: Assistant, sim: Simulator) -> None:
    reply = await assistant.call("remove_machine_accessor", machine="train-a100", user="ben@example.com")
    [request] = sim.mutations()
    assert (request.method, request.path) == ("DELETE", f"/machines/{TRAIN}/accessors/{BEN}")
    assert assistant.questions[0].endswith("type: remove")
    assert (reply.data["changed"], reply.data["accessor"]["removed"]) == (True, True)
    assert "SSH keys" in reply.data["summary"]


async def test_access_that_was_taken_already_asks_nothing(assistant: Assistant, sim: Simulator) -> None:
    reply = await assistant.call("remove_machine_accessor", machine="train-a100", user=CARLOS)
    assert reply.data["changed"] is False
    assert (sim.mutations(), assistant.questions) == ([], [])


@pytest.mark.parametrize("user", ["nobody@example.com", "../vnc", "u1/../..", "a b", "u?x=1"])
async def test_a_person_who_is_not_known_is_told(assistant: Assistant, sim: Simulator, user: str) -> None:
    reply = await assistant.call("add_machine_accessor", machine="dev-ben", user=user)
    assert reply.code == "unknown_user"
    assert user not in reply.everything
    assert sim.mutations() == []
    assert not any("vnc" in request.path or ".." in request.path for request in sim.wire)


async def test_access_is_given_to_nobody_without_a_yes(client: Talking, sim: Simulator, era: str) -> None:
    for answering in (declines, types("yes"), types(DIYA), types("add")):
        async with client(era, answering) as assistant:
            assert (await assistant.call("add_machine_accessor", machine="dev-ben", user=DIYA)).error["changed"] == "no"
    assert sim.mutations() == []


# -- desktop and templates --------------------------------------------------------------------------------------------


async def test_a_desktop_is_told_with_its_password_masked(assistant: Assistant, sim: Simulator) -> None:
    reply = await assistant.call("get_machine_desktop", machine="dev-diya")
    desktop = reply.data["desktop"]
    assert (desktop["kind"], desktop["password"]) == ("vnc", "masked")
    assert desktop["hostname"] in reply.text
    assert [request.path for request in sim.wire][-1] == "/machines/psw5y2hq8n6a/desktop"


async def test_a_windows_desktop_and_none(assistant: Assistant) -> None:
    windows = await assistant.call("get_machine_desktop", machine="win-cad")
    assert windows.data["desktop"]["kind"] == "windows"
    headless = await assistant.call("get_machine_desktop", machine="dev-anna")
    assert headless.data["desktop"]["kind"] == "none"


async def test_the_password_is_not_revealed_and_nothing_is_sent_for_it(assistant: Assistant, sim: Simulator) -> None:
    reply = await assistant.call("get_machine_desktop", machine="dev-diya", reveal_password=True)
    assert (reply.code, reply.error["changed"]) == ("reveal_unavailable", "no")
    assert sim.wire == []


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({}, 7),
        ({"name_contains": "ml-in-a-box"}, 2),
        ({"machine_type": "h100"}, 3),
        ({"machine_type": "C5", "name_contains": "centos"}, 1),
        ({"region": "NY2"}, 7),
        ({"machine_type": "none-such"}, 0),
    ],
)
async def test_templates_are_filtered(assistant: Assistant, sim: Simulator, given: dict[str, str], names: int) -> None:
    reply = await assistant.call("list_templates", **given)
    assert len(reply.data["templates"]) == reply.data["total"] == names
    assert all(row["id"] in reply.text for row in reply.data["templates"])
    assert [request.operation for request in sim.wire] == ["list_templates"]


async def test_templates_that_are_not_offered_are_told(assistant: Assistant, sim: Simulator) -> None:
    sim.faults.add(Fault("status", "list_templates", status=404))
    assert (await assistant.call("list_templates")).code == "unavailable_here"
