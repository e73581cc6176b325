"""From a person's words to one machine, one region: never a guess where something could be changed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache

from paperspace_mcp.contract.errors import Candidate
from paperspace_mcp.contract.operation import ID_PATTERN
from paperspace_mcp.contract.shapes import Machine
from paperspace_mcp.rules import likeness
from paperspace_mcp.rules.likeness import Likeliest, Likeness, folded, normal

CANDIDATES = likeness.CANDIDATES
REGIONS = ("ny2", "ca1", "ams1")
_ALIASES = {
    "east coast": "ny2", "new york": "ny2", "newyork": "ny2", "nyc": "ny2", "ny": "ny2", "us east": "ny2",
    "east": "ny2",
    "west coast": "ca1", "california": "ca1", "ca": "ca1", "us west": "ca1", "west": "ca1", "santa clara": "ca1",
    "europe": "ams1", "amsterdam": "ams1", "ams": "ams1", "eu": "ams1", "netherlands": "ams1",
}  # fmt: skip
_LONG = re.compile(r"^(?P<coast>.+?)\s*\((?P<short>\w+)\)$")


def is_id(reference: str) -> bool:
    """Whether the text may stand in a path. `fullmatch`: a `$` would let a trailing newline through."""
    return re.fullmatch(ID_PATTERN.strip("^$"), reference) is not None


def region(words: str) -> str | None:
    """The provider's short name for a region, or None. `NY2`, `East Coast (NY2)` and `new york` are all `ny2`."""
    plain = " ".join(words.casefold().replace("-", " ").replace("_", " ").split())
    long = _LONG.match(plain)
    plain = long["short"] if long else plain
    return plain if plain in REGIONS else _ALIASES.get(plain)


@lru_cache(maxsize=64)
def _called(place: str) -> str:
    """All that people call a region."""
    short = region(place)
    return " ".join([place.casefold(), *(words for words, meant in _ALIASES.items() if meant == short)])


def exact(machines: Sequence[Machine], name: str) -> list[Machine]:
    """The living machines of exactly this name, compared in NFC."""
    wanted = normal(name)
    return [machine for machine in machines if machine.dt_deleted is None and normal(machine.name) == wanted]


def filterable(reference: str) -> bool:
    """Whether the provider's `name` filter is sure to find every machine of exactly this name.

    It may look for parts, beginnings or whole names, with or without regard to case, and nobody knows whether it trims
    or normalises: so ASCII only, and no space at either end.
    """
    return bool(reference) and reference.isascii() and reference == reference.strip()


def answers(machine: Machine, reference: str) -> int | None:
    """How exactly a living machine answers to a reference; the least is the best, None is not at all.

    0: by its very name; 1: but for space that stands round the reference; 2: in another case; 3: by public address.
    """
    wanted, name = normal(reference), normal(machine.name)
    bare = wanted.strip()
    if not bare or machine.dt_deleted is not None:
        return None
    same = (name == wanted, name == bare, folded(name) == folded(bare), machine.public_ip == bare)
    return same.index(True) if any(same) else None


@dataclass(slots=True)
class Search:
    """What a reference means, found while machines pass by; of each kind it keeps no more than is told of them.

    complete: whether all of the machines passed, to be set by whoever shows them.
    """

    reference: str
    complete: bool = False
    found: dict[int, list[Machine]] = field(default_factory=dict)

    def see(self, machine: Machine) -> None:
        how = answers(machine, self.reference)
        if how is not None and len(kept := self.found.setdefault(how, [])) <= CANDIDATES:
            kept.append(machine)

    @property
    def named(self) -> list[Machine]:
        """Those of exactly that name."""
        return self.found.get(0, [])

    @property
    def meant(self) -> list[Machine]:
        """Those that answer to it best: one, or it is ambiguous, or nobody has it."""
        return self.found[min(self.found)] if self.found else []


def otherwise(machines: Sequence[Machine], reference: str) -> list[Machine]:
    """Where no id and no exact name fits: the machines of that name in another case, else of that public address."""
    search = Search(reference)
    for machine in machines:
        search.see(machine)
    return search.meant


class Similar:
    """The machines that a reference may have meant, found while machines pass by. For showing only."""

    def __init__(self, reference: str) -> None:
        self._like, self._best = Likeness(reference), Likeliest()

    def see(self, machine: Machine) -> None:
        if machine.dt_deleted is not None:
            return
        about = f"{machine.machine_type.casefold()} {_called(machine.region)}"
        same = machine.private_ip is not None and machine.private_ip == self._like.text
        alike = 3.0 if same else self._like.of([machine.name], machine.id, about)
        self._best.see(alike, candidate(machine))

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Up to five, likeliest first."""
        return self._best.candidates


def similar(machines: Sequence[Machine], reference: str) -> tuple[Candidate, ...]:
    """Up to five living machines that may have been meant, likeliest first. For showing only."""
    found = Similar(reference)
    for machine in machines:
        found.see(machine)
    return found.candidates


def candidate(machine: Machine) -> Candidate:
    return Candidate(machine.id, machine.name, machine.region, machine.machine_type, machine.state)


def did_you_mean(word: str, known: Sequence[str]) -> str | None:
    """The known word nearest to a mistyped one."""
    names = {name.casefold(): name for name in known}
    found = get_close_matches(word.casefold()[:80], list(names), n=1, cutoff=0.6)
    return names[found[0]] if found else None
