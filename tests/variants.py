"""The open questions of the reference, as the simulator can answer them: every field of `Variant` and its values."""

from typing import Any, get_args, get_type_hints

from paperspace_mcp.simulator import Variant

LIMITS = (10, 50)
"""Of a number, a smaller and a larger one than the default."""


def values(field: str) -> tuple[Any, ...]:
    """All that a field can be."""
    hint = get_type_hints(Variant)[field]
    if hint is bool:
        return (False, True)
    return (*LIMITS, getattr(Variant(), field)) if hint is int else get_args(hint)


FIELDS = tuple(get_type_hints(Variant))
ALL = [(field, value) for field in FIELDS for value in values(field)]
OTHERS = [(field, value) for field, value in ALL if value != getattr(Variant(), field)]
"""Those that the default is not."""


def words(reading: Any) -> str:
    """How a test of one reading is called."""
    return str(reading).replace(" ", "_")
