"""Lenient in: everything that was seen on the wire is read; strict out: what was not given is not sent."""

from typing import Any

import pytest
from pydantic import ValidationError

from paperspace_mcp.contract.errors import CallerError, Failure, OperatorError, OutcomeUnknown, Refusal, UpstreamError
from paperspace_mcp.contract.requests import MachineCreate, MachinesQuery, MachineUpdate
from paperspace_mcp.contract.shapes import Accessor, Event, Machine, MachineAndEvent, Page

LENIENT: list[tuple[dict[str, Any], str, Any]] = [
    ({"ram": "53687091200"}, "ram", 53687091200),
    ({"ram": 53687091200}, "ram", 53687091200),
    ({"storageTotal": "0"}, "storage_total", 0),
    ({"state": "something-new"}, "state", "something-new"),
    ({"surprise": {"deep": [1]}}, "id", "ps1"),
    ({"accelerators": None}, "accelerators", None),
    ({"usageRate": "0.76"}, "usage_rate", 0.76),
    ({"name": 7}, "name", "7"),
    ({}, "dt_deleted", None),
    ({"machineType": "A100-80Gx8"}, "machine_type", "A100-80Gx8"),
]


@pytest.mark.parametrize(("fields", "name", "value"), LENIENT)
def test_what_was_seen_on_the_wire_is_read(fields: dict[str, Any], name: str, value: Any) -> None:
    assert getattr(Machine.model_validate({"id": "ps1", **fields}), name) == value


@pytest.mark.parametrize("shape", [Machine, Event])
def test_only_an_id_is_demanded(shape: type[Machine] | type[Event]) -> None:
    assert shape.model_validate({"id": "x"}).id == "x"
    with pytest.raises(ValidationError):
        shape.model_validate({})


def test_an_answer_may_lack_its_event() -> None:
    assert MachineAndEvent.model_validate({"data": {"id": "ps1"}}).event is None
    assert Accessor.model_validate({"user": {"id": "u1"}}).dt_deleted is None


@pytest.mark.parametrize(
    ("page", "cursor"),
    [
        ({"items": [], "hasMore": False, "nextPage": None}, None),
        ({"items": [], "hasMore": False}, None),
        ({"items": [], "hasMore": True, "nextPage": "c"}, "c"),
        ({"items": [], "hasMore": True, "nextPage": ""}, None),
    ],
)
def test_the_cursor_of_a_page(page: dict[str, Any], cursor: str | None) -> None:
    assert Page[Machine].model_validate(page).cursor == cursor


def sent(shape: MachineUpdate | MachineCreate | MachinesQuery) -> dict[str, Any]:
    return shape.model_dump(by_alias=True, exclude_unset=True)


def test_false_zero_and_empty_are_values() -> None:
    body = MachineUpdate(auto_shutdown_enabled=False, auto_snapshot_save_count=0, network_id="")
    assert sent(body) == {"autoShutdownEnabled": False, "autoSnapshotSaveCount": 0, "networkId": ""}
    assert sent(MachineUpdate()) == {}


def test_names_on_the_wire_are_the_provider_s() -> None:
    create = MachineCreate(
        name="a", machine_type="A4000", template_id="t1", region="ny2", disk_size=50, enable_nvlink=True
    )
    assert set(sent(create)) == {"name", "machineType", "templateId", "region", "diskSize", "enableNvlink"}
    assert sent(MachinesQuery(order_by="dtCreated", agent_type="x")) == {"orderBy": "dtCreated", "agentType": "x"}


@pytest.mark.parametrize("kind", [CallerError, OperatorError, UpstreamError, OutcomeUnknown, Refusal])
def test_failures_say_their_code_and_nothing_else(kind: type[Failure]) -> None:
    failure = kind("some_code", facts={"secret": "hunter2"})
    assert str(failure) == "some_code"
    assert (failure.changed, failure.retryable, failure.candidates) == ("no", False, ())
    assert isinstance(failure, Failure)
