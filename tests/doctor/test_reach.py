"""The way to the API: every way in which it can be barred is told, in a few seconds, and the key is never shown."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from tests.doctor.conftest import Doctor
from tests.wire.authority import authority

from paperspace_mcp.checkup import reaching
from paperspace_mcp.checkup.rows import Row
from paperspace_mcp.settings import Upstream
from paperspace_mcp.simulator import Fault, Simulator

CANARY = "ps-canary-0123456789-abcdefghij-WXYZ"


def test_a_good_set_up_is_well(doctor: Doctor, account: Simulator) -> None:
    told = doctor()
    assert (told.code, told.failing) == (0, set())
    assert told.seen("api", "key") == "it lists machines"
    assert account.mutations() == []
    assert [request.query for request in account.wire] == [{"limit": "1"}]


def test_a_wrong_key_is_told_as_the_apis_word(
    doctor: Doctor, account: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERSPACE_API_KEY", CANARY)
    told = doctor()
    assert (told.code, told.failing) == (1, {("api", "key")})
    assert told.seen("api", "key") == "the API refuses it"
    assert CANARY[:-4] not in told.text + told.errors
    assert told.seen("key", "key") == "...WXYZ from PAPERSPACE_API_KEY"
    assert len(account.wire) == 1


def test_without_a_key_all_else_is_told(doctor: Doctor, account: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PAPERSPACE_API_KEY")
    told = doctor()
    assert (told.code, told.failing) == (1, {("key", "key")})
    assert told.seen("api", "answer").startswith("HTTP 401 in ")
    assert told.level("state", "directory") == "ok"
    assert "authorization" not in account.wire[0].headers


ANSWERS: dict[str, tuple[Fault, str, str]] = {
    "403": (Fault("status", status=403), "fail", "may not list machines"),
    "429": (Fault("status", status=429), "warn", "limits requests"),
    "404": (Fault("status", status=404), "fail", "no /machines"),
    "500": (Fault("status", status=500), "fail", "no answer of the API"),
    "redirect": (Fault("status", status=302, headers={"location": "https://login.example"}), "fail", "redirects"),
    "a login page": (Fault("malformed", body="<html>log in</html>"), "fail", "no JSON"),
    "another API": (Fault("malformed", body={"hello": 1}), "fail", "no answer of the API"),
    "empty": (Fault("empty"), "fail", "no JSON"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_answers_instead_of_the_api(doctor: Doctor, account: Simulator, name: str) -> None:
    fault, level, seen = ANSWERS[name]
    account.faults.add(Fault(fault.kind, "list_machines", **fault.params))
    told = doctor()
    assert (told.level("api", "key"), seen in told.seen("api", "key")) == (level, True), told.text
    assert told.code == (level == "fail")


@pytest.mark.parametrize("kind", ["close", "reset", "stall"])
def test_a_lost_or_stalled_answer_is_told_soon(
    doctor: Doctor, account: Simulator, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(reaching, "STEP_S", 0.3)
    account.faults.add(Fault(kind, "*", times=None))
    began = time.monotonic()
    told = doctor()
    assert told.failing == {("api", "answer")}
    assert time.monotonic() - began < 5
    assert told.level("state", "directory") == "ok", "what comes after it is told all the same"


def test_a_step_takes_a_few_seconds_at_most() -> None:
    assert reaching.STEP_S <= 5


@pytest.mark.parametrize(
    ("url", "about"),
    [("http://127.0.0.1:9/v1", "answer"), ("https://127.0.0.1:9/v1", "tls"), ("https://nowhere.invalid/v1", "dns")],
)
def test_without_a_way_it_says_which_step_failed(doctor: Doctor, url: str, about: str) -> None:
    told = doctor("--api-url", url)
    assert told.failing == {("api", about)}
    assert told.does("api", about)


def test_plain_http_to_another_machine_is_a_warning(doctor: Doctor) -> None:
    assert doctor("--api-url", "http://nowhere.invalid.example/v1").level("api", "address") == "warn"


def test_a_password_in_the_address_or_the_proxy_is_not_shown(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://anna:{CANARY}@127.0.0.1:9")
    told = doctor("--api-url", f"http://ben:{CANARY}@localhost.example/v1")
    assert CANARY not in told.text + told.errors
    assert told.seen("api", "proxy") == "http by http://127.0.0.1:9"
    assert told.level("api", "answer") == "fail"


def test_authorities_that_are_not_there(doctor: Doctor, account: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    told = doctor()
    assert told.failing == {("api", "SSL_CERT_FILE")}
    assert account.wire == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("ahead_s", "level"), [(0, "ok"), (-20, "ok"), (60, "warn"), (-90, "warn"), (3600, "fail"), (-3600, "fail")]
)
async def test_a_clock_that_is_wrong(sim: Simulator, ahead_s: float, level: str) -> None:
    theirs = format_datetime(datetime.now(UTC) - timedelta(seconds=ahead_s), usegmt=True)
    sim.faults.add(Fault("status", "list_machines", status=401, headers={"date": theirs}))
    rows = await looked(sim)
    assert rows["clock"].level.value == level
    assert ("ahead of" in rows["clock"].seen) is (ahead_s > 30)


@pytest.mark.anyio
async def test_an_unreadable_date_says_nothing_of_the_clock(sim: Simulator) -> None:
    sim.faults.add(Fault("status", "list_machines", status=401, headers={"date": "yesterday"}))
    assert "clock" not in await looked(sim)


async def looked(sim: Simulator) -> dict[str, Row]:
    upstream = Upstream(url="http://simulator.invalid/v1", key=SecretStr("demo-key"))
    return {row.about: row async for row in reaching.rows(upstream, transport=httpx.ASGITransport(sim.app))}


def test_a_key_file_is_named_and_its_modes_are_looked_at(
    doctor: Doctor, account: Simulator, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = home / "key"
    file.write_text("demo-key\n", encoding="utf-8")
    file.chmod(0o644)
    monkeypatch.delenv("PAPERSPACE_API_KEY")
    monkeypatch.setenv("PAPERSPACE_API_KEY_FILE", str(file))
    told = doctor()
    assert (told.code, told.level("key", "file"), told.does("key", "file")) == (0, "warn", f"chmod 600 {file}")
    file.chmod(0o600)
    assert doctor().level("key", "file") == "missing"
    assert len(account.wire) == 2


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Somebody who only shakes hands, with a certificate that nobody trusts; and where its authority is."""
    found = authority(tmp_path)
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for _ in range(2):
            with suppress(OSError):
                connection, _ = listening.accept()
                with suppress(OSError), found.server.wrap_socket(connection, server_side=True) as stream:
                    stream.recv(65536)
                    stream.sendall(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\n{}")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listening.getsockname()[1]}/v1", found.certificate
    finally:
        listening.close()


def test_a_certificate_that_nobody_trusts(doctor: Doctor, tls: tuple[str, Path]) -> None:
    told = doctor("--api-url", tls[0])
    assert told.failing == {("api", "tls")}
    assert "self-signed" in told.seen("api", "tls") or "self signed" in told.seen("api", "tls")
    assert "SSL_CERT_FILE" in told.does("api", "tls")


def test_an_authority_of_ones_own(doctor: Doctor, tls: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    url, certificate = tls
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    told = doctor("--api-url", url)
    assert told.level("api", "SSL_CERT_FILE") == "note"
    assert (told.level("api", "tls"), "TLSv1" in told.seen("api", "tls")) == ("warn", True), "it ends within the hour"
    assert told.failing == {("api", "key")}, "and the answer is one of that somebody"
