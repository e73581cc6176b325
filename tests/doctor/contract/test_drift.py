"""Where answers differ from the reference is told by shape and field, and never by what stands there."""

from typing import Any

import pytest
from tests.doctor.contract.conftest import Contract, edited, grown

from paperspace_mcp.checkup.readings.reference import SHAPES
from paperspace_mcp.contract import shapes

WHOLE = {"digits_as_strings": False, "validation_errors": "bare"}
"""The variant that answers as the reference says."""


def test_a_provider_that_keeps_to_its_reference(contract: Contract) -> None:
    found = contract(grown(desktop_when_off=True, **WHOLE))
    for shape in SHAPES:
        told = found.shape(shape)
        assert told["looked_at"] > 0, shape
        assert not [told[kind] for kind in ("missing", "beyond", "types", "values") if told[kind]], told


def test_sizes_that_are_digits_and_issues_that_are_none_of_the_reference(contract: Contract) -> None:
    found = contract(grown())
    assert {one["field"]: one["type"] for one in found.shape("machine")["types"]} == {
        "ram": "digits",
        "storageTotal": "digits",
        "storageUsed": "digits",
    }
    assert found.shape("error")["beyond"] == {"issues": 2}


EDITS: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {
    "machine": ("/machines/psoxnh2i7", {"gpuModel": "x", "cpus": "8", "publicIpType": "floating"}, ("updatesPending",)),
    "event": ("/machine-events", {"actor": {}, "dtCreated": 5, "name": "vm-clone"}, ("error",)),
    "accessor": ("accessors", {"role": "x", "dtDeleted": "soon"}, ("user",)),
    "template": ("/os-templates", {"isPublic": True, "defaultSizeGb": "fifty", "agentType": "MacDesktop"}, ("name",)),
}


@pytest.mark.parametrize("shape", EDITS)
def test_each_kind_of_difference_is_counted(contract: Contract, shape: str) -> None:
    where, given, taken = EDITS[shape]

    def edit(path: str, status: int, body: Any) -> Any:
        listed = isinstance(body, dict) and status == 200 and isinstance(body.get("items"), list)
        if listed and (path.startswith(where) or where in path or (shape == "machine" and path == "/machines")):
            for row in body["items"][:1]:
                row.update(given)
                for name in taken:
                    row.pop(name, None)
        return body

    sim = grown(**WHOLE)
    with edited(sim, edit):
        told = contract(sim).shape(shape)
    assert set(told["missing"]) == set(taken)
    assert set(told["beyond"]) == given.keys() - SHAPES[shape].keys()
    wrong = {name for name in given if name in SHAPES[shape] and not SHAPES[shape][name].known}
    assert {one["field"] for one in told["types"]} == wrong
    listed = {name: value for name, value in given.items() if name in SHAPES[shape] and SHAPES[shape][name].known}
    assert {one["field"]: one["value"] for one in told["values"]} == listed
    assert all(one["count"] >= 1 for one in (*told["types"], *told["values"]))


def test_null_where_the_reference_has_none(contract: Contract) -> None:
    sim = grown(**WHOLE)
    sim.change("psoxnh2i7", cpus=None, autoShutdownTimeout=None)
    assert [(one["field"], one["type"]) for one in contract(sim).shape("machine")["types"]] == [("cpus", "null")]


READ: dict[str, type[shapes.Shape]] = {
    "machine": shapes.Machine,
    "accelerator": shapes.Accelerator,
    "reservation": shapes.Reservation,
    "event": shapes.Event,
    "accessor": shapes.Accessor,
    "user": shapes.User,
    "desktop": shapes.Desktop,
    "vnc": shapes.Vnc,
    "windows": shapes.WindowsDesktop,
    "template": shapes.Template,
    "template machine type": shapes.TemplateMachineType,
}


@pytest.mark.parametrize("shape", READ)
def test_what_this_server_reads_is_in_the_reference(shape: str) -> None:
    read = {field.alias or name for name, field in READ[shape].model_fields.items()}
    assert read - SHAPES[shape].keys() <= ({"region"} if shape == "template" else set())
