"""`doctor`: what is set up, how it stands, and what helps. Exit 0 where nothing fails, 1 where something does.

It needs no key and no network, changes nothing, prints no secret, and no step takes longer than a few seconds.
"""

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio

from paperspace_mcp.checkup import configuration, keys, reaching, state, versions
from paperspace_mcp.checkup.rows import Row, ending, failed, table
from paperspace_mcp.cli.common import DEMO_KEY, DEMO_URL, add_account_arguments, embedded
from paperspace_mcp.settings import Settings, Upstream


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--demo", action="store_true", help="look at the simulated account instead of yours")
    add_account_arguments(parser)
    parser.add_argument("--json", action="store_true", help="the rows as JSON")
    parser.epilog = "Exit 0: nothing fails; 1: something does."
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    found = configuration.configured(os.environ)
    settings = _chosen(arguments, found.settings)
    rows = [
        *versions.rows(),
        *configuration.rows(os.environ, found),
        *(() if arguments.demo else keys.rows(os.environ, Path.cwd())),
        *anyio.run(_reached, settings),
        *state.rows(settings.state_dir),
    ]
    _print(rows, as_json=arguments.json)
    return int(failed(rows))


def _chosen(arguments: argparse.Namespace, settings: Settings) -> Settings:
    """Flags before environment."""
    settings = replace(settings, state_dir=arguments.state_dir or settings.state_dir)
    if arguments.demo:
        return replace(settings, demo=True, upstream=Upstream(url=DEMO_URL, key=DEMO_KEY))
    url = arguments.api_url.rstrip("/") if arguments.api_url else settings.upstream.url
    return replace(settings, upstream=replace(settings.upstream, url=url))


def transport_of(settings: Settings) -> Any:
    """The simulated account of a demo; None for the network."""
    return embedded(1.0)() if settings.demo else None


async def _reached(settings: Settings) -> list[Row]:
    return [row async for row in reaching.rows(settings.upstream, transport=transport_of(settings))]


def _print(rows: list[Row], *, as_json: bool) -> None:
    if as_json:
        told = {"ok": not failed(rows), "rows": [row.as_json() for row in rows]}
        sys.stdout.write(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(f"{table(rows)}\n{ending(rows)}\n")
