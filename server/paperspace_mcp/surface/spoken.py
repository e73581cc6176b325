"""Arguments as models and people write them, before they are validated.

Null is "not given" (strict function calling sends it for every optional argument), a bare string for a list is its
items, and a word for a closed choice is taken in any case. What is still wrong then, validation says.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

_SAID = {
    "shutdown": "stop", "shut down": "stop", "power off": "stop", "turn off": "stop",
    "reboot": "restart", "boot": "start", "power on": "start", "turn on": "start",
    "ascending": "asc", "descending": "desc", "full": "detailed", "short": "concise",
}  # fmt: skip
"""Taken where the word itself is no choice and the other is one."""


def understood(data: Mapping[str, Any], fields: Mapping[str, FieldInfo]) -> dict[str, Any]:
    """The arguments by the same names, but for those that were not given."""
    given = {name: value for name, value in data.items() if value is not None or name not in fields}
    return {name: _read(value, fields[name].annotation) if name in fields else value for name, value in given.items()}


def _read(value: Any, annotation: Any) -> Any:
    if not isinstance(value, str):
        return value
    if _is_list(annotation):
        return _items(value)
    choices = _choices(annotation)
    return _chosen(value, choices) if choices else value


def _is_list(annotation: Any) -> bool:
    """Whether a list is among the annotation's arms, under whatever it is wrapped in."""
    return get_origin(annotation) is list or any(
        _is_list(arm) for arm in get_args(annotation) if get_origin(annotation) is not Literal
    )


def _choices(annotation: Any) -> tuple[str, ...]:
    """The closed choices among the annotation's arms."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    arms = get_args(annotation) if get_origin(annotation) is not list else ()
    return tuple(choice for arm in arms for choice in _choices(arm))


def _items(text: str) -> list[Any]:
    """A list that was sent as JSON, or as items with commas between them."""
    if text.lstrip().startswith("["):
        try:
            parsed = json.loads(text)
        except (ValueError, RecursionError):
            return [text]
        return parsed if isinstance(parsed, list) else [text]
    return [item for item in map(str.strip, text.split(",")) if item]


def _chosen(word: str, choices: tuple[str, ...]) -> str:
    folded = " ".join(word.casefold().split())
    by_words = {choice.casefold().replace("_", " "): choice for choice in choices}
    meant = by_words.get(folded.replace("_", " ").replace("-", " "))
    said = _SAID.get(folded)
    return meant or (said if said in choices else word)
