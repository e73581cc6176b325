"""What is judged of a plan before anybody is asked: the policy, the classes, protection, budgets, and who need not be
asked."""

from collections.abc import Iterable

from tests.mutants.checks.rows import Check

from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.rules import classing, policy
from paperspace_mcp.rules.guard import demands
from paperspace_mcp.rules.guard.demands import Ask, Rule

_PERMITTED, _REFUSAL, _COVERING = "rules.policy:permitted", "rules.policy:refusal", "rules.policy:covering"
_VALID, _COVERS, _BELOW = "rules.policy:_valid", "rules.policy:_covers", "rules.policy:below_threshold"
_CHARGES, _TARGET, _ALONE = "rules.policy:budget_charges", "surface.desk:Desk.target", "surface.desk:Desk._alone"
SPENT_BUDGET, SAME_RULES = "a charge fits as it is entered", "spent under the rules it was asked under"
AFFORDED = "nobody is asked about what is over a budget"
AT_THE_CALL, ASKED = "judged once more before the call", "a person is asked"

_SHUT = (
    Check("read-only", _PERMITTED, "policy.read_only and effect is not Effect.READ", "False", "read_only"),
    Check("toolsets", _PERMITTED, "policy.toolsets and toolset not in policy.toolsets", "False", "toolset_off"),
    Check("tools denied", _PERMITTED, "tool in policy.tools_deny", "False", "tool_off"),
    Check("tools allowed", _PERMITTED, "policy.tools_allow and tool not in policy.tools_allow", "False", "tool_off"),
    Check(
        "what is shut is shut at the call",
        "surface.desk:Desk.permit",
        "if refused := permitted(",
        "if False and permitted(",
        "read_only",
    ),
    Check(
        "read-only reveals nothing",
        "surface.tools.desktop:get_machine_desktop",
        "desk.conduct.policy.read_only or not desk.conduct.reveals",
        "not desk.conduct.reveals",
        "read_only",
    ),
)

_REFUSED = (
    Check("frozen", _REFUSAL, "known.frozen", "False", "frozen"),
    Check("frozen by the policy", _REFUSAL, "policy.freeze", "False", "frozen"),
    Check("mode deny", _REFUSAL, "policy.mode is Mode.DENY", "False", "denied_by_policy"),
    Check("a class denied", _REFUSAL, "strictness(policy, plan) is Strictness.DENY", "False", "denied_by_policy"),
    Check(
        "no class hides below a higher one",
        "rules.guard.plans:Step.effects",
        "frozenset({self.effect, *self.also})",
        "frozenset({self.effect})",
        "denied_by_policy",
    ),
    Check("identity", _REFUSAL, "not known.identified", "False", "identity_needed"),
    Check(
        "batch",
        _REFUSAL,
        "len(plan.targets) > policy.batch",
        "False",
        "too_many",
        behind=("batch, as it is selected",),
    ),
    Check(
        "batch, as it is selected",
        "surface.tools.bulk:_check",
        "len(chosen.todo) > batch",
        "False",
        "too_many",
        behind=("batch",),
    ),
    Check("machine types", "rules.policy:_type_refused", "allowed and wanted - allowed", "False", "type_not_allowed"),
    Check(
        "what the class table refuses",
        "conduct.corridor:Conduct._judged",
        'wanted.rule.refused or decision.kind == "refuse"',
        'decision.kind == "refuse"',
        "protected",
    ),
    Check(
        "what the policy refuses",
        "conduct.corridor:Conduct._judged",
        'wanted.rule.refused or decision.kind == "refuse"',
        "wanted.rule.refused",
        "frozen",
        behind=(AT_THE_CALL,),
    ),
    Check(
        "only the standing approval that was named",
        "conduct.corridor:Conduct._granted",
        'caller.allow and decision.kind != "go"',
        "False",
        "not_covered",
    ),
    Check(
        "no other standing approval than that",
        "conduct.judging:judge",
        "not caller.allow",
        "True",
        "not_covered",
    ),
)

_IDENTITY = tuple(
    Check(
        f"identity for {one.value}",
        "rules.policy:NEEDS_IDENTITY",
        None,
        policy.NEEDS_IDENTITY - {one},
        "identity_needed",
    )
    for one in sorted(policy.NEEDS_IDENTITY)
)


