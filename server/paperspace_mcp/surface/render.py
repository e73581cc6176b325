"""From an answer to the two halves that clients show: structured content, and the same facts as compact Markdown."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mcp_types import CallToolResult, TextContent
from pydantic import BaseModel

SIZE_CAP = 40_000
"""Bytes of a result, both halves together: several clients cut what is longer, without a word."""

_LATER = ("summary", "next", "error", "demo")
_FRAME = 200
"""Bytes of a result around its halves."""
_CUT = " ... (cut)"


@dataclass(slots=True)
class Answer:
    """What a tool says. `data` is by the names of its output schema; None values are left out.

    rows: the list in `data` that may be cut to fit, if there is one; cursor_after: where it goes on after so many;
    narrow: how to ask for less where it does not go on.
    """

    summary: str
    data: Mapping[str, Any] = field(default_factory=dict)
    next: str = ""
    rows: str = ""
    cursor_after: Callable[[int], str | None] = lambda _shown: None
    narrow: str = "narrow the filters"
    is_error: bool = False


def result(answer: Answer, *, demo: bool = False) -> CallToolResult:
    """The call's result. What does not fit is cut from the end of its rows, then from its longest text, and said."""
    structured = _structured(answer, demo)
    text = markdown(structured)
    while _size(structured, text) > SIZE_CAP and (cut := _cut(answer, structured)):
        structured |= cut
        text = markdown(structured)
    content = TextContent(type="text", text=text)
    return CallToolResult(content=[content], structured_content=structured, is_error=answer.is_error)


def _cut(answer: Answer, structured: Mapping[str, Any]) -> dict[str, Any]:
    """What takes the place of what is too long; empty where nothing is left to cut."""
    return _shorter(answer, structured[answer.rows]) if structured.get(answer.rows) else _halved(structured)


def _shorter(answer: Answer, rows: list[Any]) -> dict[str, Any]:
    """A fifth of the rows less, and how to have the rest."""
    kept = rows[: len(rows) * 4 // 5]
    cut = f"Cut to {len(kept)} rows to stay under 40 kB"
    if cursor := answer.cursor_after(len(kept)):
        more = f"{cut}; next_cursor goes on after them."
        return {answer.rows: kept, "returned": len(kept), "complete": False, "next_cursor": cursor, "next": more}
    return {answer.rows: kept, "next": f"{cut}: {answer.narrow}. {answer.next}".strip()}


def _halved(structured: Mapping[str, Any]) -> dict[str, Any]:
    """The longest text at half its length, marked as cut."""
    texts = {name: value for name, value in structured.items() if isinstance(value, str)}
    name = max(texts, key=lambda one: len(texts[one]))
    whole = texts[name].removesuffix(_CUT)
    return {name: whole[: len(whole) // 2] + _CUT} if len(whole) > len(_CUT) else {}


def _size(structured: Mapping[str, Any], text: str) -> int:
    """Bytes on the wire: both halves are JSON there."""
    halves = (structured, text)
    return _FRAME + sum(len(json.dumps(half, ensure_ascii=False, separators=(",", ":")).encode()) for half in halves)


def _structured(answer: Answer, demo: bool) -> dict[str, Any]:
    marked = {"demo": True} if demo else {}
    later = {"next": answer.next} if answer.next else {}
    return {"summary": answer.summary, **plain(answer.data), **later, **marked}


def plain(value: Any) -> Any:
    """JSON values; views are dumped, None is left out of objects."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_none=True)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def markdown(structured: Mapping[str, Any]) -> str:
    """The same facts for a client that shows only text: the summary, tables, `key: value` lines, what next."""
    demo = "[demo] " if structured.get("demo") else ""
    lines = [demo + structured["summary"]]
    for key, value in structured.items():
        if key not in _LATER:
            lines += _lines(key, value)
    if "error" in structured:
        lines += _error_lines(structured["error"])
    if "next" in structured:
        lines.append(f"Next: {structured['next']}")
    return "\n".join(lines)


def _lines(key: str, value: Any) -> list[str]:
    if value in ([], {}):
        return []
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [f"{key}:", *_table(value)]
    if isinstance(value, dict):
        return [f"{key}: " + "; ".join(f"{name} {_cell(item)}" for name, item in value.items())]
    return [f"{key}: {_cell(value)}"]


def _table(rows: list[dict[str, Any]]) -> list[str]:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return ["\t".join(columns), *("\t".join(_cell(row.get(column, "")) for column in columns) for row in rows)]


def _cell(value: Any) -> str:
    """A value on one line: tabs and line ends were cleaned away before."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.12g}"
    if isinstance(value, list):
        return ", ".join(_cell(item) for item in value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


def _error_lines(error: Mapping[str, Any]) -> list[str]:
    lines = [f"error: {error['code']}; changed: {error['changed']}; retryable: {_cell(error['retryable'])}"]
    if error.get("candidates"):
        lines += ["candidates:", *_table(error["candidates"])]
    return [*lines, *([f"Next: {error['next']}"] if error.get("next") else [])]
