"""No more is claimed than the answers show: what an account does not have leaves its question open, with the reason."""

from typing import Any

import pytest
from tests.doctor.contract.conftest import Contract, edited, grown

from paperspace_mcp.checkup.readings.gets import NO_NAME
from paperspace_mcp.simulator import Simulator, Variant

EMPTY = {
    "long_limit": "refused",
    "next_page_on_last": "null",
    "strict_queries": False,
    "not_found_text": "same",
    "validation_errors": "issues",
    "rate_limit_headers": False,
    "session_without_key": "null",
    "neighbours": True,
    "open_disk_size": False,
}
"""All that an account without machines and events can tell, but for the forms of ids."""


def test_an_empty_account(contract: Contract) -> None:
    found = contract(Simulator("empty"))
    assert {name: value for name, value in found.readings.items() if name != "id_forms"} == EMPTY
    assert found.readings["id_forms"] == "template t+7 base36"
    assert found.why["default_limit"] == "each list came whole: 0 machines and 0 events"
    assert found.why["digits_as_strings"] == found.why["name_filter"] == "the account has no machines"
    assert found.why["cursors"] == "no list is longer than its page"
    assert found.why["repeated_query"] == "there are not two machines or events"
    assert found.code == 0


def one_machine(**fields: Any) -> Simulator:
    sim = Simulator("empty", clock=lambda: 0.0)
    sim.add_machine(**{"name": "node-one", "state": "ready", "diskSize": 75, **fields})
    return sim


def test_one_machine(contract: Contract) -> None:
    found = contract(one_machine())
    assert found.why["default_limit"] == "each list came whole: 1 machines and 0 events"
    assert found.why["cursors"] == "no list is longer than its page"
    assert found.why["other_order"] == "the account has 1 machine"
    assert found.why["omit_null_accelerators"] == "each of the 1 machines has accelerators"
    assert found.why["free_when_off"] == "no machine is off"
    assert found.why["desktop_when_off"] == "no machine with a desktop is off"
    assert found.why["storage_rate"].startswith("no machine has a disk of 50, 100 or 250 GB")
    assert found.why["deleted_machines"] == "no deleted machine is known from the newest events"
    assert found.why["event_ids"] == "the account has no events"
    settled = ("name_filter", "name_filter_folds", "fold_machine_type", "long_region_filter", "usage_rate", "dates")
    assert {found.readings[name] for name in settled} == {"contains", False, True, "hour", "milliseconds"}
    assert found.readings["id_forms"].startswith("machine 11 base36, network 8 base36"), "of one id no letter is shown"


def test_a_list_longer_than_its_page_settles_what_a_short_one_cannot(contract: Contract) -> None:
    """Two machines, and events enough."""
    sim = one_machine()
    sim.add_machine(name="node-two", machineType="C5")
    for age in range(30):
        sim.world.event("bill-sessions", sim.machine("node-one"), sim.clock.now() - age)
    found = contract(sim)
    assert found.told("default_limit") == "a list without a limit has 20 events on a page; all 2 machines came"
    assert (found.readings["default_limit"], found.readings["cursors"]) == (20, "last id")
    assert found.why["other_order"] == "the account has 2 machines"


@pytest.mark.parametrize("count", [121, 300])
def test_a_fleet_longer_than_a_page(contract: Contract, count: int) -> None:
    found = contract(Simulator(count, clock=lambda: 0.0))
    assert found.readings["default_limit"] == 20
    assert found.told("next_page_on_last") == "on the last page of accessors nextPage is null"
    assert found.readings["name_filter"] == "contains"
    assert "deleted_machines" in found.why


@pytest.mark.parametrize("name", ["x", "ab", "研究-モデル", "1234567", "aaaaaa", " dev", "aXXX"])
def test_a_name_that_tells_nothing_is_not_asked_about(contract: Contract, name: str) -> None:
    sim = one_machine(name=name)
    found = contract(sim)
    assert found.why["name_filter"] == "no machine has a plain name of four characters or more"
    assert found.why["name_filter_folds"] == found.why["name_filter"]
    assert not any("name" in request.query for request in sim.wire if request.query.get("name") != NO_NAME)


