"""The HTTP face: routes, bodies, keys, errors and answers as the provider gives them. Pure but for the world."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from paperspace_mcp.simulator import changes, operations
from paperspace_mcp.simulator.operations import Call
from paperspace_mcp.simulator.validation import UNAUTHORIZED, Refusal, not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from paperspace_mcp.simulator.faults import Fault
    from paperspace_mcp.simulator.variant import Variant
    from paperspace_mcp.simulator.wire import Request
    from paperspace_mcp.simulator.world import World

BODY_LIMIT = 100 * 1024
_OPEN = frozenset({"list_templates", "auth_session", "openapi_document"})
_NEIGHBOURS = frozenset({"machine_availability", "list_team_users", *_OPEN})
_TAKES_BODY = frozenset({"POST", "PUT", "PATCH"})

_ROUTES: tuple[tuple[str, str, Callable[[Call], Any]], ...] = (
    ("GET", "machines", operations.list_machines),
    ("POST", "machines", changes.create_machine),
    ("GET", "machines/*", operations.get_machine),
    ("PUT", "machines/*", changes.update_machine),
    ("DELETE", "machines/*", operations.delete_machine),
    ("PATCH", "machines/*/start", operations.start_machine),
    ("PATCH", "machines/*/stop", operations.stop_machine),
    ("PATCH", "machines/*/restart", operations.restart_machine),
    ("GET", "machines/*/accessors", operations.list_machine_accessors),
    ("POST", "machines/*/accessors", operations.add_machine_accessor),
    ("GET", "machines/*/accessors/*", operations.get_machine_accessor),
    ("DELETE", "machines/*/accessors/*", operations.remove_machine_accessor),
    ("GET", "machines/*/desktop", operations.get_machine_desktop),
    ("GET", "machine-events", operations.list_machine_events),
    ("GET", "machine-events/*", operations.get_machine_event),
    ("GET", "os-templates", operations.list_templates),
    ("GET", "machine-availability", operations.machine_availability),
    ("GET", "auth/session", operations.auth_session),
    ("GET", "teams/*/users", operations.list_team_users),
    ("GET", "openapi.json", operations.openapi_document),
)
_BY_SHAPE: dict[tuple[str, int], list[tuple[list[str], Callable[[Call], Any]]]] = defaultdict(list)
for _method, _pattern, _operation in _ROUTES:
    _BY_SHAPE[_method, len(_pattern.split("/"))].append((_pattern.split("/"), _operation))
OPERATIONS = tuple(run.__name__ for _, _, run in _ROUTES)


@dataclass(frozen=True)
class Route:
    """A matched operation with its decoded path parameters."""

    run: Callable[[Call], Any]
    ids: list[str]

    @property
    def operation(self) -> str:
        return self.run.__name__


@dataclass(frozen=True)
class Answer:
    """What goes back: HTTP status, body bytes, further headers."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


def route(method: str, path: str) -> Route | None:
    """Match a raw path; a segment is decoded after the split, so `%2F` stays inside an id."""
    parts = [unquote(part) for part in path.strip("/").split("/")]
    for pattern, run in _BY_SHAPE.get((method, len(parts)), ()):
        if all(want in ("*", part) for want, part in zip(pattern, parts, strict=True)) and all(parts):
            return Route(run, [part for want, part in zip(pattern, parts, strict=True) if want == "*"])
    return None


def values(query: str, *, last: bool = False) -> dict[str, str]:
    """Of repeated keys the first counts, or the last."""
    pairs = parse_qsl(query, keep_blank_values=True)
    return dict(pairs if last else reversed(pairs))


def json_answer(status: int, value: Any, **headers: str) -> Answer:
    """A lone surrogate in a name goes out escaped, as JSON.stringify writes it."""
    return Answer(
        status,
        json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "backslashreplace"),
        headers,
    )


def _body(request: Request) -> Any:
    """Parsed only when it is declared as JSON: a PATCH that declares it and sends nothing fails to parse."""
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method not in _TAKES_BODY or declared != "application/json":
        return {}
    if len(request.raw_body) > BODY_LIMIT:
        raise Refusal(413, "Request body too large")
    try:
        return json.loads(request.raw_body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Refusal(400, "Failed to parse request body", "PARSE_ERROR") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def respond(
    world: World, request: Request, matched: Route | None, *, known_key: bool, fault: Fault | None = None
) -> Answer:
    """Carry the request out and answer it; marks `request.applied`. Call with the world's lock held."""
    variant = world.variant
    headers = _RATE_LIMIT if variant.rate_limit_headers else {}
    try:
        return json_answer(200, _dated(_run(world, request, matched, known_key, fault), variant), **headers)
    except Refusal as refusal:
        return json_answer(refusal.status, refusal.as_json(variant), **headers)


_RATE_LIMIT = {"x-ratelimit-limit": "600", "x-ratelimit-remaining": "599", "x-ratelimit-reset": "60"}
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})Z")


def _dated(value: Any, variant: Variant) -> Any:
    """The answer with its dates in the variant's form."""
    if variant.dates == "milliseconds":
        return value
    if isinstance(value, dict):
        return {name: _dated(one, variant) for name, one in value.items()}
    if isinstance(value, list):
        return [_dated(one, variant) for one in value]
    if isinstance(value, str) and _DATE.fullmatch(value):
        return value[:19] + "Z" if variant.dates == "seconds" else value[:-1] + "+00:00"
    return value


def _run(world: World, request: Request, matched: Route | None, known_key: bool, fault: Fault | None) -> Any:
    """The order of the framework: route, then body, then key, then input."""
    if matched is None or (matched.operation in _NEIGHBOURS and not world.variant.neighbours):
        raise not_found()
    body = _body(request)
    if not known_key and matched.operation not in _OPEN:
        raise Refusal(401, UNAUTHORIZED)
    call = Call(world, world.settle(), matched.ids, request.query, body, fault, known_key)
    try:
        return matched.run(call)
    finally:
        request.applied = call.applied


def key_of(pairs: list[tuple[bytes, bytes]]) -> str | None:
    """The bearer key of a request."""
    values = [value.decode("latin-1") for name, value in pairs if name.lower() == b"authorization"]
    scheme, _, key = (values or [""])[0].partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


def is_known(key: str | None, keys: Collection[str]) -> bool:
    return key is not None and key in keys
