"""What may happen next to a state of the model, and which states are one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from tests.proof.model import END, INBOX_S, REPEAT_S, TYPED, Going, Group, Guard, Hand, Row, State, closable, close

from paperspace_mcp.rules.guard.records import Channel, Status

Move = tuple[str, Callable[[], State]]


@dataclass
class Moves:
    """Everything that may happen next. `hands`: how many calls may be in flight at once."""

    guard: Guard
    hands: int = 2

    def __call__(self, state: State, plan: int) -> Iterator[Move]:
        """The moves that concern the first client and one plan; what the rest of the world does is `WORLD`."""
        for channel in (Channel.CLIENT, Channel.INBOX):
            yield from self._going("call", state, partial(self.guard.call, state, 0, plan, channel, "", None))
        for index, row in enumerate(state.groups[plan]):
            asked = row.channel is Channel.CLIENT
            yield from (self._answers if asked else self._decisions)(state, plan, index)
        yield from self._in_flight(state)

    def _going(self, name: str, state: State, start: Callable[[], Going]) -> Iterator[Move]:
        """A call that runs to its end, or stops on the way before any of its steps."""
        going = start()
        yield name, partial(self.guard.run, going, END)
        if going[1] is not None and len(state.hands) < self.hands:
            for stage in range(going[1].stage, END):
                yield f"{name}, held", partial(self.guard.run, going, stage)

    def _answers(self, state: State, group: int, index: int) -> Iterator[Move]:
        """To any question ever asked, so each answer is also its replay; in a second round or a call held open."""
        (owner, plan), row = divmod(group, 2), state.row(group, index)
        name = "answer" if row.status is Status.OPEN else "replay"
        right, wrong = TYPED[plan], TYPED[1 - plan]
        meant = _typed(state, group, index)
        snapshot = row._replace(status=Status.OPEN)
        for text, world in ((right, meant), (wrong, state)):
            again = partial(self.guard.call, world, owner, plan, Channel.CLIENT, text, (group, index))
            yield from self._going(name, state, again)
            held = partial(self.guard.accept, world, group, index, owner, text, snapshot)
            yield from self._going(f"{name}, call held open", state, held)
        stolen = partial(self.guard.call, state, 1 - owner, plan, Channel.CLIENT, right, (group, index))
        yield from self._going("answer of another principal", state, stolen)
        yield "decline", partial(self._declined, state, group, index)

    def _decisions(self, state: State, group: int, index: int) -> Iterator[Move]:
        row = state.row(group, index)
        for text in TYPED:
            yield "approve out of band", partial(self._approved, state, group, index, text)
        if row.status is Status.OPEN and self.guard.rules.alive(self.guard.record(group, row), 0.0):
            yield "deny out of band", partial(self._declined, state, group, index)

    def _approved(self, state: State, group: int, index: int, text: str) -> State:
        row = state.row(group, index)
        if text == TYPED[group % 2]:
            state = _typed(state, group, index)
        open_ = closable(row) and self.guard.rules.alive(self.guard.record(group, row), 0.0)
        if open_ and text == self.guard.expects[group % 2]:
            return close(state, group, index, Status.APPROVED)
        return state

    def _declined(self, state: State, group: int, index: int) -> State:
        row = state.row(group, index)
        if row.status is not Status.OPEN:
            return state
        state = state.put(group, index, row._replace(refused=True))
        return close(state, group, index, Status.DECLINED) if self.guard.rules.declines else state

    def _in_flight(self, state: State) -> Iterator[Move]:
        for at, hand in enumerate(state.hands):
            rest = State(state.groups, state.hands[:at] + state.hands[at + 1 :])
            yield "goes on", partial(self.guard.run, (rest, hand), END)
            yield "goes on, held", partial(self._one_step, rest, hand)

    def _one_step(self, rest: State, hand: Hand) -> State:
        state, left = self.guard.step(rest, hand)
        return self.guard.run((state, left), left.stage if left else END)


def _typed(state: State, group: int, index: int) -> State:
    """The person whose question it is typed the right text: an approval, where it is still to be given."""
    row = state.row(group, index)
    if row.status is not Status.OPEN or row.age > row.limit or row.genuine or row.refused:
        return state
    return state.put(group, index, row._replace(genuine=True))


def _each(state: State, change: Callable[[Row], Row]) -> State:
    first, second, third, fourth = (tuple(map(change, rows)) for rows in state.groups)
    return State((first, second, third, fourth), state.hands)


def _changed(row: Row) -> Row:
    return row._replace(changed=True)


def _aged(row: Row, seconds: int) -> Row:
    """Ages as far as a rule looks at them.

    What lives 900 s is ended by the move of 901 s only: of 121 s it would take more moves than a walk has.
    """
    age = row.age + seconds
    if row.channel is Channel.INBOX and seconds <= INBOX_S:
        age = row.age
    spent_age = INBOX_S + 1 if seconds > INBOX_S else min(row.spent_age + seconds, max(row.spent_age, REPEAT_S + 1))
    return row._replace(age=min(age, row.limit + 1), spent_age=spent_age)


# -- which states are one ---------------------------------------------------------------------------------------------


def _plain(row: Row) -> Row:
    """The row without what can no longer matter. What is at its end is left as open to an attack as it can be: target
    unchanged and, so that any effect would be bad, nobody's yes."""
    status = row.status
    if status is Status.SPENT:
        return _plain_spent(row)
    told = status is Status.DECLINED and row.channel is Channel.INBOX and row.spent_age <= REPEAT_S
    if status not in (Status.OPEN, Status.APPROVED):
        return Row(row.channel, 0, status, row.spent_age if told else REPEAT_S + 1)
    return row._replace(spent_age=0) if row.age <= row.limit else Row(row.channel, row.age, status)


