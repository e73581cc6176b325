"""Edits of clients' files: the server goes in and comes out, and whatever else stands there stays as it stands."""

import json
import re
import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperspace_mcp.installing import jsonc
from paperspace_mcp.installing.blocks import CLIENTS, Client, Wish, block, entry
from paperspace_mcp.installing.editing import RefusedError, content, put, server_in, take

CODE, CURSOR, CLAUDE, CODEX = (CLIENTS[name] for name in ("vscode", "cursor", "claude-code", "codex"))
WISHES = (Wish(), Wish(demo=True), Wish(key_file="/keys/mine"), Wish(found=True, flags=("--read-only",)))

DOCUMENTS = {
    "empty object": "{}",
    "an object in one line": '{"a": 1}',
    "another server": '{\n  "SERVERS": {\n    "other": {"command": "x"}\n  }\n}\n',
    "tabs": '{\n\t"SERVERS": {\n\t\t"other": {"command": "x"}\n\t}\n}\n',
    "four spaces": '{\n    "SERVERS": {\n        "other": {\n            "command": "x"\n        }\n    }\n}',
    "lines of another system": '{\r\n  "SERVERS": {\r\n    "other": {}\r\n  },\r\n  "z": 1\r\n}\r\n',
    "no servers yet": '{\n  "SERVERS": {},\n  "z": [1, 2, {"deep": null}]\n}\n',
    "what comes after": '{"SERVERS": {"other": {}}, "z": "\\u00e9 \\" } ]"}',
    "a mark at the beginning": '\ufeff{\n  "z": 1\n}\n',
    "names that look like syntax": '{"a\\"b": "//", "/*": "*/", "SERVERS": {"{": {"}": "["}}}',
}
COMMENTED = {
    "comments everywhere": '// head\n{ // a\n  /* b */ "SERVERS" /* c */ : { // d\n    "other": {} // e\n'
    "    // f\n  } /* g */\n  // h\n}\n// tail",
    "trailing commas": '{\n  "SERVERS": {\n    "other": {"args": ["a",],},\n  },\n}\n',
    "only a comment": "{\n  // nothing yet\n}\n",
    "a comment without an end of line": '{"SERVERS": {}} // tail',
    "inputs of others": '{\n  "inputs": [\n    {"id": "x", "type": "promptString"}\n  ],\n  "SERVERS": {}\n}\n',
}


def cases() -> list[Any]:
    found = []
    for client in (CLAUDE, CODE, CURSOR):
        documents = DOCUMENTS | ({} if client.dialect == "json" else COMMENTED)
        found += [
            pytest.param(client, text.replace("SERVERS", client.servers), id=f"{client.name}: {name}")
            for name, text in documents.items()
        ]
    return found


def is_kept(before: str, after: str) -> bool:
    """Whether all of a text is still there, in its order."""
    characters = iter(after)
    return all(character in characters for character in before)


def others(text: str, client: Client) -> Any:
    """All that a file says of others."""
    told = content(text, client)
    servers = {name: one for name, one in told.pop(client.servers, {}).items() if name != "paperspace"}
    asked = [one for one in told.pop("inputs", []) if one.get("id") != "paperspace-key"]
    return told, servers, asked


@pytest.mark.parametrize("wish", WISHES, ids=["asks", "demo", "file", "found"])
@pytest.mark.parametrize(("client", "text"), cases())
def test_it_goes_in_and_comes_out(client: Client, text: str, wish: Wish) -> None:
    after = put(text, client, wish)
    assert server_in(after, client) == entry(client, wish)
    assert is_kept(text, after)
    assert others(after, client) == others(text, client)
    assert put(after, client, wish) == after, "a second time changes nothing"
    gone = take(after, client)
    assert server_in(gone, client) is None
    assert others(gone, client) == others(text, client)
    assert gone.count("//") == text.count("//")
    assert put(gone, client, wish) == put(put(gone, client, wish), client, wish)


@pytest.mark.parametrize(("client", "text"), cases())
def test_another_wish_replaces_the_first(client: Client, text: str) -> None:
    after = put(put(text, client, Wish()), client, Wish(demo=True))
    assert server_in(after, client) == entry(client, Wish(demo=True))
    assert others(after, client) == others(text, client)


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
@pytest.mark.parametrize("text", ["", "\n", "\ufeff"])
def test_an_empty_file_becomes_the_block(client: Client, text: str) -> None:
    assert put(text, client, Wish()) == f"{text}{block(client, Wish())}\n"


