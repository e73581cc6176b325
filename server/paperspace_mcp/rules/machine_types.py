"""Machine types by the provider's spelling: how people write them, and which may become which.

The provider may sell others any day, so a label that is not known here is not wrong by itself.
"""

import re

KNOWN = (
    "C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C10",
    "GPU+", "P4000", "P5000", "P6000", "RTX4000", "RTX5000", "A4000", "A5000", "A6000",
    "V100", "V100-32G", "V100-32Gx2", "V100-32Gx4", "A100", "A100x4", "A100-80G", "A100-80Gx8", "H100", "H100x8",
)  # fmt: skip
_MANY = re.compile(r"(?P<one>.+?)x(?P<count>[1-9][0-9]?)", re.IGNORECASE | re.ASCII)
_GROUP = re.compile(r"GPU\+|[A-Z]+")


def folded(words: str) -> str:
    """A label without what people write differently: case, spaces, dashes, `80GB` for `80G`."""
    return re.sub(r"(?<=[0-9])gb", "g", re.sub(r"[\s_-]+", "", words.casefold()))


_SPELLED = {folded(one): one for one in KNOWN} | {
    "m4000": "GPU+", "rtxa4000": "A4000", "rtxa5000": "A5000", "rtxa6000": "A6000",
}  # fmt: skip


def label(words: str) -> str:
    """The provider's spelling of a known type, alone or several in one machine; any other text as it is."""
    found = _MANY.fullmatch(words.strip())
    several = found and _SPELLED.get(folded(found["one"]))
    known = _SPELLED.get(folded(words)) or (f"{several}x{found['count']}" if found and several else None)
    return known or words.strip()


def parts(words: str) -> tuple[str, int]:
    """The single type and how many of it: `A100x4` is four of `A100`, `RTX5000` is one of itself."""
    spelled = label(words)
    found = _MANY.fullmatch(spelled)
    return (found["one"], int(found["count"])) if found else (spelled, 1)


def known(words: str) -> bool:
    """Whether the words are a type that is known, however written, alone or several of it."""
    return parts(words)[0] in KNOWN


def group(words: str) -> str:
    """The group within which the provider changes a machine's type; empty for a type that is not known.

    "CPU to CPU, AX00 to AX00" is all that its limits page says; the letters of the labels follow it.
    """
    single = parts(words)[0]
    found = _GROUP.match(single) if single in KNOWN else None
    return found[0] if found else ""


def elsewhere(old: str, new: str) -> bool:
    """Whether both types are known, and of different groups."""
    groups = {group(old), group(new)}
    return len(groups) > 1 and "" not in groups


def doubtful(old: str, new: str) -> bool:
    """Whether two types of the same letters are of different make (A4000 and A100): no source says how that ends."""
    first, second = parts(old)[0].split("-")[0], parts(new)[0].split("-")[0]
    return group(old) == group(new) == "A" and ("A100" in {first, second}) and first != second


def kin(words: str) -> tuple[str, ...]:
    """The known single types that are surely of the same group."""
    same = (one for one in KNOWN if group(one) == group(words) and not doubtful(words, one))
    return tuple(one for one in same if parts(one)[1] == 1)
