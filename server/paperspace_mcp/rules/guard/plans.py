"""The plan: an ordered, frozen list of steps that one approval binds."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from paperspace_mcp.contract.effects import Effect, highest


@dataclass(frozen=True, slots=True)
class Target:
    """The thing that a step acts on, as it was when the plan was made.

    fingerprint: what must still be so when the step is taken (field -> value).
    type_id: its name cannot be typed or does not tell it from another, so it is confirmed by id.
    """

    id: str
    name: str
    label: str = ""
    fingerprint: Mapping[str, str] = field(default_factory=dict)
    protected: bool = False
    type_id: bool = False

    @property
    def typed(self) -> str:
        """What a person types to mean exactly this target."""
        return self.id if self.type_id else self.name


@dataclass(frozen=True, slots=True)
class Step:
    """One call upstream. `arguments` is what the warrant will be minted over.

    awaits: how long the steps after it wait for this one to take effect, in seconds; 0 when nothing follows.
    usd_per_hour: its part of what the plan costs, where there are several; None where nobody knows.
    also: the classes that hide below its highest one; an operator may be strict with any of them.
    """

    operation: str
    arguments: Mapping[str, Any]
    effect: Effect
    target: Target | None = None
    awaits: float = 0.0
    usd_per_hour: float | None = None
    also: tuple[Effect, ...] = ()

    @property
    def effects(self) -> frozenset[Effect]:
        """Every class that it touches."""
        return frozenset({self.effect, *self.also})


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for, whole. `tool` and `arguments` are the call's own, validated and canonical.

    verb: the word of the question (`delete`, `start`); lines: what the person must know, the dangerous line first;
    person: who is given access, as it must be typed, for grants. independent: no step needs another one: each is
    taken for itself, and one that fails ends none of the others. facts: what the answer will tell of the moment when
    the plan was made; nothing is decided by it. adds_usd_per_hour: what the account costs more per hour once all is
    done, None where nobody knows; usd_per_hour is the whole price that the question quotes.
    """

    tool: str
    arguments: Mapping[str, Any]
    verb: str
    steps: tuple[Step, ...]
    lines: tuple[str, ...]
    person: str = ""
    usd_per_hour: float | None = None
    independent: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)
    adds_usd_per_hour: float | None = None

    @property
    def effect(self) -> Effect:
        return highest([step.effect for step in self.steps])

    @property
    def effects(self) -> frozenset[Effect]:
        """Every class that it touches, also below its highest: a dearer price hides under a disrupting field."""
        return frozenset[Effect]().union(*(step.effects for step in self.steps))

    @property
    def targets(self) -> tuple[Target, ...]:
        """Each target once, in the order of the steps."""
        found = {step.target.id: step.target for step in self.steps if step.target is not None}
        return tuple(found.values())


def digest(tool: str, arguments: Mapping[str, Any]) -> str:
    """SHA-256 of a call: its tool and its canonical arguments. The same call has the same digest in every round."""
    canonical = json.dumps([tool, arguments], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


@cache
def _adapter() -> TypeAdapter[Plan]:
    return TypeAdapter(Plan)


def dump(plan: Plan) -> str:
    """The plan as JSON, for its record."""
    return _adapter().dump_json(plan).decode()


def load(text: str) -> Plan:
    """The plan of a record.

    Raises:
        ValueError: the record was not written by `dump`.
    """
    return _adapter().validate_json(text)


def changes(then: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """The fingerprinted fields that are not as they were, by name."""
    return tuple(sorted(name for name in then if then[name] != now.get(name)))