NAMES = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(["mcpServers", "servers", "inputs", "x"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
LAYOUTS = st.sampled_from([None, 0, 1, 2, 4, "\t"])


@settings(max_examples=300, deadline=None)
@given(document=st.dictionaries(NAMES, VALUES, max_size=4), layout=LAYOUTS, ascii_only=st.booleans())
def test_any_document_is_kept_or_refused(document: dict[str, Any], layout: Any, ascii_only: bool) -> None:
    text = json.dumps(document, indent=layout, ensure_ascii=ascii_only)
    for client in (CLAUDE, CODE):
        try:
            after = put(text, client, Wish())
        except RefusedError:
            servers, asked = document.get(client.servers, {}), document.get("inputs", [])
            assert not isinstance(servers, dict) or not isinstance(asked, list)
            continue
        assert {**json.loads(after), client.servers: 0, "inputs": 0} == {**document, client.servers: 0, "inputs": 0}
        assert server_in(after, client) == entry(client, Wish())


@settings(max_examples=300, deadline=None)
@given(text=st.text(st.sampled_from('{}[]",:/*\n a1\\'), max_size=40))
def test_any_text_is_read_as_python_reads_it_or_refused_with_a_place(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(jsonc.FaultError, match=r"line \d+, column \d+: ") as fault:
            jsonc.parse(text, comments=False)
        assert fault.value.line <= text.count("\n") + 1
    else:
        assert jsonc.parse(text, comments=False).value == expected


BROKEN = {
    '{"a": 1,}': "line 1, column 8",
    '{\n  "a": 1\n  "b": 2\n}': "line 3, column 3: a comma is missing",
    '{\n  "a" 1\n}': "line 2, column 7: a colon is missing",
    '{"a": }': "line 1, column 7: a value is missing",
    '{"a": "x}': "line 1, column 7",
    '{"a": 1': "line 1, column 8: it ends too soon",
    '{"a": 1} }': "line 1, column 10: nothing may stand here",
    "// no\n{}": "line 1, column 1: a comment",
    "{'a': 1}": "line 1, column 2: a name in double quotes",
    '{"mcpServers": {}, "mcpServers": {}}': "line 1, column 20: this name stands twice",
    '{"mcpServers": {"a": {}, "a": {}}}': "line 1, column 26: this name stands twice",
    "[" * 200: "nested too deeply",
    "[]": "something else than settings",
    '{"mcpServers": []}': "something else than a table",
    '{"a": NaN}': "line 1, column 7",
}


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_broken_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(RefusedError, match=re.escape(BROKEN[text])):
        put(text, CLAUDE, Wish())


def test_a_comment_that_does_not_end() -> None:
    with pytest.raises(RefusedError, match="line 1, column 4: a comment that does not end"):
        put("{} /* here", CODE, Wish())


def test_the_key_that_is_asked_for_stays_while_another_server_uses_it() -> None:
    text = '{"servers": {"mine": {"env": {"K": "${input:paperspace-key}"}}}}'
    gone = take(put(text, CODE, Wish()), CODE)
    assert [one["id"] for one in content(gone, CODE)["inputs"]] == ["paperspace-key"]


# -- TOML -------------------------------------------------------------------------------------------------------------

TOMLS = {
    "nothing of ours": 'model = "x"\n\n[tools]\nweb = true\n',
    "another server": '[mcp_servers.other]\ncommand = "x"\nargs = ["["]\n',
    "no end of line": 'model = "x"',
    "comments": '# head\nmodel = "x" # why\n\n# about tools\n[tools]\nweb = true\n# tail\n',
    "lines of another system": 'model = "x"\r\n[tools]\r\nweb = true\r\n',
}


@pytest.mark.parametrize("text", TOMLS.values(), ids=TOMLS)
@pytest.mark.parametrize("wish", WISHES, ids=["asks", "demo", "file", "found"])
def test_toml_goes_in_and_comes_out(text: str, wish: Wish) -> None:
    after = put(text, CODEX, wish)
    assert after.startswith(text)
    assert tomllib.loads(after)["mcp_servers"]["paperspace"] == entry(CODEX, wish)
    assert put(after, CODEX, wish) == after
    assert take(after, CODEX).rstrip() == text.rstrip()


def test_a_table_in_the_middle_is_replaced_where_it_stands() -> None:
    text = '[mcp_servers.paperspace] # mine\ncommand = "old"\n\n# about tools\n[tools]\nweb = true\n'
    after = put(text, CODEX, Wish(demo=True))
    assert after.endswith("\n\n# about tools\n[tools]\nweb = true\n")
    assert tomllib.loads(after)["mcp_servers"]["paperspace"] == entry(CODEX, Wish(demo=True))
    assert take(after, CODEX) == "# about tools\n[tools]\nweb = true\n"


@pytest.mark.parametrize(
    "text",
    [
        'mcp_servers = { paperspace = { command = "old" } }\n',
        '[mcp_servers]\npaperspace = { command = "old" }\n',
        '[mcp_servers.paperspace]\ncommand = "old"\n[mcp_servers.paperspace.env]\nA = "b"\n',
        "[mcp_servers]\nother = 1\nother = 2\n",
        "mcp_servers = 3\n",
        'text = """\n[mcp_servers.paperspace]\n"""\n[mcp_servers.paperspace]\ncommand = "old"\n',
    ],
)
def test_what_cannot_be_edited_safely_is_refused(text: str) -> None:
    with pytest.raises(RefusedError):
        put(text, CODEX, Wish())
