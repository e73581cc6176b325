"""From a person's words to one machine, one region: never a guess where something could be changed."""

import re
from collections.abc import Sequence
from difflib import get_close_matches

from paperspace_mcp.contract.errors import Candidate
from paperspace_mcp.contract.operation import ID_PATTERN
from paperspace_mcp.contract.shapes import Machine

CANDIDATES = 5
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
    folded = " ".join(words.casefold().replace("-", " ").replace("_", " ").split())
    long = _LONG.match(folded)
    folded = long["short"] if long else folded
    return folded if folded in REGIONS else _ALIASES.get(folded)


def exact(machines: Sequence[Machine], name: str) -> list[Machine]:
    """The living machines of exactly this name."""
    return [machine for machine in machines if machine.name == name and machine.dt_deleted is None]


def otherwise(machines: Sequence[Machine], reference: str) -> list[Machine]:
    """Where no id and no exact name fits: the machines of that name in another case, else of that public address."""
    folded = reference.casefold().strip()
    living = [machine for machine in machines if machine.dt_deleted is None]
    same = [machine for machine in living if machine.name.casefold() == folded]
    return same or [machine for machine in living if machine.public_ip and machine.public_ip == reference.strip()]


def similar(machines: Sequence[Machine], reference: str) -> tuple[Candidate, ...]:
    """Up to five living machines that may have been meant, likeliest first. For showing only."""
    folded = reference.casefold()[:200]
    living = [machine for machine in machines if machine.dt_deleted is None]
    by_name = {f"{machine.name.casefold()[:200]}\0{machine.id}": machine for machine in living}
    close = get_close_matches(folded, by_name, n=CANDIDATES, cutoff=0.5)
    containing = [key for key in by_name if folded and (folded in key or key.split("\0")[0] in folded)]
    keys = list(dict.fromkeys([*containing, *close]))[:CANDIDATES]
    return tuple(candidate(by_name[key]) for key in keys)


def candidate(machine: Machine) -> Candidate:
    return Candidate(machine.id, machine.name, machine.region, machine.machine_type, machine.state)


def did_you_mean(word: str, known: Sequence[str]) -> str | None:
    """The known word nearest to a mistyped one."""
    folded = {name.casefold(): name for name in known}
    found = get_close_matches(word.casefold()[:80], list(folded), n=1, cutoff=0.6)
    return folded[found[0]] if found else None
