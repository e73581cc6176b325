"""What a row of the table is."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Check:
    """One check of the guard.

    made: `module:function` below the package, or `module:table`. stands: its text, which occurs once in the function;
    of a table, the key (None for a constant). gone: what stands there where the check is taken out. refuses: the code
    that a caller is told, or in words what else comes of it.
    behind: the checks that would stop the same call as well. It is proven without them, so that it holds alone.
    """

    name: str
    made: str
    stands: Any
    gone: Any
    refuses: str
    behind: tuple[str, ...] = ()
