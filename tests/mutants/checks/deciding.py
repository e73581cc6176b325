"""What is checked of whoever decides out of band, or speaks in somebody's name: the terminal, the page, the webhook,
tokens, and the operator's own commands."""

from tests.mutants.checks.rows import Check

from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.rules.guard import demands, lists

_APPROVER, _HANDLERS, _PAGE = "approving:Approver", "page.routes:_Handlers", "page.deciding:Page"
_ALONE, _FIND, _HOOK = "rules.guard.lists:alone", "page.sessions:Sessions.find", "webhook:Incoming"
_FITS = 'not self._page.sessions.fits(session, fields.get("token", ""))'
_LIMITS = "wire.approvers:_limits"
DECIDED_ONCE = "decided while it is open"

_OUT_OF_BAND = (
    Check(
        "only what waits out of band is decided there",
        f"{_APPROVER}._find",
        "record.channel is not Channel.INBOX",
        "False",
        "unknown_code",
    ),
    Check(
        "what is decided is not decided again",
        f"{_APPROVER}._open",
        "record.status is not Status.OPEN",
        "False",
        "already_decided",
        behind=(DECIDED_ONCE,),
    ),
    Check(
        "decided in time",
        f"{_APPROVER}._open",
        "not alive(record, self.now())",
        "False",
        "expired",
        behind=("met in time", "spent in time"),
    ),
    Check(
        "without a secret, the weak classes only",
        f"{_APPROVER}.authenticate",
        "record.effect not in WEAK",
        "False",
        "no_secret",
    ),
    *(
        Check(
            f"without a secret, no {one.value}",
            "approving:WEAK",
            None,
            demands.WEAK | {one},
            "no_secret",
        )
        for one in Effect
        if one not in demands.WEAK | {Effect.READ}
    ),
    Check(
        "where there is a secret, it is wanted",
        f"{_APPROVER}.authenticate",
        "not self.approvers.any()",
        "True",
        "wrong_secret",
    ),
    Check(
        "the secret is the approver's",
        f"{_APPROVER}.authenticate",
        "not self.approvers.check(self.user, secret)",
        "False",
        "wrong_secret",
    ),
    Check(
        "the secret is compared",
        "wire.approvers:Approvers._checked",
        'hmac.compare_digest(_hash(secret, bytes.fromhex(stored["salt"])), stored["hash"])',
        "True",
        "wrong_secret",
    ),
    Check(
        "guesses at a secret are counted",
        "wire.approvers:Approvers._checked",
        "any(len(wrong.get(key, ())) >= limit for key, limit in limits.items())",
        "False",
        "too_many_tries",
    ),
    Check("guesses at a login are counted", _LIMITS, 'f"{who} {peer}": LOGIN_TRIES, ', "", "too_many_tries"),
    Check("guesses over all names are counted", _LIMITS, ', f"{_EVERY} {peer}": PEER_TRIES', "", "too_many_tries"),
    Check("guesses from everywhere are counted", _LIMITS, ', f"{who} {_EVERY}": USER_TRIES', "", "too_many_tries"),
    Check(
        "what is typed out of band is compared",
        f"{_APPROVER}.approve",
        "not record.expects or typed.strip() != record.expects",
        "False",
        "mistyped_out_of_band",
    ),
    Check(
        "what is typed for a list is compared",
        f"{_APPROVER}.approve_list",
        "typed.strip() != found.typed",
        "False",
        "mistyped_out_of_band",
    ),
)

_LISTS = (
    *(
        Check(f"never in a list: {one.value}", "rules.guard.lists:ALONE", None, lists.ALONE - {one}, "not_together")
        for one in sorted(lists.ALONE - {Effect.READ})
    ),
    Check(
        "never in a list: what is protected",
        _ALONE,
        "any(target.protected for target in plan.targets)",
        "False",
        "not_together",
    ),
    Check(
        "never in a list: what asks for more than its verb",
        _ALONE,
        "record.expects != demand(plan).text",
        "False",
        "not_together",
    ),
    Check(
        "never in a list: what destroys under another verb",
        _ALONE,
        "plan.effect is Effect.DESTROY and plan.verb != DELETE",
        "False",
        "not_together",
    ),
)