def _plain_spent(row: Row) -> Row:
    if row.settled and (row.spent_age > REPEAT_S or row.repeatable or row.overtaken):
        return Row(row.channel, 0, row.status, REPEAT_S + 1, "c", settled=True, repeatable=True)
    return row._replace(age=0, changed=row.changed and not row.settled)


def _ended(row: Row) -> bool:
    """Whether no call finds the row any more: such rows have no order, and of two alike one is enough."""
    if row.status is Status.SPENT:
        return row.repeatable
    return row.age > row.limit or row.spent_age > REPEAT_S


_PLAIN: dict[Group, tuple[Group, tuple[int, ...]]] = {}


def _tidy(rows: Group) -> tuple[Group, tuple[int, ...]]:
    """The rows, those at their end first and once, and where each of the given went."""
    if rows not in _PLAIN:
        plain = [_plain(row) for row in rows]
        ended = sorted({row for row in plain if _ended(row)})
        living = [at for at, row in enumerate(plain) if not _ended(row)]
        moved = [ended.index(row) if _ended(row) else len(ended) + living.index(at) for at, row in enumerate(plain)]
        _PLAIN[rows] = (*ended, *(plain[at] for at in living)), tuple(moved)
    return _PLAIN[rows]


def tidy(state: State) -> State:
    """One for all states that differ only in what cannot matter any more."""
    tidied = [_tidy(rows) for rows in state.groups]
    first, second, third, fourth = (rows for rows, _ in tidied)
    hands = [hand._replace(at=tidied[hand.group][1][hand.at]) for hand in state.hands]
    return State((first, second, third, fourth), tuple(sorted(hands)))


def _restarted(state: State) -> State:
    return State(state.groups)


def _overtaken(row: Row) -> Row:
    return row._replace(overtaken=True) if row.status is Status.SPENT else row


overtaken: Callable[[State], State] = partial(_each, change=_overtaken)
"""An approved call of the other plan changed the target afterwards."""
WORLD: dict[str, Callable[[State], State]] = {
    "61 s pass": partial(_each, change=partial(_aged, seconds=61)),
    "121 s pass": partial(_each, change=partial(_aged, seconds=121)),
    "901 s pass": partial(_each, change=partial(_aged, seconds=901)),
    "the target changes": partial(_each, change=_changed),
    "crash and restart": _restarted,
}
"""What happens to everybody at once."""
