"""JSON with comments and trailing commas, read with its places, so that an edit leaves all else as it stands. Pure."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

DEEPEST = 100
_SCALAR = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null")
_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]+")


class FaultError(ValueError):
    """The text is not what it should be, and where: line and column count from 1."""

    def __init__(self, what: str, text: str, at: int) -> None:
        self.line = text.count("\n", 0, at) + 1
        self.column = at - (text.rfind("\n", 0, at) + 1) + 1
        super().__init__(f"line {self.line}, column {self.column}: {what}")


@dataclass(frozen=True, slots=True)
class Node:
    """A value from `start` up to `end`. parts: the members of an object, or the items of a list."""

    start: int
    end: int
    value: Any
    parts: tuple["Part", ...] = ()

    def member(self, name: str) -> "Node | None":
        return next((part.node for part in self.parts if part.name == name), None)


@dataclass(frozen=True, slots=True)
class Part:
    """From `start` (a member's name) up to its value's end; comma: where the one behind it ends, 0 for none."""

    name: str
    start: int
    node: Node
    comma: int = 0


def parse(text: str, *, comments: bool) -> Node:
    """The value of a whole text.

    Raises:
        FaultError: it is none.
    """
    reader = _Reader(text, comments)
    node = reader.value(reader.skip(0), 0)
    if (end := reader.skip(node.end)) < len(text):
        raise FaultError("nothing may stand here", text, end)
    return node


class _Reader:
    def __init__(self, text: str, comments: bool) -> None:
        self.text, self.comments = text, comments

    def skip(self, at: int) -> int:
        """Behind white space and comments."""
        while at < len(self.text):
            if space := _SPACE.match(self.text, at):
                at = space.end()
            elif self.text.startswith(("//", "/*"), at):
                at = self._behind_comment(at)
            else:
                break
        return at

    def _behind_comment(self, at: int) -> int:
        if not self.comments:
            raise FaultError("a comment, and this file may have none", self.text, at)
        close = "\n" if self.text.startswith("//", at) else "*/"
        end = self.text.find(close, at + 2)
        if end < 0 and close == "*/":
            raise FaultError("a comment that does not end", self.text, at)
        return len(self.text) if end < 0 else end + len(close)

    def value(self, at: int, depth: int) -> Node:
        if depth > DEEPEST:
            raise FaultError("nested too deeply", self.text, at)
        if self.text.startswith(("{", "["), at):
            return self._container(at, depth)
        if self.text.startswith('"', at):
            value, end = self._string(at)
            return Node(at, end, value)
        if scalar := _SCALAR.match(self.text, at):
            return Node(at, scalar.end(), json.loads(scalar.group()))
        raise FaultError("a value is missing" if at < len(self.text) else "it ends too soon", self.text, at)

    def _string(self, at: int) -> tuple[str, int]:
        try:
            value, end = _DECODER.raw_decode(self.text, at)
            return str(value), end
        except json.JSONDecodeError as error:
            raise FaultError("a text that does not end, or that has a wrong escape", self.text, error.pos) from None

    def _container(self, at: int, depth: int) -> Node:
        named = self.text[at] == "{"
        close, parts, here = "}" if named else "]", list[Part](), self.skip(at + 1)
        while not self.text.startswith(close, here):
            part = self._part(here, depth, named=named)
            parts.append(part)
            here = self._next(part, close)
        if parts and parts[-1].comma and not self.comments:
            raise FaultError("a comma with nothing behind it", self.text, parts[-1].comma - 1)
        value: Any = {part.name: part.node.value for part in parts} if named else [part.node.value for part in parts]
        return Node(at, here + 1, value, tuple(parts))

    def _part(self, at: int, depth: int, *, named: bool) -> Part:
        name, here = "", at
        if named:
            name, here = self._name(at)
        node = self.value(here, depth + 1)
        behind = self.skip(node.end)
        comma = behind + 1 if self.text.startswith(",", behind) else 0
        return Part(name, at, node, comma)

    def _name(self, at: int) -> tuple[str, int]:
        if not self.text.startswith('"', at):
            what = "a name in double quotes is missing" if at < len(self.text) else "it ends too soon"
            raise FaultError(what, self.text, at)
        name, end = self._string(at)
        if not self.text.startswith(":", here := self.skip(end)):
            raise FaultError("a colon is missing", self.text, here)
        return name, self.skip(here + 1)

    def _next(self, part: Part, close: str) -> int:
        here = self.skip(part.comma or part.node.end)
        if not part.comma and not self.text.startswith(close, here):
            raise FaultError("a comma is missing" if here < len(self.text) else "it ends too soon", self.text, here)
        return here


# -- edits ------------------------------------------------------------------------------------------------------------


def replaced(text: str, node: Node, value: Any) -> str:
    """The text with this value in place of that one."""
    style = _Style(text)
    return text[: node.start] + style.render(value, style.indent(node.start)) + text[node.end :]


def added(text: str, node: Node, value: Any, name: str | None = None) -> str:
    """The text with one more member (or item) at the end of an object (or list)."""
    style = _Style(text)
    outer = style.indent(node.start)
    inner = _inner(text, node, outer, style)
    shown = style.render(value, inner)
    shown = shown if name is None else f"{json.dumps(name)}: {shown}"
    close = node.end - 1
    head, gap = text[:close].rstrip(" \t\r\n"), text[len(text[:close].rstrip(" \t\r\n")) : close]
    if node.parts and not node.parts[-1].comma:
        end = node.parts[-1].node.end
        head = head[:end] + "," + head[end:]
    trailing = "," if node.parts and node.parts[-1].comma else ""
    tail = gap if node.parts and "\n" in gap else style.newline + outer
    return head + style.newline + inner + shown + trailing + tail + text[close:]


def removed(text: str, node: Node, index: int) -> str:
    """The text without the part at this index, its line, and the comma that it leaves over."""
    part = node.parts[index]
    start, end = part.start, part.comma or part.node.end
    line = text.rfind("\n", node.start, start)
    if line >= 0 and not text[line:start].strip():
        start = line - 1 if text[line - 1 : line] == "\r" else line
    before = node.parts[index - 1] if index else None
    if before and before.comma and not part.comma:
        return text[: before.node.end] + text[before.comma : start] + text[end:]
    return text[:start] + text[end:]


def _inner(text: str, node: Node, outer: str, style: "_Style") -> str:
    """The indentation of its parts: that of the first that begins a line."""
    for part in node.parts:
        line = text.rfind("\n", 0, part.start) + 1
        if line > node.start and not text[line : part.start].strip():
            return text[line : part.start]
    return outer + style.unit


class _Style:
    """How the text is laid out: its line ends, and what one step of indentation is."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.newline = "\r\n" if "\r\n" in text else "\n"
        stepped = re.search(r"\n([ \t]+)\S", text)
        self.unit = stepped.group(1) if stepped else "  "

    def indent(self, at: int) -> str:
        """The white space at the beginning of the line on which a place is."""
        line = self.text[self.text.rfind("\n", 0, at) + 1 : at]
        return line[: len(line) - len(line.lstrip(" \t"))]

    def render(self, value: Any, indent: str) -> str:
        lines = json.dumps(value, indent=self.unit, ensure_ascii=False).split("\n")
        return (self.newline + indent).join(lines)


def plain(value: Any, names: Sequence[str]) -> bool:
    """Whether each of these members, where it is there, is an object: else nothing can be put into it."""
    for name in names:
        if not isinstance(value, dict):
            return False
        value = value.get(name, {})
    return isinstance(value, dict)
