"""The published schema of an answer, from its view model.

Views use few kinds of types, and pydantic's generator takes five times as long for all of them as this does: start is
what it costs. A view that uses another kind does not construct here, and a test compares both.
"""

from collections.abc import Callable
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

_SIMPLE: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
}


def output_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The envelope's schema: only `summary` is required, nothing beyond it is allowed, what is null is left out.

    Raises:
        TypeError: a field whose type is none of those that answers use.
    """
    definitions: dict[str, Any] = {}
    schema = _object(model, definitions)
    return {**schema, "required": ["summary"], **({"$defs": definitions} if definitions else {})}


def _object(model: type[BaseModel], definitions: dict[str, Any]) -> dict[str, Any]:
    properties = {name: _field(info, definitions) for name, info in model.model_fields.items()}
    required = [name for name, info in model.model_fields.items() if info.is_required()]
    needed = {"required": required} if required else {}
    return {"type": "object", "properties": properties, **needed, "additionalProperties": False}


def _field(info: FieldInfo, definitions: dict[str, Any]) -> dict[str, Any]:
    about = {"description": info.description} if info.description else {}
    return {**_type(info.annotation, definitions), **about}


def _type(annotation: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if annotation in _SIMPLE:
        return dict(_SIMPLE[annotation])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _reference(annotation, definitions)
    make = _GENERIC.get(get_origin(annotation))
    if make is None:
        raise TypeError(f"no schema for {annotation}")
    return make(get_args(annotation), definitions)


def _reference(model: type[BaseModel], definitions: dict[str, Any]) -> dict[str, Any]:
    if model.__name__ not in definitions:
        definitions[model.__name__] = _object(model, definitions)
    return {"$ref": f"#/$defs/{model.__name__}"}


def _list(arguments: tuple[Any, ...], definitions: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": _type(arguments[0], definitions)}


def _dict(arguments: tuple[Any, ...], definitions: dict[str, Any]) -> dict[str, Any]:
    values = True if arguments[1] is Any else _type(arguments[1], definitions)
    return {"type": "object", "additionalProperties": values}


def _optional(arguments: tuple[Any, ...], definitions: dict[str, Any]) -> dict[str, Any]:
    """A null arm is not published: what is null is left out of an answer."""
    arms = [one for one in arguments if one is not NoneType]
    if len(arms) != 1:
        raise TypeError(f"no schema for a choice of {arms}")
    return _type(arms[0], definitions)


_GENERIC: dict[Any, Callable[[tuple[Any, ...], dict[str, Any]], dict[str, Any]]] = {
    list: _list,
    dict: _dict,
    UnionType: _optional,
}
