"""Several questions confirmed as one: which may go together, and what must be typed for all of them. Pure.

Each record keeps its own code and is decided on its own. What is shared is the reading and the typing: twelve deletes
are one list and one `delete 12`, because a person who types twelve names reads none of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.rules.guard import plans
from paperspace_mcp.rules.guard.demands import demand
from paperspace_mcp.rules.guard.plans import Plan
from paperspace_mcp.rules.guard.records import Record

ALONE = frozenset({Effect.READ, Effect.GRANT, Effect.REVEAL})
"""Who gets in, and who learns a secret, is never one row among others."""
DELETE = "delete"
"""The one verb that destroys by itself: under any other, what is lost is not in the word that is typed."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Records of one class and one verb, oldest first."""

    effect: Effect
    verb: str
    records: tuple[Record, ...]
    count: int
    usd_per_hour: float | None = None
    """What they cost together; None where that is not known or not the point."""

    @property
    def typed(self) -> str:
        """What a person types for all of them: the verb with the count of what it is done to."""
        return f"{self.verb} {self.count}"

    @property
    def heading(self) -> str:
        """The dangerous line."""
        price = "" if self.usd_per_hour is None else f" Together {self.usd_per_hour:g} USD/h."
        return f"{self.verb.upper()} {self.count}, as one list of {len(self.records)} questions.{price}"


def alone(record: Record) -> str:
    """Why a record goes into no list; an empty string where it may.

    class: it grants or reveals. protected: one of its targets is. typed: it asks for more than the verb.
    """
    plan = plans.load(record.plan)
    if ALONE & {plan.effect, *(step.effect for step in plan.steps)}:
        return "class"
    if any(target.protected for target in plan.targets):
        return "protected"
    if record.expects != demand(plan).text or (plan.effect is Effect.DESTROY and plan.verb != DELETE):
        return "typed"
    return ""


def listed(records: Sequence[Record]) -> Listing | None:
    """The list of these records; None where they do not all go together, or are not several."""
    found, rest = sorted_out(records)
    return found[0] if len(found) == 1 and not rest else None


def sorted_out(records: Iterable[Record]) -> tuple[list[Listing], list[Record]]:
    """The lists that records make, and those that are decided one by one; both in the order of what was first."""
    kinds: dict[tuple[Effect, str] | str, list[tuple[Record, Plan]]] = {}
    for record in dict.fromkeys(records):
        plan = plans.load(record.plan)
        kinds.setdefault(record.code if alone(record) else (plan.effect, plan.verb), []).append((record, plan))
    lists = [_listing(several) for several in kinds.values() if len(several) > 1]
    return lists, [several[0][0] for several in kinds.values() if len(several) == 1]


def _listing(several: Sequence[tuple[Record, Plan]]) -> Listing:
    first = several[0][1]
    rates = [plan.usd_per_hour for _, plan in several]
    known = [rate for rate in rates if rate is not None]
    usd = sum(known) if first.effect is Effect.SPEND and len(known) == len(rates) else None
    count = sum(max(1, len(plan.targets)) for _, plan in several)
    return Listing(first.effect, first.verb, tuple(record for record, _ in several), count, usd)


def lines(record: Record) -> list[str]:
    """A question without its last line, which says what is typed where it is decided alone."""
    return record.question.splitlines()[:-1]
