"""The calls that the tests make, and a client to make them with."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from pydantic import BaseModel, SecretStr

from paperspace_mcp.contract import catalogue as api
from paperspace_mcp.contract.operation import Operation
from paperspace_mcp.contract.requests import AccessorAdd, MachineCreate, MachineUpdate
from paperspace_mcp.contract.shapes import Shape
from paperspace_mcp.rules.guard.warrants import Warrants
from paperspace_mcp.settings import Upstream
from paperspace_mcp.wire.paperspace import Paperspace

KEY = "sk-very-secret-0123456789"
MACHINE = b'{"id": "ps1", "name": "box"}'
MACHINES = b'{"items": [{"id": "ps1"}], "hasMore": false}'
DONE = b'{"data": {"id": "ps1"}, "event": {"id": "e1"}}'


@dataclass(frozen=True)
class Call:
    operation: Operation[Any]
    path: Mapping[str, str] = field(default_factory=dict)
    body: Shape | None = None

    def __str__(self) -> str:
        return self.operation.name


ONE = {"id": "ps1"}
CREATE = MachineCreate(name="box", machine_type="C5", template_id="t0nspur5", region="ny2", disk_size=100.0)
MUTATIONS = (
    Call(api.CREATE_MACHINE, {}, CREATE),
    Call(api.UPDATE_MACHINE, ONE, MachineUpdate(name="box")),
    Call(api.DELETE_MACHINE, ONE),
    Call(api.START_MACHINE, ONE),
    Call(api.STOP_MACHINE, ONE),
    Call(api.RESTART_MACHINE, ONE),
    Call(api.ADD_MACHINE_ACCESSOR, ONE, AccessorAdd(user_id="u1")),
    Call(api.REMOVE_MACHINE_ACCESSOR, {"id": "ps1", "userId": "u1"}),
)


class Bench:
    """A `Paperspace` whose pauses are written down instead of slept."""

    def __init__(self, upstream: Upstream, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.slept: list[float] = []
        self.now = 0.0
        self.warrants = Warrants()
        self.paperspace = Paperspace(
            upstream,
            self.warrants,
            transport=transport,
            sleep=self._sleep,
            clock=lambda: self.now,
            jitter=lambda: 1.0,
        )

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    async def get(self, machine: str = "ps1") -> Any:
        return await self.paperspace.read(api.GET_MACHINE, {"id": machine})

    async def mutate(self, call: Call) -> BaseModel:
        arguments = Paperspace.arguments(call.path, call.body)
        warrant = self.warrants.mint(call.operation.name, arguments, "record")
        result: BaseModel = await self.paperspace.mutate(call.operation, call.path, call.body, warrant)
        return result


@asynccontextmanager
async def bench(
    url: str = "http://127.0.0.1:9/v1",
    transport: httpx.AsyncBaseTransport | None = None,
    *,
    key: str | None = KEY,
    **times: Any,
) -> AsyncIterator[Bench]:
    """A client for `url`, closed at the end; 0.2 s are as long as anything waits unless told otherwise."""
    waits = {"connect_timeout_s": 1.0, "read_timeout_s": 0.2, **times}
    made = Bench(Upstream(url=url, key=SecretStr(key) if key else None, **waits), transport)
    try:
        yield made
    finally:
        await made.paperspace.aclose()


class Canned(httpx.AsyncBaseTransport):
    """Answers from memory, in turn; the last one stays. An exception is raised."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers, self.requests = list(answers), list[httpx.Request]()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        given = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(given, Exception):
            raise given
        return given


class Pieces(httpx.AsyncByteStream):
    def __init__(self, *pieces: bytes) -> None:
        self.pieces, self.taken, self.closed = pieces, 0, False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            self.taken += 1
            yield piece

    async def aclose(self) -> None:
        self.closed = True


def canned(status: int = 200, body: bytes = MACHINE, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=named, stream=Pieces(body))
