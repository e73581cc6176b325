"""Which targets are protected: globs over id and name."""

import unicodedata
from collections.abc import Iterable
from fnmatch import fnmatchcase

from paperspace_mcp.rules.guard.cleaning import clean


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def matching(globs: Iterable[str], *names: str) -> frozenset[str]:
    """The globs that match any of the names, compared in NFC and without case."""
    folded = [_folded(name) for name in names]
    return frozenset(glob for glob in globs if any(fnmatchcase(name, _folded(glob)) for name in folded))


def protecting(globs: Iterable[str], target_id: str, name: str) -> frozenset[str]:
    """The globs that protect a target: by its id, by its name as it is, or by what of the name people can see."""
    return matching(globs, target_id, name, clean(name).text)


def unprotects(globs: Iterable[str], target_id: str, old: str, new: str) -> bool:
    """Whether a rename would change which globs protect a target, by its name as it is or as it is seen. Either way it
    is refused: it is an un-protect in one direction, and in the other it would let a model lock people out."""
    globs = tuple(globs)
    return any(judge(globs, target_id, old) != judge(globs, target_id, new) for judge in (matching, protecting))
