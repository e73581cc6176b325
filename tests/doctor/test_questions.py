"""A question tried from the shell: it is asked once in each era, and the answer decides."""

import json
from pathlib import Path

import pytest
from tests.operator.commands import Operator

ASKED, DONE = "To go ahead, type: stop", "asked, answered, and done once, in the simulation"


@pytest.mark.parametrize(
    ("typed", "seen"),
    [
        ("stop\nstop\n", [DONE, DONE]),
        ("\nyes\n", ["asked; the answer was a no, and nothing was done", "asked; the answer was another text"]),
        ("", ["asked; the answer was a no, and nothing was done"] * 2),
    ],
    ids=["typed", "declined and mistyped", "nobody"],
)
def test_a_question_is_tried_in_both_eras(tmp_path: Path, typed: str, seen: list[str]) -> None:
    ended = Operator(tmp_path).run("doctor", "--elicitation", "--json", typed=typed)
    told = json.loads(ended.stdout)
    assert (ended.returncode, told["ok"]) == (0, True)
    assert ended.stderr.count(ASKED) == 2
    assert [row["about"] for row in told["rows"]] == ["the handshake's", "2026-07-28"]
    for row, words in zip(told["rows"], seen, strict=True):
        assert row["seen"].startswith(words)