def test_a_filter_that_is_ignored_is_not_taken_for_one_that_finds(contract: Contract) -> None:
    """Whatever is asked, all machines come."""
    sim = grown()
    everything: Any = None

    def all_of_them(path: str, status: int, body: Any) -> Any:
        nonlocal everything
        if path == "/machines" and status == 200:
            everything = everything or (body if len(body["items"]) > 20 else None)
            return {**everything, "items": everything["items"][:22]} if everything else body
        return body

    with edited(sim, all_of_them):
        found = contract(sim)
    assert [found.readings[one] for one in ("name_filter", "fold_machine_type", "long_region_filter")] == [
        "ignored"
    ] * 3
    assert found.why["name_filter_folds"] == "the filter is ignored"


def test_what_is_neither_one_nor_the_other_is_told_so(contract: Contract) -> None:
    """Half of the machines are answered in another way."""
    sim = grown()

    def half(path: str, status: int, body: Any) -> Any:
        if path == "/machines" and status == 200:
            for row in body["items"][::2]:
                row |= {"ram": 5, "region": "Mars (M1)", "usageRate": row["usageRate"] * 3, "storageRate": 1000}
                row |= {"dtCreated": "yesterday", "dtModified": row["dtModified"][:10]}
        return body

    with edited(sim, half):
        found = contract(sim)
    settled = ("digits_as_strings", "long_regions", "usage_rate", "dates")
    assert [found.readings[name] for name in settled] == ["mixed"] * 4
    assert "something else" in found.told("long_regions")
    assert "neither per month nor per hour" in found.why["storage_rate"]


def test_what_types_without_a_published_price_cost(contract: Contract) -> None:
    """Machines that are on tell it; of the others nobody knows whether their rate is that of a machine that is on."""
    sim = grown()
    assert contract(sim).readings["cpu_prices"] == "C7 0.3, C9 1"
    for machine in sim.machines.values():
        sim.change(machine.id, state="off")
    found = contract(sim)
    assert found.why["cpu_prices"] == "no machine of a type C2 to C9 is on"
    assert found.why["usage_rate"] == "no machine is on whose type has a published price"


def test_how_many_requests_are_allowed(contract: Contract) -> None:
    found = contract(grown(rate_limit_headers=True))
    names = "x-ratelimit-limit (600), x-ratelimit-remaining, x-ratelimit-reset"
    assert found.told("rate_limit_headers") == f"answers carry {names}"


def test_a_machine_that_still_reads_as_living_is_not_taken_for_a_deleted_one(contract: Contract) -> None:
    found = contract(Simulator(clock=lambda: 0.0, variant=Variant(deleted_machines="readable")))
    assert found.why["deleted_machines"] == "no deleted machine is known from the newest events"


def test_the_description_is_read_through_its_references(contract: Contract) -> None:
    schema = {"$ref": "#/components/schemas/Create"}
    create = {"properties": {"diskSize": {"$ref": "#/components/schemas/Size"}, "startOnCreate": {"default": True}}}
    sizes = {"anyOf": [{"const": 50}, {"const": 100}, {"type": "number", "exclusiveMinimum": 0}]}
    post = {"requestBody": {"content": {"application/json": {"schema": schema}}}}
    document = {
        "paths": {"/machines/{id}": {}, "/v1/machines": {"post": post}},
        "components": {"schemas": {"Create": create, "Size": sizes, "Loop": {"$ref": "#/components/schemas/Loop"}}},
    }
    sim = grown()
    with edited(sim, lambda path, _status, body: document if path == "/openapi.json" else body):
        found = contract(sim)
    assert found.readings["open_disk_size"] is True
    assert found.told("open_disk_size") == "the provider's description lists 2 disk sizes and others; none was tried"
    assert found.readings["create_defaults"] == "startOnCreate true"
    schema["$ref"] = "#/components/schemas/Loop"
    with edited(sim, lambda path, _status, body: document if path == "/openapi.json" else body):
        found = contract(sim)
    assert "open_disk_size" in found.why
