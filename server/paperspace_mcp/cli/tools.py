"""`tools`: what the server offers, with what each tool may do and what it costs a model; or its definitions for
function calling without MCP."""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import anyio

from paperspace_mcp.cli.common import add_offer_arguments, tightened
from paperspace_mcp.cli.tabular import columns
from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.exports import FORMATS
from paperspace_mcp.schemas import Catalogue, served
from paperspace_mcp.settings import from_environment
from paperspace_mcp.surface.tools import TOOLS
from paperspace_mcp.tables import effects_of
from paperspace_mcp.weights import Scale, input_side, scale


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_offer_arguments(parser)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="print the table as JSON")
    how.add_argument(
        "--export", choices=FORMATS, help="print the definitions as this vendor's API takes them in `tools`"
    )
    parser.epilog = (
        "Tokens are of name, description and inputSchema, in o200k where bpe-openai is installed, else estimated. "
        "What a model calls with exported definitions is executed by `paperspace-mcp run --call JSON`."
    )
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    catalogue = anyio.run(served, tightened(from_environment().policy, arguments))
    if arguments.export:
        shown = _json(FORMATS[arguments.export](list(catalogue.tools.values())))
    else:
        weighed = _weighed(catalogue, scale())
        shown = _json(weighed.as_json()) if arguments.json else weighed.as_text()
    sys.stdout.write(f"{shown}\n")
    return 0


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Row:
    """A tool: the classes of what it may do, and its tokens."""

    tool: str
    classes: tuple[str, ...]
    tokens: int
    read_only: bool


@dataclass(frozen=True, slots=True)
class Weighed:
    """What is offered. by: how the tokens were counted."""

    version: str
    by: str
    rows: list[Row]

    @property
    def reading(self) -> list[Row]:
        """Those that `--read-only` offers."""
        return [row for row in self.rows if row.read_only]

    def as_json(self) -> Mapping[str, Any]:
        rows = [{"tool": row.tool, "classes": row.classes, "tokens": row.tokens} for row in self.rows]
        totals = {"total": _total(self.rows), "read_only": _total(self.reading)}
        return {"version": self.version, "tokens_by": self.by, "tools": rows, **totals}

    def as_text(self) -> str:
        rows = [[row.tool, ", ".join(row.classes), f"{row.tokens:,}"] for row in self.rows]
        totals = [
            [_count(self.rows), "all", _tokens(self.rows)],
            [_count(self.reading), "read-only", _tokens(self.reading)],
        ]
        table = columns([["tool", "class", "tokens"], *rows, ["", "", ""], *totals])
        return "\n".join([*table, f"Tokens are {self.by}; the server's version is {self.version}."])


def _weighed(catalogue: Catalogue, by: Scale) -> Weighed:
    ours = {tool.name: tool for tool in TOOLS}
    rows = [
        Row(
            tool=name,
            classes=tuple(effect.value for effect in effects_of(ours[name])),
            tokens=by.tokens(input_side(definition)),
            read_only=ours[name].touches is Effect.READ,
        )
        for name, definition in catalogue.tools.items()
    ]
    return Weighed(catalogue.version, by.name, rows)


def _total(rows: list[Row]) -> dict[str, int]:
    return {"tools": len(rows), "tokens": sum(row.tokens for row in rows)}


def _count(rows: list[Row]) -> str:
    return f"{len(rows)} tool{'' if len(rows) == 1 else 's'}"


def _tokens(rows: list[Row]) -> str:
    return f"{sum(row.tokens for row in rows):,}"
