"""Groups of states, and what an approval is bound to."""

from datetime import UTC, datetime

import pytest

from paperspace_mcp.contract.shapes import Event, Machine
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
    assert set(power.MACHINE_STATES) > power.PASSING
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


NOW = 1_800_000_000.0


def event(name: str, state: str, made: float, finished: float | None = None, **fields: object) -> Event:
    """An event made, and perhaps finished, so many seconds before NOW."""
    at = [None if ago is None else datetime.fromtimestamp(NOW - ago, UTC).isoformat() for ago in (made, finished)]
    given = {"id": f"{name}-{made:g}", "name": name, "state": state, "dtCreated": at[0], "dtFinished": at[1]}
    return Event.model_validate(given | fields)


STARTING = event("start", "new", 1)


@pytest.mark.parametrize(
    ("state", "events", "found"),
    [
        ("off", [STARTING], "start-1"),
        ("off", [], None),
        ("off", [event("start", "in progress", power.BEGUN_LAG_S)], "start-120"),
        ("off", [event("start", "in progress", power.BEGUN_LAG_S + 1)], None),
        ("starting", [event("start", "in progress", 600)], "start-600"),
        ("starting", [event("start", "in progress", 601)], None),
        ("off", [event("start", "in progress", -30)], "start--30"),
        ("ready", [event("stop", "new", 1), event("start", "done", 60, 40)], "stop-1"),
        ("off", [event("start", "error", 5, 2), event("stop", "done", 60, 40)], None),
        ("ready", [event("start", "error", 1, 0), event("stop", "in progress", 3)], "stop-3"),
        ("off", [event("bill-upgrade", "new", 1), event("vm-upgrade", "new", 2)], "vm-upgrade-2"),
        ("ready", [event("snapshot-create", "in progress", 1)], None),
        # done, and the state is still against it: for a moment, not for long
        ("ready", [event("stop", "done", 9, 4)], "stop-9"),
        ("ready", [event("stop", "done", 40, 11)], None),
        ("ready", [event("stop", "done", 40, -60)], None),
        ("ready", [event("stop", "done", 9, None)], None),
        ("stopping", [event("stop", "done", 9, 4)], None),
        ("off", [event("vm-upgrade", "done", 9, 4)], None),
        # an older one that was overtaken does not count
        ("ready", [event("start", "done", 60, 20), event("stop", "in progress", 90)], None),
        ("off", [event("start", "new", 1, dtCreated=None)], None),
        ("off", [event("start", "new", 1, dtCreated=None, dtStarted=STARTING.dt_created)], "start-1"),
    ],
)
def test_what_is_under_way_whatever_the_state_shows(state: str, events: list[Event], found: str | None) -> None:
    under_way = power.moving(state, events, NOW)
    assert (under_way and under_way.id) == found


def test_a_refused_act_believes_in_older_events() -> None:
    assert power.moving("off", [event("start", "in progress", 500)], NOW, within_s=600)


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([], None),
        ([event("snapshot-create", "new", 1)], None),
        ([event("bill-sessions", "new", 1), event("stop", "in progress", 900)], "stop-900"),
        ([event("stop", "done", 5, 1), event("start", "in progress", 900)], "start-900"),
        ([event("stop", "done", 5, 1), event("start", "done", 900, 800)], "stop-5"),
    ],
)
def test_which_event_a_passing_state_comes_from(events: list[Event], found: str | None) -> None:
    behind = power.behind(events)
    assert (behind and behind.id) == found
