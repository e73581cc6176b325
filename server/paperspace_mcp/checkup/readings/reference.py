"""The answers as the provider's reference of 18 March 2026 documents them, and the values that it lists. Pure data."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

CODES = frozenset(
    {
        "PARSE_ERROR", "BAD_REQUEST", "UNAUTHORIZED", "FORBIDDEN", "NOT_FOUND", "METHOD_NOT_SUPPORTED", "TIMEOUT",
        "CONFLICT", "PRECONDITION_FAILED", "PAYLOAD_TOO_LARGE", "TOO_MANY_REQUESTS", "CLIENT_CLOSED_REQUEST",
        "INTERNAL_SERVER_ERROR",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """kinds: JSON types; `date` is a text that is one. known: the values that are listed, empty where none are."""

    kinds: tuple[str, ...]
    required: bool = True
    known: frozenset[str] = frozenset()


Fields = Mapping[str, Field]


def _fields(names: str, *kinds: str) -> dict[str, Field]:
    return {name: Field(kinds) for name in names.split()}


def _listed(name: str, values: str, *kinds: str) -> dict[str, Field]:
    return {name: Field(("string", *kinds), known=frozenset(values.split(", ")))}


def _optional(fields: Fields) -> dict[str, Field]:
    return {name: replace(field, required=False) for name, field in fields.items()}


_REGIONS = "ny2, ca1, ams1, East Coast (NY2), West Coast (CA1), Europe (AMS1)"
"""The long ones were seen in answers of 2024."""
_STATES = "off, starting, stopping, restarting, serviceready, ready, upgrading, provisioning"
_EVENTS = (
    "bill-sessions, bill-upgrade, create, deactivate, restart, snapshot-create, snapshot-delete, snapshot-restore, "
    "start, stop, template-create, template-delete, template-distribute, template-import, vm-migrate, "
    "vm-shutdown-force, vm-upgrade"
)

SHAPES: dict[str, Fields] = {
    "machine": {
        **_fields("id name os machineType", "string"),
        **_fields("autoShutdownEnabled autoSnapshotEnabled restorePointEnabled updatesPending", "boolean"),
        **_fields("autoShutdownForce", "boolean", "null"),
        **_fields("cpus usageRate storageRate", "number"),
        **_fields("ram storageTotal storageUsed", "integer"),
        **_fields("autoShutdownTimeout autoSnapshotSaveCount", "number", "null"),
        **_fields("networkId privateIp publicIp restorePointSnapshotId", "string", "null"),
        **_fields("dtCreated dtModified", "date"),
        **_fields("dtDeleted", "date", "null"),
        **_fields("reservation", "object", "null"),
        **_optional(_fields("accelerators", "array", "null")),
        **_listed("state", _STATES),
        **_listed("region", _REGIONS),
        **_listed("agentType", "LinuxHeadless, LinuxDesktop, WindowsDesktop"),
        **_listed("publicIpType", "static, dynamic, none"),
        **_listed("autoSnapshotFrequency", "hourly, daily, weekly, monthly", "null"),
        **_listed("restorePointFrequency", "shutdown", "null"),
    },
    "accelerator": {**_fields("name", "string"), **_fields("memory", "integer", "null"), **_fields("count", "number")},
    "reservation": {
        **_fields("id name", "string"),
        **_fields("dtStarted dtFinished", "date"),
        **_fields("isActive", "boolean"),
    },
    "event": {
        **_fields("id", "string"),
        **_fields("machineId error", "string", "null"),
        **_fields("dtCreated", "date"),
        **_fields("dtStarted dtFinished", "date", "null"),
        **_listed("name", _EVENTS),
        **_listed("state", "new, in progress, done, error, cancelled"),
    },
    "accessor": {**_fields("user", "object"), **_optional(_fields("dtDeleted", "date", "null"))},
    "user": {
        **_fields("id email", "string"),
        **_optional(_fields("firstName lastName publicProfileImageUrl", "string", "null")),
    },
    "desktop": _optional(_fields("vnc windows", "object")),
    "vnc": {**_fields("hostname password", "string"), **_fields("port", "integer")},
    "windows": {
        **_fields("hostname", "string"),
        **_fields("port", "integer"),
        **_optional(_fields("publicIp", "string")),
    },
    "template": {
        **_fields("id name operatingSystemLabel", "string"),
        **_listed("agentType", "LinuxHeadless, LinuxDesktop, WindowsDesktop"),
        **_fields("defaultSizeGb", "number", "null"),
        **_fields("availableMachineTypes", "array"),
        **_fields("dtCreated", "date"),
    },
    "template machine type": {**_fields("machineTypeLabel", "string"), **_fields("isAvailable", "boolean")},
    "page": {
        **_fields("hasMore", "boolean"),
        **_fields("items", "array"),
        **_optional(_fields("nextPage", "string", "null")),
    },
    "error": {
        **_fields("message", "string"),
        "code": Field(("string",), known=CODES),
        **_optional(_fields("details", "object")),
    },
}
"""Templates are not on the reference's page: theirs are as the provider's description of 2024 has them."""
