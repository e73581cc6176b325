"""What is checked of an approved plan: spent once and in time, each step begun once, its target as it was, its intent
written, its warrant valid."""

from tests.mutants.checks.judging import AT_THE_CALL, SAME_RULES, SPENT_BUDGET
from tests.mutants.checks.rows import Check

from paperspace_mcp.conduct.parts import fingerprinted
from paperspace_mcp.contract.effects import Effect

_CORRIDOR, _STORE, _STEPS = "conduct.corridor:Conduct", "wire.sqlite:SqliteStore", "conduct.steps:Steps"
_SERIES = "conduct.series:Series"
_REDEEM, _CHARGES = "rules.guard.warrants:Warrants.redeem", f"{_CORRIDOR}._charges"
_STATUS = "AND status = ?"
BEGUN, SPENT_ONLY = "what was written down is as it was read", "only what is spent is begun"

_SPENDING = (
    Check(SAME_RULES, _CHARGES, "record.policy != self._rules()", "False", "policy_changed"),
    Check(
        "gone on with under the rules it was spent under",
        f"{_CORRIDOR}.go_on",
        "record.policy != self._rules()",
        "False",
        "policy_changed",
        behind=("met under the rules it was asked under",),
    ),
    Check(
        "the store is the file at its place",
        f"{_STORE}._here",
        "self._opened != _identity(self._path)",
        "False",
        "frozen",
    ),
    Check(
        "judged again before it is spent",
        _CHARGES,
        "await self.judge(owner(record), plan, record)",
        'Decision("ask", "")',
        "frozen",
        behind=(AT_THE_CALL,),
    ),
    Check(
        "what was let through unasked still is",
        _CHARGES,
        'decision.kind != "go"',
        "False",
        "approval_gone",
    ),
    Check(
        "nothing is done that was not spent",
        f"{_CORRIDOR}.carry_out",
        "if not await stored(spend):",
        "if await stored(spend) is None:",
        "already_spent",
        behind=(BEGUN,),
    ),
    Check("spent as it was read", f"{_STORE}.spend", f"{_STATUS} AND", "AND (status = ? OR 1) AND", "already_spent"),
    Check("spent is told of one only", f"{_STORE}.spend", "!= 1", "< 0", "already_spent", behind=(BEGUN,)),
    Check(
        "spent after it was issued",
        f"{_STORE}.spend",
        "issued_at <= ?",
        "(issued_at <= ? OR 1)",
        "already_spent",
    ),
    Check("spent in time", f"{_STORE}.spend", "expires_at >= ?", "(expires_at >= ? OR 1)", "already_spent"),
    Check("one wish, one approval", f"{_STORE}.spend", "_supersede(db, code)", "pass", "already_done"),
    Check(SPENT_BUDGET, "wire.sqlite:_charge", "not _fits(db, charge)", "False", "over_budget"),
    Check(
        "decided while it is open",
        f"{_STORE}.close",
        f"{_STATUS}",
        "AND (status = ? OR 1)",
        "already_decided",
    ),
)

_ONCE = (
    Check(BEGUN, f"{_STORE}.note", "AND outcome = ?", "AND (outcome = ? OR 1)", "unfinished"),
    Check("begun is told of one only", f"{_STORE}.note", "== 1", ">= 0", "unfinished"),
    Check(SPENT_ONLY, f"{_STORE}.note", f"{_STATUS} AND", "AND (status = ? OR 1) AND", "unfinished"),
    Check(
        "a step is begun once",
        f"{_SERIES}._take",
        "if not await self._note([*self._done, intent]):",
        "if await self._note([*self._done, intent]) is None:",
        "unfinished",
    ),
    Check(
        "what was begun is not begun again",
        f"{_SERIES}.run",
        'self._done and self._done[-1].status != "done"',
        "False",
        "unfinished",
    ),
    Check(
        "what is unknown is not asked about anew",
        f"{_SERIES}._end",
        'outcome.status in {"failed", "changed"}',
        "True",
        "outcome_unknown",
    ),
    Check(
        "judged again between two steps",
        f"{_SERIES}.run",
        "await self._still()",
        "pass",
        "frozen",
        behind=(AT_THE_CALL,),
    ),
    Check(
        "among many, a step is claimed once",
        "conduct.batch:_claimed",
        "any(one.target_id == intent.target_id for one in known)",
        "False",
        "already_done",
    ),
    Check(
        "among many, judged again before each step",
        "conduct.batch:Batch._may",
        "await refused(self._rooms, owner(self._record), self._plan)",
        '""',
        "frozen",
        behind=(AT_THE_CALL,),
    ),
    Check(
        "among many, only what is spent is begun",
        "conduct.batch:Batch._written",
        "record.status is not self._record.status",
        "False",
        "unfinished",
        behind=(SPENT_ONLY,),
    ),
)

