"""What the operator allows: one value, read once, that requests can only tighten.

The loader of the file is `policy_file`; here is what a policy means. Everything is a table or a pure function.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.rules.guard.plans import Plan, Step
from paperspace_mcp.rules.guard.protection import matching

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
QUESTIONS_WINDOW_S = 600.0
SETTLING_S = 300.0
"""How long a start may take to be seen in the fleet: until then, or until it is seen, the ledger counts its price."""
NEEDS_IDENTITY = frozenset({Effect.GRANT, Effect.REVEAL})
"""Who gets access, and who learns a password, is never decided for a caller whom nobody can name."""
NEVER_STANDING = frozenset({Effect.GRANT, Effect.REVEAL, Effect.DESTROY})
NOTHING = "(none)"
"""The one entry of a list that allows nothing: an empty list allows all."""


class Mode(StrEnum):
    """Where questions go, from the loosest to the strictest."""

    ASK = "ask"
    INBOX = "inbox"
    DENY = "deny"


class Strictness(StrEnum):
    """What an operator may add to a class's demand."""

    TABLE = "table"
    NAME = "name"
    INBOX = "inbox"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Budgets:
    """Limits of money and number; None is none. `machine_types`: the only types that may be created or set."""

    usd_per_hour: float | None = None
    creates_per_day: int | None = None
    machines: int | None = None
    machine_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """An approval given in advance: these verbs, on these names, so often, so dear, until then."""

    code: str
    verbs: tuple[str, ...]
    names: tuple[str, ...]
    until: float
    uses: int
    usd_per_hour: float | None = None
    approver: str = ""
    principal: str = ""
    """Whose calls it covers; empty covers everybody's (an entry of the policy file)."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The operator's word. The defaults are those of a single person at a desk."""

    mode: Mode = Mode.ASK
    read_only: bool = False
    freeze: bool = False
    toolsets: tuple[str, ...] = ()
    tools_allow: tuple[str, ...] = ()
    tools_deny: tuple[str, ...] = ()
    protect: tuple[str, ...] = ("prod*",)
    classes: Mapping[Effect, Strictness] = field(default_factory=dict)
    confirm_usd_per_hour: float = 10.0
    batch: int = 50
    questions: int = 6
    budgets: Budgets = Budgets()
    prices: Mapping[str, float] = field(default_factory=dict)
    standing: tuple[Standing, ...] = ()

    def strictness(self, effect: Effect) -> Strictness:
        return self.classes.get(effect, Strictness.TABLE)


def fingerprint(policy: Policy) -> str:
    """What a question was decided by: it changes with every rule that says whether, where and in which words to ask.

    An approval that was given under other rules is worth nothing. Which tools are open is checked at each call.
    """
    strict = [policy.strictness(effect).value for effect in Effect]
    rules = (policy.mode.value, sorted(policy.protect), strict, policy.confirm_usd_per_hour, policy.batch)
    money = (repr(policy.budgets), sorted(policy.prices.items()))
    return hashlib.sha256(repr((rules, money)).encode()).hexdigest()[:16]


def permitted(policy: Policy, tool: str, toolset: str, effect: Effect) -> str:
    """The code of the rule that shuts a tool, or an empty string. Checked at the call, not only in the list."""
    if policy.read_only and effect is not Effect.READ:
        return "read_only"
    if policy.toolsets and toolset not in policy.toolsets:
        return "toolset_off"
    if tool in policy.tools_deny or (policy.tools_allow and tool not in policy.tools_allow):
        return "tool_off"
    return ""


@dataclass(frozen=True, slots=True)
class Charge:
    """An entry of a ledger that must fit: in one transaction with the spent mark, or neither is made.

    ledger: what is counted; amount is added, and everything since `since` may come to `limit`. about: the ids of the
    machines that it is about. seen: the machines that `limit` has taken account of; what is about them is not counted.
    """

    ledger: str
    amount: float
    limit: float
    since: float = 0.0
    about: tuple[str, ...] = ()
    seen: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Standings:
    """What is known of the world when a plan is judged; sums that only the store can make are left to its charges.

    running_usd_per_hour: of the whole account, None where no budget needs it. running, living: ids of its machines.
    questions: asked of this principal in the last ten minutes. identified: whether it is known who calls.
    """

    now: float
    principal: str
    questions: int = 0
    unlocked: bool = False
    frozen: bool = False
    unasked_usd: float = 0.0
    standing: tuple[Standing, ...] = ()
    standing_used: Mapping[str, int] = field(default_factory=dict)
    running_usd_per_hour: float | None = None
    running: frozenset[str] = frozenset()
    living: frozenset[str] | None = None
    identified: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    """refuse (with a code), go (nobody is asked: `rule` says why), ask, or inbox.

    questions: how many may be asked in a client in ten minutes, this one among them; None is no limit.
    """

    kind: str
    rule: str
    charges: tuple[Charge, ...] = ()
    questions: int | None = None


