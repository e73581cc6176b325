"""What all tools together cost a model before it calls one. The ceilings only go down.

A word more in one tool is a word less in another; the promise is README's.
"""

import re
from math import ceil
from typing import Any

import anyio
import pytest
from tests.budgets.scale import tokens
from tests.readme.document import readme

from paperspace_mcp.rules.policy import Policy
from paperspace_mcp.schemas import served
from paperspace_mcp.weights import CHARACTERS_A_TOKEN, Scale, input_side

SERVERS = {"all": Policy(), "read-only": Policy(read_only=True)}
CEILINGS = {"all": 3237, "read-only": 1559}
PROMISED = {"all": 4000, "read-only": 2000}
SLACK = 30
"""Tokens by which a ceiling may be above what is measured; beyond it, it is lowered."""


def definitions(server: str) -> list[dict[str, Any]]:
    return list(anyio.run(served, SERVERS[server]).tools.values())


@pytest.mark.parametrize("server", SERVERS)
def test_the_definitions_keep_to_their_budget(server: str) -> None:
    measured = sum(tokens(input_side(one)) for one in definitions(server))
    assert CEILINGS[server] - SLACK <= measured <= CEILINGS[server] < PROMISED[server]


def test_readme_promises_these_budgets() -> None:
    """In these words: the numbers above are those that readers are told."""
    told = re.search(r"under ([\d,]+) tokens to a model \(o200k\), with `--read-only`\s+under ([\d,]+)", readme())
    assert told is not None
    assert [int(number.replace(",", "")) for number in told.groups()] == list(PROMISED.values())


@pytest.mark.parametrize("server", SERVERS)
def test_an_estimate_without_ranks_is_not_far_off(server: str) -> None:
    estimate = Scale("estimate", lambda text: ceil(len(text) / CHARACTERS_A_TOKEN))
    texts = [input_side(one) for one in definitions(server)]
    assert sum(map(estimate.tokens, texts)) == pytest.approx(sum(map(tokens, texts)), rel=0.1)