def _cells() -> Iterable[Check]:
    """Each cell of the class table that asks for more than a verb, and what is the next weaker to it."""
    for (effect, protected), rule in demands.TABLE.items():
        where = f"{effect.value}, {'protected' if protected else 'not protected'}"
        key, made = (effect, protected), "rules.guard.demands:TABLE"
        if rule.refused:
            yield Check(f"{where}: refused", made, key, Rule(rule.ask), "protected")
        elif rule.ask in {Ask.NAME, Ask.PERSON}:
            weaker = Rule(Ask.VERB, out_of_band_only=rule.out_of_band_only)
            yield Check(f"{where}: the {rule.ask.value} is typed", made, key, weaker, "mistyped")
        if rule.out_of_band_only:
            yield Check(f"{where}: out of band only", made, key, Rule(rule.ask), "approval_required")


_FIELDS = tuple(
    Check(f"{name} destroys", "rules.classing:ALWAYS", name, Effect.DISRUPT, "mistyped") for name in classing.ALWAYS
)
_HIDDEN = (
    *_FIELDS,
    Check(
        "autoSnapshotEnabled, off, destroys",
        "rules.classing:_auto_snapshot",
        "else Effect.DESTROY",
        "else Effect.DISRUPT",
        "mistyped",
    ),
    Check(
        "autoSnapshotSaveCount, fewer, destroys",
        "rules.classing:_save_count",
        "kept is not None and value >= kept",
        "True",
        "mistyped",
    ),
    Check(
        "publicIpType, from static, destroys",
        "rules.classing:_public_ip",
        'machine.public_ip_type in {"dynamic", "none"}',
        "True",
        "mistyped",
    ),
    Check(
        "autoShutdownEnabled, off, spends",
        "rules.classing:_auto_shutdown",
        "else Effect.SPEND",
        "else Effect.DISRUPT",
        "denied_by_policy",
    ),
    Check(
        "a dearer type spends",
        "rules.classing:_machine_type",
        "new is None or old is None or new > old",
        "False",
        "denied_by_policy",
    ),
    Check(
        "a create that grants spends all the same",
        "rules.classing:hidden_in_create",
        "(Effect.SPEND,) if of_create(body) is Effect.GRANT else ()",
        "()",
        "denied_by_policy",
    ),
    Check(
        "a create with accessors grants",
        "rules.classing:of_create",
        'Effect.GRANT if body.get("accessorIds") else Effect.SPEND',
        "Effect.SPEND",
        "mistyped",
    ),
)

_PROTECTION = (
    Check(
        "a protected target is one",
        _TARGET,
        "protected = self.protected(machine)",
        "protected = False",
        "protected",
        behind=(SAME_RULES,),
    ),
    Check("protected in any case", "rules.guard.protection:_folded", ".casefold()", "", "protected"),
    Check(
        "protected in any composition",
        "rules.guard.protection:_folded",
        'unicodedata.normalize("NFC", text)',
        "text",
        "protected",
        behind=("protected by what is seen of a name",),
    ),
    Check(
        "protected by what is seen of a name",
        "rules.guard.protection:protecting",
        ", clean(name).text",
        "",
        "protected",
    ),
    Check(
        "protected by id too",
        "rules.guard.protection:protecting",
        "globs, target_id, name",
        "globs, name",
        "protected",
    ),
    Check(
        "a rename does not un-protect",
        "surface.tools.updating:_check",
        '"name" in changed and unprotects(',
        "False and unprotects(",
        "rename_unprotects",
    ),
    Check(
        "a protected machine is asked about alone",
        "surface.tools.bulk:_check",
        "alone and protected",
        "False",
        "protected_in_bulk",
    ),
    Check(
        "a glob takes no protected machine",
        "rules.selecting:_reason",
        "protected(machine) and not by_name",
        "False",
        "left out",
    ),
    Check(
        "a name that cannot be typed is an id",
        _ALONE,
        "not plain(name)",
        "False",
        "mistyped",
    ),
    Check(
        "a name of two machines is an id",
        _ALONE,
        "len(search.named) == 1",
        "True",
        "mistyped",
    ),
    Check("a name that was not looked for to the end is an id", _ALONE, "search.complete and", "", "mistyped"),
    Check(
        "among many, a name of two machines is an id",
        "surface.tools.bulk:_step",
        "not unique or not plain(machine.name)",
        "not plain(machine.name)",
        ASKED,
    ),
    Check(
        "among many, a name that cannot be typed is an id",
        "surface.tools.bulk:_step",
        "not unique or not plain(machine.name)",
        "not unique",
        ASKED,
    ),
)