def decide(policy: Policy, plan: Plan, known: Standings) -> Decision:
    """What becomes of a plan: refused, let through without a question, or asked about, and where."""
    if refused := refusal(policy, plan, known):
        return Decision("refuse", refused)
    charges = budget_charges(policy, plan, known)
    if covered := covering(policy, plan, known):
        codes = ",".join(one.code for one, _ in covered)
        return Decision("go", f"standing:{codes}", (*charges, *standing_charges(covered)))
    if below_threshold(policy, plan, known):
        return Decision("go", "below_confirm_usd_per_hour", (*charges, _unasked(policy, plan, known)))
    most = None if known.unlocked else policy.questions
    return Decision(_channel(policy, plan, known), _asks(policy, plan, known), charges, most)


def refusal(policy: Policy, plan: Plan, known: Standings) -> str:
    """The rule that refuses the plan however it is approved; an empty string for none."""
    if known.frozen or policy.freeze:
        return "frozen"
    if policy.mode is Mode.DENY or strictness(policy, plan) is Strictness.DENY:
        return "denied_by_policy"
    if not known.identified and NEEDS_IDENTITY & plan.effects:
        return "identity_needed"
    if len(plan.targets) > policy.batch:
        return "too_many"
    return _type_refused(policy, plan)


def _type_refused(policy: Policy, plan: Plan) -> str:
    allowed = {name.casefold() for name in policy.budgets.machine_types}
    wanted = {kind.casefold() for step in plan.steps if (kind := str(_body(step).get("machineType", "")))}
    return "type_not_allowed" if allowed and wanted - allowed else ""


def _body(step: Step) -> Mapping[str, object]:
    body = step.arguments.get("body")
    return body if isinstance(body, Mapping) else {}


_MORE = frozenset({"machineType", "name"})


def strictness(policy: Policy, plan: Plan) -> Strictness:
    """The strictest that the operator wants for any class that the plan touches."""
    return max(map(policy.strictness, plan.effects), key=list(Strictness).index)


def spends(plan: Plan) -> bool:
    """Whether a plan may raise what the account costs per hour."""
    return plan.verb in {"start", "create"} or Effect.SPEND in plan.effects


def covering(policy: Policy, plan: Plan, known: Standings) -> tuple[tuple[Standing, int], ...]:
    """The standing approvals that together cover each target, and how many each; none where one is not covered.

    Never for what destroys, grants or reveals, nor for what is protected.
    """
    if plan.effect in NEVER_STANDING or not plan.targets or any(target.protected for target in plan.targets):
        return ()
    if len(plan.steps) != len(plan.targets) or any(_MORE & _body(step).keys() for step in plan.steps):
        return ()  # a stop or a start inside an update, another price or another name are wishes of their own
    valid = [one for one in (*policy.standing, *known.standing) if _valid(one, plan, known)]
    taken: Counter[str] = Counter()
    for step in plan.steps:
        one = next((one for one in valid if _left(one, known) > taken[one.code] and _covers(one, plan, step)), None)
        if one is None:
            return ()
        taken[one.code] += 1
    return tuple((one, taken[one.code]) for one in valid if taken[one.code])


def _valid(one: Standing, plan: Plan, known: Standings) -> bool:
    mine = one.principal in {"", known.principal}
    return mine and known.now <= one.until and plan.verb in one.verbs


def _left(one: Standing, known: Standings) -> int:
    return one.uses - known.standing_used.get(one.code, 0)


def _covers(one: Standing, plan: Plan, step: Step) -> bool:
    """By name only where the name is fit to be typed; a name that cannot be told from another is no selector."""
    target = step.target
    named = target is not None and not target.type_id and bool(matching(one.names, target.name))
    return named and _affordable(one, plan, step)


def _affordable(one: Standing, plan: Plan, step: Step) -> bool:
    """Its limit is for each start, alone or among others."""
    if Effect.SPEND not in plan.effects or one.usd_per_hour is None:
        return True
    usd = plan.usd_per_hour if len(plan.steps) == 1 else step.usd_per_hour
    return usd is not None and usd <= one.usd_per_hour


def standing_charges(covered: Sequence[tuple[Standing, int]]) -> tuple[Charge, ...]:
    """Each effect takes one use."""
    return tuple(Charge(f"standing:{one.code}", float(number), float(one.uses)) for one, number in covered)


