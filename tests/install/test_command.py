"""`install` as a person uses it: shown, written after a yes, undone to the byte; and refused where it is not safe."""

import io
import json
import os
import tomllib
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from tests.install.conftest import CANARY, Install
from tests.operator.commands import without_privileges

from paperspace_mcp.installing.blocks import CLIENTS, Wish, block

FILES = {
    ("claude-code", "user"): ".claude.json",
    ("claude-code", "project"): "project/.mcp.json",
    ("vscode", "user"): ".config/Code/User/mcp.json",
    ("vscode", "project"): "project/.vscode/mcp.json",
    ("cursor", "user"): ".cursor/mcp.json",
    ("cursor", "project"): "project/.cursor/mcp.json",
    ("codex", "user"): ".codex/config.toml",
    ("codex", "project"): "project/.codex/config.toml",
}
OTHER = "ghp-someone-elses-token"
SETTINGS = f'{{\n  "mcpServers": {{\n    "github": {{"env": {{"TOKEN": "{OTHER}"}}}}\n  }},\n  "history": ["a"]\n}}\n'
"""With a server of somebody else, the last before ours: its line is one of the change's."""


def tree(home: Path) -> dict[str, bytes]:
    """Every file and folder but what is kept for undoing."""
    kept = (path for path in home.rglob("*") if ".local" not in path.parts)
    return {str(path.relative_to(home)): path.read_bytes() if path.is_file() else b"" for path in kept}


