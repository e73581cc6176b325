"""What must be typed before a plan may run, by class and protection. The table is the contract."""

from dataclasses import dataclass, replace
from enum import StrEnum

from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.rules.guard.plans import Plan


class Ask(StrEnum):
    """What the person types."""

    NOTHING = "nothing"
    VERB = "verb"
    NAME = "name"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Rule:
    """One cell of the table. `refused`: no approval of any kind lets it through."""

    ask: Ask
    out_of_band_only: bool = False
    refused: bool = False


TABLE: dict[tuple[Effect, bool], Rule] = {
    (Effect.READ, False): Rule(Ask.NOTHING),
    (Effect.READ, True): Rule(Ask.NOTHING),
    (Effect.SPEND, False): Rule(Ask.VERB),
    (Effect.SPEND, True): Rule(Ask.VERB),
    (Effect.DISRUPT, False): Rule(Ask.VERB),
    (Effect.DISRUPT, True): Rule(Ask.NAME),
    (Effect.GRANT, False): Rule(Ask.PERSON),
    (Effect.GRANT, True): Rule(Ask.PERSON, out_of_band_only=True),
    (Effect.REVEAL, False): Rule(Ask.NAME),
    (Effect.REVEAL, True): Rule(Ask.NAME, out_of_band_only=True),
    (Effect.DESTROY, False): Rule(Ask.NAME),
    (Effect.DESTROY, True): Rule(Ask.NAME, refused=True),
}
"""(class, protected) -> what is asked."""

TYPED_CAP = 512
"""The longest text that anybody is asked to type: every face takes it."""

WEAK = frozenset({Effect.SPEND, Effect.DISRUPT})
"""The classes that may be approved out of band by the same user without an approver's secret."""


@dataclass(frozen=True, slots=True)
class Demand:
    """The text that must come back, and where it may come from. An empty text asks for nothing."""

    text: str
    rule: Rule
    ask: Ask


def demand(plan: Plan, *, by_name: bool = False) -> Demand:
    """What this plan asks for: its highest class, on protected ground if any of its targets is.

    by_name: an operator wants a name typed where the table asks for a verb only. More names than can be typed are
    confirmed by their number, where the whole list is seen.
    """
    rule = TABLE[plan.effect, any(target.protected for target in plan.targets)]
    ask = Ask.NAME if by_name and rule.ask is Ask.VERB and plan.targets else rule.ask
    text = _text(plan, ask)
    if ask is Ask.NAME and len(plan.targets) > 1 and len(text) > TYPED_CAP:
        return Demand(_text(plan, Ask.VERB), replace(rule, out_of_band_only=True), Ask.VERB)
    return Demand(text, rule, ask)


def _text(plan: Plan, ask: Ask) -> str:
    many = len(plan.targets)
    if ask is Ask.NOTHING:
        return ""
    if ask is Ask.PERSON:
        return plan.person
    if ask is Ask.NAME and many:
        return ", ".join(target.typed for target in plan.targets)
    return plan.verb if many <= 1 else f"{plan.verb} {many}"
