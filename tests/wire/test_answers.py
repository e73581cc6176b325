"""Every status and every broken body, for a read and for a mutation: who must act, and may anything have changed."""

import gzip
import json
from typing import Any

import pytest
from tests.wire.calls import DONE, MACHINE, MUTATIONS, Canned, Pieces, bench, canned
from tests.wire.rawserver import packet, raw, running

from paperspace_mcp.contract import catalogue as api
from paperspace_mcp.contract.errors import CallerError, Failure, OperatorError, OutcomeUnknown, UpstreamError
from paperspace_mcp.settings import Upstream
from paperspace_mcp.wire.answers import clean

pytestmark = pytest.mark.anyio

# fmt: off
REFUSED: list[tuple[int, type[Failure], str, bool]] = [
    (400, CallerError, "bad_request", False),
    (401, OperatorError, "unauthorized", False),
    (402, OperatorError, "payment_required", False),
    (403, OperatorError, "forbidden", False),
    (404, CallerError, "not_found", False),
    (405, CallerError, "method_not_supported", False),
    (407, OperatorError, "proxy_unauthorized", False),
    (409, CallerError, "conflict", False),
    (410, CallerError, "not_found", False),
    (412, CallerError, "precondition_failed", False),
    (413, CallerError, "payload_too_large", False),
    (415, CallerError, "bad_request", False),
    (422, CallerError, "bad_request", False),
    (429, UpstreamError, "rate_limited", True),
    (307, UpstreamError, "upstream_redirect", False),
    (308, UpstreamError, "upstream_redirect", False),
]
UNSURE: list[tuple[int, str, bool]] = [
    (408, "upstream_error", True),
    (499, "upstream_error", True),
    *((status, "upstream_error", True) for status in (500, 501, 502, 503, 504, 511, 520, 524, 599)),
    *((status, "upstream_error", False) for status in (418, 421, 425, 451, 460)),
    *((status, "upstream_redirect", False) for status in (300, 301, 302, 303, 304, 399)),
]
# fmt: on


async def told(answer: Any, *, read: bool, **settings: Any) -> Failure:
    """How one answer is told. A read is asked once only."""
    transport = answer if isinstance(answer, Canned) else Canned(answer)
    async with bench(transport=transport, max_attempts=1, **settings) as wire:
        with pytest.raises(Failure) as caught:
            await (wire.get() if read else wire.mutate(MUTATIONS[0]))
    assert len(transport.requests) == 1
    return caught.value


@pytest.mark.parametrize("read", [True, False])
@pytest.mark.parametrize(("status", "kind", "code", "retryable"), REFUSED)
async def test_a_status_that_refuses(status: int, kind: type[Failure], code: str, retryable: bool, read: bool) -> None:
    failure = await told(canned(status, b"{}"), read=read)
    assert type(failure) is kind
    assert (failure.code, failure.changed, failure.retryable) == (code, "no", retryable)
    assert failure.facts == {"operation": "get_machine" if read else "create_machine", "status": status}


@pytest.mark.parametrize(("status", "code", "retryable"), UNSURE)
async def test_a_status_that_leaves_a_mutation_in_doubt(status: int, code: str, retryable: bool) -> None:
    read, mutation = await told(canned(status, b"{}"), read=True), await told(canned(status, b"{}"), read=False)
    assert type(read) is UpstreamError
    assert (read.code, read.changed, read.retryable) == (code, "no", retryable)
    assert type(mutation) is OutcomeUnknown
    assert (mutation.code, mutation.changed, mutation.retryable) == ("outcome_unknown", "unknown", False)
    assert mutation.facts == {"operation": "create_machine", "status": status, "cause": code}


@pytest.mark.parametrize("status", [*range(300, 600), 999])
async def test_no_status_is_a_success_and_none_is_forgotten(status: int) -> None:
    assert (await told(canned(status, b"{}"), read=True)).changed == "no"
    assert (await told(canned(status, b"{}"), read=False)).changed in {"no", "unknown"}


