"""Tables in the terminal."""

from collections.abc import Sequence


def columns(table: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines, each column below its head."""
    widths = [max(map(len, column)) for column in zip(*table, strict=False)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip() for row in table]


def aligned(text: str) -> str:
    """The text with each table's columns, which tabs separate, one below the other."""
    lines, table = list[str](), list[list[str]]()
    for line in [*text.split("\n"), ""]:
        if "\t" in line:
            table.append(line.split("\t"))
            continue
        lines += columns(table)
        table = []
        lines.append(line)
    return "\n".join(lines[:-1])
