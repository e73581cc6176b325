"""Who or what may have been meant by words that name nothing. For showing only: nothing is ever done by it."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from paperspace_mcp.contract.errors import Candidate

CANDIDATES = 5

_CAP = 64
"""Characters that are compared: a hostile name of thousands would cost a second each."""
_NAME_CUTOFF, _ID_CUTOFF = 0.6, 0.8
"""Ids resemble each other by chance, so a mistyped one must come nearer."""
_STEM = 4
"""Characters that two words must begin with alike: `training` and `train`."""


def normal(text: str) -> str:
    """NFC: what looks the same and is typed on another system may come composed or not."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def folded(text: str) -> str:
    """Without regard to case, in NFC."""
    return normal(normal(text).casefold())


class Likeness:
    """How like names are to a reference: 0 is not at all, 3 the same, from 1 on one is in the other."""

    def __init__(self, reference: str) -> None:
        self.text = folded(reference).strip()[:_CAP]
        self._words = _words(self.text)
        self._matcher = SequenceMatcher[str](autojunk=False)
        self._matcher.set_seq2(self.text)

    def of(self, names: Sequence[str], one_id: str, about: str = "") -> float:
        """The likeness of a thing that is called so; about: folded words that describe it, which count least."""
        if not self.text:
            return 0.0
        called = [folded(name)[:_CAP] for name in names]
        best = max(self._id(one_id.casefold()[:_CAP]), *map(self._name, called))
        return best or self._described(*called, about)

    def _name(self, name: str) -> float:
        if name == self.text:
            return 3.0
        if self.text in name or (len(name) >= _STEM and name in self.text):
            return 1.0 + self._ratio(name, 0.0)
        return self._ratio(name, _NAME_CUTOFF)

    def _id(self, one: str) -> float:
        if one == self.text:
            return 3.0
        if len(self.text) >= _STEM and self.text in one:
            return 1.0
        return self._ratio(one, _ID_CUTOFF) if abs(len(one) - len(self.text)) <= 1 else 0.0

    def _ratio(self, text: str, cutoff: float) -> float:
        """0 below the cutoff. The two cheap upper bounds come first: nearly every name ends there."""
        self._matcher.set_seq1(text)
        bounds = (self._matcher.real_quick_ratio, self._matcher.quick_ratio)
        if any(bound() < cutoff for bound in bounds):
            return 0.0
        ratio = self._matcher.ratio()
        return ratio if ratio >= cutoff else 0.0

    def _described(self, *texts: str) -> float:
        """At most a half: the part of the reference's words that the thing is described by."""
        words = _words(" ".join(texts))
        hits = sum(1 for word in self._words if word in words or _stemmed(word, words))
        return hits / len(self._words) / 2 if hits else 0.0


class Likeliest:
    """The few likeliest of any number."""

    def __init__(self) -> None:
        self._best: dict[str, tuple[float, Candidate]] = {}

    def see(self, likeness: float, candidate: Candidate) -> None:
        if likeness > 0:
            self._best[candidate.id] = (likeness, candidate)
            if len(self._best) > CANDIDATES:
                del self._best[max(self._best, key=self._rank)]

    def _rank(self, one: str) -> tuple[float, str]:
        return -self._best[one][0], one

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Likeliest first, alike ones by their ids."""
        return tuple(self._best[one][1] for one in sorted(self._best, key=self._rank))


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[^\W_]+", text))


def _stemmed(word: str, words: Iterable[str]) -> bool:
    """Whether one of the words goes on where this one ends, or the other way round."""
    stem = word[:_STEM]
    alike = (other for other in words if len(stem) == _STEM and other.startswith(stem))
    return any(other.startswith(word) or word.startswith(other) for other in alike)
