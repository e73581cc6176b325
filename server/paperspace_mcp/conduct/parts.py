"""What the corridor is put together from, by interface."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel

from paperspace_mcp.audit import Audit
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.operation import Operation
from paperspace_mcp.contract.shapes import Desktop, Shape
from paperspace_mcp.rules import power
from paperspace_mcp.rules.guard.records import Record
from paperspace_mcp.rules.guard.warrants import Warrant, Warrants
from paperspace_mcp.rules.policy import Policy
from paperspace_mcp.wire.store import Store

Gives = TypeVar("Gives", bound=BaseModel)
Heard = Callable[[int], None]
"""Is told the HTTP status of an answer that came."""


class Wire(Protocol):
    """What the corridor needs of `wire.paperspace.Paperspace`."""

    async def read(
        self,
        operation: Operation[Gives],
        path: Mapping[str, str] = ...,
        query: Shape | None = None,
        *,
        budget_s: float | None = None,
        heard: Heard = ...,
    ) -> Gives: ...

    async def mutate(
        self,
        operation: Operation[Gives],
        path: Mapping[str, str],
        body: Shape | None,
        warrant: Warrant | None,
        *,
        heard: Heard = ...,
    ) -> Gives: ...

    def arguments(self, path: Mapping[str, str], body: Shape | None) -> dict[str, Any]: ...

    async def aclose(self) -> None: ...


class Sink(Protocol):
    """Where a revealed password goes instead of into an answer."""

    async def deliver(self, record: Record, target_name: str, desktop: Desktop) -> dict[str, str]:
        """Deliver it; what the answer may say of it (a path, an address; for `inline` the password itself)."""
        ...


def unheard(_status: int) -> None:
    """Nobody wants to know the status."""


async def _nobody(_record: Record) -> None:
    """Nobody is told of a question."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the identity that records are bound to, the account that the key opens, and what the client says."""

    principal: str
    account: str
    client: str = ""
    identified: bool = True
    """Whether somebody vouches for who calls; over HTTP nobody does where no tokens are configured."""
    allow: str = ""
    """The one standing approval that the call may use; empty for any that covers it."""


ANONYMOUS = "http:local"
"""Whoever calls over HTTP where nobody logs in: never the OS user, whose approvals are not theirs."""
_BY_STANDING = "rule standing:"


def owner(record: Record) -> Caller:
    """Whose call a record is about, and by which standing approval it was let through."""
    code = record.approver.removeprefix(_BY_STANDING) if record.approver.startswith(_BY_STANDING) else ""
    known = not record.principal.startswith(f"{ANONYMOUS}:")
    code = "" if "," in code else code
    return Caller(record.principal, record.account, record.client, identified=known, allow=code)


@dataclass(frozen=True, slots=True)
class Rooms:
    """Everything that the corridor leans on.

    tell: called when a question begins to wait for a person out of band. sink: None where nothing may be revealed.
    """

    wire: Wire
    store: Store
    warrants: Warrants
    audit: Audit
    policy: Policy = field(default_factory=Policy)
    sink: Sink | None = None
    tell: Callable[[Record], Awaitable[None]] = _nobody
    now: Callable[[], float] = time.time
    settling_poll_s: float = 2.0
    """How often a step of a plan looks whether the one before it has taken effect."""


def fingerprinted(effect: Effect) -> frozenset[str]:
    """Which fields of a target an approval of this class is bound to."""
    return _FINGERPRINTS[effect]


_FINGERPRINTS: dict[Effect, frozenset[str]] = {
    Effect.READ: frozenset(),
    Effect.SPEND: power.PRICED,
    Effect.DISRUPT: power.POWER,
    Effect.GRANT: power.ACCESS | {"accessors"},
    Effect.REVEAL: power.ACCESS,
    Effect.DESTROY: power.WHOLE,
}
