"""What the provider's console lets nobody do. Whether its API enforces it is not known, so it is told and not refused.

Taken from the validators of a public Terraform provider, which mirror the console, and from the reference's ten sizes.
"""

from collections.abc import Mapping
from typing import Any

DISK_SIZES_GB = (50, 100, 250, 500, 1000, 2000, 4000, 8000, 12000, 16000)
TIMEOUT_HOURS = (1, 8, 24, 168)
SNAPSHOTS_KEPT = range(1, 10)


def remarks(changed: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    """A sentence for each value that the console would not take.

    changed: the fields of the body, by the provider's names; settings: all settings as they will be then.
    """
    return [*_disk(changed), *_shutdown(changed, settings), *_snapshots(changed, settings)]


def _disk(changed: Mapping[str, Any]) -> list[str]:
    size = changed.get("diskSize")
    if size is None or size in DISK_SIZES_GB:
        return []
    larger = [one for one in DISK_SIZES_GB if one > size]
    return [f"{size:g} GB is none of the provider's disk sizes{f'; the next is {larger[0]}' if larger else ''}."]


_TIMER = {"autoShutdownEnabled", "autoShutdownTimeout", "autoShutdownForce"}
_SNAPSHOTS = {"autoSnapshotEnabled", "autoSnapshotFrequency", "autoSnapshotSaveCount"}


def _shutdown(changed: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    found, timeout = list[str](), settings.get("autoShutdownTimeout")
    if not _TIMER & changed.keys():
        return found
    if "autoShutdownTimeout" in changed and timeout not in TIMEOUT_HOURS:
        found.append("The console knows timeouts of 1, 8, 24 and 168 hours only.")
    found += timer(changed, settings)
    if changed.get("autoShutdownEnabled") and timeout is None:
        found.append("Auto-shutdown has no timeout; the console wants one.")
    return found


def timer(changed: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    """A timeout is for a timer; where that is off, nothing comes of it."""
    if settings.get("autoShutdownEnabled") is not False or not _TIMER - {"autoShutdownEnabled"} & changed.keys():
        return []
    return ["The timer is off, so nothing shuts it down: auto_shutdown_enabled turns it on."]


def _snapshots(changed: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    found, kept = list[str](), changed.get("autoSnapshotSaveCount")
    if kept is not None and kept not in SNAPSHOTS_KEPT:
        found.append("The console keeps 1 to 9 snapshots.")
    missing = settings.get("autoSnapshotFrequency") is None or settings.get("autoSnapshotSaveCount") is None
    if changed.get("autoSnapshotEnabled") and missing:
        found.append("Auto-snapshots lack a frequency or a count; the console wants both.")
    return found
