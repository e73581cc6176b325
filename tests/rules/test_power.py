"""Groups of states, and what an approval is bound to."""

import pytest

from paperspace_mcp.contract.shapes import Machine
from paperspace_mcp.rules import power

GROUPS = {
    "off": "off", "stopping": "off", "ready": "on", "serviceready": "on", "starting": "on", "restarting": "on",
    "upgrading": "upgrading", "provisioning": "provisioning", "unknown": "unknown", "": "", "OFF": "OFF",
}  # fmt: skip


@pytest.mark.parametrize(("state", "group"), GROUPS.items())
def test_groups(state: str, group: str) -> None:
    assert power.group(state) == group


def test_every_known_state_is_in_the_table() -> None:
    assert set(power.MACHINE_STATES) <= GROUPS.keys()
    assert power.STARTED < power.ON
    assert not power.ON & power.OFF


MACHINE = Machine.model_validate(
    {
        "id": "ps1", "name": "dev", "state": "starting", "machineType": "A4000", "region": "ny2",
        "storageTotal": "53687091200", "networkId": None,
    }
)  # fmt: skip


def test_a_fingerprint_has_the_fields_that_were_asked_for() -> None:
    whole = power.fingerprint(MACHINE, power.WHOLE)
    assert whole == {
        "name": "dev", "power": "on", "type": "A4000", "region": "ny2", "disk": "53687091200", "network": "None",
    }  # fmt: skip
    assert power.fingerprint(MACHINE, power.POWER) == {"name": "dev", "power": "on"}
    assert power.fingerprint(MACHINE, power.ACCESS) == {"name": "dev"}
    assert power.fingerprint(MACHINE, frozenset()) == {}


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"name": "x"}, {"name"}),
        ({"state": "ready"}, set()),
        ({"state": "off"}, {"power"}),
        ({"machine_type": "A5000"}, {"type"}),
        ({"region": "ca1"}, {"region"}),
        ({"storage_total": 1}, {"disk"}),
        ({"storage_total": None}, {"disk"}),
        ({"network_id": "n1"}, {"network"}),
        ({"public_ip": "203.0.113.1"}, set()),
    ],
)
def test_which_changes_are_seen(change: dict[str, object], names: set[str]) -> None:
    then = power.fingerprint(MACHINE, power.WHOLE)
    now = power.fingerprint(MACHINE.model_copy(update=change), power.WHOLE)
    assert {name for name in then if then[name] != now[name]} == names