_TARGET = (
    Check(
        "the target is read again",
        f"{_STEPS}.take",
        "if moved := await self.moved(step.target):",
        "if moved := []:",
        "target_changed",
    ),
    Check(
        "what changed is compared",
        "rules.guard.plans:changes",
        "then[name] != now.get(name)",
        "False",
        "target_changed",
    ),
    Check(
        "a target that is not found has changed",
        f"{_STEPS}.moved",
        '["exists"] if failure.code == "not_found" else [failure.code]',
        "[]",
        "target_changed",
    ),
    Check(
        "a deleted target has changed",
        f"{_STEPS}._fingerprint",
        '"no" if machine.dt_deleted else "yes"',
        '"yes"',
        "target_changed",
    ),
    Check(
        "an update is bound to what it changes",
        "surface.tools.updating:_plan",
        '{f"{power.SETTING}{name}" for name in changed}',
        "set()",
        "target_changed",
    ),
    *(
        Check(
            f"{effect.value} is bound to the {field}",
            "conduct.parts:_FINGERPRINTS",
            effect,
            fingerprinted(effect) - {field},
            "target_changed",
        )
        for effect in Effect
        for field in sorted(fingerprinted(effect))
    ),
)

_WRITTEN = (
    Check(
        AT_THE_CALL,
        f"{_STEPS}._allowed",
        "code := await refused(self._rooms, owner(record), plans.load(record.plan))",
        'code := ""',
        "frozen",
    ),
    Check(
        "an approval is written down first",
        f"{_CORRIDOR}.close",
        "await self._audit(told)",
        "pass",
        "audit_unusable",
    ),
    Check(
        "a yes in a client is written down first",
        f"{_CORRIDOR}.accept",
        "await self._audit(replace(told, client=client or record.client))",
        "pass",
        "audit_unusable",
    ),
    Check(
        "the intent is written down",
        f"{_STEPS}.take",
        'await self._audit(entries.of_step("intent", record, step))',
        "pass",
        "audit_unusable",
    ),
    Check(
        "what cannot be audited is not done",
        "conduct.storing:audited",
        'raise OperatorError("audit_unusable") from None',
        "return None",
        "audit_unusable",
    ),
    Check(
        "what cannot be stored is not done",
        "conduct.storing:stored",
        'raise OperatorError("store_unusable") from None',
        "return True",
        "store_unusable",
        behind=(SPENT_ONLY,),
    ),
)

_WIRE = (
    Check(
        "a read is no mutation",
        "wire.paperspace:Paperspace.read",
        '_demand(not operation.mutates, operation, "is no read")',
        "pass",
        "TypeError",
    ),
    Check(
        "no mutation without a warrant",
        "wire.paperspace:Paperspace.mutate",
        "self._warrants.redeem(warrant, operation.name, self.arguments(path, body))",
        "pass",
        "PermissionError",
    ),
    Check(
        "a warrant was minted here",
        _REDEEM,
        "warrant is None or warrant not in self._outstanding",
        "False",
        "PermissionError",
    ),
    Check(
        "a warrant pays once",
        _REDEEM,
        "self._outstanding.discard(warrant)",
        "pass",
        "PermissionError",
    ),
    Check(
        "a warrant is for one call",
        _REDEEM,
        "warrant.digest != digest(operation, arguments)",
        "False",
        "PermissionError",
    ),
    Check(
        "an id in a path is one",
        "wire.urls:_id",
        "not isinstance(value, str) or not _ID.fullmatch(value)",
        "False",
        "bad_id",
    ),
)

DOING = (*_SPENDING, *_ONCE, *_TARGET, *_WRITTEN, *_WIRE)
