"""The parameters that several tools share, written once so that a model meets the same words everywhere."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic.json_schema import SkipJsonSchema

from paperspace_mcp.contract.errors import CallerError
from paperspace_mcp.rules.naming import region as region_named

TEXT_CAP = 256
NAME_CAP = 128


def _text(value: object) -> object:
    """A number where a text is meant: a machine may be called 42."""
    return str(value) if type(value) is int else value


Reference = Annotated[str, BeforeValidator(_text), Field(max_length=TEXT_CAP)]
MachineRef = Annotated[Reference, Field(description="Id or exact name.", min_length=1)]
UserRef = Annotated[str, Field(description="User id, or e-mail of a team member.", min_length=1, max_length=254)]
Cursor = Annotated[str, Field(description="`next_cursor` of the last answer.", max_length=1024)]
Limit = Annotated[int, Field(description="Rows.", ge=1, le=200)]
Order = Literal["asc", "desc"]
Format = Literal["concise", "detailed"]
WaitSeconds = Annotated[int, Field(description="Wait this long for it to finish.", ge=0, le=50)]


def _states(values: object) -> object:
    """State names as people write them: any case, `in_progress` for `in progress`."""
    if not isinstance(values, list):
        return values
    return [value.strip().casefold().replace("_", " ") if isinstance(value, str) else value for value in values]


def _region(words: object) -> object:
    """`NY2`, `East Coast (NY2)` and `new york` are all `ny2`; `any` and nothing are no filter."""
    if not isinstance(words, str) or words.strip().casefold() in {"", "any", "all"}:
        return "any" if isinstance(words, str) else words
    found = region_named(words)
    if found is None:
        raise ValueError("not a region: ny2 (New York), ca1 (California) or ams1 (Amsterdam)")
    return found


States = Annotated[list[Annotated[str, Field(max_length=40)]], BeforeValidator(_states), Field(max_length=20)]
RegionFilter = Annotated[Literal["any", "ny2", "ca1", "ams1"], BeforeValidator(_region)]
Region = Annotated[Literal["ny2", "ca1", "ams1"], BeforeValidator(_region)]

# Optional fields of a body: absent or null is "not given"; false, 0 and "" are values. The null arm is kept out of
# the published schema, because several clients break on anyOf.
OptBool = bool | SkipJsonSchema[None]
OptText = Annotated[str, Field(max_length=TEXT_CAP)] | SkipJsonSchema[None]
OptName = Annotated[str, Field(min_length=1, max_length=NAME_CAP)] | SkipJsonSchema[None]
OptHours = Annotated[float, Field(gt=0, le=8760)] | SkipJsonSchema[None]
OptCount = Annotated[int, Field(ge=1, le=1000)] | SkipJsonSchema[None]
OptSize = Annotated[float, Field(gt=0, le=1_000_000)] | SkipJsonSchema[None]
OptFrequency = Literal["hourly", "daily", "weekly", "monthly"] | SkipJsonSchema[None]
OptIpType = Literal["static", "dynamic", "none"] | SkipJsonSchema[None]
OptRestore = Literal["shutdown"] | SkipJsonSchema[None]


def check_states(states: list[str], known: tuple[str, ...]) -> None:
    """A state that the provider does not know filters everything away in silence, so it is refused.

    Raises:
        CallerError: bad_argument, with the known ones.
    """
    if any(state not in known for state in states):
        raise CallerError("bad_argument", facts={"problems": f"states: known are {', '.join(known)}"})
