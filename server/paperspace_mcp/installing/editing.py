"""Put the server into the text of a client's file, or take it out. Whatever else stands there stays. Pure.

Each edit is read again and compared with what it should be: one that would change anything else is refused.
"""

import re
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from paperspace_mcp.installing import jsonc
from paperspace_mcp.installing.blocks import INPUT, NAME, Client, Wish, block, entry, inputs, toml

_BOM = "\ufeff"
_HEAD = re.compile(rf"^\[\s*mcp_servers\s*\.\s*\"?{NAME}\"?\s*\][ \t]*(?:#[^\r\n]*)?\r?$", re.MULTILINE)
_NEXT = re.compile(r"^\s*\[", re.MULTILINE)


class RefusedError(ValueError):
    """The text cannot be edited, and why; nothing was changed."""


def content(text: str, client: Client) -> dict[str, Any]:
    """What a file says; an empty one says nothing.

    Raises:
        RefusedError: it is broken, and where.
    """
    text = text.removeprefix(_BOM)
    if not text.strip():
        return {}
    try:
        value = tomllib.loads(text) if client.dialect == "toml" else _parsed(text, client).value
    except (jsonc.FaultError, tomllib.TOMLDecodeError) as error:
        raise RefusedError(f"it is broken: {error}") from None
    if not isinstance(value, dict):
        raise RefusedError("it holds something else than settings")
    return value


def server_in(text: str, client: Client) -> Mapping[str, Any] | None:
    """The server as the file has it now."""
    servers = content(text, client).get(client.servers)
    found = servers.get(NAME) if isinstance(servers, dict) else None
    return found if isinstance(found, dict) else None


def put(text: str, client: Client, wish: Wish) -> str:
    """The text with the server in it, as it is wished for; the same text where it is so already.

    Raises:
        RefusedError: see `content`; or it cannot be done without touching something else.
    """
    before = content(text, client)
    if not jsonc.plain(before, [client.servers]):
        raise RefusedError(f"{client.servers} is something else than a table of servers")
    if inputs(client, wish) and not isinstance(before.get("inputs", []), list):
        raise RefusedError("inputs is something else than a list")
    expected = _with(before, client, wish)
    if expected == before:
        return text
    body = text.removeprefix(_BOM)
    if not body.strip():
        return text + block(client, wish) + "\n"
    edit = _put_toml if client.dialect == "toml" else _put_json
    return _checked(_mark(text) + edit(body, client, wish), client, expected)


def take(text: str, client: Client) -> str:
    """The text without the server; the same text where it is not in it.

    Raises:
        RefusedError: as `put`.
    """
    before = content(text, client)
    if server_in(text, client) is None:
        return text
    expected = deepcopy(before)
    del expected[client.servers][NAME]
    alone = f"${{input:{INPUT}}}" not in repr(expected.get(client.servers))
    if alone and isinstance(expected.get("inputs"), list):
        expected["inputs"] = [one for one in expected["inputs"] if not _ours(one)]
    edit = _take_toml if client.dialect == "toml" else _take_json
    return _checked(_mark(text) + edit(text.removeprefix(_BOM), client), client, expected)


def _mark(text: str) -> str:
    return _BOM if text.startswith(_BOM) else ""


def _checked(text: str, client: Client, expected: Mapping[str, Any]) -> str:
    try:
        found = content(text, client)
    except RefusedError:
        found = {}
    if _without_empty(found) != _without_empty(expected):
        raise RefusedError("it is laid out in a way that cannot be edited without touching more")
    return text


def _without_empty(value: Mapping[str, Any]) -> dict[str, Any]:
    """An empty table of servers or inputs says as much as none."""
    return {name: one for name, one in value.items() if one not in ({}, [])}


