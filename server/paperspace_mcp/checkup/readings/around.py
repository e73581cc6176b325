"""Readings of what is beside the reference: other endpoints, headers, the provider's own description. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from paperspace_mcp.checkup.readings import forms
from paperspace_mcp.checkup.readings.answers import FOUND, MISSING, NOT_FOUND, Answers, Record, Unsettled
from paperspace_mcp.checkup.readings.question import Reading

NEIGHBOURS = {
    "templates": "os-templates",
    "availability": "machine-availability",
    "session": "auth/session",
    "team_users": "teams/{id}/users",
    "description": "openapi.json",
}
_LIMITS = re.compile(r"(x-)?rate-?limit[a-z-]*|retry-after")
_NUMBER = re.compile(r"[0-9]{1,7}")
_CREATE = re.compile(r"(/v\d+)?/machines/?")
_DEEPEST = 5


def neighbours(answers: Answers) -> Reading:
    """Each of the other endpoints that this server uses, by its status."""
    found = {path: _status(answers, name) for name, path in NEIGHBOURS.items()}
    statuses = {status for status in found.values() if status.isdecimal()}
    if not statuses:
        raise Unsettled("none of them answered")
    value = True if statuses == {str(FOUND)} else False if statuses == {str(NOT_FOUND)} else "some"
    return Reading(value, ", ".join(f"{path} {status}" for path, status in found.items()))


def _status(answers: Answers, name: str) -> str:
    """Its number, or why there is none."""
    try:
        return str(answers.answered(name).status)
    except Unsettled as why:
        return f"({why})"


def rate_limit_headers(answers: Answers) -> Reading:
    """The headers that tell of a limit, and the limit itself where it is a number."""
    seen = answers.all.values()
    found = {name: value for one in seen for name, value in one.headers.items() if _LIMITS.fullmatch(name)}
    if not found and not dict(answers.pages("machines_default")):
        raise Unsettled("no page came")
    told = ", ".join(f"{name}{_limit(name, value)}" for name, value in sorted(found.items()) if forms.header(name))
    none = f"none of {len(seen)} answers says how many requests are left"
    return Reading(bool(found), f"answers carry {told}" if found else none)


def _limit(name: str, value: str) -> str:
    return f" ({value})" if name.endswith("-limit") and _NUMBER.fullmatch(value) else ""


def open_disk_size(answers: Answers) -> Reading:
    """Whether the description has a branch for sizes beside those that it lists."""
    document = answers.record("description")
    size = _within(document, _create_body(document), "properties", "diskSize")
    if not isinstance(size, dict):
        raise Unsettled("the description tells no diskSize of a create")
    branches = list(_branches(document, size))
    listed = sum(len(branch.get("enum", ())) or "const" in branch for branch in branches)
    open_ones = sum("enum" not in branch and "const" not in branch for branch in branches)
    beside = "and others" if open_ones else "and no others"
    return Reading(bool(open_ones), f"the provider's description lists {listed} disk sizes {beside}; none was tried")


def _branches(document: Record, schema: Record) -> Iterator[Record]:
    """The alternatives of a schema; the schema itself where it has none."""
    alternatives = schema.get("anyOf") or schema.get("oneOf") or [schema]
    for one in alternatives if isinstance(alternatives, list) else ():
        branch = _resolved(document, one)
        if isinstance(branch, dict) and branch.get("type") != "null":
            yield branch


def create_defaults(answers: Answers) -> Reading:
    """What the description says that a create does where a field is not given."""
    document = answers.record("description")
    properties = _within(document, _create_body(document), "properties")
    fields = properties if isinstance(properties, dict) else {}
    given = {name: _resolved(document, schema) for name, schema in fields.items()}
    told = [f"{forms.field(name, ())} {_plain(one['default'])}" for name, one in given.items() if _has_default(one)]
    if not told:
        raise Unsettled("the provider's description names no default of a create")
    return Reading(", ".join(told), f"the provider's description names {', '.join(told)}; none was tried")


def _has_default(schema: Any) -> bool:
    return isinstance(schema, dict) and "default" in schema


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return forms.word(value, ())
    return json.dumps(value) if value is None or isinstance(value, bool | int | float) else "something else"


def _create_body(document: Record) -> Any:
    paths = document.get("paths")
    for path, item in paths.items() if isinstance(paths, dict) else ():
        if _CREATE.fullmatch(path):
            return _within(document, item, "post", "requestBody", "content", "application/json", "schema")
    return None


def _within(document: Record, value: Any, *names: str) -> Any:
    """What stands at a place below; None where there is no such place."""
    found = _resolved(document, value)
    for name in names:
        found = _resolved(document, found.get(name) if isinstance(found, Mapping) else None)
    return found


def _resolved(document: Record, value: Any) -> Any:
    """A reference within the document is what it refers to."""
    for _ in range(_DEEPEST):
        reference = value.get("$ref") if isinstance(value, dict) else MISSING
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return value
        value = document
        for name in reference[2:].split("/"):
            value = value.get(name) if isinstance(value, dict) else None
    return None
