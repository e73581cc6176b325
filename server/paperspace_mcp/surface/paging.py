"""Parts of lists, and cursors that are ours."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from paperspace_mcp.contract.errors import CallerError
from paperspace_mcp.contract.requests import PAGE_LIMIT, PageQuery
from paperspace_mcp.contract.shapes import Shape
from paperspace_mcp.walking import Walk, identity, walk

Item = TypeVar("Item", bound=Shape)

_CURSOR_CAP = 1024


def fingerprint(filters: Mapping[str, Any]) -> str:
    """What a cursor is bound to: the filters and the order of its list."""
    return hashlib.sha256(json.dumps(filters, sort_keys=True).encode()).hexdigest()[:12]


def cursor_of(item_id: str, filters: Mapping[str, Any]) -> str:
    """An opaque cursor: the list goes on after this row."""
    text = json.dumps([1, fingerprint(filters), item_id], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def position(cursor: str, filters: Mapping[str, Any]) -> str:
    """The id of the row that a cursor stands at; an empty cursor is the beginning.

    Raises:
        CallerError: bad_cursor, for one that is not ours or was given for other filters.
    """
    if not cursor:
        return ""
    try:
        raw = base64.urlsafe_b64decode(cursor[:_CURSOR_CAP] + "=" * (-len(cursor) % 4))
        version, bound, item_id = json.loads(raw)
    except (ValueError, TypeError):
        raise CallerError("bad_cursor") from None
    if version != 1 or bound != fingerprint(filters) or not isinstance(item_id, str):
        raise CallerError("bad_cursor")
    return item_id


@dataclass(frozen=True, slots=True)
class Slice(Generic[Item]):
    """The rows of one answer. `total` is None where the list is longer than one call looks at."""

    items: list[Item]
    total: int | None
    complete: bool
    next_cursor: str | None


def cut(found: Walk[Item], limit: int, cursor: str, filters: Mapping[str, Any]) -> Slice[Item]:
    """The `limit` rows after the cursor. A row that is gone meanwhile begins anew rather than skipping any."""
    after = position(cursor, filters)
    start = next((index + 1 for index, item in enumerate(found.items) if identity(item) == after), 0) if after else 0
    items = found.items[start : start + limit]
    more = len(found.items) > start + limit
    following = cursor_of(identity(items[-1]), filters) if more and items else None
    return Slice(items, len(found.items) if found.complete else None, found.complete and not more, following)


def page_query(query: PageQuery) -> PageQuery:
    """The query with the provider's largest page."""
    return query.model_copy(update={"limit": PAGE_LIMIT})


__all__ = ["Slice", "Walk", "cursor_of", "cut", "page_query", "position", "walk"]
