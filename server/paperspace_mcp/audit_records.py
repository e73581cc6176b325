"""A record of the audit: its line, and the code that vouches for it. Pure."""

import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from hashlib import sha256
from typing import Any

from paperspace_mcp.rules.guard.cleaning import ERROR_CAP, NAME_CAP, clean

SEPARATOR = b"\x1e"  # JSON escapes it, so it stands in no record
_CODE, _END = b',"mac":"', b'"}'
_SEALED = len(_CODE) + 64 + len(_END)
HEAD, FIRST = "head", "first"
VERSION = 2
"""Of what a record tells. Those of version 1 do not name theirs; their code vouches for them all the same."""
_FOREIGN = "the code does not fit: the record was changed, or audit.key is not the key that it was written with"
_HEAD_FOREIGN = "audit.head was changed, or audit.key is not the key that it was written with"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `write` adds sequence, time and code; what is empty is left out of the line.

    phase: refused; asked or granted; approved, declined, mistyped, expired (nobody answered, or used the approval) or
    overtaken; intent, outcome. client: what the client says of itself. targets: id, name, fingerprint. arguments: their
    names, never their values; `digest` binds the values. decision: the policy's (refuse, go, ask, inbox), by its
    `rule`. latency_ms: of a decision since the question, of an outcome since its step began.
    """

    phase: str
    principal: str
    tool: str = ""
    effect: str = ""
    code: str = ""
    client: str = ""
    targets: tuple[Mapping[str, Any], ...] = ()
    arguments: tuple[str, ...] = ()
    digest: str = ""
    decision: str = ""
    rule: str = ""
    channel: str = ""
    approver: str = ""
    latency_ms: int | None = None
    upstream_status: int | None = None
    event_ids: tuple[str, ...] = ()
    outcome: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the chain stands: the bytes of its last record, that record's code and the one before."""

    file: int = 1
    start: int = 0
    end: int = 0
    sequence: int = 0
    before: str = ""
    mac: str = FIRST

    def after(self, line: bytes) -> "Place":
        end = self.end + len(line)
        return Place(self.file, self.end, end, self.sequence + 1, self.mac, code_of(line).decode("ascii"))

    def turned(self) -> "Place":
        return replace(self, file=self.file + 1, start=0, end=0)


class BrokenError(Exception):
    """sequence, file, line, reason of the first record that is not as it was written."""


def place_of(key: bytes, sealed: bytes | None) -> Place:
    fields_ = None if sealed is None else opened(key, HEAD, sealed + b"\n")
    if fields_ is None:
        reason = "audit.head is missing: nothing tells where the log ends" if sealed is None else _HEAD_FOREIGN
        raise BrokenError(None, "audit.head", None, reason)
    return Place(**fields_)


def sealed_line(key: bytes, before: str, record: Mapping[str, Any]) -> bytes:
    return _closed(key, before, json.dumps(record, separators=(",", ":"), allow_nan=False).encode("ascii"))


def _closed(key: bytes, before: str, body: bytes) -> bytes:
    mac = hmac.digest(key, before.encode() + b"\n" + body, "sha256").hex()
    return body[:-1] + _CODE + mac.encode() + _END


def opened(key: bytes, before: str, line: bytes) -> dict[str, Any] | None:
    """The record on a line; None where the key does not vouch for every byte of it."""
    torn, separator, sealed = line.removesuffix(b"\n").rpartition(SEPARATOR)
    body = sealed[:-_SEALED] + b"}"
    if not line.endswith(b"\n") or not hmac.compare_digest(_closed(key, before, body), sealed):
        return None
    record: dict[str, Any] = json.loads(body)
    evidence = {"bytes": len(torn), "sha256": sha256(torn).hexdigest()} if separator else None
    return record if record.get("torn") == evidence else None


def code_of(line: bytes) -> bytes:
    return line[-len(_END) - 65 : -len(_END) - 1]


def why(line: bytes, expected: int) -> str:
    """What a line that the key does not vouch for looks like; its own words prove nothing."""
    try:
        claimed = json.loads(line)["sequence"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return "it is no record"
    if isinstance(claimed, int) and claimed != expected:
        return f"it says that it is record {claimed}: records were removed, moved or put in, or it was changed"
    return _FOREIGN


def told_of(entry: Entry) -> dict[str, Any]:
    told = {field.name: getattr(entry, field.name) for field in fields(entry)}
    told["client"] = clean(entry.client, NAME_CAP).text
    told["targets"] = [_target(target) for target in entry.targets]
    return {name: _fit(value) for name, value in told.items() if value not in ("", (), [], None)}


def _target(target: Mapping[str, Any]) -> dict[str, Any]:
    """A fingerprint too long to keep is kept as a digest, so that it can still be compared."""
    name = clean(str(target.get("name", "")), NAME_CAP)
    fingerprint = {field: _bounded(str(value)) for field, value in dict(target.get("fingerprint", {})).items()}
    removed = {"removed": name.removed} if name.removed else {}
    return {**target, "name": name.text, **removed, "fingerprint": fingerprint}


def _bounded(text: str) -> str:
    return text if len(text) <= ERROR_CAP else "sha256:" + sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _fit(value: Any) -> Any:
    if isinstance(value, str):
        return (
            value
            if len(value) <= ERROR_CAP and value.isascii() and value.isprintable()
            else clean(value, ERROR_CAP).text
        )
    if isinstance(value, Mapping):
        return {_fit(str(name)): _fit(one) for name, one in value.items()}
    return [_fit(one) for one in value] if isinstance(value, (list, tuple)) else value


def concerns(record: Mapping[str, Any], machine: str) -> bool:
    named = {machine, clean(machine, NAME_CAP).text}
    return any({target.get("id"), target.get("name")} & named for target in record.get("targets", ()))


def clock(seconds: float) -> str:
    """UTC to the millisecond; sorts as text."""
    thousandths = int(seconds * 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(thousandths // 1000)) + f".{thousandths % 1000:03d}Z"


def file_name(number: int) -> str:
    return f"audit-{number:06d}.jsonl"
