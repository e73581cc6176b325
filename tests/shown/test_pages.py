"""The pages of this folder are what a run gives now."""

import re

import pytest
from tests.shown import endpoints
from tests.shown.accept import ENDPOINTS, REQUESTED

from paperspace_mcp.contract.catalogue import REFERENCE
from paperspace_mcp.evals.scoring import REQUESTS, reference, score

HINT = "python -m tests.shown.accept"


@pytest.mark.anyio
async def test_the_page_of_endpoints_is_as_a_run_gives_it() -> None:
    rows = await endpoints.seen()
    assert len(rows) == len(REFERENCE) == 15
    assert ENDPOINTS.read_text(encoding="utf-8").endswith(endpoints.table(rows)), HINT


def rows() -> dict[str, list[str]]:
    """The cells of the page of requests, by what was said."""
    lines = REQUESTED.read_text(encoding="utf-8").splitlines()
    cells = [re.split(r"\s*\|\s*", line.strip("| ")) for line in lines if line.startswith("| ")]
    return {words: rest for words, *rest in cells[2:]}


def test_the_page_of_requests_has_them_all_and_each_was_right() -> None:
    told = rows()
    assert list(told) == [one.words.replace("|", "/") for one in REQUESTS]
    assert len(REQUESTS) == 60
    assert {tuple(cells[-2:]) for cells in told.values()} == {("yes", "yes")}


@pytest.mark.anyio
@pytest.mark.parametrize("key", ["start-my-box", "what-runs", "waste", "delete-prod", "confirm-true"])
async def test_a_row_is_as_a_run_gives_it(key: str) -> None:
    """Of a few; all of them are run by the tests of the requests themselves."""
    request = next(one for one in REQUESTS if one.key == key)
    found = await score(request, reference)
    calls, questions, _upstream, _tokens, changes, *_ = rows()[request.words]
    assert (int(calls), int(questions), int(changes)) == (found.calls, found.questions, len(found.sent))
