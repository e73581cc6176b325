"""`doctor`: what is set up, how it stands, and what helps. Exit 0 where nothing fails, 1 where something does.

It needs no key and no network, changes nothing, prints no secret, and no step takes longer than a few seconds.
`--contract` asks the API instead, with GETs only, what its reference leaves open; `--elicitation` tries a question.
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
from paperspace_mcp.settings import DEFAULT_URL, Settings, Upstream


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--demo", action="store_true", help="look at the simulated account instead of yours")
    add_account_arguments(parser)
    parser.add_argument("--json", action="store_true", help="the rows, or the report, as JSON")
    parser.add_argument(
        "--contract",
        action="store_true",
        help="ask the API what its reference leaves open: some thirty GETs with your key, nothing is changed; the "
        "report has no name, id or address of your account in it and can go with a bug",
    )
    parser.add_argument(
        "--elicitation",
        action="store_true",
        help="try a question: a server on a simulated fleet asks you here, once in each era of the protocol",
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="with --contract: write the report there too")
    parser.epilog = "Exit 0: nothing fails; 1: something does."
    parser.set_defaults(execute=execute, wrong=parser.error)


def execute(arguments: argparse.Namespace) -> int:
    if arguments.report and not arguments.contract:
        arguments.wrong("--report goes with --contract")
    found = configuration.configured(os.environ)
    settings = _chosen(arguments, found.settings)
    if arguments.contract:
        return _contract(arguments, settings)
    if arguments.elicitation:
        return _told(anyio.run(_questions), as_json=arguments.json)
    rows = [
        *versions.rows(),
        *configuration.rows(os.environ, found),
        *(() if arguments.demo else keys.rows(os.environ, Path.cwd())),
        *anyio.run(_reached, settings),
        *state.rows(settings.state_dir),
    ]
    return _told(rows, as_json=arguments.json)


def _told(rows: list[Row], *, as_json: bool) -> int:
    _print(rows, as_json=as_json)
    return int(failed(rows))


async def _questions() -> list[Row]:
    from paperspace_mcp.checkup import questions

    return [row async for row in questions.rows(_typed)]


async def _typed(question: str) -> str:
    """What the person types at the question; nothing where nobody is there."""
    from anyio.to_thread import run_sync

    sys.stderr.write(f"\n{question}\n> ")
    sys.stderr.flush()
    line: str = await run_sync(sys.stdin.readline)
    return line.strip()


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


# -- the contract ------------------------------------------------------------------------------------------------------


def _contract(arguments: argparse.Namespace, settings: Settings) -> int:
    """Ask, print, and write where that is wished. A file that cannot be written is told before anything is sent."""
    from paperspace_mcp.checkup.readings import report
    from paperspace_mcp.checkup.readings.asking import Asked, ask, unasked

    if arguments.report and not _writable(arguments.report):
        return 1

    async def asked() -> Asked:
        return await ask(settings.upstream, transport=transport_of(settings))

    found = report.report(anyio.run(asked) if settings.upstream.key else unasked(), _where(settings))
    text = json.dumps(report.as_json(found), indent=2) + "\n" if arguments.json else report.as_text(found)
    sys.stdout.write(text)
    if arguments.report:
        arguments.report.write_text(text, encoding="utf-8")
        sys.stderr.write(f"Written to {arguments.report}.\n")
    return int(found.failed)


def _writable(path: Path) -> bool:
    try:
        path.open("a", encoding="utf-8").close()
    except OSError as error:
        sys.stderr.write(f"paperspace-mcp: {path} cannot be written: {error.strerror}. Nothing was asked.\n")
        return False
    return True


def _where(settings: Settings) -> str:
    """Whose address, and never which."""
    if settings.demo:
        return "the simulated"
    return "the provider's own" if settings.upstream.url == DEFAULT_URL else "another"