def below_threshold(policy: Policy, plan: Plan, known: Standings) -> bool:
    """Whether this is a start of known price that stays cheap with the last hour's that nobody was asked about."""
    single = plan.verb == "start" and len(plan.steps) == 1 and not any(target.protected for target in plan.targets)
    if not single or plan.effect is not Effect.SPEND or plan.usd_per_hour is None:
        return False
    if policy.strictness(Effect.SPEND) is not Strictness.TABLE or policy.mode is not Mode.ASK:
        return False
    return known.unasked_usd + plan.usd_per_hour <= policy.confirm_usd_per_hour


def _unasked(policy: Policy, plan: Plan, known: Standings) -> Charge:
    ledger = f"unasked:{known.principal}"
    return Charge(ledger, plan.usd_per_hour or 0.0, policy.confirm_usd_per_hour, known.now - HOUR_S)


def budget_charges(policy: Policy, plan: Plan, known: Standings) -> tuple[Charge, ...]:
    """What the plan takes from the budgets. A price nobody knows does not fit into a budget of money."""
    budgets, found = policy.budgets, list[Charge]()
    creates = sum(1 for step in plan.steps if plan.verb == "create" and step.effect in {Effect.SPEND, Effect.GRANT})
    if budgets.creates_per_day is not None and creates:
        found.append(Charge("creates", creates, budgets.creates_per_day, known.now - DAY_S))
    if budgets.machines is not None and creates:
        left = budgets.machines - (budgets.machines if known.living is None else len(known.living))
        found.append(Charge("machines", creates, left, known.now - SETTLING_S, seen=known.living or frozenset()))
    if budgets.usd_per_hour is not None and spends(plan) and plan.adds_usd_per_hour != 0:
        found.append(_running(plan, known, budgets.usd_per_hour))
    return tuple(found)


def _running(plan: Plan, known: Standings, limit: float) -> Charge:
    """What is started is seen in the fleet soon, and is counted there then. A new price of what runs is not."""
    usd = plan.adds_usd_per_hour if plan.adds_usd_per_hour is not None else float("inf")
    running = known.running_usd_per_hour if known.running_usd_per_hour is not None else float("inf")
    started = tuple(target.id for target in plan.targets if target.id not in known.running)
    return Charge("running", usd, limit - running, known.now - SETTLING_S, started, known.running)


def _channel(policy: Policy, plan: Plan, known: Standings) -> str:
    strict = strictness(policy, plan)
    overflow = known.questions >= policy.questions and not known.unlocked
    return "inbox" if policy.mode is Mode.INBOX or strict is Strictness.INBOX or overflow else "ask"


def _asks(policy: Policy, plan: Plan, known: Standings) -> str:
    """The rule by which the question is asked, for the audit and `policy check`."""
    if known.questions >= policy.questions and not known.unlocked:
        return "prompt_limit"
    return f"class:{plan.effect}" if policy.mode is Mode.ASK else f"mode:{policy.mode}"


def stricter(first: Policy, second: Policy) -> Policy:
    """Both at once: of each setting the more restrictive."""
    return Policy(
        mode=max(first.mode, second.mode, key=list(Mode).index),
        read_only=first.read_only or second.read_only,
        freeze=first.freeze or second.freeze,
        toolsets=_both(first.toolsets, second.toolsets),
        tools_allow=_both(first.tools_allow, second.tools_allow),
        tools_deny=_either(first.tools_deny, second.tools_deny),
        protect=_either(first.protect, second.protect),
        classes={effect: _strictest(first, second, effect) for effect in Effect},
        confirm_usd_per_hour=min(first.confirm_usd_per_hour, second.confirm_usd_per_hour),
        batch=min(first.batch, second.batch),
        questions=min(first.questions, second.questions),
        budgets=_least(first.budgets, second.budgets),
        prices={**second.prices, **first.prices},
        standing=tuple(one for one in first.standing if one in second.standing),
    )


def _strictest(first: Policy, second: Policy, effect: Effect) -> Strictness:
    return max(first.strictness(effect), second.strictness(effect), key=list(Strictness).index)


def _both(first: Sequence[str], second: Sequence[str]) -> tuple[str, ...]:
    """An empty list allows all, so what is left of two lists must not become empty: then nothing is allowed."""
    if not first or not second:
        return tuple(first or second)
    return tuple(one for one in first if one in second) or (NOTHING,)


def _either(first: Collection[str], second: Collection[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def _least(first: Budgets, second: Budgets) -> Budgets:
    def least(one: float | None, other: float | None) -> float | None:
        given = [value for value in (one, other) if value is not None]
        return min(given) if given else None

    creates = least(first.creates_per_day, second.creates_per_day)
    machines = least(first.machines, second.machines)
    return Budgets(
        usd_per_hour=least(first.usd_per_hour, second.usd_per_hour),
        creates_per_day=None if creates is None else int(creates),
        machines=None if machines is None else int(machines),
        machine_types=_both(first.machine_types, second.machine_types),
    )
