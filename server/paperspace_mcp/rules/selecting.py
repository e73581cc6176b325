"""From a selector to a frozen list: which machines a call is about, which of them are so already, and who is left out.

What narrows never widens: `machines` and `name_globs` name the candidates (without both it is the whole fleet), and
every other part takes some of them away. What was named and is not taken is told with the reason.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from paperspace_mcp.contract.shapes import Machine
from paperspace_mcp.rules import machine_types, naming
from paperspace_mcp.rules.guard.protection import matching
from paperspace_mcp.rules.likeness import normal

UNCHANGED = "unchanged"
"""What `Stands` says of a machine that is in the wished state already."""

_WILD = frozenset("*?")
"""What makes a glob of a word. A bracket alone does not: names have them."""

Stands = Callable[[Machine], str]
"""How a machine stands to the wish: "" it is to be done, UNCHANGED, or why it cannot be."""


@dataclass(frozen=True, slots=True)
class Selector:
    """What was asked for. Empty parts do not filter; `region` is the provider's short name, `states` are folded."""

    machines: tuple[str, ...] = ()
    name_globs: tuple[str, ...] = ()
    exclude_globs: tuple[str, ...] = ()
    region: str = ""
    machine_type: str = ""
    states: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing says what is meant. All but a few is not said by leaving out the few."""
        return not (self.machines or self.name_globs or self.region or self.machine_type or self.states)


def scoped(words: str) -> Selector:
    """What a person's one word means: a region, else a machine type, else a glob of names, else one machine."""
    words = words.strip()
    if region := naming.region(words):
        return Selector(region=region)
    if machine_types.known(words):
        return Selector(machine_type=words)
    return Selector(name_globs=(words,)) if _WILD & set(words) else Selector(machines=(words,))


@dataclass(frozen=True, slots=True)
class Named:
    """The machines that references mean. `unknown`: the references that mean none; `ambiguous`: several, and which."""

    machines: tuple[Machine, ...]
    unknown: tuple[str, ...]
    ambiguous: Mapping[str, tuple[Machine, ...]]


@dataclass(frozen=True, slots=True)
class Left:
    """A machine that is left alone, and the code of the reason."""

    machine: Machine
    why: str


@dataclass(frozen=True, slots=True)
class Selection:
    """The frozen list. Each machine stands in exactly one part, each part is in the order of the names."""

    todo: tuple[Machine, ...]
    unchanged: tuple[Machine, ...]
    left: tuple[Left, ...]

    @property
    def matched(self) -> int:
        return len(self.todo) + len(self.unchanged) + len(self.left)


def meant(machines: Sequence[Machine], references: Iterable[str]) -> dict[str, list[Machine]]:
    """For each reference the machines of that id, else of that exact name, in another case, or of that address."""
    by_id, by_name = {machine.id: machine for machine in machines}, dict[str, list[Machine]]()
    for machine in machines:
        by_name.setdefault(normal(machine.name), []).append(machine)

    def one(reference: str) -> list[Machine]:
        if not reference.strip() or reference in by_id:
            return [by_id[reference]] if reference in by_id else []
        return by_name.get(normal(reference)) or naming.otherwise(machines, reference)

    return {reference: one(reference) for reference in references}


def named(machines: Sequence[Machine], references: Iterable[str]) -> Named:
    """Every reference looked up; a machine that is named twice is one machine."""
    found = meant(machines, references)
    single = {one[0].id: one[0] for one in found.values() if len(one) == 1}
    unknown = tuple(reference for reference, one in found.items() if not one)
    several = {reference: tuple(one) for reference, one in found.items() if len(one) > 1}
    return Named(tuple(single.values()), unknown, several)


def select(
    machines: Sequence[Machine],
    selector: Selector,
    names: Sequence[Machine],
    *,
    protected: Callable[[Machine], bool],
    stands: Stands,
) -> Selection:
    """The selection among the living machines of the fleet. `names`: those that the selector's references mean.

    A protected machine is taken only where it was named.
    """
    ids = {machine.id for machine in names}
    parts: dict[str, list[Machine]] = {}
    for machine in sorted(machines, key=lambda one: (one.name.casefold(), one.id)):
        why = _reason(machine, selector, machine.id in ids, protected, stands)
        if why is not None:
            parts.setdefault(why, []).append(machine)
    todo, unchanged = parts.pop("", []), parts.pop(UNCHANGED, [])
    left = (Left(machine, why) for why, found in parts.items() for machine in found)
    return Selection(tuple(todo), tuple(unchanged), tuple(sorted(left, key=lambda one: one.machine.name.casefold())))


def parts(machines: Iterable[Machine], most: int) -> tuple[str, Mapping[str, int]]:
    """The filter that splits machines into parts of at most `most`, and the size of each; empty where none does."""
    found = list(machines)
    by: dict[str, Callable[[Machine], str]] = {
        "region": lambda one: naming.region(one.region) or one.region,
        "machine_type": lambda one: one.machine_type,
    }
    for name, value in by.items():
        sizes = Counter(map(value, found))
        if max(sizes.values(), default=0) <= most:
            return name, dict(sizes.most_common())
    return "", {}


def _reason(
    machine: Machine, selector: Selector, by_name: bool, protected: Callable[[Machine], bool], stands: Stands
) -> str | None:
    """The part that a machine belongs to; None where the selector does not mean it."""
    if not (by_name or _candidate(machine, selector)):
        return None
    if other := _elsewhere(machine, selector):
        return other if by_name else None
    if matching(selector.exclude_globs, machine.name):
        return "excluded"
    if protected(machine) and not by_name:
        return "protected"
    return stands(machine)


def _candidate(machine: Machine, selector: Selector) -> bool:
    if not (selector.machines or selector.name_globs):
        return True
    return bool(matching(selector.name_globs, machine.name))


def _elsewhere(machine: Machine, selector: Selector) -> str:
    """The filter that a machine does not pass. The provider was seen to write a region in words."""
    if selector.region and (naming.region(machine.region) or machine.region) != selector.region:
        return "region"
    kinds = {machine_types.folded(machine.machine_type), machine_types.folded(selector.machine_type)}
    if selector.machine_type and len(kinds) > 1:
        return "machine_type"
    return "state" if selector.states and machine.state.casefold() not in selector.states else ""
