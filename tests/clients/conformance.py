"""The protocol's own conformance suite against our app, with the suite's fixtures beside our tools."""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from mcp import Client
from tests.clients.ground import Ground, listening
from tests.clients.rows import HANDSHAKE, MODERN, Row, Scene

_NAME = "conformance 0.2.0-alpha.12"
_COMMAND = (sys.executable, "-m", "tests.clients.suite_server")
_ERAS = {"2025-11-25": HANDSHAKE, MODERN: MODERN}
"""The versions that scenarios are run at: the last of each era."""
_ASKING = "input-required-result-"
BESIDE = frozenset({
    "server-initialize", "server-session-lifecycle", "ping", "server-stateless", "http-header-validation",
    "server-sse-multiple-streams", "dns-rebinding-protection", "caching", "tools-list", "resources-list",
    "prompts-list", "sep-2164-resource-not-found", "tools-call-elicitation",
})  # fmt: skip
"""What fits any server, and the older era's way to ask."""

_CONTENT = "needs content of the suite's own: here its fixtures are those that ask"
_FORM = "needs a form that the guard never shows: ours has one text, without a default"
APART: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("tools-call-simple-text", "tools-call-image", "tools-call-audio", "tools-call-embedded-resource"),
            *("tools-call-mixed-content", "tools-call-error", "tools-call-with-progress", "json-schema-2020-12"),
            *("resources-read-text", "resources-read-binary", "resources-templates-read", "prompts-get-simple"),
            *(
                "prompts-get-with-args",
                "prompts-get-embedded-resource",
                "prompts-get-with-image",
                "completion-complete",
            ),
        ),
        _CONTENT,
    ),
    "elicitation-sep1034-defaults": _FORM,
    "elicitation-sep1330-enums": _FORM,
    "tools-call-sampling": "needs a tool that samples within a call; the guard asks persons, never models",
    "server-sse-polling": "needs a tool that ends its own stream; calls here are repeated, not resumed",
    "http-custom-header-server-validation": "needs a tool with arguments in headers; no tool of ours has one",
}
"""What does not apply, and why."""
UNDECLARED: Mapping[str, tuple[str, ...]] = {
    "logging-set-level": ("logging",),
    "tools-call-with-logging": ("logging",),
    "resources-subscribe": ("resources", "subscribe"),
    "resources-unsubscribe": ("resources", "subscribe"),
    "sep-2640-skills": ("extensions", "io.modelcontextprotocol/skills"),
    "tasks-": ("extensions", "io.modelcontextprotocol/tasks"),
}
"""What does not apply as long as the server does not declare that it can; by the beginning of the name."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """As the suite lists it. versions: of the protocol, or `extension`."""

    name: str
    versions: tuple[str, ...]

    @property
    def runs(self) -> bool:
        return self.name.startswith(_ASKING) or self.name in BESIDE

    @property
    def needs(self) -> tuple[str, ...]:
        """The capability without which it does not apply, as a path; empty for none."""
        return next((needed for start, needed in UNDECLARED.items() if self.name.startswith(start)), ())


def conform(ground: Ground) -> list[Row]:
    """Every scenario of the suite: run in each era that it knows, or told why it does not apply."""
    with ground.server("stdio") as ours, listening(_COMMAND, ours.environment) as url:
        declared = anyio.run(partial(_declared, url))
        return [row for one in _scenarios(ground) for row in _rows(ground, url, one, declared)]


def _scenarios(ground: Ground) -> list[Scenario]:
    """Those of this version of the suite, as it lists them itself."""
    said = ground.run([*ground.packages.bin("conformance"), "list", "--server"]).stdout
    found = [Scenario(name, tuple(versions.split(","))) for name, versions in re.findall(r"- (\S+) \[(\S+)\]", said)]
    gone = {*BESIDE, *APART} - {one.name for one in found}
    assert not gone, f"the suite has no scenario {', '.join(sorted(gone))}"
    return found


async def _declared(url: str) -> dict[str, Any]:
    """What the server says that it can, in both eras."""
    can: dict[str, Any] = {}
    for mode in ("legacy", MODERN):
        async with Client(url, mode=mode) as client:
            capabilities = client.server_capabilities.model_dump(by_alias=True, exclude_none=True)
        can |= {name: can.get(name, {}) | given for name, given in capabilities.items()}
    return can


def _rows(ground: Ground, url: str, one: Scenario, declared: Mapping[str, Any]) -> Iterator[Row]:
    if one.runs:
        for version, era in _ERAS.items():
            if version in one.versions:
                yield from _judged(ground, url, one.name, version, era)
        return
    row = Row(_NAME, ", ".join(one.versions), "http", one.name)
    row.apart = _apart(one, declared)
    row.problem = "" if row.apart else "neither run, nor told why it does not apply"
    yield row


def _apart(one: Scenario, declared: Mapping[str, Any]) -> str:
    """Why a scenario does not apply; empty where it should."""
    if not one.needs:
        return APART.get(one.name, "")
    has: Any = declared
    for name in one.needs:
        has = has.get(name) if isinstance(has, dict) else None
    return f"the server does not declare {' '.join(one.needs)}" if has in (None, False) else ""


def _judged(ground: Ground, url: str, name: str, version: str, era: str) -> list[Row]:
    scene = Scene(ground.account, _NAME, era, "http")
    kept = ground.scratch / f"judged-{name}-{version}"
    with scene.step(name, reads=None):
        asked = ["server", "--url", url, "--scenario", name, "--spec-version", version, "--output-dir", str(kept)]
        ended = ground.run([*ground.packages.bin("conformance"), *asked])
        checks = _checks(kept)
        scene.rows[-1].did += f": {told(checks)}"
        failed = [f"{one['id']}: {one.get('errorMessage', '')}" for one in checks if one["status"] == "FAILURE"]
        assert not failed, "; ".join(failed)
        assert ended.returncode == 0, ended.stdout[-200:]
        assert any(one["status"] == "SUCCESS" for one in checks), "nothing was checked"
    return scene.rows


def _checks(kept: Path) -> list[dict[str, Any]]:
    (file,) = kept.glob("*/checks.json")
    found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return found


def told(checks: list[dict[str, Any]]) -> str:
    """The judge's own words: how many were met, and by name those that it warned of or left out."""
    by = {status: [one["id"] for one in checks if one["status"] == status] for status in ("SUCCESS", "FAILURE")}
    parts = [f"{len(by['SUCCESS'])} of {len(by['SUCCESS']) + len(by['FAILURE'])} checks"]
    for status, word in (("WARNING", "warned of"), ("SKIPPED", "left out by the judge")):
        names = sorted({one["id"] for one in checks if one["status"] == status})
        parts += [f"{word}: {', '.join(names)}"] if names else []
    return "; ".join(parts)
