"""The guard as a machine of states: two clients, two plans on one target, and every rule the server's own function.

What is ours here is only what the corridor and the store do between two rules (find, issue, close, spend, note), in
the order of `conduct/corridor.py`, and the attacker's moves. Beside what the server knows, each row carries what really
happened (`genuine`, `refused`, `late`, `outdone`, `paid`): the effect is judged by that, never by the server's view.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.rules.guard import plans, records
from paperspace_mcp.rules.guard.demands import demand
from paperspace_mcp.rules.guard.plans import Plan, Step, Target
from paperspace_mcp.rules.guard.records import Channel, Meeting, Record, Status
from paperspace_mcp.rules.guard.warrants import Warrants

CLIENT_S, INBOX_S, REPEAT_S = 120, 900, 120
"""The promise in seconds, written down once more: the model's judge must not read the server's constants."""

TARGET = Target("m1", "dev-1", fingerprint={"exists": "yes", "rev": "as asked"})
STOP = Step("stop", {"path": {"id": "m1"}}, Effect.DISRUPT, TARGET)
DELETE = Step("delete", {"path": {"id": "m1"}}, Effect.DESTROY, TARGET)
PLANS = (
    Plan("stop_machine", {"machine": "dev-1"}, "stop", (STOP,), ("Stops.",)),
    Plan("delete_machine", {"machine": "dev-1"}, "delete", (STOP, DELETE), ("Deletes.",)),
)
"""A plan of one step, and one of two that may be cut between them; an effect of one overtakes the other."""
TYPED = ("stop", "dev-1")
"""What a person must type, by the contract's table."""
SAME: Mapping[str, str] = {"exists": "yes", "rev": "as asked"}
CHANGED: Mapping[str, str] = {"exists": "yes", "rev": "changed"}


class Bad(Exception):
    """An effect that nobody approved."""


class Row(NamedTuple):
    """A record, ages instead of times. outcome: a letter a step: i(ntent), d(one), c(hanged).

    From `changed` on it is the truth of the world: nothing there is seen by a rule.
    """

    channel: Channel
    age: int = 0
    status: Status = Status.OPEN
    spent_age: int = 0
    outcome: str = ""
    settled: bool = False
    repeatable: bool = False
    overtaken: bool = False
    changed: bool = False
    genuine: bool = False
    refused: bool = False
    late: bool = False
    outdone: bool = False
    paid: int = 0

    @property
    def limit(self) -> int:
        return CLIENT_S if self.channel is Channel.CLIENT else INBOX_S


SPEND, INTENT, SEND, NOTE, END = range(5)
"""Where a call in flight may be cut, or overtaken by another: before each of these. Re-read and call are one step."""


class Hand(NamedTuple):
    """A call in flight, with what its process remembers."""

    group: int
    at: int
    by: int
    stage: int
    expected: Status
    outcome: str = ""


Group = tuple[Row, ...]
Groups = tuple[Group, Group, Group, Group]
Question = tuple[int, int]


class State(NamedTuple):
    """groups: the rows of (client, plan), oldest first, at 2 * client + plan. hands: the calls in flight."""

    groups: Groups = ((), (), (), ())
    hands: tuple[Hand, ...] = ()

    def row(self, group: int, index: int) -> Row:
        return self.groups[group][index]

    def put(self, group: int, index: int, row: Row) -> "State":
        rows = self.groups[group]
        return self.with_group(group, (*rows[:index], row, *rows[index + 1 :]))

    def with_group(self, group: int, rows: Group) -> "State":
        groups = list(self.groups)
        groups[group] = rows
        return State((groups[0], groups[1], groups[2], groups[3]), self.hands)


START: Final = State()


# -- the store's transitions: compare and swap ------------------------------------------------------------------------


def spendable(row: Row, expected: Status) -> bool:
    """What the store compares before it spends."""
    return row.status is expected and row.age <= row.limit


def closable(row: Row) -> bool:
    return row.status is Status.OPEN


def notable(row: Row, before: str) -> bool:
    return row.status is Status.SPENT and row.outcome == before


