"""One check against its attack: with the check in place nothing comes through, without it something does."""

from pathlib import Path

import pytest
from mcp.client.session import ClientSession
from tests.mutants.attacks import asking, deciding, doing, judging, page
from tests.mutants.checks import Check
from tests.mutants.ring import Attack, Ring
from tests.mutants.taken_out import BY_NAME, take_out

from paperspace_mcp.wire import approvers

ATTACKS: dict[str, Attack] = {**judging.ATTACKS, **asking.ATTACKS, **doing.ATTACKS, **deciding.ATTACKS, **page.ATTACKS}


async def attacked(check: Check, folder: Path, *, standing: bool) -> int:
    """What came through: the attack is made without whatever else would stop it, and with or without this check."""
    gone = [BY_NAME[name] for name in check.behind] + ([] if standing else [check])
    with pytest.MonkeyPatch.context() as patch:
        _hurry(patch)
        ring = Ring(folder, patch)
        take_out(gone, patch)
        try:
            return await ATTACKS[check.name](ring)
        finally:
            await ring.aclose()


def _hurry(patch: pytest.MonkeyPatch) -> None:
    """Secrets are hashed quickly, and clients do not check the answers, which nobody looks at here."""
    patch.setattr(approvers, "_N", 2)
    patch.setattr(ClientSession, "validate_tool_result", _unchecked)


async def _unchecked(*_given: object) -> None:
    """The oracle is the provider's log."""
