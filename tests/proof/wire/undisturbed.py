"""What every run of a family is wrapped in: no complaints, no schema checked twice, no waiting for a call that died."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from tests.conftest import checked_once

from paperspace_mcp.conduct import batch
from paperspace_mcp.surface import consent

HURRY_S = 0.05
"""Instead of ten seconds: how long a call waits for the outcome of another that has the same record in hand."""


@contextmanager
def undisturbed() -> Iterator[None]:
    """An attacked server complains of its clients, and clients check the same sixteen schemas for each connection."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        patch.setattr(Draft202012Validator, "check_schema", checked_once(Draft202012Validator.check_schema))
        patch.setattr(consent, "OVERTAKEN_S", HURRY_S)
        patch.setattr(consent, "OVERTAKEN_POLL_S", HURRY_S / 5)
        patch.setattr(batch, "OTHERS_S", HURRY_S)
        yield
        logging.disable(logging.NOTSET)
