"""Warrants: the third lock. The wire lets a guarded operation through only against one.

A warrant is minted after a record was spent, for one operation with exactly these arguments, and is used up by
the first redemption. A code path that forgot the guard therefore fails at the wire, in its first test.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


def digest(operation: str, arguments: Mapping[str, Any]) -> str:
    """SHA-256 over the operation's name and its canonical arguments."""
    canonical = json.dumps([operation, arguments], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class Warrant:
    """Leave for one call. Two warrants are never equal: identity is what counts."""

    digest: str
    code: str
    """The record whose approval pays for the call."""


class Warrants:
    """The outstanding warrants of this process."""

    def __init__(self) -> None:
        self._outstanding: set[Warrant] = set()

    def mint(self, operation: str, arguments: Mapping[str, Any], code: str) -> Warrant:
        """A warrant for one call of `operation` with exactly `arguments`, paid for by the record `code`."""
        warrant = Warrant(digest(operation, arguments), code)
        self._outstanding.add(warrant)
        return warrant

    def redeem(self, warrant: Warrant | None, operation: str, arguments: Mapping[str, Any]) -> None:
        """Use a warrant up.

        Raises:
            PermissionError: none given, not minted here, used before, or minted for another call.
        """
        if warrant is None or warrant not in self._outstanding:
            raise PermissionError(f"{operation}: no warrant")
        self._outstanding.discard(warrant)
        if warrant.digest != digest(operation, arguments):
            raise PermissionError(f"{operation}: the warrant is for another call")
