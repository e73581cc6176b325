"""What the environment says, where it says nothing."""

from pathlib import Path

import pytest

from paperspace_mcp.settings import DEFAULT_URL, from_environment


@pytest.mark.parametrize("said", ["", "  "])
def test_an_empty_address_is_none_at_all(tmp_path: Path, said: str) -> None:
    """A line `PAPERSPACE_API_URL=` in a file of settings means the provider's own."""
    ours = {"PAPERSPACE_API_URL": said, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    assert from_environment(ours).upstream.url == DEFAULT_URL


def test_an_address_loses_its_last_slash(tmp_path: Path) -> None:
    ours = {"PAPERSPACE_API_URL": " https://api.example/v1/ ", "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    assert from_environment(ours).upstream.url == "https://api.example/v1"
