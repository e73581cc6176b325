"""What goes out, and what never does."""

import json
import logging
import traceback
from typing import Any

import pytest
from pydantic import SecretStr
from tests.wire.calls import CREATE, DONE, KEY, MACHINES, MUTATIONS, ONE, Call, Canned, bench, canned
from tests.wire.rawserver import answer, close, running

from paperspace_mcp.contract import catalogue as api
from paperspace_mcp.contract.errors import CallerError, Failure, OperatorError
from paperspace_mcp.contract.requests import AccessorAdd, MachineCreate, MachinesQuery, MachineUpdate
from paperspace_mcp.rules.guard.warrants import Warrant
from paperspace_mcp.settings import Upstream
from paperspace_mcp.wire.paperspace import Paperspace, plain
from paperspace_mcp.wire.urls import path_of

pytestmark = pytest.mark.anyio

BODIES = {
    "create_machine": {
        "name": "box",
        "machineType": "C5",
        "templateId": "t0nspur5",
        "region": "ny2",
        "diskSize": 100,
    },
    "update_machine": {"name": "box"},
    "start_machine": {},
    "stop_machine": {},
    "restart_machine": {},
    "add_machine_accessor": {"userId": "u1"},
}
PATHS = {
    "create_machine": "/v1/machines",
    "update_machine": "/v1/machines/ps1",
    "delete_machine": "/v1/machines/ps1",
    "start_machine": "/v1/machines/ps1/start",
    "stop_machine": "/v1/machines/ps1/stop",
    "restart_machine": "/v1/machines/ps1/restart",
    "add_machine_accessor": "/v1/machines/ps1/accessors",
    "remove_machine_accessor": "/v1/machines/ps1/accessors/u1",
}


@pytest.mark.parametrize("call", MUTATIONS, ids=str)
async def test_a_mutation_on_the_wire(call: Call) -> None:
    both = b'{"user": {"id": "u1"}, "data": {"id": "ps1"}}'
    async with running(answer(both)) as server, bench(server.url) as wire:
        await wire.mutate(call)
    (seen,) = server.seen
    body = BODIES.get(call.operation.name)
    assert (seen.method, seen.target) == (call.operation.method, PATHS[call.operation.name])
    assert (json.loads(seen.body) if seen.body else None) == body
    assert seen.headers.get("content-type") == (None if body is None else "application/json")
    assert b"100.0" not in seen.body


@pytest.mark.parametrize("read", [True, False])
async def test_the_headers_are_ours_and_no_more(read: bool) -> None:
    async with running(answer(b'{"id": "ps1", "data": {"id": "ps1"}}')) as server, bench(server.url) as wire:
        await (wire.get() if read else wire.mutate(MUTATIONS[2]))
    (seen,) = server.seen
    assert seen.headers.pop("user-agent").startswith("paperspace-mcp/")
    assert seen.headers == {
        "host": f"127.0.0.1:{server.port}",
        "authorization": f"Bearer {KEY}",
        "accept": "application/json",
        "accept-encoding": "gzip",
        "connection": "keep-alive",
    }


async def test_cookies_are_not_kept() -> None:
    behaviour = answer(DONE.replace(b'{"data"', b'{"id": "ps1", "data"'), set_cookie="__cf_bm=1; Path=/")
    async with running(behaviour) as server, bench(server.url) as wire:
        for _ in range(2):
            await wire.get()
            await wire.mutate(MUTATIONS[3])
    assert all("cookie" not in seen.headers for seen in server.seen)


@pytest.mark.parametrize("name", ["a b+c&d=e", "é/ü?#%25%2F", "", "..", "'\"<>\\|", "\u202e\x00\n"])
async def test_a_query_arrives_as_it_was_meant(name: str) -> None:
    from urllib.parse import parse_qs, urlsplit

    async with running(answer(MACHINES)) as server, bench(server.url) as wire:
        await wire.paperspace.read(api.LIST_MACHINES, query=MachinesQuery(name=name, limit=120, region=None))
    parts = urlsplit(server.seen[0].target)
    assert parts.path == "/v1/machines"
    assert parse_qs(parts.query, keep_blank_values=True) == {"name": [name], "limit": ["120"]}


async def test_a_query_that_fits_no_url_is_the_callers() -> None:
    transport = Canned(canned(200, MACHINES))
    async with bench(transport=transport) as wire:
        for name in ("x" * 2_000_000, "\ud800"):
            with pytest.raises(CallerError, match="bad_argument"):
                await wire.paperspace.read(api.LIST_MACHINES, query=MachinesQuery(name=name))
    assert transport.requests == []


