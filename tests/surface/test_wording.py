"""Every text that a model may read, whatever failed."""

import pytest

from paperspace_mcp.cli import COMMANDS
from paperspace_mcp.surface.wording import WORDS


@pytest.mark.parametrize("code", WORDS)
def test_no_text_for_a_model_holds_a_command(code: str) -> None:
    """What a person runs is told where a person reads: a model would run it."""
    text = " ".join(WORDS[code])
    assert "paperspace-mcp" not in text
    assert not [name for name in COMMANDS if f"`{name}" in text or f"{name} --" in text]
