"""A check taken out of the running code: its text replaced in its function, or its key in its table."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from operator import attrgetter
from textwrap import dedent
from types import CodeType
from typing import Any

import pytest
from tests.mutants.checks import CHECKS, Check

BY_NAME = {check.name: check for check in CHECKS}


class NotThere(Exception):
    """The row says what is not in the code."""


def take_out(checks: Iterable[Check], patch: pytest.MonkeyPatch) -> None:
    """Until the patch is undone.

    Raises:
        NotThere: a check does not stand where its row says.
    """
    of_functions: dict[Callable[..., Any], list[Check]] = {}
    for check in checks:
        module, name = place(check)
        if check.stands is None:
            patch.setattr(module, name, check.gone)
        elif function := function_of(check):
            of_functions.setdefault(function, []).append(check)
        else:
            patch.setitem(attrgetter(name)(module), check.stands, check.gone)
    for function, several in of_functions.items():
        patch.setattr(function, "__code__", _without(function, several))


def place(check: Check) -> tuple[Any, str]:
    """The module and the name in it."""
    module, _, name = check.made.partition(":")
    return import_module(f"paperspace_mcp.{module}"), name


def function_of(check: Check) -> Callable[..., Any] | None:
    """The bare function that makes it, under whatever decorates it; None where a table does."""
    module, name = place(check)
    found = attrgetter(name)(module)
    found = found.fget if isinstance(found, property) else found
    return inspect.unwrap(found) if callable(found) else None


def _without(function: Callable[..., Any], checks: Sequence[Check]) -> CodeType:
    """The function's code with the checks replaced. The function stays the same one, for all who imported it."""
    source = dedent(inspect.getsource(function))
    for check in checks:
        if source.count(check.stands) != 1:
            raise NotThere(f"{check.name}: {check.made} has {source.count(check.stands)} times: {check.stands}")
        source = source.replace(check.stands, check.gone)
    compiled = compile(source, inspect.getfile(function), "exec")
    return next(one for one in compiled.co_consts if isinstance(one, CodeType) and one.co_name == function.__name__)
