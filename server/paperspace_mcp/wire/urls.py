"""The one place that puts values into a path."""

import re
from collections.abc import Mapping
from typing import Any

from paperspace_mcp.contract.errors import CallerError
from paperspace_mcp.contract.operation import ID_PATTERN, Operation

_ID = re.compile(ID_PATTERN)


def path_of(operation: Operation[Any], values: Mapping[str, str]) -> str:
    """The path of one call, below the base URL: `/machines/ps1/accessors/u1`.

    Raises:
        CallerError: `bad_id`, for a value that could name another endpoint. The facts name the argument only.
        TypeError: values that the path has no place for, or too few (a mistake in our code).
    """
    if set(values) != set(operation.placeholders):
        raise TypeError(f"{operation.name}: the path takes {operation.placeholders}")
    return operation.path.format(**{name: _id(name, value) for name, value in values.items()})


def _id(name: str, value: str) -> str:
    # fullmatch, because `$` also matches before a trailing newline.
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise CallerError("bad_id", facts={"argument": name})
    return value
