"""Lines of a terminal as an SVG that refers to nothing outside itself."""

import io
import re
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text
from tests.pictures.transcript import COLUMNS

_TITLE = "uv run paperspace-mcp demo"
_WIDTH_OF_A_LETTER = 0.6
"""Of its height, in most fonts that systems have for a terminal."""
_EMPTY = re.compile(r"<text [^>]*>\n</text>")
"""What Rich makes of a line's end."""
_FORMAT = """<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" \
xmlns="http://www.w3.org/2000/svg" role="img">
<title>The demo of paperspace-mcp in a terminal</title>
<style>
.{unique_id}-matrix {{ font: {char_height}px/{line_height}px ui-monospace, "SF Mono", Menlo, Consolas, \
"DejaVu Sans Mono", "Liberation Mono", monospace; }}
.{unique_id}-title {{ font: 16px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; opacity: .7; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""Rich's own, without its web fonts."""


def drawn(lines: Sequence[str]) -> str:
    """The SVG of lines, in their colours and with a column's margin."""
    console = Console(record=True, width=COLUMNS + 2, file=io.StringIO(), force_terminal=True, color_system="standard")
    for line in lines:
        console.print(Text(" ").append(Text.from_ansi(line)), no_wrap=True, crop=False, overflow="ignore")
    console.print()  # Rich makes no clip for the last line
    drawing = console.export_svg(
        title=_TITLE, code_format=_FORMAT, font_aspect_ratio=_WIDTH_OF_A_LETTER, unique_id="demo"
    )
    return _EMPTY.sub("", drawing).replace("</text><text", "</text>\n<text")
