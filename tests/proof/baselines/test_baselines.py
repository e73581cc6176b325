"""The weak guards let the same attacks through that ours stops: so each of these families is able to find something."""

from pathlib import Path

import pytest
from tests.guard.bench import MODERN, Person, raw
from tests.proof.baselines.servers import BASELINES
from tests.proof.wire import ground as grounds
from tests.proof.wire.families import FAMILIES
from tests.proof.wire.family import Family, Given, Tally
from tests.proof.wire.run import SEED

pytestmark = pytest.mark.anyio
WEAK = [family for family in FAMILIES if family.weak]


def name_of(family: Family) -> str:
    return family.name


@pytest.mark.parametrize("family", WEAK, ids=name_of)
async def test_each_family_comes_through_some_weak_guard(family: Family, tmp_path: Path) -> None:
    tally = Tally()
    for number, make in enumerate(BASELINES.values()):
        tally.join(await family.attack(Given(max(60, family.few // 4), SEED, tmp_path / str(number), make)))
    assert tally.bypasses > 0


@pytest.mark.parametrize("name", list(BASELINES)[1:])
async def test_a_weak_guard_still_works_for_an_honest_client(name: str, tmp_path: Path) -> None:
    """They are weak, not broken."""
    ground = BASELINES[name](tmp_path)
    for call in ground.calls:
        ground.renew()
        form = ground.form(call)
        async with ground.client(MODERN, Person(raw({form.field: form.right}))) as client:
            await grounds.call(client, call.tool, call.arguments)
        assert grounds.exactly(ground, call), call.tool
    await ground.aclose()
