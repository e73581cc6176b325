"""The optional fields of a machine's body, under the reference's names.

Absent or null is "not given"; false, 0 and "" are values. The null arm is kept out of the published schema, because
several clients break on anyOf.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic.json_schema import SkipJsonSchema

from paperspace_mcp.rules import machine_types, naming
from paperspace_mcp.surface.tools import params


def _id(text: str) -> str:
    """What a body names must be able to stand in a path, as every id. Empty is a value that names nothing."""
    if text.strip() and not naming.is_id(text.strip()):
        raise ValueError(f"not an id: letters, digits, - and _ only, at most {params.ID_CAP}")
    return text.strip()


MachineType = Annotated[str, Field(min_length=1, max_length=params.TYPE_CAP), AfterValidator(machine_types.label)]
Size = Annotated[float, Field(gt=0, le=1_000_000), params.Gigabytes]
Name = Annotated[str, Field(min_length=1, max_length=params.NAME_CAP)]

OptBool = bool | SkipJsonSchema[None]
OptName = Name | SkipJsonSchema[None]
OptType = MachineType | SkipJsonSchema[None]
OptSize = Size | SkipJsonSchema[None]
OptId = Annotated[str, Field(max_length=params.ID_CAP), AfterValidator(_id)] | SkipJsonSchema[None]
_Hours = Annotated[float, Field(gt=0, le=8760), params.Hours] | SkipJsonSchema[None]
_Count = Annotated[int, Field(ge=1, le=1000), params.Rows] | SkipJsonSchema[None]
_Frequency = Literal["hourly", "daily", "weekly", "monthly"] | SkipJsonSchema[None]
_IpType = Literal["static", "dynamic", "none"] | SkipJsonSchema[None]

Shutdown = Annotated[OptBool, Field(description="Off when unused; SSH does not count as use.")]
ShutdownHours = Annotated[_Hours, Field(description="1, 8, 24 or 168.")]
ShutdownForce = Annotated[OptBool, Field(description="Even while someone is connected.")]
Snapshots = Annotated[OptBool, Field(description="With frequency and count.")]
SnapshotFrequency = Annotated[_Frequency, Field(description="How often.")]
SnapshotCount = Annotated[_Count, Field(description="How many are kept, 1-9.")]
IpType = Annotated[_IpType, Field(description="static is billed until released.")]
RestoreFrequency = Annotated[Literal["shutdown"] | SkipJsonSchema[None], Field(description="Only at shutdown.")]
