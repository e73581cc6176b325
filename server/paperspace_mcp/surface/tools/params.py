"""The parameters that several tools share, written once so that a model meets the same words everywhere."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from paperspace_mcp.rules import machine_types, naming

TEXT_CAP = 256
NAME_CAP = 128
TYPE_CAP = 40
ID_CAP = 64
MOST_ROWS = 200
_AMOUNT = re.compile(r"(?P<number>[0-9]{1,9}(?:\.[0-9]{1,6})?) ?(?P<unit>[a-z]*)")

SECONDS = {
    **dict.fromkeys(("", "s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hour", "hours"), 3600),
}
HOURS = {
    **dict.fromkeys(("", "h", "hr", "hrs", "hour", "hours"), 1),
    **dict.fromkeys(("d", "day", "days"), 24),
    **dict.fromkeys(("w", "week", "weeks"), 168),
}
DAYS = {**dict.fromkeys(("", "d", "day", "days"), 1), **dict.fromkeys(("w", "week", "weeks"), 7)}
GIGABYTES = {**dict.fromkeys(("", "g", "gb", "gib"), 1), **dict.fromkeys(("t", "tb"), 1000)}
"""The provider's GB are GiB, and its 2 TB disk is 2000 of them."""
ROWS = {"": 1, "rows": 1}


def amount(units: Mapping[str, int], takes: str) -> BeforeValidator:
    """A number, alone or with its unit: `100GB`, `6 hours`. takes: what is said of anything else."""

    def read(value: object) -> object:
        if not isinstance(value, str):
            return _number(value, takes)
        found = _AMOUNT.fullmatch(" ".join(value.casefold().split()))
        if found is None or found["unit"] not in units:
            raise ValueError(takes)
        number = float(found["number"]) * units[found["unit"]]
        return int(number) if number.is_integer() else number

    return BeforeValidator(read)


def _number(value: object, takes: str) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(takes)  # noqa: TRY004 - pydantic words a TypeError as a crash
    return value


Seconds = amount(SECONDS, "a number of whole seconds, at least 0, such as 45")
Hours = amount(HOURS, "a number of hours, such as 8 or 8h")
Days = amount(DAYS, "a number of days, such as 14 or 14d")
Gigabytes = amount(GIGABYTES, "a number of GB above 0, such as 100 or 100GB")
Rows = amount(ROWS, "a whole number of at least 1, such as 25")


def _text(value: object) -> object:
    """A number where a text is meant: a machine may be called 42."""
    return str(value) if type(value) is int else value


def _words(values: object) -> object:
    """Words as people write them: any case, `in_progress` for `in progress`; none of them for any."""
    if not isinstance(values, list):
        return values
    folded = [" ".join(one.casefold().replace("_", " ").split()) if isinstance(one, str) else one for one in values]
    return [one for one in folded if one not in ("", "any", "all", "*")]


def _dashed(values: object) -> object:
    """Names of events are written with dashes."""
    found = _words(values)
    return (
        [one.replace(" ", "-") if isinstance(one, str) else one for one in found] if isinstance(found, list) else found
    )


def _region(words: object) -> object:
    """`NY2`, `East Coast (NY2)` and `new york` are all `ny2`; `any` and nothing are no filter."""
    if not isinstance(words, str) or words.strip().casefold() in {"", "any", "all", "*"}:
        return "any" if isinstance(words, str) else words
    found = naming.region(words)
    if found is None:
        raise ValueError("not a region: ny2 (New York), ca1 (California) or ams1 (Amsterdam)")
    return found


def _any(words: str) -> str:
    """The one sentinel of a filter that filters nothing."""
    return "any" if words.strip().casefold() in {"", "any", "all", "*"} else words.strip()


def _typed(words: str) -> str:
    """A machine type in the provider's spelling, where it is a known one."""
    return machine_types.label(_any(words))


Reference = Annotated[str, Field(max_length=TEXT_CAP), BeforeValidator(_text)]
MachineRef = Annotated[
    str, Field(description="Id or exact name.", min_length=1, max_length=TEXT_CAP), BeforeValidator(_text)
]
UserRef = Annotated[str, Field(description="User id, or e-mail of a team member.", min_length=1, max_length=254)]
Cursor = Annotated[str, Field(description="`next_cursor` of the last answer.", max_length=1024)]
Limit = Annotated[int, Field(description=f"Rows, at most {MOST_ROWS}.", ge=1), Rows]
Order = Annotated[Literal["asc", "desc"], Field(description="Direction.")]
Format = Annotated[Literal["concise", "detailed"], Field(description="detailed: every field.")]
WaitSeconds = Annotated[int, Field(description="Seconds to wait for its end, at most 50.", ge=0), Seconds]
NameContains = Annotated[str, Field(description="Part of the name, in any case.", max_length=TEXT_CAP)]

_Word = Annotated[str, Field(max_length=40)]
States = Annotated[list[_Word], Field(max_length=20), BeforeValidator(_words)]
EventNames = Annotated[list[_Word], Field(max_length=20), BeforeValidator(_dashed)]
_Where = BeforeValidator(_region)
RegionFilter = Annotated[Literal["any", "ny2", "ca1", "ams1"], _Where, Field(description="Only this region.")]
Region = Annotated[Literal["ny2", "ca1", "ams1"], _Where, Field(description="New York, California or Amsterdam.")]
TypeFilter = Annotated[str, Field(description="E.g. A4000.", max_length=TYPE_CAP), AfterValidator(_typed)]
AgentFilter = Annotated[
    str, Field(description="LinuxHeadless, LinuxDesktop or WindowsDesktop.", max_length=TYPE_CAP), AfterValidator(_any)
]

CAPS = {"limit": MOST_ROWS}
"""The most of a wish that is granted; what is beyond it is no mistake, and is told."""