def test_what_was_set_goes_out_and_nothing_else() -> None:
    body = MachineUpdate(
        auto_shutdown_enabled=False, auto_shutdown_timeout=0.0, name="", disk_size=250.0, network_id=None
    )
    assert plain(body) == {"autoShutdownEnabled": False, "autoShutdownTimeout": 0, "name": "", "diskSize": 250}
    assert json.dumps(plain(body)["diskSize"]) == "250"
    assert json.dumps(plain(MachineUpdate(disk_size=75.5))) == '{"diskSize": 75.5}'
    assert plain(None) == {}


def test_arguments_are_plain_json() -> None:
    arguments = Paperspace.arguments({"id": "ps1"}, MachineUpdate(disk_size=100))
    assert arguments == {"path": {"id": "ps1"}, "body": {"diskSize": 100}}
    assert json.loads(json.dumps(arguments)) == arguments


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
async def test_a_number_that_json_has_not_is_the_callers(number: float) -> None:
    transport = Canned(canned(200, DONE))
    async with bench(transport=transport) as wire:
        with pytest.raises(CallerError, match="bad_argument"):
            await wire.mutate(Call(api.UPDATE_MACHINE, ONE, MachineUpdate.model_construct(disk_size=number)))
    assert transport.requests == []


BAD_IDS = [
    *("m1/desktop", "../users", "..", ".", "", "?", "m1?x=1", "m1#", "%2e%2e", "m%31", "m1;x", "m1\\x", "m1@x", "m1:x"),
    *("m 1", " m1", "m1 ", "m1\n", "\nm1", "m1\r\nX: y", "m1\x00", "m1\t", "m\u00e9", "\uff11", "-m1", "_m1"),
    *("x" * 65, "x" * 2_000_000),
]


@pytest.mark.parametrize("bad", BAD_IDS, ids=lambda bad: repr(bad)[:12])
async def test_an_id_that_could_name_another_endpoint_never_leaves(bad: str) -> None:
    transport = Canned(canned())
    async with bench(transport=transport) as wire:
        calls = [
            wire.get(bad),
            *(wire.mutate(Call(call.operation, _spoiled(call, bad), call.body)) for call in WITH_ID),
        ]
        for call in calls:
            with pytest.raises(CallerError) as told:
                await call
            assert told.value.code == "bad_id"
            assert told.value.changed == "no"
            assert told.value.facts["argument"] in {"id", "userId"}
            assert set(told.value.facts) == {"argument"}
    assert transport.requests == []


WITH_ID = [call for call in MUTATIONS if call.path]


def _spoiled(call: Call, bad: str) -> dict[str, str]:
    return {**call.path, list(call.path)[-1]: bad}


@pytest.mark.parametrize("good", ["a", "psm9u09bwu5i", "8ebe43dd-57c8-4bd4-b770-86b7fd0202e4", "x" * 64, "A_b-9"])
def test_ids_of_the_provider_pass(good: str) -> None:
    assert path_of(api.GET_MACHINE_ACCESSOR, {"id": good, "userId": "u1"}) == f"/machines/{good}/accessors/u1"


def test_a_path_with_too_few_or_too_many_values_is_our_mistake() -> None:
    for values in ({}, {"id": "ps1", "userId": "u1"}, {"userId": "u1"}):
        with pytest.raises(TypeError):
            path_of(api.GET_MACHINE, values)
    with pytest.raises(CallerError):
        path_of(api.GET_MACHINE, {"id": 7})  # type: ignore[dict-item]


async def test_verbs_and_shapes_that_do_not_fit_are_our_mistake() -> None:
    transport = Canned(canned())
    async with bench(transport=transport) as wire:
        paperspace = wire.paperspace
        wrong = [
            paperspace.read(api.DELETE_MACHINE, ONE),
            paperspace.mutate(api.GET_MACHINE, ONE, None, None),
            paperspace.read(api.LIST_MACHINES, query=CREATE),
            paperspace.read(api.GET_MACHINE, ONE, MachinesQuery()),
            paperspace.mutate(api.CREATE_MACHINE, {}, None, None),
            paperspace.mutate(api.UPDATE_MACHINE, ONE, CREATE, None),
            paperspace.mutate(api.START_MACHINE, ONE, AccessorAdd(user_id="u1"), None),
        ]
        for call in wrong:
            with pytest.raises(TypeError):
                await call
    assert transport.requests == []


