"""What of the code refuses and compares, seen in its source: the table of checks must have it all."""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from tests.mutants.checks import CHECKS
from tests.mutants.taken_out import function_of

import paperspace_mcp

ROOT = Path(paperspace_mcp.__file__).parent
NOT_SWEPT = ("simulator/",)
SHAPED = ("surface.tools.", "cli.")
"""Where most comparisons are about what a call says, not about whether it may be done; refusals are swept there too."""
_REFUSING = frozenset({"Refusal", "PermissionError"})
_SQL = re.compile(r"\b(?:WHERE|AND) (\w+ (?:=|<=|>=|>|!=) \?)")


@dataclass(frozen=True, slots=True)
class Place:
    """made: `module:function`, as a row names it. says: the code of a refusal, or the text of a comparison."""

    made: str
    says: str


def refusals() -> Iterator[Place]:
    """Every place that raises a refusal, with its code; `?` where the code is none of its own."""
    for made, function in _functions():
        for node in _own(function):
            if isinstance(node, ast.Raise) and _name(node.exc) in _REFUSING:
                yield Place(made, _code(node.exc))


def _code(raised: ast.expr | None) -> str:
    assert isinstance(raised, ast.Call)
    if _name(raised) == "PermissionError":
        return "PermissionError"
    first = raised.args[0]
    return str(first.value) if isinstance(first, ast.Constant) else "?"


def comparisons() -> Iterator[Place]:
    """Every comparison in a function that makes a check, also those that the store makes for it."""
    for made, function in made_in().items():
        for node in () if made.startswith(SHAPED) else ast.walk(function):
            if isinstance(node, ast.Compare):
                yield Place(made, ast.unparse(node))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from (Place(made, one) for one in _SQL.findall(node.value))


def codes() -> Iterator[Place]:
    """Every code that a function returns which judges in one word."""
    for made, function in made_in().items():
        if ast.unparse(function.returns or ast.Constant("")) == "str":
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and node.value is not None:
                    yield from (Place(made, text) for text in _texts(node.value) if text)


def made_in() -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions that make a check, by the name in the table."""
    found = {}
    for check in CHECKS:
        if function := function_of(check):
            (node,) = ast.parse(dedent(inspect.getsource(function))).body
            assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            found[check.made] = node
    return found


def _functions() -> Iterator[tuple[str, ast.AST]]:
    """Every function of the product, by module and name, classes and outer functions before it."""
    for path in sorted(ROOT.rglob("*.py")):
        inside = path.relative_to(ROOT).as_posix()
        if not inside.startswith(NOT_SWEPT):
            module = inside.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            yield from _below(module, "", ast.parse(path.read_text(encoding="utf-8")))


def _below(module: str, outer: str, node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{outer}.{child.name}" if outer else child.name
            if not isinstance(child, ast.ClassDef):
                yield f"{module}:{name}", child
            yield from _below(module, name, child)
        else:
            yield from _below(module, outer, child)


def _own(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions inside it."""
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from _own(child)


def _name(raised: ast.expr | None) -> str:
    return raised.func.id if isinstance(raised, ast.Call) and isinstance(raised.func, ast.Name) else ""


def _texts(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.IfExp):
        yield from (*_texts(value.body), *_texts(value.orelse))
