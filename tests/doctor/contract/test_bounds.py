"""It stays small and polite: a few GETs, each with an end, and it stops where going on would be rude or of no use."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from tests.doctor.contract.conftest import Contract, grown

from paperspace_mcp.checkup.readings import asking
from paperspace_mcp.checkup.readings.gets import GETS
from paperspace_mcp.cli import main
from paperspace_mcp.simulator import Fault, Simulator
from paperspace_mcp.simulator.server import running


def test_the_numbers_of_a_run(contract: Contract) -> None:
    sim = grown()
    found = contract(sim)
    gets = found.report["gets"]
    assert (gets["gets"], gets["at_most"]) == (len(sim.wire), len(GETS))
    assert sum(found.report["statuses"].values()) == len(sim.wire)
    assert gets["median_ms"] <= gets["slowest_ms"] <= gets["elapsed_ms"] < 20_000
    assert sum("authorization" not in request.headers for request in sim.wire) == 2, "session and description"


def test_its_times_are_seconds_and_not_minutes() -> None:
    assert (asking.GET_S, asking.ALL_S) <= (10, 120)


@pytest.mark.parametrize(
    ("fault", "code", "part", "says"),
    [
        (Fault("status", status=401), 1, "key", "the API refuses it"),
        (Fault("status", status=403), 1, "key", "it may not list machines"),
        (Fault("status", status=429, retry_after=7), 0, "key", "limits requests"),
        (Fault("status", status=404), 1, "key", "no /machines"),
        (Fault("status", status=302, headers={"location": "https://login.example"}), 1, "key", "redirects"),
        (Fault("malformed", body="<html>log in</html>"), 1, "key", "no JSON"),
        (Fault("malformed", body={"hello": 1}), 1, "key", "no answer of the API"),
        (Fault("close"), 1, "answer", "broke off"),
    ],
    ids=["401", "403", "429", "404", "redirect", "html", "another", "lost"],
)
def test_a_first_answer_that_is_none_ends_it(contract: Contract, fault: Fault, code: int, part: str, says: str) -> None:
    sim = grown()
    sim.faults.add(Fault(fault.kind, "list_machines", **fault.params))
    found = contract(sim)
    assert len(sim.wire) == 1
    assert found.code == code
    (row,) = [one for one in found.report["stopped"] if one["about"] == part]
    assert says in row["seen"]
    assert row["do"]
    assert found.readings.keys() <= (
        {"retry_after", "rate_limit_headers"} if "429" in found.report["statuses"] else set()
    )
    assert any("not asked" in why for why in found.why.values())


@pytest.mark.parametrize("after", [1, 4, 20])
def test_a_limit_on_the_way_ends_it_and_is_told(contract: Contract, after: int) -> None:
    sim = grown()
    sim.faults.add(Fault("status", "*", times=None, after=after, status=429, retry_after=30))
    found = contract(sim)
    assert (len(sim.wire), found.code) == (after + 1, 0)
    assert found.report["stopped"][0]["seen"] == "the API limits requests (429)"
    assert found.readings["retry_after"] == "seconds"
    assert found.why["open_disk_size"] == "not asked (stopped: the API limits requests (429))"
    assert found.report["statuses"] == {"200": after, "429": 1} or after == 20


@pytest.mark.parametrize(
    ("header", "form"), [({}, "absent"), ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, "date")]
)
def test_the_form_of_retry_after(contract: Contract, header: dict[str, str], form: str) -> None:
    sim = grown()
    sim.faults.add(Fault("status", "*", after=3, status=429, headers=header))
    assert contract(sim).readings["retry_after"] == form


def test_a_key_that_is_revoked_on_the_way_ends_it(contract: Contract) -> None:
    sim = grown()
    sim.faults.add(Fault("status", "*", times=None, after=6, status=401))
    found = contract(sim)
    assert (len(sim.wire), found.code) == (7, 1)
    assert found.report["stopped"][0]["seen"] == "the API refuses the key now (401)"
    assert found.readings["default_limit"] == 20, "what was settled before stays"


def test_one_answer_that_is_lost_costs_its_questions_only(contract: Contract) -> None:
    sim = grown()
    sim.faults.add(Fault("close", "list_templates"))
    sim.faults.add(Fault("status", "openapi_document", status=500))
    found = contract(sim)
    assert found.code == 0
    assert found.why["open_disk_size"] == "HTTP 500 came"
    assert found.readings["neighbours"] == "some"
    assert "os-templates (no answer came (broken))" in found.told("neighbours")
    assert found.report["statuses"]["broken"] == 1


def test_a_few_that_are_lost_end_it(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "GET_S", 0.2)
    sim = grown()
    sim.faults.add(Fault("stall", "*", times=None, after=5))
    began = time.monotonic()
    found = contract(sim)
    assert (found.code, len(sim.wire)) == (1, 5 + asking.PATIENCE)
    assert "no answers come any more (timeout)" in found.report["stopped"][0]["seen"]
    assert time.monotonic() - began < 10


def test_all_together_has_an_end(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "ALL_S", 0.5)
    sim = grown()
    sim.faults.add(Fault("slow", "*", times=None, after=3, seconds=0.3))
    began = time.monotonic()
    found = contract(sim)
    assert (found.code, len(sim.wire) < 10) == (0, True)
    assert found.report["stopped"][0]["seen"] == "0.5 s were over"
    assert time.monotonic() - began < 10


def test_where_nothing_listens(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert home.is_dir()
    assert main(["doctor", "--contract", "--json", "--api-url", "http://127.0.0.1:9/v1"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["stopped"][0]["seen"] == "no connection"
    assert report["statuses"] == {"connection": 1}


def test_without_a_key_nothing_is_sent(contract: Contract, home: Path) -> None:
    sim = grown()
    found = contract(sim, key="")
    assert home.is_dir()
    assert (found.code, sim.wire) == (1, [])
    assert found.report["stopped"][0]["seen"] == "none is found"
    assert found.report["gets"]["gets"] == 0


def test_a_setting_that_cannot_be_used_is_told(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert home.is_dir()
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    assert main(["doctor", "--contract", "--json", "--api-url", "https://127.0.0.1:9/v1"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["stopped"][0]["seen"] == "SSL_CERT_FILE cannot be used"


@pytest.mark.parametrize("after", [1, 2, 12])
@pytest.mark.parametrize(
    "body",
    [
        *("", "[]", "null", '"text"', "17", "{", "<html></html>", '{"items": {}}', '{"items": [1, null, "x", [], {}]}'),
        '{"items": [{"id": 5, "name": [], "state": {}, "region": 1, "user": 3, "dtDeleted": 0}], "hasMore": true}',
        '{"items": [{"id": "../x", "user": {"id": "a/b"}, "accelerators": {"name": 1}}], "nextPage": {"a": 1}}',
        '{"paths": {"/machines": {"post": {"requestBody": []}}}, "team": [], "message": 4, "code": {}}',
    ],
)
def test_answers_that_are_none_break_nothing(contract: Contract, body: str, after: int) -> None:
    sim = grown()
    sim.faults.add(Fault("malformed", "*", times=None, after=after, body=body))
    found = contract(sim)
    assert found.code == 0
    assert len(found.readings) + len(found.why) == len(found.report["questions"])
    assert not any(".." in request.path or "a/b" in request.path for request in sim.wire)


# -- the command -------------------------------------------------------------------------------------------------------


def test_the_report_is_also_written(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in ((), ("--json",)):
        file = home / f"report{len(words)}"
        assert main(["doctor", "--contract", "--demo", "--report", str(file), *words]) == 0
        out, errors = capsys.readouterr()
        assert file.read_text(encoding="utf-8") == out
        assert errors == f"Written to {file}.\n"


def test_a_file_that_cannot_be_written_is_told_before_anything_is_sent(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sim = Simulator()
    with running(sim) as served:
        monkeypatch.setenv("PAPERSPACE_API_URL", served.url)
        assert main(["doctor", "--contract", "--report", str(home / "nowhere" / "report")]) == 1
    out, errors = capsys.readouterr()
    assert (out, sim.wire) == ("", [])
    assert "cannot be written" in errors
    assert "Nothing was asked." in errors


def test_a_report_wants_the_contract(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["doctor", "--report", str(home / "report")])
    assert caught.value.code == 2
    assert "--report goes with --contract" in capsys.readouterr().err
    assert not (home / "report").exists()


def test_the_text_tells_what_the_json_does(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert home.is_dir()
    assert main(["doctor", "--contract", "--demo", "--json"]) == 0
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert main(["doctor", "--contract", "--demo"]) == 0
    text = capsys.readouterr().out
    for question in report["questions"]:
        assert question["name"] in text
        assert (question["told"] if question["settled"] else question["why"]) in text
        assert not question["settled"] or not question["server"] or question["server"] in text
    assert f"{report['gets']['gets']} GETs (at most {len(GETS)})" in text
    assert all(change["asks"] in text for change in report["needs_a_change"])
    assert "ram is digits in" in text


def test_the_help_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["doctor", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "nothing is changed" in told
    assert "--report FILE" in told
