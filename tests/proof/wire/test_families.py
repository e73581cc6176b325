"""Every family, with the counts of an ordinary test run: attacked, and nothing came through."""

from pathlib import Path

import pytest
from tests.proof.page import PAGE, listed
from tests.proof.wire.families import FAMILIES
from tests.proof.wire.family import Family, Given
from tests.proof.wire.ground import Ours
from tests.proof.wire.run import SEED

pytestmark = pytest.mark.anyio


def name_of(family: Family) -> str:
    return family.name


@pytest.mark.parametrize("family", FAMILIES, ids=name_of)
async def test_nothing_comes_through(family: Family, tmp_path: Path) -> None:
    tally = await family.attack(Given(family.few, SEED, tmp_path, Ours))
    assert tally.by == {}
    assert tally.bypasses == 0
    assert tally.attempts >= family.few * 0.9, "attacks that were not made prove nothing"
    assert tally.controls > 0, "what lets nothing through proves nothing"


def test_the_page_tells_of_the_families_of_the_code() -> None:
    assert listed(PAGE.read_text(encoding="utf-8")) == [family.name for family in FAMILIES]


def test_every_family_says_in_one_line_what_it_does() -> None:
    for family in FAMILIES:
        assert family.few < family.many
        assert "\n" not in family.what
        assert family.what.endswith(".")