def server(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    told = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    servers = told.get("mcpServers") or told.get("servers") or told["mcp_servers"]
    found: dict[str, Any] = servers["paperspace"]
    return found


@pytest.mark.parametrize(("client", "scope"), FILES, ids=map("-".join, FILES))
def test_where_there_was_nothing_nothing_is_left(install: Install, home: Path, client: str, scope: str) -> None:
    before = tree(home)
    path = home / FILES[client, scope]
    written = install(client, "--scope", scope, "--yes")
    assert (written.code, str(path) in written.out) == (0, True), written
    assert server(path)["args"][:3] == ["-m", "paperspace_mcp.cli", "serve"]
    assert path.read_text(encoding="utf-8").strip() == block(CLIENTS[client], Wish())
    assert path.stat().st_mode & 0o777 == (0o600 if scope == "user" else 0o644)
    held = path.stat().st_mtime_ns
    assert "it is so already" in install(client, "--scope", scope).out
    assert path.stat().st_mtime_ns == held
    assert install(client, "--scope", scope, "--undo", "--yes").code == 0
    assert tree(home) == before
    assert "nothing to undo" in install(client, "--scope", scope, "--undo").out


def test_what_was_there_comes_back_to_the_byte(install: Install, home: Path) -> None:
    path = home / ".claude.json"
    path.write_text(SETTINGS, encoding="utf-8")
    path.chmod(0o640)
    written = install("claude-code", typed="y\n")
    assert written.code == 0
    assert "Write this to" in written.errors
    assert json.loads(path.read_text("utf-8"))["mcpServers"]["github"] == {"env": {"TOKEN": OTHER}}
    assert path.stat().st_mode & 0o777 == 0o640
    assert install("claude-code", "--demo", "--yes").code == 0, "and changed once more"
    assert install("claude-code", "--undo", typed="yes\n").code == 0
    assert (path.read_text("utf-8"), path.stat().st_mode & 0o777) == (SETTINGS, 0o640)


def test_keys_of_other_servers_are_not_shown_and_their_copy_is_private(install: Install, home: Path) -> None:
    path = home / ".claude.json"
    path.write_text(SETTINGS, encoding="utf-8")
    path.chmod(0o644)
    written = install("claude-code", "--yes")
    undone = install("claude-code", "--undo", "--dry-run")
    assert OTHER not in written.out + written.errors + undone.out + undone.errors
    assert '+    "paperspace": {' in written.out
    assert '+        "PAPERSPACE_API_KEY": "${PAPERSPACE_API_KEY:-}"' in written.out
    (kept,) = home.rglob("*.before")
    assert (kept.read_text("utf-8"), kept.stat().st_mode & 0o777) == (SETTINGS, 0o600)
    assert kept.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("typed", ["", "\n", "n\n", "no\n", "yess\n", "--yes\n"])
def test_without_a_yes_nothing_is_written(install: Install, home: Path, typed: str) -> None:
    before = tree(home)
    ended = install("cursor", typed=typed)
    assert (ended.code, "Nothing was written" in ended.errors) == (1, True)
    assert tree(home) == before
    assert not list(home.rglob("installs"))


def test_a_dry_run_shows_and_writes_nothing(install: Install, home: Path) -> None:
    before = tree(home)
    ended = install("vscode", "--dry-run", "--yes")
    assert (ended.code, "+  " in ended.out, "Nothing was written" in ended.out) == (0, True, True)
    assert tree(home) == before


def test_what_a_person_wrote_since_stays(install: Install, home: Path) -> None:
    path = home / ".claude.json"
    path.write_text(SETTINGS, encoding="utf-8")
    install("claude-code", "--yes")
    path.write_text(path.read_text("utf-8").replace('["a"]', '["a", "b"]'), encoding="utf-8")
    assert install("claude-code", "--undo", "--yes").code == 0
    assert path.read_text("utf-8") == SETTINGS.replace('["a"]', '["a", "b"]')


def test_installed_again_after_a_person_wrote_it_is_taken_out_alone(install: Install, home: Path) -> None:
    path = home / ".claude.json"
    path.write_text(SETTINGS, encoding="utf-8")
    install("claude-code", "--yes")
    path.write_text(path.read_text("utf-8").replace('["a"]', '["a", "b"]'), encoding="utf-8")
    install("claude-code", "--demo", "--yes")
    assert install("claude-code", "--undo", "--yes").code == 0
    assert path.read_text("utf-8") == SETTINGS.replace('["a"]', '["a", "b"]')


def test_a_server_of_that_name_that_was_there_comes_back(install: Install, home: Path) -> None:
    path = home / ".cursor" / "mcp.json"
    path.parent.mkdir()
    mine = '{"mcpServers": {"paperspace": {"command": "my-own"}} /* mine */}'
    path.write_text(mine, encoding="utf-8")
    shown = install("cursor", "--yes")
    assert '-{"mcpServers"' in shown.out
    assert server_of_jsonc(path) != {"command": "my-own"}
    install("cursor", "--undo", "--yes")
    assert path.read_text("utf-8") == mine


def server_of_jsonc(path: Path) -> Any:
    return json.loads(path.read_text("utf-8").replace("/* mine */", ""))["mcpServers"]["paperspace"]


# -- what it is started with ------------------------------------------------------------------------------------------


def test_a_key_file_is_named_and_not_read(install: Install, home: Path) -> None:
    (home / "key").write_text("another-key", encoding="utf-8")
    install("vscode", "--key-file", "../key", "--yes")
    written = (home / ".config/Code/User/mcp.json").read_text("utf-8")
    assert json.loads(written)["servers"]["paperspace"]["env"] == {"PAPERSPACE_API_KEY_FILE": str(home / "key")}
    assert "inputs" not in json.loads(written)
    assert "another-key" not in written


def test_a_key_that_the_server_finds_by_itself_is_not_asked_for(
    install: Install, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".paperspace").mkdir()
    (home / ".paperspace" / "config.toml").write_text('team = "acme"\n', encoding="utf-8")
    (home / ".paperspace" / "credentials.toml").write_text('[keys]\nacme = "another-key"\n', encoding="utf-8")
    monkeypatch.delenv("PAPERSPACE_API_KEY")
    install("claude-code", "--yes")
    assert "env" not in server(home / ".claude.json")


def test_flags_and_a_state_of_ones_own_are_passed_on(
    install: Install, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else `approve` in the shell would look into another directory than the server of the client."""
    monkeypatch.setenv("PAPERSPACE_MCP_STATE_DIR", "../state")
    install("codex", "--read-only", "--toolsets", "machines", "--api-url", "http://127.0.0.1:9/v1", "--yes")
    words = server(home / ".codex" / "config.toml")["args"][3:]
    state = str(home / "state")
    told = ["--read-only", "--toolsets", "machines", "--api-url", "http://127.0.0.1:9/v1", "--state-dir", state]
    assert words == told


@pytest.mark.parametrize("client", ["claude-code", "vscode", "cursor", "codex"])
def test_what_is_installed_starts_and_lists_tools(install: Install, home: Path, client: str) -> None:
    install(client, "--demo", "--read-only", "--yes")
    assert "list_machines" in anyio.run(tools, server(home / FILES[client, "user"]))


async def tools(told: dict[str, Any]) -> list[str]:
    parameters = StdioServerParameters(command=told["command"], args=told["args"])
    async with Client(parameters, cache=None) as client:
        return [tool.name for tool in (await client.list_tools()).tools]


# -- what is refused --------------------------------------------------------------------------------------------------


def refused(install: Install, home: Path, told: str, client: str = "claude-code") -> None:
    before = tree(home)
    ended = install(client, "--yes")
    assert ended.code == 1, ended
    assert told in ended.errors
    assert "Nothing was changed." in ended.errors
    assert '"paperspace"' in ended.errors, "the block to paste"
    assert tree(home) == before


def test_a_broken_file_is_refused_with_the_place_of_the_fault(install: Install, home: Path) -> None:
    (home / ".claude.json").write_text('{\n  "a": 1\n  "b": 2\n}', encoding="utf-8")
    refused(install, home, "it is broken: line 3, column 3: a comma is missing")


def test_a_file_that_is_no_text(install: Install, home: Path) -> None:
    (home / ".claude.json").write_bytes(b'{"a": "\xff"}')
    refused(install, home, "it is not UTF-8 (byte 7)")


def test_a_folder_and_a_pipe_of_that_name(install: Install, home: Path) -> None:
    (home / ".claude.json").mkdir()
    refused(install, home, "it is no ordinary file")
    (home / ".claude.json").rmdir()
    os.mkfifo(home / ".claude.json")
    ended = install("claude-code", "--yes")
    assert (ended.code, "no ordinary file" in ended.errors) == (1, True)


def test_a_file_of_somebody_else(install: Install, home: Path) -> None:
    if os.getuid():
        pytest.skip("only root can make a file of somebody else")
    (home / ".claude.json").write_text("{}", encoding="utf-8")
    os.chown(home / ".claude.json", 12345, 12345)
    refused(install, home, "it belongs to another user")


def test_a_folder_that_may_not_be_written(install: Install, home: Path, tmp_path: Path) -> None:
    (home / ".cursor").mkdir(mode=0o500)
    for path in (home, home / ".cursor", home / "project"):
        os.chown(path, 65534, 65534)
    for above in (tmp_path, *list(tmp_path.parents)[:3]):
        above.chmod(0o755)
    with without_privileges():
        refused(install, home, "it cannot be written (Permission denied)", "cursor")


def test_a_symbolic_link_stays_one(install: Install, home: Path) -> None:
    """Settings under version control are linked into the home."""
    kept = home / "dotfiles" / "claude.json"
    kept.parent.mkdir()
    kept.write_text(SETTINGS, encoding="utf-8")
    (home / ".claude.json").symlink_to(kept)
    install("claude-code", "--yes")
    assert (home / ".claude.json").is_symlink()
    assert "paperspace" in kept.read_text("utf-8")
    install("claude-code", "--undo", "--yes")
    assert ((home / ".claude.json").is_symlink(), kept.read_text("utf-8")) == (True, SETTINGS)


def test_a_symbolic_link_to_nothing_and_one_to_itself(install: Install, home: Path) -> None:
    (home / ".claude.json").symlink_to(home / "later" / "claude.json")
    install("claude-code", "--yes")
    assert (home / "later" / "claude.json").is_file()
    install("claude-code", "--undo", "--yes")
    assert not (home / "later").exists()
    (home / ".claude.json").unlink()
    (home / ".claude.json").symlink_to(home / ".claude.json")
    ended = install("claude-code", "--yes")
    assert (ended.code, "it cannot be read" in ended.errors) == (1, True)


class Meanwhile(io.StringIO):
    """A person who says yes after somebody else has changed the file."""

    def __init__(self, path: Path) -> None:
        super().__init__("y\n")
        self._path = path

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
        self._path.write_text('{"a": 2}', encoding="utf-8")
        return super().readline(-1 if size is None else size)


def test_a_file_that_changes_before_the_yes_is_left_alone(install: Install, home: Path) -> None:
    path = home / ".claude.json"
    path.write_text('{"a": 1}', encoding="utf-8")
    ended = install("claude-code", typed=Meanwhile(path))
    assert (ended.code, "somebody else changed it meanwhile" in ended.errors) == (1, True)
    assert path.read_text("utf-8") == '{"a": 2}'
    assert [one.name for one in home.iterdir() if one.name.startswith(".claude")] == [".claude.json"]
    assert "nothing to undo" in install("claude-code", "--undo").out


def test_a_disk_that_is_full_leaves_the_file_as_it_was(
    install: Install, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = home / ".claude.json"
    path.write_text(SETTINGS, encoding="utf-8")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    ended = install("claude-code", "--yes")
    assert (ended.code, "No space left" in ended.errors) == (1, True), ended
    assert path.read_text("utf-8") == SETTINGS


@pytest.mark.parametrize("words", ["", "emacs", "cursor --scope team", "cursor --key-file /nowhere", "cursor extra"])
def test_a_wrong_command_line(install: Install, words: str) -> None:
    with pytest.raises(SystemExit) as ended:
        install(*words.split())
    assert ended.value.code == 2


def test_the_key_is_nowhere(home: Path) -> None:
    """What every run above looks for is really in the environment."""
    assert home.is_dir()
    assert os.environ["PAPERSPACE_API_KEY"] == CANARY
