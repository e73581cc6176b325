"""What definitions cost a model to read, in tokens. Pure."""

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from math import ceil
from typing import Any

CHARACTERS_A_TOKEN = 4.3
"""Of our definitions: an estimate by it is within a tenth of what o200k makes of them."""
_ENCODING = "o200k_base"


@dataclass(frozen=True, slots=True)
class Scale:
    """Counts the tokens of a text; `name` says what by."""

    name: str
    tokens: Callable[[str], int]


def scale() -> Scale:
    """o200k where bpe-openai is installed, whose ranks ship in the package; else an estimate that says so."""
    try:
        with warnings.catch_warnings(action="ignore"):  # it reads its ranks in a way that Python deprecates
            encoding = import_module("bpe_openai").get_encoding(_ENCODING)
    except ModuleNotFoundError:
        by = f"estimated ({CHARACTERS_A_TOKEN} characters each)"
        return Scale(by, lambda text: ceil(len(text) / CHARACTERS_A_TOKEN))
    return Scale("counted in o200k", lambda text: len(encoding.encode(text)))


def input_side(definition: Mapping[str, Any]) -> str:
    """What a model reads of a tool before it calls: its name, its description and its arguments."""
    return compact({name: definition[name] for name in ("name", "description", "inputSchema")})


def compact(value: Any) -> str:
    """JSON as it goes over the wire."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
