"""The ASGI application: logs each request, meets it with its fault, answers.

Faults on the connection need the socket. `simulator.server` hands each request its transport in the ASGI state; in
process there is none, and the drop surfaces as ConnectionResetError.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from paperspace_mcp.simulator import api, control
from paperspace_mcp.simulator.validation import NOT_FOUND, UNAUTHORIZED, code_for
from paperspace_mcp.simulator.wire import Request, parsed, recorded_headers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from paperspace_mcp.simulator.api import Answer, Route
    from paperspace_mcp.simulator.faults import Fault
    from paperspace_mcp.simulator.handle import Simulator

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

TRANSPORT = "paperspace_mcp.simulator.transport"
PREFIX = "/v1"
_CHUNK = b"x" * 65536
_OVERSIZED = 64 * 2**20


class App:
    """`/v1/...` is the API, `/_control/...` the control surface, anything else 404."""

    def __init__(self, sim: Simulator) -> None:
        self._sim = sim
        self._control = control.routes(sim)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = _raw_path(scope)
        if path == control.PREFIX or path.startswith(control.PREFIX + "/"):
            await self._control(scope, receive, send)
            return
        raw = await _read(receive)
        if raw is not None:
            await Exchange(self._sim, scope, receive, send).run(path, raw)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _raw_path(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    path = raw.decode("ascii", "replace").partition("?")[0]
    return path.removeprefix(scope.get("root_path", ""))


async def _read(receive: Receive) -> bytes | None:
    """The whole body; None when the client went away in the middle of it."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += bytes(message.get("body", b""))
        if not message.get("more_body", False):
            return body