async def test_no_warrant_no_request() -> None:
    transport = Canned(canned(200, DONE))
    async with bench(transport=transport) as wire:
        paperspace, warrants = wire.paperspace, wire.warrants
        arguments = Paperspace.arguments(ONE, None)
        other_machine = warrants.mint("start_machine", Paperspace.arguments({"id": "ps2"}, None), "r")
        other_operation = warrants.mint("stop_machine", arguments, "r")
        forged = Warrant(warrants.mint("start_machine", arguments, "r").digest, "r")
        for warrant in (None, other_machine, other_operation, forged):
            with pytest.raises(PermissionError):
                await paperspace.mutate(api.START_MACHINE, ONE, None, warrant)
        assert transport.requests == []
        good = warrants.mint("start_machine", arguments, "r")
        await paperspace.mutate(api.START_MACHINE, ONE, None, good)
        with pytest.raises(PermissionError):
            await paperspace.mutate(api.START_MACHINE, ONE, None, good)
    assert len(transport.requests) == 1


async def test_a_warrant_for_another_body_does_not_pay() -> None:
    transport = Canned(canned(200, DONE))
    async with bench(transport=transport) as wire:
        small = wire.warrants.mint("create_machine", Paperspace.arguments({}, CREATE), "r")
        large = MachineCreate(**{**CREATE.model_dump(exclude_unset=True), "disk_size": 2000})
        with pytest.raises(PermissionError):
            await wire.paperspace.mutate(api.CREATE_MACHINE, {}, large, small)
    assert transport.requests == []


BAD_KEYS = ["k\r\nX-Evil: 1", "k\n", "k\x00", "k k", " ", "schlüssel", "\ud800", "k\x7f", "k" * 5000, "\u200bk"]


@pytest.mark.parametrize("read", [True, False])
@pytest.mark.parametrize("key", [None, "", *BAD_KEYS], ids=lambda key: ascii(key)[:16])
async def test_without_a_usable_key_nothing_is_sent(key: str | None, read: bool) -> None:
    transport = Canned(canned())
    async with bench(transport=transport, key=key) as wire:
        with pytest.raises(OperatorError) as told:
            await (wire.get() if read else wire.mutate(MUTATIONS[0]))
    assert told.value.code == ("bad_key" if key else "no_key")
    assert (told.value.changed, told.value.facts) == ("no", {})
    assert transport.requests == []


BAD_URLS = [
    "",
    "api.paperspace.com",
    "ftp://x/v1",
    "http://",
    "https://u:p@host/v1",
    "https://host/v1?x=1",
    "http://[",
    "\x00",
]


@pytest.mark.parametrize("url", BAD_URLS)
async def test_a_base_url_that_is_none_is_the_operators(url: str) -> None:
    async with bench(url) as wire:
        with pytest.raises(OperatorError) as told:
            await wire.get()
    assert (told.value.code, told.value.facts) == ("bad_configuration", {"setting": "PAPERSPACE_API_URL"})


def _everything(error: BaseException | None) -> str:
    said = ""
    while error is not None:
        said += f"{error}{error!r}{error.args}{getattr(error, 'facts', '')}" + "".join(
            traceback.format_exception(error)
        )
        error = error.__cause__ or error.__context__
    return said


ECHO = json.dumps({"message": f"no such key: {KEY}", "code": "BAD_REQUEST"}).encode()
LEAKY: list[Any] = [answer(ECHO, 400), answer(ECHO, 401), answer(ECHO, 500), answer(KEY.encode()), close]


@pytest.mark.parametrize("read", [True, False])
@pytest.mark.parametrize("behaviour", LEAKY, ids=["400", "401", "500", "200", "close"])
async def test_the_key_is_in_no_error_and_no_log(behaviour: Any, read: bool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with running(behaviour) as server, bench(server.url) as wire:
        with pytest.raises(Failure) as told:
            await (wire.get() if read else wire.mutate(MUTATIONS[0]))
        assert KEY in server.seen[0].headers["authorization"]
        assert KEY not in repr(wire.paperspace) + str(vars(wire.paperspace))
    assert KEY not in _everything(told.value)
    assert KEY not in caplog.text
    assert KEY not in repr(Upstream(key=SecretStr(KEY)))