_ON_THE_PAGE = (
    Check(
        "a user sees their own questions",
        f"{_PAGE}._own",
        "record.principal != self.principal_of(session.user)",
        "False",
        "unknown_code",
    ),
    Check("a form knows its session", f"{_HANDLERS}.decide", _FITS, "False", "forged"),
    Check("a list's form knows its session", f"{_HANDLERS}.decide_list", _FITS, "False", "forged"),
    Check("a password's form knows its session", f"{_HANDLERS}.reveal", _FITS, "False", "forged"),
    Check(
        "a form comes from the page itself",
        f"{_HANDLERS}._answered",
        'request.method == "POST" and not own_origin(request)',
        "False",
        "forged",
    ),
    Check(
        "a session was signed here",
        _FIND,
        'not hmac.compare_digest(self._sign("session", said).encode(), signature.encode())',
        "not signature",
        "login",
    ),
    Check(
        "a session has an end",
        _FIND,
        "session.until - SESSION_S <= now <= session.until",
        "True",
        "login",
    ),
    Check(
        "who logged out is out",
        f"{_PAGE}.session",
        "await stored(partial(self.conduct.rooms.store.flag, _ended(session), self.now()))",
        "False",
        "login",
    ),
    Check(
        "who has no token any more is out",
        f"{_PAGE}.session",
        "session if self._may(session.user) else None",
        "session",
        "login",
    ),
    Check(
        "a login takes a token and the secret",
        f"{_PAGE}.log_in",
        "not right or not self._may(user)",
        "False",
        "wrong_login",
    ),
    Check(
        "a password is shown to whoever asked for it",
        "wire.sinks:LinkSink.waits",
        "found.principal == principal",
        "True",
        "nothing_revealed",
    ),
)

_IN_A_NAME = (
    Check(
        "a webhook's decision is signed",
        f"{_HOOK}._signed",
        "not hmac.compare_digest(expected.encode(), said.encode())",
        "False",
        "unsigned",
    ),
    Check("a webhook's decision is fresh", f"{_HOOK}._signed", "not self._fresh(stamp)", "False", "unsigned"),
    Check(
        "a webhook's decision counts once",
        f"{_HOOK}._use",
        "await stored(partial(self._store.flag, flag, now))",
        "False",
        "replayed",
    ),
    Check(
        "no principal without a token",
        "app:caller_of",
        'raise Refusal("identity_needed")',
        "return identity(settings)",
        "identity_needed",
    ),
    Check(
        "an approval of the OS user is not anonymous",
        "app:caller_of",
        "anonymous(settings) if over_http else identity(settings)",
        "identity(settings)",
        "approval_required",
    ),
    Check("a token is its user's", "tokens:Tokens.name_of", "hmac.compare_digest(stored, presented)", "True", "401"),
    Check(
        "allowing takes a secret that is set",
        "cli.allow:authenticate",
        "not approvers.known(os_user())",
        "False",
        "no_secret",
        behind=("allowing takes the secret",),
    ),
    Check(
        "allowing takes the secret",
        "cli.allow:authenticate",
        'not approvers.check(os_user(), read_secret("approver\'s secret: "))',
        "False",
        "wrong_secret",
    ),
    Check(
        "allowing names verbs that may be",
        "cli.allow:_standing",
        "set(verbs) <= set(STANDING_VERBS)",
        "True",
        "bad_standing",
        behind=("never in advance: destroy",),
    ),
    Check(
        "a policy that cannot be read is not none",
        "settings:_policy",
        "named or _is_there(path)",
        "named or path.is_file()",
        "bad_policy",
    ),
    Check("lifting a freeze takes the secret", "cli.freeze:execute", "approvers.any()", "False", "wrong_secret"),
)

DECIDING = (*_OUT_OF_BAND, *_LISTS, *_ON_THE_PAGE, *_IN_A_NAME)
