"""Faults: what goes wrong, for which requests, how often."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

DROPS = frozenset({"close", "reset", "stall", "cut"})
EVENT_FAULTS = frozenset({"capacity", "stuck", "event_error_null", "event_vanish", "done_unfinished"})
ANSWER_FAULTS = frozenset({"status", "slow", "malformed", "oversized", "empty"})
KINDS = DROPS | EVENT_FAULTS | ANSWER_FAULTS

READS = (
    *("list_machines", "get_machine", "list_machine_events", "get_machine_event", "list_machine_accessors"),
    *("get_machine_accessor", "get_machine_desktop", "list_templates", "machine_availability", "auth_session"),
    *("list_team_users", "openapi_document"),
)
_ASYNC = ("create_machine", "start_machine", "stop_machine", "restart_machine", "update_machine", "delete_machine")
OPERATIONS = frozenset((*READS, *_ASYNC, "add_machine_accessor", "remove_machine_accessor"))
_CAPACITY = ("create_machine", "start_machine", "restart_machine")
_SHORT = {name.removesuffix("_machine"): name for name in _ASYNC}
STAGES = ("before", "during", "after")


def _known(what: str, value: Any, known: Collection[str]) -> None:
    if value not in known:
        raise ValueError(f"no such {what}: {value!r}; there are {', '.join(sorted(known))}")


class Fault:
    """One planned failure.

    kind: one of KINDS. operation: an operation name, its short form ("start"), or "*".
    times: how many requests it hits (None: all of them). after: how many matching requests pass first.
    machine (optional): only requests for this machine id.
    Other params by kind: status(status, retry_after, code, message, headers, apply;
    or a raw body with content_type), slow(seconds, apply),
    close/reset(stage), stall(stage), malformed(body, content_type, status), oversized(size),
    event_error_null(finished, transient). Raises ValueError for an unknown kind, operation or stage.
    """

    def __init__(
        self,
        kind: str,
        operation: str = "*",
        times: int | None = 1,
        after: int = 0,
        *,
        machine: str | None = None,
        **params: Any,
    ) -> None:
        self.kind, self.operation = kind, _SHORT.get(operation, operation)
        self.times, self.after, self.machine, self.params = times, after, machine, params
        _known("fault", kind, KINDS)
        _known("operation", self.operation, OPERATIONS | {"*"})
        _known("stage", params.get("stage", "before"), STAGES)

    def matches(self, operation: str | None, machine: str | None) -> bool:
        if self.machine is not None and self.machine != machine:
            return False
        if self.kind in EVENT_FAULTS and operation not in (_CAPACITY if self.kind == "capacity" else _ASYNC):
            return False  # a "*" capacity fault waits for a request that can meet it
        return self.operation in {"*", operation}

    def as_json(self) -> dict[str, Any]:
        fields = {"kind": self.kind, "operation": self.operation, "times": self.times, "after": self.after}
        return {**fields, "machine": self.machine, **self.params}


class Faults:
    """The planned faults; the first that matches a request is taken."""

    def __init__(self) -> None:
        self._planned: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            self._planned.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._planned.clear()

    def planned(self) -> list[Fault]:
        return list(self._planned)

    def take(self, operation: str | None, machine: str | None) -> Fault | None:
        """The fault that hits this request, if any; counts it."""
        with self._lock:
            for fault in [f for f in self._planned if f.matches(operation, machine)]:
                if self._hits(fault):
                    return fault
        return None

    def _hits(self, fault: Fault) -> bool:
        if fault.after > 0:
            fault.after -= 1
            return False
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self._planned.remove(fault)
        return True
