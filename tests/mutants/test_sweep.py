"""The table is whole: whatever the code refuses, and compares where it refuses, is a row of it or explained."""

import re

import pytest
from tests.mutants import sweeping
from tests.mutants.checks import CHECKS
from tests.mutants.explained import EXPLAINED
from tests.mutants.sweeping import Place

WHAT_TO_DO = "each is a row of `tests.mutants.checks` with an attack in `tests/mutants`, or explained in `explained.py`"


def unknown(places: list[Place]) -> list[Place]:
    """Those that are neither in the table nor explained."""
    assert places, "a sweep that sees nothing shows nothing"
    return [one for one in places if (one.made, one.says) not in EXPLAINED and not _in_table(one)]


def _in_table(place: Place) -> bool:
    rows = [check for check in CHECKS if check.made == place.made]
    if any(place.says in {"?", check.refuses} for check in rows):
        return True
    said, texts = _bare(place.says), [_bare(str(check.stands)) for check in rows]
    return any(said in text or text in said for text in texts)


def _bare(text: str) -> str:
    """Without what a formatter or `ast.unparse` may set otherwise."""
    return re.sub(r"[\s'\"()]", "", text)


@pytest.mark.parametrize("sweep", [sweeping.refusals, sweeping.codes, sweeping.comparisons])
def test_every_refusal_and_comparison_is_in_the_table_or_explained(sweep: object) -> None:
    assert unknown(list(sweep())) == [], WHAT_TO_DO  # type: ignore[operator]


def test_what_is_explained_is_there() -> None:
    seen = {(one.made, one.says) for one in (*sweeping.refusals(), *sweeping.codes(), *sweeping.comparisons())}
    assert EXPLAINED - seen == set()


def test_the_sweep_sees_a_check_that_is_new() -> None:
    assert unknown([Place("conduct.steps:Steps.take", "outcome.status == 'lost'")])
    assert unknown([Place("surface.consent:_decision", "another_code")])
    assert unknown([Place("conduct.corridor:Conduct._judged", "?")]) == []