def _with(before: Mapping[str, Any], client: Client, wish: Wish) -> dict[str, Any]:
    after = deepcopy(dict(before))
    after.setdefault(client.servers, {})[NAME] = entry(client, wish)
    asked = inputs(client, wish)
    if asked and not any(_ours(one) for one in after.get("inputs", [])):
        after["inputs"] = [*after.get("inputs", []), *asked]
    return after


def _ours(one: Any) -> bool:
    return isinstance(one, dict) and one.get("id") == INPUT


# -- JSON -------------------------------------------------------------------------------------------------------------


def _parsed(text: str, client: Client) -> jsonc.Node:
    node = jsonc.parse(text, comments=client.dialect == "jsonc")
    _once(text, node)
    servers = node.member(client.servers)
    if servers is not None:
        _once(text, servers)
    return node


def _once(text: str, node: jsonc.Node) -> None:
    """Which of two members of one name counts is anybody's guess."""
    seen = set[str]()
    for part in node.parts:
        if part.name in seen and isinstance(node.value, dict):
            raise jsonc.FaultError("this name stands twice", text, part.start)
        seen.add(part.name)


def _put_json(text: str, client: Client, wish: Wish) -> str:
    text = _put_member(text, client, entry(client, wish))
    for one in inputs(client, wish):
        text = _put_input(text, client, one)
    return text


def _put_member(text: str, client: Client, told: Mapping[str, Any]) -> str:
    root = _parsed(text, client)
    servers = root.member(client.servers)
    if servers is None:
        return jsonc.added(text, root, {NAME: dict(told)}, client.servers)
    there = servers.member(NAME)
    return jsonc.added(text, servers, dict(told), NAME) if there is None else jsonc.replaced(text, there, dict(told))


def _put_input(text: str, client: Client, asked: Mapping[str, Any]) -> str:
    root = _parsed(text, client)
    there = root.member("inputs")
    if there is None:
        return jsonc.added(text, root, [dict(asked)], "inputs")
    return text if any(map(_ours, there.value)) else jsonc.added(text, there, dict(asked))


def _take_json(text: str, client: Client) -> str:
    servers = _parsed(text, client).member(client.servers)
    if servers is None:
        return text
    text = jsonc.removed(text, servers, [part.name for part in servers.parts].index(NAME))
    return _take_input(text, client)


def _take_input(text: str, client: Client) -> str:
    """The key that VS Code asks for, where no other server uses it."""
    root = _parsed(text, client)
    there, servers = root.member("inputs"), root.member(client.servers)
    if there is None or f"${{input:{INPUT}}}" in repr(servers and servers.value):
        return text
    ours = [index for index, part in enumerate(there.parts) if _ours(part.node.value)]
    return jsonc.removed(text, there, ours[0]) if ours else text


# -- TOML -------------------------------------------------------------------------------------------------------------


def _put_toml(text: str, client: Client, wish: Wish) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    told = toml(client, entry(client, wish)).replace("\n", newline)
    if place := _section(text):
        return text[: place[0]] + told + text[place[1] :]
    gap = "" if text.endswith("\n") else newline
    return f"{text}{gap}{newline}{told}{newline}"


def _take_toml(text: str, _client: Client) -> str:
    place = _section(text)
    if place is None:
        return text
    head, tail = text[: place[0]].rstrip("\r\n"), text[place[1] :].lstrip("\r\n")
    newline = "\r\n" if "\r\n" in text else "\n"
    between = newline * 2 if head and tail else newline if head else ""
    return head + between + tail


def _section(text: str) -> tuple[int, int] | None:
    """From the server's head to the end of its last line."""
    head = _HEAD.search(text)
    if head is None:
        return None
    following = _NEXT.search(text, head.end())
    body = text[head.start() : following.start() if following else len(text)]
    return head.start(), head.start() + len(_uncommented(body))


def _uncommented(body: str) -> str:
    """Without the empty lines and comments at its end: they belong to what follows."""
    lines = body.splitlines(keepends=True)
    while lines and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
        lines.pop()
    return "".join(lines).rstrip("\r\n")
