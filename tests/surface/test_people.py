"""Accessors, desktops and templates."""

from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from tests.conftest import Talking
from tests.surface.calls import OFF, ORDER
from tests.surface.talk import Assistant, declines, types

from paperspace_mcp.simulator import Fault, Simulator

pytestmark = pytest.mark.anyio

ANNA, BEN, CARLOS, DIYA = "ur7p0nb7n", "ub3n7q2xd", "uc4rl0s9f", "ud1yam5t2"
TRAIN = "psx7d4gv1p9e"
"""train-a100: Ben and Diya may use it, Carlos may no longer."""


class People:
    """A team of many people, in pages of 120; the last has an address of their own, two have the same."""

    def __init__(self, sim: Simulator, number: int) -> None:
        users = [{"id": f"u{index:04d}"} for index in range(number)]
        users += [{"id": "ulast", "email": "last@example.com"}]
        users += [{"id": one, "email": "same@example.com"} for one in ("usame1", "usame2")]
        self.app, self.rows = sim.app, users

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        if not request.url.path.endswith("/users"):
            await self.app(scope, receive, send)
            return
        begin = int(request.query_params.get("after", "0"))
        items = [{"user": one} for one in self.rows[begin : begin + 120]]
        more = begin + 120 < len(self.rows)
        answer = {"hasMore": more, "items": items, "nextPage": str(begin + 120) if more else None}
        await JSONResponse(answer)(scope, receive, send)


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
    assert gone.data["explicit_access"] is False
    never = await assistant.call("get_machine_accessor", machine="dev-ben", user=DIYA)
    assert (never.code, never.data["explicit_access"]) == ("", False)
    assert never.data["summary"] == '"diya@example.com" has no explicit access to "dev-ben".'
    assert "admins" in never.data["next"]
    nobody = await assistant.call("get_machine_accessor", machine="dev-ben", user="no@example.com")
    assert nobody.code == "unknown_user"


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


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("user", [CARLOS, "anna@example.com"])
async def test_access_that_is_not_there_is_not_taken(
    assistant: Assistant, sim: Simulator, user: str, *, listed: bool
) -> None:
    """Carlos has it no more, Anna never had it."""
    sim.variant.tombstones_listed = listed
    reply = await assistant.call("remove_machine_accessor", machine="train-a100", user=user)
    assert (reply.data["status"], reply.data["changed"]) == ("unchanged", False)
    assert reply.data["explicit_access"] is False
    assert (sim.mutations(), assistant.questions) == ([], [])


@pytest.mark.parametrize("user", ["nobody@example.com", "../vnc", "u1/../..", "a b", "u?x=1"])
async def test_a_person_who_is_not_known_is_told(assistant: Assistant, sim: Simulator, user: str) -> None:
    reply = await assistant.call("add_machine_accessor", machine="dev-ben", user=user)
    assert reply.code == "unknown_user"
    assert user not in reply.everything
    assert sim.mutations() == []
    assert not any("vnc" in request.path or ".." in request.path for request in sim.wire)


NOBODY = [("Ben", [BEN]), ("Okafor", [BEN]), ("ben okafor", [BEN]), ("anna", [ANNA]), ("ana", [ANNA]), ("u999", []),
          ("dya@example.com", [DIYA]), ("diya@exmaple.com", [DIYA]), ("ud1yam5t3", [DIYA]), ("UD1YAM5T2", [DIYA]),
          ("ben@", [BEN]), ("@example.com", []), ("zzz", [])]  # fmt: skip
"""What is no id and no e-mail of the team, and who is shown."""


@pytest.mark.parametrize(("user", "shown"), NOBODY)
@pytest.mark.parametrize("tool", ["add_machine_accessor", "remove_machine_accessor", "create_machine"])
async def test_nobody_is_taken_for_whoever_is_only_like_them(
    client: Talking, sim: Simulator, tool: str, user: str, shown: list[str]
) -> None:
    given = {**ORDER, "accessor_ids": [BEN, user]} if tool == "create_machine" else {"machine": OFF, "user": user}
    async with client("2026-07-28") as assistant:
        reply = await assistant.call(tool, **given)
        assert assistant.questions == []
    assert (reply.code, sim.mutations()) == ("unknown_user", [])
    assert reply.candidates[:1] == shown
    assert ("candidate" in reply.error["next"]) == (shown != [])
    assert ("accessor_ids, number 2" in reply.error["message"]) == (tool == "create_machine")
    assert all(set(one) <= {"id", "name", "email"} for one in reply.error.get("candidates", []))


async def test_a_candidate_has_id_name_and_address(assistant: Assistant) -> None:
    reply = await assistant.call("add_machine_accessor", machine=OFF, user="Ben")
    assert reply.error["candidates"][0] == {"id": BEN, "name": "Ben Okafor", "email": "ben@example.com"}
    assert BEN in reply.text


async def test_the_team_is_read_once_for_many_people(assistant: Assistant, sim: Simulator) -> None:
    await assistant.call("create_machine", **ORDER, accessor_ids=["BEN@example.com", DIYA])
    assert [request.operation for request in sim.wire].count("list_team_users") == 1
    assert sim.mutations()[0].body["accessorIds"] == [BEN, DIYA]


async def test_somebody_past_the_first_500_of_the_team_is_found(assistant: Assistant, sim: Simulator) -> None:
    sim.app = People(sim, 900)  # type: ignore[assignment]
    reply = await assistant.call("get_machine_accessor", machine=OFF, user="LAST@example.com")
    assert reply.data["summary"].startswith('"last@example.com" has no explicit access')


@pytest.mark.parametrize("status", [403, 404])
async def test_a_team_that_this_key_cannot_list_is_told_as_such(client: Talking, sim: Simulator, status: int) -> None:
    sim.faults.add(Fault("status", "list_team_users", times=None, status=status))
    async with client("2026-07-28") as assistant:
        for user in ("Diya", "diya@example.com"):
            reply = await assistant.call("add_machine_accessor", machine="train-a100", user="carla@example.com")
            assert (reply.code, reply.candidates) == ("unknown_user", [CARLOS])
            reply = await assistant.call("add_machine_accessor", machine=OFF, user=user)
            assert reply.code == "unknown_user"
            assert "cannot list the team" in reply.error["message"]
            assert "access already" in reply.error["next"]
        assert assistant.questions == []
        given = await assistant.call("add_machine_accessor", machine=OFF, user=DIYA)
        has = await assistant.call("add_machine_accessor", machine=OFF, user="Diya@example.com")
    assert (given.data["changed"], has.data["changed"]) == (True, False)


async def test_two_people_of_one_address_are_told_apart_by_id(assistant: Assistant, sim: Simulator) -> None:
    sim.app = People(sim, 2)  # type: ignore[assignment]
    reply = await assistant.call("add_machine_accessor", machine=OFF, user="same@example.com")
    assert (reply.code, reply.candidates) == ("ambiguous_user", ["usame1", "usame2"])
    assert (sim.mutations(), assistant.questions) == ([], [])


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
