"""The version that clients see is the package's, with a fingerprint of all that they are given to read."""

import hashlib
import inspect
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
from mcp import Client, StdioServerParameters
from packaging.version import Version
from pydantic import BaseModel
from tests.transports.conftest import COMMAND, Provider, environment, run, serving

from paperspace_mcp import __version__
from paperspace_mcp.app import build
from paperspace_mcp.rules.policy import Policy
from paperspace_mcp.settings import Settings
from paperspace_mcp.surface import adapter
from paperspace_mcp.surface.adapter import adapt
from paperspace_mcp.surface.desk import Desk
from paperspace_mcp.surface.fingerprint import version
from paperspace_mcp.surface.tool import Tool
from paperspace_mcp.surface.tools import TOOLS

pytestmark = pytest.mark.anyio

Mode = Literal["legacy", "auto"]
MODES: tuple[Mode, ...] = ("legacy", "auto")
HANDSHAKE = "2025-11-25"


def carried(models: list[Any]) -> list[Any]:
    assert all(isinstance(one, BaseModel) for one in models)
    return [one.model_dump(mode="json", by_alias=True, exclude_none=True) for one in models]


async def seen(client: Client) -> str:
    """The version that a client sees, after it has computed the fingerprint of what it was given."""
    given = {
        "tools": carried((await client.list_tools()).tools),
        "instructions": client.instructions,
        "prompts": carried((await client.list_prompts()).prompts),
        "resourceTemplates": carried((await client.list_resource_templates()).resource_templates),
    }
    text = json.dumps(given, sort_keys=True, separators=(",", ":"))
    assert client.server_info is not None
    assert client.server_info.version == f"{__version__}+cat.{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return client.server_info.version


@asynccontextmanager
async def over(transport: str, mode: Mode, provider: Provider, state: Path, *flags: str) -> AsyncIterator[Client]:
    if transport == "stdio":
        arguments = [*COMMAND[1:], "serve", "--api-url", provider.url, "--state-dir", str(state), *flags]
        server = StdioServerParameters(command=COMMAND[0], args=arguments, env=environment())
        async with Client(server, mode=mode, cache=None) as client:
            yield client
        return
    with serving(provider, state, *flags) as process:
        async with Client(process.url, mode=mode, cache=None) as client:
            yield client


async def test_it_is_the_same_over_every_transport_and_in_both_eras(provider: Provider, tmp_path: Path) -> None:
    found = set[str]()
    for transport in ("stdio", "http"):
        for mode in MODES:
            async with over(transport, mode, provider, tmp_path) as client:
                assert (client.protocol_version == HANDSHAKE) == (mode == "legacy")
                assert (await client.list_prompts()).prompts, "they count, too"
                found.add(await seen(client))
    assert found == {build(Settings(state_dir=tmp_path)).server.version}


@pytest.mark.parametrize("flags", [("--read-only",), ("--toolsets", "machines,events")])
async def test_who_is_given_less_sees_another(provider: Provider, tmp_path: Path, flags: tuple[str, ...]) -> None:
    async with over("stdio", "auto", provider, tmp_path, *flags) as client:
        found = await seen(client)
    assert found != build(Settings(state_dir=tmp_path)).server.version
    printed = run("tools", *flags, PAPERSPACE_MCP_STATE_DIR=str(tmp_path)).stdout
    assert found in printed


def test_a_simulated_fleet_is_described_in_the_same_words(tmp_path: Path) -> None:
    plain = Settings(state_dir=tmp_path)
    assert build(replace(plain, demo=True)).server.version == build(plain).server.version
    assert build(replace(plain, policy=Policy(protect=("x",)))).server.version == build(plain).server.version


def test_it_is_a_version_whose_public_part_is_the_packages(tmp_path: Path) -> None:
    parsed = Version(build(Settings(state_dir=tmp_path)).server.version)
    assert parsed.public == __version__
    assert parsed.local is not None
    assert parsed.local.startswith("cat.")
    assert run("--version").stdout == f"paperspace-mcp {__version__}\n"


# -- what changes it --------------------------------------------------------------------------------------------------


def of(*tools: Tool, **beside: Any) -> str:
    def nobody(_context: Any) -> Desk:
        raise AssertionError("nothing is called")

    return version("1", [adapt(tool, nobody) for tool in tools], **beside)


def test_a_change_of_anything_that_is_read_changes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for made_once in ("_arguments", "input_schema", "output_schema"):  # by other tests, for the whole run
        monkeypatch.setattr(adapter, made_once, inspect.unwrap(getattr(adapter, made_once)))
    tool, other = TOOLS[0], TOOLS[1]
    found = [of(tool, instructions="x"), of(tool, instructions="y"), of(tool, other, instructions="x")]
    found += [of(other, tool, instructions="x"), of(tool, instructions="x", prompts=[]), of(tool)]
    found.append(of(replace(tool, title="Other"), instructions="x"))
    found.append(of(replace(tool, idempotent=False), instructions="x"))
    found.append(of(replace(tool, gives=other.gives), instructions="x"))
    with monkeypatch.context() as patch:
        patch.setattr(tool.function, "__doc__", f"{tool.function.__doc__} And more.")
        found.append(of(tool, instructions="x"))
    with monkeypatch.context() as patch:
        patch.setitem(tool.function.__annotations__, "name_contains", bool)
        found.append(of(tool, instructions="x"))
    with monkeypatch.context() as patch:
        patch.setattr(tool.function, "__defaults__", (*(tool.function.__defaults__ or ())[:-1], "detailed"))
        found.append(of(tool, instructions="x"))
    assert len(set(found)) == len(found)
    assert of(tool, instructions="x") == found[0]
