"""A spoken request: what was said, what must happen, and how a good assistant would go about it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Answered = Mapping[str, Any]
Arguments = Callable[[Sequence[Answered]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Step:
    """One tool call of the reference run; its arguments may hang on the answers before it."""

    tool: str
    arguments: Mapping[str, Any] | Arguments

    def given(self, answers: Sequence[Answered]) -> dict[str, Any]:
        """The arguments, now that these answers are known."""
        return dict(self.arguments(answers) if callable(self.arguments) else self.arguments)


@dataclass(frozen=True, slots=True)
class Request:
    """A request on the default fleet.

    trap: how it goes wrong. typed: what the person types into the questions, in order; None is a no, and so is
    everything after the last. sends: exactly the mutations that the provider must see, in any order; none where
    nothing may change. steps: the calls of a good assistant, or of one that falls for the trap.
    """

    key: str
    words: str
    trap: str
    steps: tuple[Step, ...]
    sends: tuple[str, ...] = ()
    typed: tuple[str | None, ...] = ()


def call(tool: str, **arguments: Any) -> Step:
    return Step(tool, arguments)


def then(tool: str, arguments: Arguments) -> Step:
    return Step(tool, arguments)


def event_ids(answers: Sequence[Answered]) -> Mapping[str, Any]:
    """The events of the last answer, for wait_for_event."""
    return {"event_ids": [answers[-1]["event"]["id"]]}
