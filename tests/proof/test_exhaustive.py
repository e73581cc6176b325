"""Every interleaving of two clients, two plans and eight moves over the server's own rules: no effect without a yes."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from tests.proof.model import Row, Rules
from tests.proof.moves import WORLD
from tests.proof.walk import DEPTH, Walked, walk

from paperspace_mcp.rules.guard import records
from paperspace_mcp.rules.guard.records import Channel, Meeting, Record, Status

MOVES = {
    "call",
    "call, held",
    "answer",
    "answer, held",
    "answer, call held open",
    "answer, call held open, held",
    "answer of another principal",
    "replay",
    "replay, held",
    "replay, call held open",
    "replay, call held open, held",
    "decline",
    "approve out of band",
    "deny out of band",
    "goes on",
    "goes on, held",
}
"""What somebody does. What happens to everybody is `WORLD`, and is done in every state."""


def test_no_state_within_eight_moves_is_bad(record_property: Callable[[str, object], None]) -> None:
    started = time.process_time()
    walked = walk(DEPTH)
    assert walked.bad == []
    assert walked.depth == DEPTH == 8
    assert set(WORLD) == {"61 s pass", "121 s pass", "901 s pass", "the target changes", "crash and restart"}
    assert walked.states > 1_000_000, "the walk must not become empty"
    assert walked.transitions > 40_000_000
    assert walked.effects > 10_000, "a guard that never lets anything through proves nothing"
    assert set(walked.by_move) == MOVES
    record_property("told", f"the exhaustive walk: {told(walked)}, {time.process_time() - started:.0f} s")


def told(walked: Walked) -> str:
    return f"{walked.states:,} states, {walked.transitions:,} transitions, {len(walked.bad)} bad"


# -- each rule taken out: the walk finds what it let through ----------------------------------------------------------


def endless(record: Record) -> Record:
    return replace(record, expires_at=float("inf"))


def meet_endless(given: Sequence[Record], now: float, channel: Channel) -> Meeting:
    lasting = [endless(record) for record in given]
    meeting = records.meet(lasting, now, channel)
    return replace(
        meeting, record=next((old for old, new in zip(given, lasting, strict=True) if new is meeting.record), None)
    )


def no_swap(row: Row, _expected: Status) -> bool:
    return row.age <= row.limit


MUTANTS: dict[str, tuple[Rules, str]] = {
    "no expiry": (
        Rules(
            meet=meet_endless,
            judge=lambda record, typed, now: records.judge(endless(record), typed, now),
            alive=lambda _record, _now: True,
            spendable=lambda row, expected: row.status is expected,
        ),
        "nobody approved it",
    ),
    "spent without comparing its age": (
        Rules(spendable=lambda row, expected: row.status is expected),
        "nobody approved it",
    ),
    "spent without comparing its status": (Rules(spendable=no_swap), "nobody approved it"),
    "met under any principal": (Rules(finds=lambda _client: (0, 1)), "nobody approved it"),
    "no fingerprint": (Rules(changes=lambda _then, _now: ()), "its target had changed"),
    "any text will do": (
        Rules(judge=lambda record, _typed, now: records.judge(record, record.expects, now)),
        "nobody approved it",
    ),
    "a no is not written down": (Rules(declines=False), "it was declined"),
    "noted without comparing": (Rules(notable=lambda row, _before: row.status is Status.SPENT), "paid twice"),
    "nothing is superseded": (Rules(superseded=lambda row: row), "the wish was already done"),
}
"""What is taken out, and the wrong that must come of it. What is over its time, the model counts as nobody's yes."""


@pytest.mark.parametrize("mutant", MUTANTS)
def test_without_one_rule_the_walk_finds_a_bad_state(mutant: str) -> None:
    rules, why = MUTANTS[mutant]
    walked = walk(6, rules)
    assert walked.depth < DEPTH
    assert any(one.endswith(f": {why}") for one in walked.bad), set(walked.bad)
