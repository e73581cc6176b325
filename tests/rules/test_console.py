"""What the console lets nobody do, told as it is: nobody knows whether the API refuses it."""

from typing import Any

import pytest

from paperspace_mcp.rules.console import remarks


@pytest.mark.parametrize(
    ("changed", "held", "said"),
    [
        ({"diskSize": 100}, {}, ()),
        ({"diskSize": 75}, {}, ("75 GB is none of the provider's disk sizes; the next is 100.",)),
        ({"diskSize": 99999}, {}, ("99999 GB is none of the provider's disk sizes.",)),
        ({"autoShutdownEnabled": True, "autoShutdownTimeout": 8}, {}, ()),
        ({"autoShutdownEnabled": True}, {}, ("no timeout",)),
        ({"autoShutdownEnabled": True}, {"autoShutdownTimeout": 24}, ()),
        ({"autoShutdownEnabled": False}, {}, ()),
        ({"autoShutdownTimeout": 6}, {"autoShutdownEnabled": True}, ("1, 8, 24 and 168",)),
        ({"autoShutdownTimeout": 8}, {"autoShutdownEnabled": False}, ("The timer is off",)),
        ({"autoShutdownForce": True}, {"autoShutdownEnabled": False}, ("The timer is off",)),
        ({"autoShutdownTimeout": 8}, {}, ()),
        ({"autoSnapshotEnabled": True}, {}, ("frequency or a count",)),
        ({"autoSnapshotEnabled": True, "autoSnapshotFrequency": "daily"}, {"autoSnapshotSaveCount": 3}, ()),
        ({"autoSnapshotEnabled": True, "autoSnapshotFrequency": "daily"}, {}, ("frequency or a count",)),
        ({"autoSnapshotSaveCount": 9}, {}, ()),
        ({"autoSnapshotSaveCount": 10}, {}, ("1 to 9",)),
        ({"name": "x"}, {"autoShutdownTimeout": 6, "autoShutdownEnabled": False}, ()),
    ],
)
def test_remarks(changed: dict[str, Any], held: dict[str, Any], said: tuple[str, ...]) -> None:
    found = remarks(changed, {**held, **changed})
    assert len(found) == len(said)
    assert all(part in whole for part, whole in zip(said, found, strict=True))