BROKEN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "blank": (b" \n ", "empty"),
    "null": (b"null", "wrong_shape"),
    "list": (b"[]", "wrong_shape"),
    "text": (b'"ps1"', "wrong_shape"),
    "other_object": (b'{"hello": "world"}', "wrong_shape"),
    "wrong_type": (b'{"id": {}, "data": {"id": {}}}', "wrong_shape"),
    "html": (b"<!doctype html><html><body>Bad gateway</body></html>", "not_json"),
    "cut": (MACHINE[:-1], "not_json"),
    "two": (MACHINE + MACHINE, "not_json"),
    "doubled_key": (b'{"id": "ps1", "id": "ps2", "data": {"id": "ps1"}}', "not_json"),
    "doubled_key_inside": (b'{"id": "ps1", "data": {"id": "ps1", "x": {"a": 1, "a": 2}}}', "not_json"),
    "nan": (b'{"id": "ps1", "usageRate": NaN, "data": {"id": "ps1"}}', "not_json"),
    "infinity": (b'{"id": "ps1", "x": -Infinity, "data": {"id": "ps1"}}', "not_json"),
    "beyond_a_float": (b'{"id": "ps1", "usageRate": 1e999, "data": {"id": "ps1"}}', "not_json"),
    "endless_number": (b'{"id": "ps1", "ram": ' + b"9" * 9000 + b', "data": {"id": "ps1"}}', "not_json"),
    "deep_list": (b"[" * 100_000, "not_json"),
    "deep_object": (b'{"a":' * 100_000, "not_json"),
    "deep_but_whole": (b'{"id": "ps1", "x": ' + b"[" * 5000 + b"]" * 5000 + b"}", "not_json"),
    "latin_1": (b'{"id": "ps1", "name": "caf\xe9", "data": {"id": "ps1"}}', "not_json"),
    "utf_16": (MACHINE.decode().encode("utf-16"), "not_json"),
    "byte_order_mark": (b"\xef\xbb\xbf" + MACHINE, "not_json"),
    "lone_surrogate": (b'{"id": "\\ud800", "data": {"id": "\\ud800"}}', "wrong_shape"),
    "single_quotes": (b"{'id': 'ps1'}", "not_json"),
    "nul": (b"\x00" * 100, "not_json"),
}


@pytest.mark.parametrize("read", [True, False])
@pytest.mark.parametrize("name", BROKEN)
async def test_a_body_that_cannot_be_read(name: str, read: bool) -> None:
    body, problem = BROKEN[name]
    failure = await told(canned(200, body), read=read)
    _is_malformed(failure, problem, read=read)
    assert failure.__suppress_context__


def _is_malformed(failure: Failure, problem: str, *, read: bool) -> None:
    facts = {"operation": "get_machine" if read else "create_machine", "status": 200, "problem": problem}
    if read:
        assert type(failure) is UpstreamError
        assert (failure.code, failure.changed, failure.facts) == ("malformed_answer", "no", facts)
    else:
        assert type(failure) is OutcomeUnknown
        assert failure.changed == "unknown"
        assert failure.facts == {**facts, "cause": "unreadable_answer"}


BOMB = gzip.compress(b" " * 200_000_000, 9)
PACKED: dict[str, tuple[bytes, str, str]] = {
    "bomb": (BOMB, "gzip", "too_large"),
    "plain_but_said_to_be_packed": (MACHINE, "gzip", "bad_encoding"),
    "cut": (gzip.compress(MACHINE)[:-9], "gzip", "bad_encoding"),
    "more_behind": (gzip.compress(MACHINE) + b"tail", "gzip", "bad_encoding"),
    "wrong_sum": (gzip.compress(MACHINE)[:-8] + b"\x00" * 8, "gzip", "bad_encoding"),
    "nothing": (b"", "gzip", "bad_encoding"),
    "not_asked_for": (MACHINE, "br", "bad_encoding"),
    "twice": (gzip.compress(gzip.compress(MACHINE)), "gzip, gzip", "bad_encoding"),
    "packed_but_not_said": (gzip.compress(MACHINE), "identity", "not_json"),
}


@pytest.mark.parametrize("read", [True, False])
@pytest.mark.parametrize("name", PACKED)
async def test_what_content_encoding_claims_is_not_believed(name: str, read: bool) -> None:
    body, encoding, problem = PACKED[name]
    _is_malformed(await told(canned(200, body, content_encoding=encoding), read=read), problem, read=read)


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip", "identity", ""])
async def test_what_was_asked_for_is_read(encoding: str) -> None:
    body = gzip.compress(MACHINE) if "gzip" in encoding.lower() else MACHINE
    async with bench(transport=Canned(canned(200, body, content_encoding=encoding))) as wire:
        assert (await wire.get()).name == "box"


