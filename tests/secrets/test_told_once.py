"""A password that is revealed into the answer is in that answer, and in nothing that is kept."""

from pathlib import Path

import pytest
from tests.guard.bench import MODERN, Bench, Call, Person, types
from tests.page.test_revealing import files_with

pytestmark = pytest.mark.anyio
PASSWORD = "canary-pw-b0c9d1e3"
REVEAL = Call("get_machine_desktop", {"machine": "dev-diya", "reveal_password": True}, "dev-diya", ())


@pytest.mark.parametrize("era", ["legacy", MODERN])
async def test_what_is_revealed_into_an_answer_is_kept_nowhere_and_told_once(tmp_path: Path, era: str) -> None:
    bench = Bench(tmp_path / "state", password_sink="inline")
    bench.sim.change("dev-diya", templateId="tdsk2004", agentType="LinuxDesktop", password=PASSWORD)
    person = Person(types(REVEAL.typed))
    answer = await bench.call(era, person, REVEAL.tool, REVEAL.arguments)
    assert answer["delivered"] == {"password": PASSWORD}, "the operator asked for that"
    again = await bench.call(era, person, REVEAL.tool, REVEAL.arguments)
    assert (again["status"], PASSWORD in str(again), len(person.questions)) == ("already_done", False, 1)
    await bench.app.aclose()
    assert files_with(PASSWORD, tmp_path) == []
