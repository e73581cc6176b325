"""Refusals and comparisons that are no rows of the table, each with the reason why: what would be taken out with them
lets nothing through, or is a row somewhere else."""

from collections.abc import Mapping

Places = Mapping[str, str]
"""Place to what it says, as `sweeping.Place` has them; several of one place with ` | ` between them."""

_ELSEWHERE: Places = {
    "approving:Approver.listing": "not_together",  # lists.alone
    "approving:Approver._close": "already_decided",  # SqliteStore.close
    "conduct.series:Series._still": "?",  # Conduct.judge, with what was done before it
    "page.deciding:Page.revealed": "nothing_revealed",  # LinkSink.waits
    "page.deciding:Page.reveal": "nothing_revealed",  # LinkSink.waits
    "surface.consent:_decision": "expired",  # SqliteStore.spend; here it is told earlier
    "surface.tools.machines:delete_machine": "protected",  # Conduct.judge; here, before the advice to stop it
    "rules.guard.records:judge": "already_spent | record.status is Status.SPENT",  # one check with two codes
    "rules.guard.lists:alone": "class | protected | typed",  # the reason, which a person is told as not_together
    "rules.guard.records:_kind": (
        # which of the open ones a call meets, and how long it is told a no: `question` and `judge` decide what follows
        "open | denied | approved | record.status is Status.SPENT | record.status is Status.DECLINED"
        " | record.channel is channel | record.channel is Channel.INBOX | record.status is Status.OPEN"
        " | 0 <= now - record.spent_at <= REPEAT_S"
    ),
    "rules.guard.records:_kind_spent": "repeat | resume",
    "rules.policy:_channel": "inbox | ask",
    "surface.consent:_through": (
        # each kind to its own way, on which it is checked
        "met.kind == 'open' | met.kind == 'approved' | met.kind == 'denied' | met.answer is not None"
        " | met.record is None"
    ),
    "surface.consent:_decided": "record.status is Status.SPENT",
    "surface.consent:question": "met.kind == 'open' | record is not None",
    "wire.sqlite:SqliteStore.close": (
        # how many were changed is only told; the comparison is in the statement
        "code = ? | db.execute(query, (status, approver, now, code, Status.OPEN)).rowcount == 1"
    ),
}
_SHAPES: Places = {
    "cli.allow:duration": "bad_duration",
    "webhook:Incoming._signed": "bad_body | len(body) > LONGEST_BODY",
    "webhook:_read": "bad_body",
    "wire.sqlite:SqliteStore.spend": "code = ?",
    "wire.sqlite:SqliteStore.note": "code = ?",
    "conduct.corridor:Conduct._draft": "where is Channel.RULE | where is Channel.INBOX",
    "conduct.corridor:Conduct.accept": "refused == 'mistyped'",
    "conduct.corridor:Conduct._charges": "record.channel is Channel.RULE",
    "conduct.series:Series._found": "unfinished",  # what was begun is looked for, early or late, and never sent again
    "conduct.series:Series._end": "outcome.status != 'done' | len(after) == len(self._plan.steps)",
    "conduct.batch:Batch._may": "(rest := (self._pace.from_moment - anyio.current_time())) > 0",
    "conduct.batch:Batch._written": "record is None",
    "conduct.judging:_fleet": "machine.dt_deleted is None",
    "conduct.steps:Steps.moved": "target is None",
    "conduct.steps:Steps._fingerprint": "'accessors' in fields",
    "surface.desk:Desk.target": "machine.dt_deleted is not None | 'accessors' in fields",
    "surface.prompts:find": "prompt_shut",  # a prompt does nothing; the tools that it names are shut at the call
    "rules.guard.demands:demand": (
        # which of two texts is asked for, of which neither is weaker where it is asked
        "ask is Ask.NAME | len(plan.targets) > 1 | len(text) > TYPED_CAP | rule.ask is Ask.VERB"
    ),
    "rules.policy:covering": "one is None",
    "rules.policy:_covers": "target is not None",
    "rules.policy:_affordable": ("Effect.SPEND not in plan.effects | one.usd_per_hour is None | len(plan.steps) == 1"),
    "rules.policy:below_threshold": "plan.effect is not Effect.SPEND",  # every start spends
    "rules.policy:budget_charges": (
        "plan.adds_usd_per_hour != 0 | known.living is None | plan.verb == 'create'"
        " | step.effect in {Effect.SPEND, Effect.GRANT}"
    ),
    "rules.policy:_running": "known.running_usd_per_hour is not None | target.id not in known.running",
    "approving:Approver._find": "record is None",
    "wire.approvers:Approvers._checked": "at > since",
    "wire.sinks:LinkSink.waits": "found is not None",
    "page.deciding:Page._own": "record is None",
    "page.deciding:Page.session": "session is None",
    "page.routes:_Handlers.decide": "session is None",
    "page.routes:_Handlers.decide_list": "session is None | decision not in DECISIONS",
    "page.routes:_Handlers.reveal": "session is None",
    "app:caller_of": "settings.tokens is None | token is None",
    "wire.paperspace:Paperspace.read": "query is None",
    "wire.paperspace:Paperspace.mutate": "operation.body is None | body is None",
}
"""Which of several ways is gone, and whether there is something at all."""
_NOTHING_TO_GIVE: Places = {
    "conduct.steps:Steps._reveal": "reveal_unavailable",
    "wire.sinks:password": "no_password",
    "wire.sinks:FileSink.deliver": "reveal_unavailable",
}

EXPLAINED: frozenset[tuple[str, str]] = frozenset(
    (made, says)
    for places in (_ELSEWHERE, _SHAPES, _NOTHING_TO_GIVE)
    for made, several in places.items()
    for says in several.split(" | ")
)