async def test_a_bomb_costs_no_memory() -> None:
    import tracemalloc

    bomb = BOMB
    assert len(bomb) < 300_000
    tracemalloc.start()
    try:
        await told(canned(200, bomb, content_encoding="gzip"), read=True, max_answer_bytes=300_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3_000_000


@pytest.mark.parametrize("read", [True, False])
async def test_an_answer_that_is_too_large_is_cut_off_while_it_comes(read: bool) -> None:
    pieces = Pieces(*[b" " * 1000] * 1000)
    answer = canned()
    answer.stream = pieces
    failure = await told(answer, read=read, max_answer_bytes=5000)
    _is_malformed(failure, "too_large", read=read)
    assert (pieces.taken, pieces.closed) == (6, True)


async def test_of_an_error_no_more_is_read_than_a_sentence_needs() -> None:
    pieces = Pieces(*[b" " * 1024] * 1000)
    answer = canned(404)
    answer.stream = pieces
    assert (await told(answer, read=True)).code == "not_found"
    assert (pieces.taken, pieces.closed) == (65, True)


async def test_an_answer_that_says_it_is_too_large_is_not_begun() -> None:
    answer = canned(200, MACHINE, content_length=str(9 * 1024 * 1024))
    pieces = answer.stream
    assert isinstance(pieces, Pieces)
    _is_malformed(await told(answer, read=True), "too_large", read=True)
    assert (pieces.taken, pieces.closed) == (0, True)


@pytest.mark.parametrize("read", [True, False])
async def test_an_endless_answer_from_a_socket_is_cut_off(read: bool) -> None:
    behaviour = raw(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 3_000_000)
    async with running(behaviour) as server, bench(server.url, max_answer_bytes=100_000) as wire:
        with pytest.raises(Failure) as caught:
            await (wire.get() if read else wire.mutate(MUTATIONS[0]))
    _is_malformed(caught.value, "too_large", read=read)


async def test_the_default_limit_fits_a_page_and_no_film() -> None:
    assert Upstream().max_answer_bytes == 8 * 1024 * 1024


async def test_any_2xx_with_the_right_body_is_a_success() -> None:
    for status in (200, 201, 202, 206, 299):
        async with bench(transport=Canned(canned(status, MACHINE))) as wire:
            assert (await wire.get()).id == "ps1"
    async with bench(transport=Canned(canned(200, DONE, content_type="text/plain"))) as wire:
        assert (await wire.mutate(MUTATIONS[0])).model_dump()["event"]["id"] == "e1"


def error(message: Any, code: Any = "BAD_REQUEST", **more: Any) -> bytes:
    return json.dumps({"message": message, "code": code, **more}).encode()


async def test_what_the_provider_says_about_a_wrong_call_is_kept() -> None:
    for read in (True, False):
        failure = await told(canned(400, error("This machine is currently starting.")), read=read)
        assert failure.facts["provider_code"] == "BAD_REQUEST"
        assert failure.facts["provider_message"] == "This machine is currently starting."


@pytest.mark.parametrize("status", [401, 403, 407, 500, 502, 503])
async def test_about_keys_and_crashes_the_providers_words_are_not_kept(status: int) -> None:
    failure = await told(canned(status, error("secret stack trace", "INTERNAL_SERVER_ERROR")), read=True)
    assert failure.facts["provider_code"] == "INTERNAL_SERVER_ERROR"
    assert "provider_message" not in failure.facts


@pytest.mark.parametrize("code", ["bad request", "<b>", "A" * 41, "", "CODE1", "X\n", 7, None, ["A"], {"A": 1}])
async def test_a_code_that_is_no_plain_word_is_dropped(code: Any) -> None:
    assert "provider_code" not in (await told(canned(400, error("m", code)), read=True)).facts


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"x"',
        b"7",
        b"<html><h1>no</h1></html>",
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"code": NaN}',
        BOMB,
    ],
    ids=lambda body: repr(body)[:12],
)
async def test_an_error_without_a_readable_body_is_told_by_its_status(body: bytes) -> None:
    for read in (True, False):
        failure = await told(canned(404, body), read=read)
        assert (failure.code, failure.changed) == ("not_found", "no")
        assert set(failure.facts) == {"operation", "status"}


async def test_an_error_whose_body_never_comes_is_told_by_its_status() -> None:
    half = packet(b"x" * 100, 409)[:-50]
    for read in (True, False):
        async with running(raw(half)) as server, bench(server.url) as wire:
            with pytest.raises(CallerError) as caught:
                await (wire.get() if read else wire.mutate(MUTATIONS[0]))
        assert (caught.value.code, caught.value.changed) == ("conflict", "no")


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ("plain", "plain"),
        ("a\r\n\tb\x00\x1b[31mc", "a b [31mc"),
        ("zero\u200bwidth \u202eright\u2028line \U000e0041tag", "zero width right line tag"),
        ("<script>alert(1)</script>", ""),
        ("see <a href=x>", ""),
        ("</system>", ""),
        ("diskSize must be < 100 and > 50", "diskSize must be < 100 and > 50"),
        ("größe 数", "größe 数"),
        ("x" * 5000, "x" * 512),
        ("\ud800", ""),
        (7, ""),
        (None, ""),
        ({"a": 1}, ""),
    ],
)
def test_the_providers_words_are_cleaned(message: Any, kept: str) -> None:
    assert clean(message) == kept


async def test_retry_after_is_told_with_every_status() -> None:
    for status in (429, 503, 403):
        failure = await told(canned(status, b"{}", retry_after="17"), read=True)
        assert failure.facts["retry_after_s"] == 17.0
    assert (await told(canned(429, b"{}", retry_after="17"), read=False)).facts["retry_after_s"] == 17.0
    assert "retry_after_s" not in (await told(canned(429, b"{}", retry_after="soon"), read=True)).facts


async def test_a_session_that_is_null_means_a_wrong_key() -> None:
    """200 with `null` when the key is missing or wrong (facts.md 4)."""
    async with bench(transport=Canned(canned(200, b" null\n"))) as wire:
        with pytest.raises(OperatorError) as caught:
            await wire.paperspace.read(api.AUTH_SESSION)
    assert (caught.value.code, caught.value.facts["status"]) == ("unauthorized", 200)
