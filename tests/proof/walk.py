"""Breadth first over all states of the model, each once.

The four pairs of a client and a plan touch each other in three ways only: the world's moves, a spent record that
overtakes the other plan's, and how many calls are in flight. So what a move does to one pair is worked out once (by the
rules, see `Guard`), and a state of the whole is four numbers of such pairs. Swapping the clients is the same state.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.proof.model import START, Bad, Guard, Rules, State
from tests.proof.moves import WORLD, Moves, overtaken, tidy

DEPTH = 8
"""How many moves the proof walks."""
HANDS = 2
"""How many calls may be in flight at once, cut anywhere."""


@dataclass
class Walked:
    """What a walk saw. states: within all moves but the last, whose every outcome is judged but not kept.

    bad: how each effect that nobody approved came about, in words.
    """

    states: int = 1
    transitions: int = 0
    pairs: int = 0
    effects: int = 0
    by_move: Counter[str] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Next:
    """Where a pair can go: state, calls in flight, whether a record was spent; how many moves lead there or fail."""

    steps: tuple[tuple[int, int, bool], ...]
    moves: int
    bad: tuple[str, ...]


class Pairs:
    """The states of one client with one plan, numbered."""

    def __init__(self, guard: Guard, plan: int) -> None:
        self._moves, self._guard, self._plan = Moves(guard, HANDS), guard, plan
        self.states: list[State] = []
        self._numbers: dict[State, int] = {}
        self._next: dict[int, Next] = {}
        self._world: dict[int, tuple[int, ...]] = {}
        self._overtaken: dict[int, int] = {}
        self.by_move: Counter[str] = Counter()
        self.number(START)

    def number(self, state: State) -> int:
        found = self._numbers.setdefault(state, len(self.states))
        if found == len(self.states):
            self.states.append(state)
        return found

    def next(self, number: int) -> Next:
        if number not in self._next:
            self._next[number] = self._work_out(self.states[number])
        return self._next[number]

    def _work_out(self, state: State) -> Next:
        steps: set[tuple[int, int, bool]] = set()
        bad, count = [], 0
        for name, move in self._moves(state, self._plan):
            count += 1
            self.by_move[name] += 1
            try:
                steps.add(self._outcome(move))
            except Bad as error:
                bad.append(f"{name}: {error}")
        return Next(tuple(sorted(steps)), count, tuple(bad))

    def _outcome(self, move: Callable[[], State]) -> tuple[int, int, bool]:
        self._guard.spent = False
        after = tidy(move())
        own = tuple(rows if group == self._plan else () for group, rows in enumerate(after.groups))
        number = self.number(State((own[0], own[1], (), ()), after.hands))
        return number, len(after.hands), self._guard.spent

    def world(self, number: int) -> tuple[int, ...]:
        if number not in self._world:
            state = self.states[number]
            self._world[number] = tuple(self.number(tidy(change(state))) for change in WORLD.values())
        return self._world[number]

    def overtaken(self, number: int) -> int:
        if number not in self._overtaken:
            self._overtaken[number] = self.number(tidy(overtaken(self.states[number])))
        return self._overtaken[number]

    def hands(self, number: int) -> int:
        return len(self.states[number].hands)


_BITS = 24
_MASK = (1 << _BITS) - 1
_CLIENT = 2 * _BITS
_CLIENT_MASK = (1 << _CLIENT) - 1
Step = tuple[int, int, int]
"""To which state of a client, with how many calls in flight, and the plan whose record was spent (-1 for none)."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """What one client can do: its steps, what the world does to it, how many moves that judges, and what failed."""

    steps: tuple[Step, ...]
    world: tuple[int, ...]
    held: int
    moves: int
    bad: tuple[str, ...]


class Clients:
    """The states of one client with both plans: two numbers of pairs in one."""

    def __init__(self, guard: Guard) -> None:
        self.pairs = Pairs(guard, 0), Pairs(guard, 1)
        self._ahead: dict[int, Ahead] = {}
        self._overtaken: dict[tuple[int, int], int] = {}

    def ahead(self, client: int) -> Ahead:
        found = self._ahead.get(client)
        if found is None:
            found = self._ahead[client] = self._work_out(client >> _BITS, client & _MASK)
        return found

    def _work_out(self, first: int, second: int) -> Ahead:
        one, two = self.pairs
        ahead, held = (one.next(first), two.next(second)), (one.hands(first), two.hands(second))
        world = zip(one.world(first), two.world(second), strict=True)
        return Ahead(
            steps=(*self._by_first(first, second, held[1]), *self._by_second(first, second, held[0])),
            world=tuple(a << _BITS | b for a, b in world),
            held=sum(held),
            moves=ahead[0].moves + ahead[1].moves,
            bad=ahead[0].bad + ahead[1].bad,
        )

    def _by_first(self, first: int, second: int, held: int) -> Iterator[Step]:
        for number, hands, spent in self.pairs[0].next(first).steps:
            other = self.pairs[1].overtaken(second) if spent else second
            yield number << _BITS | other, hands + held, 0 if spent else -1

    def _by_second(self, first: int, second: int, held: int) -> Iterator[Step]:
        for number, hands, spent in self.pairs[1].next(second).steps:
            other = self.pairs[0].overtaken(first) if spent else first
            yield other << _BITS | number, hands + held, 1 if spent else -1

    def overtaken(self, client: int, plan: int) -> int:
        """The client after the other one spent a record of that plan."""
        key = client, plan
        if key not in self._overtaken:
            first, second = client >> _BITS, client & _MASK
            after = (first, self.pairs[1].overtaken(second)) if plan == 0 else (self.pairs[0].overtaken(first), second)
            self._overtaken[key] = after[0] << _BITS | after[1]
        return self._overtaken[key]


class Walk:
    """A state of the whole is both clients in one number, the smaller first."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.guard = Guard(rules or Rules())
        self.clients = Clients(self.guard)
        self.walked = Walked()

    def run(self, depth: int) -> Walked:
        """Every state within `depth` moves of the first; it ends early where something bad was found."""
        walked, seen, frontier = self.walked, {0}, [0]
        for level in range(1, depth + 1):
            walked.depth = level
            self._judge(frontier)
            if level == depth or walked.bad:
                break
            before, frontier = seen, self._level(frontier, seen)
            seen = before.union(frontier)
        return self._told(len(seen))

    def _told(self, states: int) -> Walked:
        walked, pairs = self.walked, self.clients.pairs
        walked.states, walked.effects = states, self.guard.effects
        walked.pairs = len(pairs[0].states) + len(pairs[1].states)
        walked.by_move = pairs[0].by_move + pairs[1].by_move
        return walked

    def _judge(self, frontier: list[int]) -> None:
        """Every move out of each state."""
        ahead = self.clients.ahead
        for packed in frontier:
            here, there = ahead(packed >> _CLIENT), ahead(packed & _CLIENT_MASK)
            self.walked.transitions += here.moves + there.moves + len(WORLD)
            if here.bad or there.bad:
                self.walked.bad.extend(here.bad + there.bad)

    def _level(self, frontier: list[int], seen: set[int]) -> list[int]:
        """The states one move on that were not seen before."""
        found: set[int] = set()
        for packed in frontier:
            here, there = packed >> _CLIENT, packed & _CLIENT_MASK
            for one, other in zip(self.clients.ahead(here).world, self.clients.ahead(there).world, strict=True):
                found.add(one << _CLIENT | other if one < other else other << _CLIENT | one)
            found.update(self._steps(here, there))
            if here != there:
                found.update(self._steps(there, here))
        return list(found - seen)

    def _steps(self, mover: int, other: int) -> Iterator[int]:
        free = HANDS - self.clients.ahead(other).held
        for after, hands, spent in self.clients.ahead(mover).steps:
            if hands <= free:
                rest = other if spent < 0 else self.clients.overtaken(other, spent)
                yield after << _CLIENT | rest if after < rest else rest << _CLIENT | after


def walk(depth: int, rules: Rules | None = None) -> Walked:
    return Walk(rules).run(depth)
