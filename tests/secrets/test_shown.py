"""A secret that is held is shown by nothing that prints, dumps or raises what holds it."""

import json
import traceback
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from paperspace_mcp.contract.shapes import Desktop
from paperspace_mcp.settings import Settings, from_environment
from paperspace_mcp.wire.sinks import Held

KEY, HOOK, PASSWORD = "canary-key-7f3a9b1c", "canary-hook-4e8a1f6c", "canary-pw-b0c9d1e3"
SHOWING: dict[str, Callable[[Any], str]] = {
    "repr": repr,
    "str": str,
    "format": lambda held: f"{held}",
    "fields": lambda held: repr(_fields(held)),
    "raised": lambda held: "".join(traceback.format_exception(ValueError(held))),
    "json": lambda held: json.dumps(_fields(held), default=str),
}


def _fields(held: Any) -> Any:
    return held.model_dump() if isinstance(held, Desktop) else asdict(held)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "hook").write_text(HOOK)
    files = {"PAPERSPACE_API_KEY_FILE": "key", "PAPERSPACE_MCP_WEBHOOK_SECRET_FILE": "hook"}
    return from_environment({"HOME": str(tmp_path), **{name: str(tmp_path / file) for name, file in files.items()}})


@pytest.mark.parametrize("way", SHOWING)
def test_no_setting_shows_a_secret(settings: Settings, way: str) -> None:
    shown = SHOWING[way](settings) + SHOWING[way](replace(settings.upstream, url="http://elsewhere"))
    assert (KEY in shown, HOOK in shown) == (False, False)
    assert settings.upstream.key is not None
    assert settings.webhook_secret is not None
    assert [one.get_secret_value() for one in (settings.upstream.key, settings.webhook_secret)] == [KEY, HOOK]


@pytest.mark.parametrize("way", [*SHOWING, "its own JSON"])
def test_no_desktop_shows_its_password(way: str) -> None:
    answer = {"vnc": {"hostname": "h", "port": 5901, "password": PASSWORD}}
    desktop = Desktop.model_validate_json(json.dumps(answer))
    shown = desktop.model_dump_json() if way == "its own JSON" else SHOWING[way](desktop)
    assert PASSWORD not in shown
    assert desktop.vnc is not None
    assert desktop.vnc.password is not None
    assert desktop.vnc.password.get_secret_value() == PASSWORD
    held = Held("anna", "box", 0.0, desktop.vnc.password)
    assert way == "its own JSON" or PASSWORD not in SHOWING[way](held)
