"""Nothing of an account gets into a report, whatever its API answers and wherever it stands."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.doctor.contract.conftest import Contract, Found, edited, grown

from paperspace_mcp.checkup.readings.reference import SHAPES
from paperspace_mcp.simulator import Fault, Simulator
from paperspace_mcp.simulator.model import Reservation

KEY = "ps-canary-0123456789-abcdefghij-WXYZ"
CANARY = "Canary"
LISTED = {value for fields in SHAPES.values() for known in fields.values() for value in known.known}
"""The words of the reference: the only texts of an answer that a report may show."""


def texts(value: Any) -> Iterator[str]:
    """Every text in an answer, but for the words in which it explains a wrong query of ours."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from texts(one) if name not in {"issues", "details"} else ()
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)


def printed(found: Found, file: Path) -> str:
    return found.text + found.errors.replace(str(file), "") + file.read_text(encoding="utf-8")


def asked(contract: Contract, sim: Simulator, file: Path, edit: Any = None) -> tuple[str, list[Any]]:
    """All that a run prints and writes, and all that the API answered but for its description."""
    sim.keys.add(KEY)
    with edited(sim, edit) as wire:
        found = contract(sim, "--report", str(file), key=KEY)
    assert found.code == 0
    assert len(wire.bodies) > 25
    return printed(found, file), [body for body in wire.bodies if not (isinstance(body, dict) and "openapi" in body)]


@pytest.mark.parametrize(
    "readings",
    [
        {},
        {"dates": "seconds", "event_ids": "short", "cursors": "opaque", "long_regions": True, "desktop_when_off": True},
        {"deleted_machines": "listed", "validation_errors": "details", "not_found_text": "its own"},
        {"unknown_cursor": "refused", "validation_errors": "bare", "digits_as_strings": False, "strict_queries": True},
    ],
    ids=["default", "forms", "shown", "refused"],
)
def test_no_text_of_an_answer_is_in_a_report(contract: Contract, tmp_path: Path, readings: dict[str, Any]) -> None:
    out, bodies = asked(contract, grown(**readings), tmp_path / "report")
    told = {one for body in bodies for one in texts(body) if len(one) > 2} - LISTED
    assert len(told) > 300
    words = set(re.findall(r"[\w@.:-]+", out))
    assert not {one for one in told if one in words or (len(one) > 4 and one in out)}


def test_no_key_password_name_id_or_address_is_in_a_report(contract: Contract, tmp_path: Path) -> None:
    sim = grown()
    for number, machine in enumerate(sim.machines.values()):
        machine.password = f"{CANARY}-password-{number}"
        sim.change(machine.id, name=f"{CANARY}-{number} {machine.name}", os=f"{CANARY} Linux")
        machine.reservation = Reservation(CANARY, f"{CANARY} held", 0.0, 1.0)
    out, _ = asked(contract, sim, tmp_path / "report")
    people = {"anna", "carlos", "diya", "olga", "berg", "okafor", "acme", "example.com"}
    addresses = {machine.publicIp for machine in sim.machines.values() if machine.publicIp}
    folded = out.casefold()
    assert not [one for one in (CANARY, KEY, KEY[-4:], *people, *addresses, *sim.machines) if one.casefold() in folded]
    assert not re.search(r"\d+\.\d+\.\d+\.\d+|127\.0\.0\.1|localhost|http:|/home|" + re.escape(str(tmp_path)), out)


def test_a_canary_in_every_text_field_stays_where_it_is(contract: Contract, tmp_path: Path) -> None:
    """Also where the reference lists values, in error texts, in cursors, in headers and in names of new fields."""

    def canaries(path: str, status: int, body: Any) -> Any:
        if isinstance(body, dict) and path != "/openapi.json":
            return {f"x{CANARY}": CANARY, **filled(body)} if status == 200 else filled(body)
        return body

    def filled(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            kept = {"items", "machineId", "id", "name"}
            return {
                key: one if key in kept and not isinstance(one, list) else filled(one, key)
                for key, one in value.items()
            }
        if isinstance(value, list):
            return [filled(one, name) for one in value]
        return f"{CANARY}@{name}" if isinstance(value, str) else value

    sim = grown(rate_limit_headers=True)
    sim.faults.add(Fault("status", "list_team_users", status=418, code=CANARY, message=CANARY, headers={"x-a": CANARY}))
    out, bodies = asked(contract, sim, tmp_path / "report", canaries)
    assert json.dumps(bodies).count(CANARY) > 500
    assert CANARY.casefold() not in out.casefold()


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("hibernating", "hibernating"),
        ("being moved", "being moved"),
        ("anna@example.com", "16 characters"),
        ("dev-anna", "8 of A-Z a-z 0-9 _ -"),
        ("DEV-ANNA moves", "14 characters"),
        ("x" * 40, "40 base36"),
    ],
)
def test_of_values_that_are_not_listed_only_words_are_shown(contract: Contract, state: str, shown: str) -> None:
    """A word that has a text of the account in it is none."""
    sim = grown()
    sim.change("ps8jo1fga", state=state)
    found = contract(sim)
    (value,) = found.shape("machine")["values"]
    assert (value["field"], value["value"]) == ("state", shown)
    assert state == shown or state not in found.text
