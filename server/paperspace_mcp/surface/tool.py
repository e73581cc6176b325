"""A tool as data: a typed function in the room of its noun, and what the guard and the client must know of it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from paperspace_mcp.conduct import Outcome
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.operation import Operation
from paperspace_mcp.rules.guard.plans import Plan
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.render import Answer
from paperspace_mcp.surface.views import Envelope

Arguments = Mapping[str, Any]
Undone = Callable[[Desk, Sequence[Outcome], Arguments], Awaitable[bool]]
Report = Callable[[Desk, Plan, Sequence[Outcome], Arguments], Awaitable[Answer]]

SHOWING_ONLY = frozenset({"wait_seconds", "response_format"})
"""Arguments that change what is shown and nothing else: no part of what is approved."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool.

    function: its signature is the input schema, its docstring the description. A reader returns an `Answer`; the
    function of a guarded tool returns the `Plan` of what it would do, or an `Answer` where nothing is to be done. It
    cannot do anything itself: a desk only reads.
    report: turns the outcomes of a guarded tool's plan into its answer.
    effect: the worst that its arguments can make of it; hints and read-only mode follow from it.
    """

    function: Callable[..., Awaitable[Plan | Answer]]
    title: str
    gives: type[Envelope]
    operation: Operation[Any] | None = None
    report: Report | None = None
    effect: Effect = Effect.READ
    idempotent: bool = True
    guards: Callable[[Arguments], bool] = lambda _arguments: True
    """Whether these arguments can need a person at all; where not, no record is looked for."""
    undone: Undone | None = None
    """Whether somebody else has undone what a call did, or there is more to do: then a repeat of it is a new wish."""
    acts: tuple[Operation[Any], ...] = ()
    """The operations that its plans are made of, where it is none of them by itself."""

    def __post_init__(self) -> None:
        if (self.effect is Effect.READ) != (self.report is None):
            raise ValueError(f"{self.name}: a guarded tool plans and reports; a reader does neither")
        if any(one.effect.rank > self.effect.rank for one in self.operations):
            raise ValueError(f"{self.name}: its operation does more than it says")

    @property
    def operations(self) -> tuple[Operation[Any], ...]:
        """All that it leans on in the catalogue; empty for one that reads what is ours."""
        return (*(() if self.operation is None else (self.operation,)), *self.acts)

    @property
    def touches(self) -> Effect:
        """The worst that it does to the account: revealing changes nothing in it."""
        return Effect.READ if self.effect is Effect.REVEAL else self.effect

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def description(self) -> str:
        return " ".join((self.function.__doc__ or "").split())
