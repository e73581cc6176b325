"""Each check of the guard taken out in turn: its attack, which it stops, then comes through.

So every test of the same attack elsewhere is proven able to fail.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.mutants.checks import CHECKS, Check
from tests.mutants.run import ATTACKS, attacked
from tests.mutants.taken_out import BY_NAME, NotThere, take_out


def named(check: Check) -> str:
    return check.name


@pytest.mark.anyio
@pytest.mark.parametrize("check", CHECKS, ids=named)
async def test_without_this_check_its_attack_comes_through(check: Check, tmp_path: Path) -> None:
    assert await attacked(check, tmp_path / "standing", standing=True) == 0
    assert await attacked(check, tmp_path / "gone", standing=False) > 0


def test_every_check_has_its_attack_and_every_attack_its_check(record_property: Callable[[str, object], None]) -> None:
    assert len(BY_NAME) == len(CHECKS), "a name is one check's"
    assert ATTACKS.keys() == BY_NAME.keys()
    record_property("told", f"the guard's table: {len(CHECKS)} checks, each taken out")


def test_a_check_that_moved_away_from_its_row_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    moved = replace(BY_NAME["frozen"], stands="known.molten")
    with pytest.raises(NotThere):
        take_out([moved], monkeypatch)