def superseded(row: Row) -> Row:
    """The same wish was done by another record."""
    if row.status in (Status.OPEN, Status.APPROVED):
        return row._replace(status=Status.SUPERSEDED)
    return row


def close(state: State, group: int, index: int, status: Status) -> State:
    return state.put(group, index, state.row(group, index)._replace(status=status, spent_age=0))


# -- the rules --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rules:
    """The server's functions and the store's comparisons. A mutant is one of them replaced."""

    meet: Callable[[Sequence[Record], float, Channel], Meeting] = records.meet
    judge: Callable[[Record, str, float], str] = records.judge
    alive: Callable[[Record, float], bool] = records.alive
    changes: Callable[[Mapping[str, str], Mapping[str, str]], tuple[str, ...]] = plans.changes
    spendable: Callable[[Row, Status], bool] = spendable
    notable: Callable[[Row, str], bool] = notable
    superseded: Callable[[Row], Row] = superseded
    declines: bool = True
    finds: Callable[[int], Sequence[int]] = lambda client: (client,)
    """Whose records a client's call is looked for among."""


Found = tuple[str, int, int]
Memo = dict[tuple[int, Group, Channel], tuple[str, int]]


@dataclass
class Guard:
    """The transitions of one call over a state. The rules are pure, so each distinct input is asked of them once."""

    rules: Rules = field(default_factory=Rules)
    memo: Memo = field(default_factory=dict)
    effects: int = 0
    spent: bool = False
    """Whether a record was spent since this was last looked at."""

    def __post_init__(self) -> None:
        self.expects = [demand(plan).text for plan in PLANS]
        self.digests = [plans.digest(plan.tool, plan.arguments) for plan in PLANS]

    def record(self, group: int, row: Row) -> Record:
        """The row as the rules see it, at the time 0."""
        client, plan = divmod(group, 2)
        return Record(
            code="",
            principal=f"user:{client}",
            account="k",
            tool=PLANS[plan].tool,
            effect=PLANS[plan].effect,
            digest=self.digests[plan],
            plan="",
            question="",
            expects=self.expects[plan],
            channel=row.channel,
            issued_at=-row.age,
            expires_at=row.limit - row.age,
            status=row.status,
            spent_at=-row.spent_age,
            outcome=row.outcome,
            settled=row.settled,
            repeatable=row.repeatable,
        )

    def find(self, state: State, client: int, plan: int, channel: Channel) -> Found:
        """What a call finds of itself: kind, group and index; ("fresh", -1, -1) for nothing."""
        for owner in self.rules.finds(client):
            group = 2 * owner + plan
            kind, index = self._met(group, state.groups[group], channel)
            if index >= 0:
                return kind, group, index
        return "fresh", -1, -1

    def _met(self, group: int, rows: Group, channel: Channel) -> tuple[str, int]:
        key = (group & 1, rows, channel)
        if key not in self.memo:
            seen = [(self.record(group, row), index) for index, row in enumerate(rows) if not row.overtaken][::-1]
            meeting = self.rules.meet([record for record, _ in seen], 0.0, channel)
            self.memo[key] = meeting.kind, next((i for record, i in seen if record is meeting.record), -1)
        return self.memo[key]

    # -- one call --

    def call(
        self, state: State, by: int, plan: int, channel: Channel, typed: str, question: Question | None
    ) -> "Going":
        """A call, or its second round with what was typed into the question of that index."""
        kind, group, index = self.find(state, by, plan, channel)
        if kind == "fresh":
            rows = state.groups[2 * by + plan]
            return state.with_group(2 * by + plan, (*rows, Row(channel))), None
        row = state.row(group, index)
        if kind == "open" and question == (group, index) and row.channel is Channel.CLIENT:
            return self.accept(state, group, index, by, typed, row)
        if kind == "approved":
            return state, Hand(group, index, by, SPEND, Status.APPROVED)
        if kind == "resume" and not row.outcome.endswith("i"):
            return state, Hand(group, index, by, INTENT, Status.SPENT, row.outcome)
        return state, None

    def accept(self, state: State, group: int, index: int, by: int, typed: str, snapshot: Row) -> "Going":
        """What was typed, judged by the record as this call remembers it."""
        refusal = self.rules.judge(self.record(group, snapshot), typed, 0.0)
        if refusal == "mistyped" and closable(state.row(group, index)):
            return close(state, group, index, Status.MISTYPED), None
        return state, None if refusal else Hand(group, index, by, SPEND, snapshot.status)

    def run(self, going: "Going", until: int) -> State:
        """Go on until the stage, or to the end; a hand that is left stays in flight."""
        state, hand = going
        while hand is not None and hand.stage != until:
            state, hand = self.step(state, hand)
        hands = state.hands if hand is None else tuple(sorted((*state.hands, hand)))
        return State(state.groups, hands)

    def step(self, state: State, hand: Hand) -> "Going":
        return (self._spend, self._intent, self._send, self._note)[hand.stage](state, hand)

    def _spend(self, state: State, hand: Hand) -> "Going":
        row = state.row(hand.group, hand.at)
        if not self.rules.spendable(row, hand.expected):
            return state, None
        late = row.late or row.age > row.limit
        spent = row._replace(status=Status.SPENT, spent_age=0, late=late)
        state = self._outdo(state, hand.group, hand.at).put(hand.group, hand.at, spent)
        self.spent = True
        return state, hand._replace(stage=INTENT, expected=Status.SPENT)

    def _outdo(self, state: State, group: int, index: int) -> State:
        """Other records of the same wish: superseded, and in truth outdone where they were still to be decided."""
        rows = [
            self.rules.superseded(row)._replace(outdone=row.outdone or row.status in (Status.OPEN, Status.APPROVED))
            if at != index
            else row
            for at, row in enumerate(state.groups[group])
        ]
        return state.with_group(group, tuple(rows))

    def _intent(self, state: State, hand: Hand) -> "Going":
        row, after = state.row(hand.group, hand.at), f"{hand.outcome}i"
        if not self.rules.notable(row, hand.outcome):
            return state, None
        state = state.put(hand.group, hand.at, row._replace(outcome=after))
        return state, hand._replace(stage=SEND, outcome=after)

    def _send(self, state: State, hand: Hand) -> "Going":
        """Re-read, compare, and one call upstream with its warrant."""
        row, done = state.row(hand.group, hand.at), hand.outcome[:-1]
        if self.rules.changes(SAME, CHANGED if row.changed else SAME):
            return state, hand._replace(stage=NOTE, outcome=f"{done}c")
        _warranted(PLANS[hand.group % 2].steps[len(done)])
        state = state.put(hand.group, hand.at, self._effect(row, hand, 1 << len(done)))
        return state, hand._replace(stage=NOTE, outcome=f"{done}d")

    def _effect(self, row: Row, hand: Hand, bit: int) -> Row:
        self.effects += 1
        wrong = {
            "it was declined": row.refused,
            "nobody approved it": not row.genuine,
            "another principal's approval": hand.by != hand.group // 2,
            "it had expired": row.late,
            "the wish was already done": row.outdone,
            "its target had changed": row.changed,
            "paid twice": bool(row.paid & bit),
        }
        for why, is_so in wrong.items():
            if is_so:
                raise Bad(why)
        return row._replace(paid=row.paid | bit)

    def _note(self, state: State, hand: Hand) -> "Going":
        row, after = state.row(hand.group, hand.at), hand.outcome
        moved = after.endswith("c")
        ended = moved or len(after) == len(PLANS[hand.group % 2].steps)
        if self.rules.notable(row, f"{after[:-1]}i"):
            noted = row._replace(outcome=after, settled=ended, repeatable=moved)
            state = state.put(hand.group, hand.at, noted)
        return state, None if ended else hand._replace(stage=INTENT)


Going = tuple[State, Hand | None]


def _warranted(step: Step) -> None:
    """The wire's lock, walked for each effect: one warrant, one call, and none for another."""
    warrants = Warrants()
    warrant = warrants.mint(step.operation, step.arguments, "")
    warrants.redeem(warrant, step.operation, step.arguments)
    for operation in (step.operation, "another"):
        try:
            warrants.redeem(warrant, operation, step.arguments)
        except PermissionError:
            continue
        raise Bad("a warrant that pays twice")