_NEVER = tuple(
    Check(
        f"never in advance: {one.value}",
        "rules.policy:NEVER_STANDING",
        None,
        policy.NEVER_STANDING - {one},
        ASKED,
    )
    for one in sorted(policy.NEVER_STANDING)
)
_IN_ADVANCE = (
    Check("never in advance: some classes", _COVERING, "plan.effect in NEVER_STANDING", "False", ASKED),
    *_NEVER,
    Check(
        "never in advance: what is protected",
        _COVERING,
        "any(target.protected for target in plan.targets)",
        "False",
        ASKED,
    ),
    Check(
        "never in advance: a stop or a start inside an update",
        _COVERING,
        "len(plan.steps) != len(plan.targets)",
        "False",
        ASKED,
        behind=("never in advance: another type or name",),
    ),
    Check(
        "never in advance: another type or name",
        _COVERING,
        "any(_MORE & _body(step).keys() for step in plan.steps)",
        "False",
        ASKED,
    ),
    Check("in advance, for its own principal", _VALID, 'one.principal in {"", known.principal}', "True", ASKED),
    Check("in advance, until its end", _VALID, "known.now <= one.until", "True", ASKED),
    Check("in advance, for its verbs", _VALID, "plan.verb in one.verbs", "True", ASKED),
    Check(
        "in advance, as often as it says",
        _COVERING,
        "_left(one, known) > taken[one.code]",
        "True",
        ASKED,
        behind=(AFFORDED, SPENT_BUDGET),
    ),
    Check("in advance, for names that can be typed", _COVERS, "not target.type_id", "True", ASKED),
    Check("in advance, for a name of one machine", _TARGET, "or await self._selected(machine.name)", "", ASKED),
    Check("in advance, for its names", _COVERS, "bool(matching(one.names, target.name))", "True", ASKED),
    Check(
        "in advance, up to its price",
        "rules.policy:_affordable",
        "usd is not None and usd <= one.usd_per_hour",
        "True",
        ASKED,
    ),
)

_CHEAP = (
    Check("unasked: starts only", _BELOW, 'plan.verb == "start"', "True", ASKED),
    Check("unasked: one at a time", _BELOW, "len(plan.steps) == 1", "True", ASKED),
    Check(
        "unasked: nothing that is protected",
        _BELOW,
        "not any(target.protected for target in plan.targets)",
        "True",
        ASKED,
    ),
    Check(
        "unasked: nothing without a price",
        _BELOW,
        "plan.usd_per_hour is None",
        "False",
        ASKED,
        behind=("unasked: together below the threshold", AFFORDED, SPENT_BUDGET),
    ),
    Check(
        "unasked: not where the class is stricter",
        _BELOW,
        "policy.strictness(Effect.SPEND) is not Strictness.TABLE",
        "False",
        ASKED,
    ),
    Check("unasked: not in another mode", _BELOW, "policy.mode is not Mode.ASK", "False", ASKED),
    Check(
        "unasked: together below the threshold",
        _BELOW,
        "known.unasked_usd + plan.usd_per_hour <= policy.confirm_usd_per_hour",
        "True",
        ASKED,
        behind=(AFFORDED, SPENT_BUDGET),
    ),
)

_BUDGETS = (
    Check("budget: creates a day", _CHARGES, "budgets.creates_per_day is not None and creates", "False", "over_budget"),
    Check("budget: machines", _CHARGES, "budgets.machines is not None and creates", "False", "over_budget"),
    Check(
        "budget: USD per hour", _CHARGES, "budgets.usd_per_hour is not None and spends(plan)", "False", "over_budget"
    ),
    Check(
        "budget: no known price fits into none",
        "rules.policy:_running",
        'plan.adds_usd_per_hour if plan.adds_usd_per_hour is not None else float("inf")',
        "plan.adds_usd_per_hour or 0.0",
        "over_budget",
    ),
    Check(
        "budget: what runs without a price fits into none",
        "conduct.judging:_dear",
        'float("inf") if rate is None else rate',
        "rate or 0.0",
        "over_budget",
    ),
    Check(
        "budget: a fleet that cannot be counted fits into none",
        "conduct.judging:_fleet",
        "not found.complete",
        "False",
        "fleet_uncounted",
    ),
    Check(
        AFFORDED,
        "conduct.corridor:Conduct._granted",
        "if over := await stored(",
        "if False and await stored(",
        "over_budget",
        behind=(SPENT_BUDGET,),
    ),
)

JUDGING = (*_SHUT, *_REFUSED, *_IDENTITY, *_cells(), *_HIDDEN, *_PROTECTION, *_IN_ADVANCE, *_CHEAP, *_BUDGETS)
