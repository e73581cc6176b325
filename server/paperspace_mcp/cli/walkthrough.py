"""The walk of the demo: what a person says, the call that an assistant makes of it, the answer."""

import json
import os
import shutil
import textwrap
import time
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

import anyio
from mcp import Client
from mcp_types import CallToolResult

from paperspace_mcp.rules.policy import Policy

_MARGIN = 9
_WIDEST = 110
_BAR = 24
_TICK_S = 0.2
_COLUMNS = ("name", "state", "machine_type", "usd_per_hour", "public_ip")
_COLOURS = {"You": "1", "Call": "36", "Asks": "33", "Wait": "36", "Answer": "32", "Next": "1"}

USUAL = Policy().confirm_usd_per_hour
NEXT = (
    ("An assistant", "uv run paperspace-mcp serve --demo"),
    ("The shell", "uv run paperspace-mcp run list_machines --demo"),
    ("Your own machines", 'README.md, "Connecting a client"'),
)


class Screen:
    """The terminal: a label in the margin, what was said beside it. Colour only where it is seen."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self.live = out.isatty()
        self._colour = self.live and not os.environ.get("NO_COLOR")
        self._width = min(shutil.get_terminal_size().columns, _WIDEST) - _MARGIN

    def say(self, label: str, text: str) -> None:
        """A label and its text, wrapped."""
        first, *rest = textwrap.wrap(text, self._width, break_on_hyphens=False) or [""]
        self._line(label, first)
        for line in rest:
            self._line("", line)

    def heading(self, text: str) -> None:
        lines = textwrap.wrap(text, self._width + _MARGIN)
        self._write("".join(["\n", *(f"{self._painted(line, '1')}\n" for line in lines), "\n"]))

    def gap(self) -> None:
        self._write("\n")

    def table(self, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
        """Rows under their columns; each column as wide as its widest cell."""
        lines = [list(columns), *([str(row.get(name, "")) for name in columns] for row in rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for cells in lines:
            line = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
            self._line("", line.rstrip()[: self._width])

    def question(self, message: str) -> None:
        """The server's question, as a client shows it."""
        label = "Asks"
        for paragraph in message.splitlines():
            for line in textwrap.wrap(paragraph, self._width - 2, break_on_hyphens=False):
                self._line(label, f"{self._painted('│', '33')} {line}")
                label = ""
        self._write(" " * _MARGIN + self._painted("└ > ", "33"))
        self._out.flush()

    def typed(self, typed: str | None, *, echoed: bool) -> None:
        """The answer, where the terminal did not show it by itself."""
        if typed is None:
            self._write("\n")
            self.say("", "nobody to ask here: declined. Try --answers start,legacy-jenkins")
        elif not echoed:
            self._write(f"{typed}\n")

    def progress(self, seconds: float, total: float, message: str) -> None:
        """How a wait stands: one line that changes in a terminal, a line each elsewhere."""
        filled = round(_BAR * min(seconds / total, 1.0)) if total else 0
        bar = "█" * filled + "░" * (_BAR - filled)
        text = f"{self._label('Wait')}{bar} {seconds:3.0f} s  {message}"
        self._write(f"\r\x1b[K{text}" if self.live else f"{text}\n")
        self._out.flush()

    def progressed(self) -> None:
        """The wait is over: its line is the answer's."""
        self._write("\r\x1b[K" if self.live else "")

    def _line(self, label: str, text: str) -> None:
        self._write(f"{self._label(label)}{text}\n")

    def _label(self, label: str) -> str:
        return self._painted(label.ljust(_MARGIN), _COLOURS[label]) if label else " " * _MARGIN

    def _painted(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._colour else text

    def _write(self, text: str) -> None:
        self._out.write(text)


class Progress:
    """The server's reports of a wait. In a terminal the seconds between two reports are counted on."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._last: tuple[float, float, str] | None = None
        self._at = 0.0

    async def report(self, progress: float, total: float | None, message: str | None) -> None:
        self._last, self._at = (progress, total or 0.0, message or ""), time.monotonic()
        self._screen.progress(*self._last)

    async def count_on(self) -> None:
        while self._screen.live:
            await anyio.sleep(_TICK_S)
            if self._last:
                seconds, total, message = self._last
                self._screen.progress(seconds + time.monotonic() - self._at, total, message)


class Walk:
    """List, start, wait, delete: one client, one server, as an assistant would use them."""

    def __init__(self, client: Client, screen: Screen) -> None:
        self._client = client
        self._screen = screen

    async def through(self) -> None:
        self._screen.heading("paperspace-mcp on a simulated fleet: no key, no network, nothing is real")
        self._screen.say(
            "", f"Here every start asks. Otherwise only those that come to over {USUAL:g} USD/h in an hour."
        )
        self._screen.gap()
        await self._list()
        await self._start()
        await self._delete()
        self._next()

    async def _list(self) -> None:
        self._screen.say("You", "Which dev machines do we have, and what do they cost?")
        answer = await self._call("list_machines", name_contains="dev-")
        self._screen.table(answer.get("machines", []), _COLUMNS)
        self._screen.gap()

    async def _start(self) -> None:
        self._screen.say("You", "Start dev-ben and tell me when I can ssh in.")
        answer = await self._call("start_machine", machine="dev-ben")
        if event := answer.get("event"):
            await self._call("wait_for_event", event_ids=[event["id"]])
        self._screen.gap()

    async def _delete(self) -> None:
        self._screen.say("You", "legacy-jenkins has been off for two months. Delete it.")
        await self._call("delete_machine", machine="legacy-jenkins")
        self._screen.gap()

    def _next(self) -> None:
        widest = max(len(what) for what, _ in NEXT)
        self._screen.say("Next", f"{NEXT[0][0].ljust(widest)}  {NEXT[0][1]}")
        for what, how in NEXT[1:]:
            self._screen.say("", f"{what.ljust(widest)}  {how}")

    async def _call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """One tool call and its answer: the first line of what a model reads, with the server's own demo mark."""
        told = " ".join(f"{name}={json.dumps(value)}" for name, value in arguments.items())
        self._screen.say("Call", f"{tool} {told}")
        answer = await self._waited(tool, arguments)
        text = "".join(block.text for block in answer.content if block.type == "text")
        self._screen.say("Answer", text.partition("\n")[0])
        content: dict[str, Any] = answer.structured_content or {}
        return content

    async def _waited(self, tool: str, arguments: dict[str, Any]) -> CallToolResult:
        progress = Progress(self._screen)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(progress.count_on)
            answer = await self._client.call_tool(tool, arguments, progress_callback=progress.report)
            tasks.cancel_scope.cancel()
        self._screen.progressed()
        return answer
