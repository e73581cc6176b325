"""Every failure that a call can meet says what would work."""

from paperspace_mcp.contract.errors import CallerError, UpstreamError
from paperspace_mcp.surface.wording import WORDS, explain

AT_A_TERMINAL = frozenset(
    {"unknown_code", "already_decided", "wrong_secret", "mistyped_out_of_band", "bad_standing", "bad_duration"}
    | {"no_secret"}
)
"""Told to a person who sits at a command or a page; that says what to do there."""


def test_every_failure_of_a_call_says_what_would_work() -> None:
    assert {code for code, words in WORDS.items() if not words.next} == AT_A_TERMINAL


def test_what_is_wrong_with_an_answer_is_said() -> None:
    said = {
        problem: explain(UpstreamError("malformed_answer", facts={"problem": problem}))
        for problem in ("not_json", "empty", "wrong_shape", "too_large", "bad_encoding", "another")
    }
    assert len({message for message, _ in said.values()}) == len(said)
    assert all("PAPERSPACE_API_URL" in following for problem, (_, following) in said.items() if problem != "too_large")


def test_a_type_that_may_be_meant_is_said_and_none_is_not() -> None:
    meant = explain(CallerError("unknown_type", facts={"meant": "Perhaps A4000 is meant; "}))[1]
    assert meant.startswith("Perhaps A4000 is meant; list_templates")
    assert explain(CallerError("unknown_type", facts={"meant": ""}))[1].startswith("list_templates")
