"""From words to one machine: exact for writes, never a guess."""

import pytest

from paperspace_mcp.contract.errors import Candidate
from paperspace_mcp.contract.shapes import Machine
from paperspace_mcp.rules import naming

IDS = ["ps1", "psoxnh2i7", "A", "a-b_c", "0", "x" * 64]
NO_IDS = [
    "", "-a", "_a", "x" * 65, "ps1\n", "ps1 ", " ps1", "ps1/desktop", "../users", "ps1%2Fdesktop", "ps1?x=1", "ps1#",
    "ps1;", "é", "ps\u200b1", "ps\uff11", "ps1\x00", "a.b", "a:b", "^a$", "{id}",
]  # fmt: skip


@pytest.mark.parametrize("reference", IDS)
def test_ids(reference: str) -> None:
    assert naming.is_id(reference)


@pytest.mark.parametrize("reference", NO_IDS)
def test_what_is_no_id_never_stands_in_a_path(reference: str) -> None:
    assert not naming.is_id(reference)


REGIONS = {
    "ny2": "ny2", "NY2": "ny2", "East Coast (NY2)": "ny2", "new york": "ny2", "New-York": "ny2", "new_york": "ny2",
    "  nyc ": "ny2", "us east": "ny2",
    "CA1": "ca1", "West Coast (CA1)": "ca1", "california": "ca1", "santa  clara": "ca1",
    "AMS1": "ams1", "Europe (AMS1)": "ams1", "amsterdam": "ams1", "EU": "ams1",
    "": None, "mars": None, "ny": "ny2", "ny1": None, "(ny2)": None, "x (mars)": None, "ny2)": None, "ny2 (ca1": None,
}  # fmt: skip


@pytest.mark.parametrize(("words", "short"), REGIONS.items())
def test_regions(words: str, short: str | None) -> None:
    assert naming.region(words) == short


@pytest.mark.parametrize("words", ["(" * 20_000, "x (" * 20_000, " " * 100_000, "a (" + "b" * 100_000, "\x00"])
def test_long_regions_are_no_region(words: str) -> None:
    assert naming.region(words) is None


def machine(number: int, name: str, **fields: str) -> Machine:
    return Machine.model_validate({"id": f"ps{number}", "name": name, **fields})


FLEET = [
    machine(1, "dev-ben", publicIp="203.0.113.7"),
    machine(2, "Dev-Ben"),
    machine(3, "eval"),
    machine(4, "eval"),
    machine(5, "gone", dtDeleted="2026-01-01T00:00:00.000Z", publicIp="203.0.113.8"),
    machine(6, "straße"),
    machine(7, "caf\u00e9"),
]


def ids(machines: list[Machine]) -> list[str]:
    return [one.id for one in machines]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("dev-ben", ["ps1"]),
        ("Dev-Ben", ["ps2"]),
        ("DEV-BEN", []),
        ("eval", ["ps3", "ps4"]),
        ("dev", []),
        ("gone", []),
        ("", []),
        ("cafe\u0301", ["ps7"]),
        ("dev-ben ", []),
    ],
)
def test_exact_names(name: str, found: list[str]) -> None:
    assert ids(naming.exact(FLEET, name)) == found


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("DEV-BEN", ["ps1", "ps2"]),
        ("STRASSE", ["ps6"]),
        ("203.0.113.7", ["ps1"]),
        (" 203.0.113.7 ", ["ps1"]),
        ("203.0.113", []),
        ("203.0.113.8", []),
        ("dev", []),
        ("dev-ben\u200b", []),
        ("dev-ben", ["ps1"]),
        (" dev-ben\n", ["ps1"]),
        ("CAFE\u0301", ["ps7"]),
        ("", []),
    ],
)
def test_otherwise_in_another_case_or_by_address(reference: str, found: list[str]) -> None:
    assert ids(naming.otherwise(FLEET, reference)) == found


def test_a_name_goes_before_an_address() -> None:
    fleet = [machine(1, "203.0.113.9"), machine(2, "b", publicIp="203.0.113.9")]
    assert ids(naming.otherwise(fleet, "203.0.113.9")) == ["ps1"]


@pytest.mark.parametrize(
    ("reference", "sure"),
    [("web-1", True), ("a b", True), ("", False), (" web-1", False), ("web-1\n", False), ("caf\u00e9", False)],
)
def test_what_the_filter_is_sure_to_find(reference: str, sure: bool) -> None:
    assert naming.filterable(reference) is sure


def test_a_search_keeps_no_more_than_is_told() -> None:
    search = naming.Search("eval")
    for number in range(1000):
        search.see(machine(number, "eval"))
        search.see(machine(-number, "EVAL"))
    assert len(search.meant) == naming.CANDIDATES + 1
    assert {one.name for one in search.meant} == {"eval"}


def test_candidates_are_five_at_most_and_likeliest_first() -> None:
    fleet = [machine(number, f"train-{number}") for number in range(20)]
    found = naming.similar(fleet, "train-7")
    assert len(found) == naming.CANDIDATES
    assert found[0].name == "train-7"
    assert naming.similar(fleet, "zzzzzz") == ()
    assert naming.similar([], "x") == ()
    assert len(naming.similar(fleet, "train" * 100_000)) <= naming.CANDIDATES


def test_a_candidate_says_what_tells_machines_apart() -> None:
    one = machine(1, "a", region="ny2", machineType="A4000", state="off")
    assert naming.candidate(one) == Candidate("ps1", "a", "ny2", "A4000", "off")


@pytest.mark.parametrize(
    ("word", "meant"),
    [("machin", "machine"), ("MACHINE", "machine"), ("xyz", None), ("", None), ("machine" * 9999, None)],
)
def test_did_you_mean(word: str, meant: str | None) -> None:
    assert naming.did_you_mean(word, ["machine", "region"]) == meant
