"""The operator's policy: one strict TOML file. An unknown key or a wrong type refuses to start, and says which.

mode = "ask"                      # or "inbox", "deny"
read_only = false
freeze = false                    # true: whatever is guarded is refused
toolsets = ["machines", "events"] # all where absent
tools_allow = []                  # only these, where given
tools_deny = ["create_machine"]
protect = ["prod*"]               # by id and name
confirm_usd_per_hour = 10         # starts below this, within an hour, are not asked about
batch = 50                        # most machines in one plan
questions = 6                     # most questions in ten minutes; more go to the inbox
[classes]                         # stricter than the table: "name", "inbox" or "deny"
disrupt = "inbox"
[budgets]
usd_per_hour = 40
creates_per_day = 5
machines = 30
machine_types = ["A4000", "C5"]
[prices]                          # USD per hour, over the built-in table
C5 = 0.08
[[allow]]                         # a standing approval
verbs = ["stop", "restart"]
names = ["dev-*"]
until = 2027-01-01T00:00:00Z
uses = 200
usd_per_hour = 15
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.errors import OperatorError
from paperspace_mcp.rules import machine_types
from paperspace_mcp.rules.guard.cleaning import clean, quoted
from paperspace_mcp.rules.naming import did_you_mean
from paperspace_mcp.rules.policy import NOTHING, Budgets, Mode, Policy, Standing, Strictness

STANDING_VERBS = ("start", "stop", "restart", "update", "remove")
Reader = Callable[[str, Any], Any]


def load(path: Path) -> Policy:
    """The policy of a file.

    Raises:
        OperatorError: bad_policy, with the key that is wrong and what it takes.
    """
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        _refuse("the file", "cannot be read")


def parse(text: str) -> Policy:
    """The policy of a TOML text. Raises as `load` does."""
    import tomllib

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        _refuse("the file", f"is no TOML ({str(error)[:120]})")
    return Policy(**_read(table, _TOP, ""))


def check(policy: Policy, toolsets: Mapping[str, Collection[str]]) -> None:
    """Refuse a name that no tool or set of tools has: mistyped in `tools_deny`, it would shut nothing.

    toolsets: the tools that there are, by their sets.

    Raises:
        OperatorError: bad_policy, with what may have been meant.
    """
    tools = [tool for names in toolsets.values() for tool in names]
    named = (("tools_allow", policy.tools_allow, tools), ("tools_deny", policy.tools_deny, tools))
    for key, given, known in (("toolsets", policy.toolsets, list(toolsets)), *named):
        for name in given:
            if name not in known and name != NOTHING:
                _refuse(key, f"holds {quoted(name, 40)}, which is none{_meant(name, known)}")


def doubts(policy: Policy) -> Iterator[str]:
    """Machine types that are not known. The provider may have them, and they only narrow, so they are only told."""
    for key, given in (("budgets.machine_types", policy.budgets.machine_types), ("prices", policy.prices)):
        for name in given:
            if not machine_types.known(name):
                meant = _meant(name, machine_types.KNOWN)
                yield f"{key}: {quoted(name, 40)} is no machine type that is known{meant}"


def _meant(name: str, known: Collection[str]) -> str:
    meant = did_you_mean(name, list(known))
    return f"; did you mean {meant}?" if meant else ""


def _refuse(key: str, problem: str) -> NoReturn:
    raise OperatorError("bad_policy", facts={"problem": f"{key} {problem}"})


def _read(table: Mapping[str, Any], readers: Mapping[str, tuple[str, Reader]], prefix: str) -> dict[str, Any]:
    for key in table:
        if key not in readers:
            _refuse(f"{prefix}{key[:40]}", "is no setting" + _meant(key, readers))
    return {readers[key][0]: readers[key][1](f"{prefix}{key}", value) for key, value in table.items()}


def _flag(key: str, value: Any) -> bool:
    return value if isinstance(value, bool) else _refuse(key, "must be true or false")


def _number(key: str, value: Any) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")
    return float(value) if number else _refuse(key, "must be a number of at least 0")


def _count(key: str, value: Any) -> int:
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return int(value) if whole else _refuse(key, "must be a whole number of at least 0")


def _texts(key: str, value: Any) -> tuple[str, ...]:
    good = isinstance(value, list) and all(isinstance(one, str) and one.strip() for one in value)
    return tuple(value) if good else _refuse(key, "must be a list of texts")


def _names(key: str, value: Any) -> tuple[str, ...]:
    """Globs over names. One with a space at its end or with what cannot be seen would match nothing, in silence."""
    for one in _texts(key, value):
        if clean(one, len(one)).text != one:
            _refuse(key, "holds a name with a space at an end, or with what cannot be seen")
    return tuple(value)


def _some(key: str, value: Any) -> tuple[str, ...]:
    """A list that allows: an empty one would be taken for none, and so allow everything."""
    return _texts(key, value) or _refuse(key, "must name at least one; leave it out to allow all")


def _of(*words: str) -> Reader:
    def read(key: str, value: Any) -> str:
        return str(value) if value in words else _refuse(key, f"must be one of {', '.join(words)}")

    return read


def _verbs(key: str, value: Any) -> tuple[str, ...]:
    verbs = _texts(key, value)
    return verbs if set(verbs) <= set(STANDING_VERBS) else _refuse(key, f"may be {', '.join(STANDING_VERBS)}")


def _moment(key: str, value: Any) -> float:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
    _refuse(key, "must be a date and time")


def _table(key: str, value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else _refuse(key, "must be a table")


def _classes(key: str, value: Any) -> dict[Effect, Strictness]:
    words = _of(*(one.value for one in Strictness))
    readers = {effect.value: (effect.value, words) for effect in Effect if effect is not Effect.READ}
    read = _read(_table(key, value), readers, f"{key}.")
    return {Effect(name): Strictness(word) for name, word in read.items()}


def _budgets(key: str, value: Any) -> Budgets:
    return Budgets(**_read(_table(key, value), _BUDGETS, f"{key}."))


def _prices(key: str, value: Any) -> dict[str, float]:
    return {name: _number(f"{key}.{name[:40]}", price) for name, price in _table(key, value).items()}


def _allow(key: str, value: Any) -> tuple[Standing, ...]:
    if not isinstance(value, list):
        _refuse(key, "must be a list of tables ([[allow]])")
    return tuple(_standing(f"{key}[{index}]", one) for index, one in enumerate(value))


def _standing(key: str, value: Any) -> Standing:
    read = _read(_table(key, value), _STANDING, f"{key}.")
    for name in ("verbs", "names", "until", "uses"):
        if name not in read:
            _refuse(f"{key}.{name}", "is needed")
    # Known by what it says: another place in the file must not give it another's uses.
    known = sha256(repr(sorted(read.items())).encode()).hexdigest()[:6].upper()
    return Standing(code=f"F-{known}", approver="policy file", **read)


_BUDGETS: dict[str, tuple[str, Reader]] = {
    "usd_per_hour": ("usd_per_hour", _number),
    "creates_per_day": ("creates_per_day", _count),
    "machines": ("machines", _count),
    "machine_types": ("machine_types", _some),
}
_STANDING: dict[str, tuple[str, Reader]] = {
    "verbs": ("verbs", _verbs),
    "names": ("names", _names),
    "until": ("until", _moment),
    "uses": ("uses", _count),
    "usd_per_hour": ("usd_per_hour", _number),
}
_TOP: dict[str, tuple[str, Reader]] = {
    "mode": ("mode", lambda key, value: Mode(_of(*(one.value for one in Mode))(key, value))),
    "read_only": ("read_only", _flag),
    "freeze": ("freeze", _flag),
    "toolsets": ("toolsets", _some),
    "tools_allow": ("tools_allow", _some),
    "tools_deny": ("tools_deny", _texts),
    "protect": ("protect", _names),
    "confirm_usd_per_hour": ("confirm_usd_per_hour", _number),
    "batch": ("batch", _count),
    "questions": ("questions", _count),
    "classes": ("classes", _classes),
    "budgets": ("budgets", _budgets),
    "prices": ("prices", _prices),
    "allow": ("standing", _allow),
}