class Exchange:
    """One request and what becomes of it."""

    def __init__(self, sim: Simulator, scope: Scope, receive: Receive, send: Send) -> None:
        self._sim, self._scope, self._receive, self._send = sim, scope, receive, send
        self._matched: Route | None = None
        self._fault: Fault | None = None

    async def run(self, path: str, raw: bytes) -> None:
        request = self._record(path, raw)
        fault = self._fault
        if fault is None:
            await self._answer(request, self._apply(request))
            return
        request.fault = fault.kind
        await getattr(self, f"_meet_{fault.kind}", self._meet_event)(request, fault)

    def _record(self, path: str, raw: bytes) -> Request:
        """Enter the request in the wire log and take its fault."""
        path = path.removeprefix(PREFIX) if path.startswith(PREFIX + "/") else path
        method, pairs = self._scope["method"], list(self._scope["headers"])
        last = self._sim.variant.repeated_query == "last"
        query = api.values(self._scope["query_string"].decode("latin-1"), last=last)
        self._matched = matched = api.route(method, path) if _raw_path(self._scope).startswith(PREFIX + "/") else None
        operation = matched.operation if matched else None
        machine = matched.ids[0] if matched and path.startswith("/machines/") else None
        self._fault = self._sim.faults.take(operation, machine)
        fields = (method, path, operation, query, recorded_headers(pairs), parsed(raw), raw)
        return self._sim.log(*fields)

    def _apply(self, request: Request) -> Answer:
        known = api.is_known(api.key_of(list(self._scope["headers"])), self._sim.keys)
        world = self._sim.world
        with world.lock:
            return api.respond(world, request, self._matched, known_key=known, fault=self._fault)

    # -- answering --------------------------------------------------------------------------------------------------

    async def _answer(self, request: Request, answer: Answer) -> None:
        request.status = answer.status
        await self._begin(answer, len(answer.body))
        await self._send({"type": "http.response.body", "body": answer.body})

    async def _begin(self, answer: Answer, length: int | None) -> None:
        headers = {"content-type": answer.content_type, **answer.headers}
        if length is not None:
            headers["content-length"] = str(length)
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": answer.status, "headers": pairs})

    # -- faults that answer -----------------------------------------------------------------------------------------

    async def _meet_event(self, request: Request, _fault: Fault) -> None:
        """The fault is in the event: the answer itself is a plain 200."""
        await self._answer(request, self._apply(request))

    async def _meet_status(self, request: Request, fault: Fault) -> None:
        if fault.params.get("apply"):
            self._apply(request)
        answer = _error(int(fault.params.get("status", 500)), fault.params)
        answer.headers.update({name: str(value) for name, value in fault.params.get("headers", {}).items()})
        if fault.params.get("retry_after") is not None:
            answer.headers["retry-after"] = str(fault.params["retry_after"])
        await self._answer(request, answer)

    async def _meet_slow(self, request: Request, fault: Fault) -> None:
        """A slow provider carries on even when the client has given up."""
        early = self._apply(request) if fault.params.get("apply") else None
        await asyncio.sleep(float(fault.params.get("seconds", 1.0)))
        await self._answer(request, early or self._apply(request))

    async def _meet_empty(self, request: Request, _fault: Fault) -> None:
        self._apply(request)
        await self._answer(request, api.Answer(200, b""))

    async def _meet_malformed(self, request: Request, fault: Fault) -> None:
        self._apply(request)
        body = fault.params.get("body", '{"hasMore": false, "items": [')
        raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        kind = str(fault.params.get("content_type", "application/json"))
        await self._answer(request, api.Answer(int(fault.params.get("status", 200)), raw, content_type=kind))

    async def _meet_oversized(self, request: Request, fault: Fault) -> None:
        """Valid JSON of `size` bytes, streamed without a Content-Length."""
        self._apply(request)
        request.status = 200
        await self._begin(api.Answer(200, b""), None)
        left = int(fault.params.get("size", _OVERSIZED)) - len(_OPENING) - len(_CLOSING)
        await self._part(_OPENING)
        while left > 0:
            await self._part(_CHUNK[:left])
            left -= len(_CHUNK)
            await asyncio.sleep(0)  # lets the loop see that the client has gone
        await self._send({"type": "http.response.body", "body": _CLOSING})

    async def _part(self, body: bytes) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    # -- faults on the connection -----------------------------------------------------------------------------------

    async def _meet_close(self, request: Request, fault: Fault) -> None:
        stage = fault.params.get("stage", "before")
        answer = self._apply(request) if stage != "before" else None
        if stage == "during" and answer:
            await self._begin(answer, len(answer.body))
            await self._part(answer.body[: len(answer.body) // 2])
        await self._drop(reset=fault.kind == "reset")

    _meet_reset = _meet_close

    async def _meet_cut(self, request: Request, _fault: Fault) -> None:
        answer = self._apply(request)
        await self._begin(answer, len(answer.body) + 1024)
        await self._part(answer.body)
        await self._drop(reset=False)

    async def _meet_stall(self, request: Request, fault: Fault) -> None:
        if fault.params.get("stage", "before") != "before":
            self._apply(request)
        await self._gone()

    async def _drop(self, *, reset: bool) -> None:
        transport = self._scope.get("state", {}).get(TRANSPORT)
        if transport is None:
            raise ConnectionResetError("the simulator dropped the connection")
        if reset:
            linger = struct.pack("ii", 1, 0)  # on, zero seconds: closing sends RST instead of FIN
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            transport.abort()
        else:
            transport.close()
        await self._gone()

    async def _gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


_OPENING, _CLOSING = b'{"hasMore":false,"items":[],"padding":"', b'"}'


def _error(status: int, params: dict[str, Any]) -> Answer:
    """The provider's error form; with `body`, what a proxy in front of it would send (HTML unless said)."""
    if "body" in params:
        kind = str(params.get("content_type", "text/html"))
        return api.Answer(status, str(params["body"]).encode(), content_type=kind)
    message = params.get("message", _PHRASES.get(status, "Internal server error"))
    return api.json_answer(status, {"message": message, "code": params.get("code", code_for(status))})


_PHRASES = {known.value: known.phrase for known in HTTPStatus} | {401: UNAUTHORIZED, 404: NOT_FOUND}
