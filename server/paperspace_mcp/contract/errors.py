"""Everything that can go wrong, classed by who must act.

    Failure
    ├── CallerError      the call is wrong: change it           (bad_argument, unknown_machine, ambiguous_machine, ...)
    ├── OperatorError    the set-up is wrong: a person mends it (no_key, unauthorized, forbidden, ...)
    ├── UpstreamError    the provider must act, or time         (rate_limited, upstream_error, unreachable, ...)
    ├── OutcomeUnknown   nobody knows: read before you repeat   (outcome_unknown)
    └── Refusal          the guard said no                      (declined, expired, target_changed, ...)

Nothing here is prose: `surface.wording` turns a code and its facts into what a model or a person reads.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

Changed = Literal["no", "yes", "unknown"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that the caller may have meant."""

    id: str
    name: str
    region: str = ""
    machine_type: str = ""
    state: str = ""
    email: str = ""


@dataclass(eq=False)
class Failure(Exception):
    """An expected failure.

    code: stable word for programs; the provider's own code is kept in `facts["provider_code"]`.
    changed: whether anything in the account may have changed.
    facts: values for the wording; never an argument's value, never an upstream body.
    """

    code: str
    changed: Changed = "no"
    retryable: bool = False
    facts: dict[str, Any] = field(default_factory=dict)
    candidates: tuple[Candidate, ...] = ()

    def __str__(self) -> str:
        return self.code


class CallerError(Failure):
    """The call is wrong; another call would work."""


class OperatorError(Failure):
    """Key, policy or configuration; no call of the model's can mend it."""


class UpstreamError(Failure):
    """The provider or the way to it failed; `status` and `retry_after_s` are in the facts where known."""


class OutcomeUnknown(Failure):
    """A mutation left, and no readable answer came back."""


class Refusal(Failure):
    """The guard did not let the call through."""
