"""Input checks in the provider's manner: `Input validation failed` with the validator's `issues`."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any

from paperspace_mcp.simulator import catalog

if TYPE_CHECKING:
    from paperspace_mcp.simulator.variant import Variant

FREQUENCIES = ("hourly", "daily", "weekly", "monthly")
_LIMIT_MAX = 120
IP_TYPES = ("static", "dynamic", "none")

# Value rules by field: a type name, or the allowed values.
_SETTINGS: dict[str, Any] = {
    "autoShutdownEnabled": "boolean",
    "autoShutdownForce": "boolean",
    "autoShutdownTimeout": "number",
    "autoSnapshotEnabled": "boolean",
    "autoSnapshotFrequency": FREQUENCIES,
    "autoSnapshotSaveCount": "number",
    "diskSize": "number",
    "machineType": "string",
    "name": "string",
    "networkId": "string",
    "publicIpType": IP_TYPES,
    "restorePointEnabled": "boolean",
    "restorePointFrequency": ("shutdown",),
}
UPDATE = {**_SETTINGS, "restorePointSnapshotId": "string"}
CREATE = {
    **_SETTINGS,
    "accessorIds": "array",
    "emailPassword": "boolean",
    "enableNvlink": "boolean",
    "region": "string",
    "startOnCreate": "boolean",
    "startupScriptId": "string",
    "takeInitialSnapshot": "boolean",
    "templateId": "string",
}
CREATE_REQUIRED = ("diskSize", "machineType", "name", "region", "templateId")
ACCESSOR = {"userId": "string"}

_CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_SUPPORTED",
    408: "TIMEOUT",
    409: "CONFLICT",
    412: "PRECONDITION_FAILED",
    413: "PAYLOAD_TOO_LARGE",
    429: "TOO_MANY_REQUESTS",
    499: "CLIENT_CLOSED_REQUEST",
}


def code_for(status: int) -> str:
    return _CODES.get(status, "INTERNAL_SERVER_ERROR")


@dataclass
class Refusal(Exception):
    """An error answer: HTTP status, message, code and validation issues."""

    status: int
    message: str
    code: str | None = None
    issues: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self, variant: Variant) -> dict[str, Any]:
        """Key order on the wire is message, code (seen live in 2026)."""
        answer: dict[str, Any] = {"message": self.message, "code": self.code or code_for(self.status)}
        if not self.issues or variant.validation_errors == "bare":
            return answer
        told = {"issues": self.issues}
        return answer | (told if variant.validation_errors == "issues" else {"details": told})


NOT_FOUND = "Not found"
UNAUTHORIZED = "You must be logged in to access this method."


def not_found() -> Refusal:
    return Refusal(404, NOT_FOUND)


def invalid(issues: list[dict[str, Any]]) -> Refusal:
    return Refusal(400, "Input validation failed", issues=issues)


# -- one value --------------------------------------------------------------------------------------------------------


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, float) and not isfinite(value):
        return "nan"
    names = {str: "string", int: "number", float: "number", list: "array", dict: "object"}
    return names.get(type(value), "unknown")


def _wrong_type(name: str, expected: str, received: str) -> dict[str, Any]:
    message = "Required" if received == "undefined" else f"Expected {expected}, received {received}"
    fields = {"code": "invalid_type", "expected": expected, "received": received}
    return {**fields, "path": [name], "message": message}


def _wrong_choice(name: str, options: tuple[Any, ...], value: Any) -> dict[str, Any]:
    listed = " | ".join(repr(option) for option in options)
    message = f"Invalid enum value. Expected {listed}, received {value!r}"
    fields = {"received": value, "code": "invalid_enum_value", "options": list(options)}
    return {**fields, "path": [name], "message": message}


def _too_small(name: str, minimum: int, kind: str, message: str) -> dict[str, Any]:
    fields = {"code": "too_small", "minimum": minimum, "type": kind, "inclusive": True, "exact": False}
    return {**fields, "message": message, "path": [name]}


def _check(name: str, rule: Any, value: Any) -> list[dict[str, Any]]:
    if isinstance(rule, tuple):
        return [] if value in rule and isinstance(value, str) else [_wrong_choice(name, rule, value)]
    received = _type_of(value)
    return [] if received == rule else [_wrong_type(name, rule, received)]


# -- bodies -----------------------------------------------------------------------------------------------------------


def body(raw: Any, rules: dict[str, Any], required: tuple[str, ...], variant: Variant) -> dict[str, Any]:
    """The known fields of a body; unknown ones are dropped, as Zod strips them. Raises Refusal 400."""
    if not isinstance(raw, dict):
        raise invalid([{**_wrong_type("", "object", _type_of(raw)), "path": []}])
    issues = [_wrong_type(name, str(rules[name]), "undefined") for name in required if name not in raw]
    for name in rules.keys() & raw.keys():
        issues += _check(name, rules[name], raw[name])
    issues += _values(raw, variant) if not issues else []
    unknown = sorted(raw.keys() - rules.keys())
    if unknown and variant.strict_bodies:
        issues.append({"code": "unrecognized_keys", "keys": unknown, "path": [], "message": "Unrecognized key(s)"})
    if issues:
        raise invalid(issues)
    return {name: raw[name] for name in rules if name in raw}


def _values(raw: dict[str, Any], variant: Variant) -> list[dict[str, Any]]:
    users = raw.get("accessorIds", ())
    issues = [_wrong_type("accessorIds", "string", _type_of(user)) for user in users if not isinstance(user, str)]
    if raw.get("name") == "":
        issues.append(_too_small("name", 1, "string", "String must contain at least 1 character(s)"))
    size = raw.get("diskSize")
    if size is not None and size not in catalog.DISK_SIZES and not (variant.open_disk_size and size > 0):
        issues.append({"code": "invalid_union", "path": ["diskSize"], "message": "Invalid input"})
    return issues + (_console_rules(raw) if variant.console_rules else [])


def _console_rules(raw: dict[str, Any]) -> list[dict[str, Any]]:
    issues = []
    if raw.get("autoShutdownTimeout", 1) not in {1, 8, 24, 168}:
        issues.append(_wrong_choice("autoShutdownTimeout", (1, 8, 24, 168), raw["autoShutdownTimeout"]))
    if raw.get("autoSnapshotSaveCount", 1) not in range(1, 10):
        issues.append(_wrong_choice("autoSnapshotSaveCount", tuple(range(1, 10)), raw["autoSnapshotSaveCount"]))
    if raw.get("autoShutdownEnabled") and "autoShutdownTimeout" not in raw:
        issues.append(_wrong_type("autoShutdownTimeout", "number", "undefined"))
    if raw.get("autoSnapshotEnabled"):
        needed = ("autoSnapshotFrequency", "autoSnapshotSaveCount")
        issues += [_wrong_type(name, "string", "undefined") for name in needed if name not in raw]
    return issues


# -- queries ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Page:
    """The paging part of a query."""

    after: str | None
    limit: int
    order_by: str
    descending: bool


def page(query: dict[str, str], orders: tuple[str, ...], variant: Variant, *, default_order: str = "desc") -> Page:
    """after, limit 1-120, orderBy (the first of `orders` by default), order. Raises Refusal 400."""
    order, order_by = query.get("order", default_order), query.get("orderBy", orders[0])
    issues = _check("order", ("asc", "desc"), order) + _check("orderBy", orders, order_by)
    if variant.strict_queries and (unknown := sorted(query.keys() - _QUERY)):
        issues.append({"code": "unrecognized_keys", "keys": unknown, "path": [], "message": "Unrecognized key(s)"})
    limit, wrong = _limit(query.get("limit", str(variant.default_limit)))
    if issues or wrong:
        raise invalid(issues + wrong)
    return Page(_after(query.get("after"), variant), limit, order_by, order == "desc")


_QUERY = frozenset(
    {"after", "limit", "order", "orderBy", "name", "region", "agentType", "machineType", "machineId", "role"}
)


def _after(cursor: str | None, variant: Variant) -> str | None:
    """The id in a cursor; one that is none of ours names nothing."""
    if not cursor or variant.cursors == "last id":
        return cursor
    try:
        return bytes.fromhex(cursor.removeprefix("c_")).decode()
    except ValueError:
        return "no-such-id"


def _limit(text: str) -> tuple[int, list[dict[str, Any]]]:
    try:
        limit = float(text.replace("_", "?") or "0")
    except ValueError:
        return 0, [_wrong_type("limit", "number", "nan")]
    if not limit.is_integer():
        return 0, [_wrong_type("limit", "integer", "float" if isfinite(limit) else "nan")]
    return int(limit), _out_of_range(limit)


def _out_of_range(limit: float) -> list[dict[str, Any]]:
    if limit < 1:
        return [_too_small("limit", 1, "number", "Number must be greater than or equal to 1")]
    if limit > _LIMIT_MAX:
        fields = {"code": "too_big", "maximum": _LIMIT_MAX, "type": "number", "inclusive": True, "exact": False}
        return [{**fields, "message": f"Number must be less than or equal to {_LIMIT_MAX}", "path": ["limit"]}]
    return []


def required(query: dict[str, str], *names: str) -> list[str]:
    """The values of query parameters that must be there. Raises Refusal 400."""
    missing = [_wrong_type(name, "string", "undefined") for name in names if name not in query]
    if missing:
        raise invalid(missing)
    return [query[name] for name in names]
