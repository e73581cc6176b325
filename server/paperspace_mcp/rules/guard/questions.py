"""The question, from a fixed template: the dangerous line first, then what it is about, then what to type."""

from paperspace_mcp.rules.guard.cleaning import quoted
from paperspace_mcp.rules.guard.demands import Ask, Demand
from paperspace_mcp.rules.guard.plans import Plan, Target

ONE_CAP = 600
MANY_CAP = 1500
ROWS_CAP = 12

_WORDS = {
    Ask.VERB: "To go ahead, type: {text}",
    Ask.NAME: "To go ahead, type the exact {what}: {text}",
    Ask.PERSON: "To go ahead, type who gets access: {text}",
}


def render(plan: Plan, demand: Demand, code: str) -> str:
    """The question about a plan, with its record's code."""
    rows = [row(target) for target in plan.targets]
    return "\n".join([*plan.lines[:1], *rows, *plan.lines[1:], f"Approval {code}. {_instruction(plan, demand)}"])


def row(target: Target) -> str:
    """One target on one line."""
    protected = " (protected)" if target.protected else ""
    return f"{quoted(target.name)} · id {target.id}{f' · {target.label}' if target.label else ''}{protected}"


def _instruction(plan: Plan, demand: Demand) -> str:
    by_id = len(plan.targets) == 1 and plan.targets[0].type_id
    what = "names" if len(plan.targets) > 1 else "id" if by_id else "name"
    return _WORDS[demand.ask].format(text=demand.text, what=what)


def fits(plan: Plan, question: str) -> bool:
    """Whether the question may be asked in a client's dialog; otherwise it goes where the full list is seen."""
    many = len(plan.targets)
    return many <= ROWS_CAP and len(question) <= (ONE_CAP if many <= 1 else MANY_CAP)
