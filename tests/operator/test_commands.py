"""Each command of the operator as a process: what it says and how it ends, done rightly and given what is wrong."""

import argparse
import json
from pathlib import Path

import pytest
from tests.operator.commands import SECRET, Operator

from paperspace_mcp import cli
from paperspace_mcp.audit import Audit

TYPED = f"{SECRET}\n"


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """Somebody at a shell, with a secret."""
    return Operator(tmp_path / "state").init()


def phases(operator: Operator) -> list[str]:
    return [entry["phase"] for entry in Audit(operator.state).read(newest_first=False)]


# -- what is wrong on the command line, or is refused ----------------------------------------------------------------

WRONG: list[tuple[str, str, int, str]] = [
    ("allow", "", 2, "A standing approval has verbs"),
    ("allow stop", "", 2, "A standing approval has verbs"),
    ("allow delete dev-*", "", 2, "start, stop, restart, update, remove"),
    ("allow stop,delete dev-*", "", 2, "start, stop, restart, update, remove"),
    ("allow stop dev-* --max 0", "", 2, "a number of uses"),
    ("allow stop dev-* --for 91d", "", 2, "no duration"),
    ("allow stop dev-* --for soon", "", 2, "no duration"),
    ("allow start dev-* --usd-per-hour nan", "", 2, "A standing approval has verbs"),
    ("allow stop dev-* --user an/na", "", 2, "a name has letters"),
    ("allow stop dev-*", "guess\n", 1, "not the approver's secret"),
    ("allow --end K7Q2A", "", 1, "No standing approval has this code"),
    ("unlock", "", 2, "--reason"),
    ("unlock --reason=", "", 2, "say why"),
    ("unlock --reason fire --minutes 0", "", 2, "from 1 to 120"),
    ("unlock --reason fire --minutes 121", "", 2, "from 1 to 120"),
    ("unlock --reason fire", "guess\n", 1, "not the approver's secret"),
    ("freeze now", "", 2, "unrecognized arguments"),
    ("freeze --lift", "guess\n", 1, "not the approver's secret"),
    ("policy", "", 2, "usage:"),
    ("policy explain", "", 2, "invalid choice"),
    ("policy check strat_machine --demo", "", 2, "start_machine"),
    ("policy check start_machine --arg machin=x --demo", "", 2, "machin"),
    ("policy check --policy /nowhere/policy.toml", "", 2, "cannot be read"),
    ("audit", "", 2, "usage:"),
    ("audit show --limit 0", "", 2, "not a positive number"),
    ("audit show --since yesterday", "", 2, "not an ISO time"),
    ("token", "", 2, "usage:"),
    ("token anna", "", 2, "--file is missing"),
    ("token an/na --file tokens", "", 2, "a name has letters"),
    ("token anna --file /nowhere/tokens", "", 1, "cannot be written"),
    ("token anna --secret", "short\nshort\n", 1, "at least 8 characters"),
    ("token anna --secret", "long enough\nanother one\n", 1, "not the same"),
    ("freeze --state-dir=", "", 2, "it is empty"),
    ("freeze --api-url ftp://api.example", "", 2, "not an address"),
    ("allow --list --api-url http://[::1", "", 2, "not an address"),
    ("serve --transport http --port 65536", "", 2, "from 0 to 65535"),
    ("serve --demo --time-scale nan", "", 2, "a number above 0"),
    ("demo --time-scale 0", "", 2, "a number above 0"),
    ("simulate --fleet nonsense", "", 2, "default, empty, or a number"),
    ("nonsense", "", 2, "invalid choice"),
    ("", "", 2, "usage:"),
]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """One state for all that is refused: nothing of it leaves a trace."""
    return Operator(tmp_path_factory.mktemp("state")).init()


@pytest.mark.parametrize(("words", "typed", "code", "told"), WRONG, ids=[one[0] or "nothing" for one in WRONG])
def test_what_is_wrong_is_told_and_nothing_is_done(
    shared: Operator, words: str, typed: str, code: int, told: str
) -> None:
    (shared.state / "approvers.json").write_text(_without_tries(shared.state / "approvers.json"), encoding="utf-8")
    ended = shared.run(*words.split(), typed=typed)
    assert (ended.returncode, ended.stdout) == (code, ""), ended.stderr
    assert told in ended.stderr
    assert phases(shared) == []


def _without_tries(path: Path) -> str:
    return json.dumps({**json.loads(path.read_text(encoding="utf-8")), "wrong": {}})


def test_without_a_secret_nothing_is_allowed_in_advance(tmp_path: Path) -> None:
    for words in (("allow", "stop", "dev-*"), ("unlock", "--reason", "fire")):
        ended = Operator(tmp_path).run(*words, typed=TYPED)
        assert (ended.returncode, "approve --init" in ended.stderr) == (1, True)
    assert Operator(tmp_path).did("freeze", "--lift") == "Changes pass again.\n", "no secret is set to ask for"


# -- what is done ----------------------------------------------------------------------------------------------------


def test_a_standing_approval_is_given_listed_and_ended(operator: Operator) -> None:
    given = operator.did("allow", "stop,restart", "dev-*", "ci-?", "--for", "2h", "--max", "3", typed=TYPED)
    code = given.split()[0]
    assert given.startswith(f"{code}  stop,restart dev-* ci-?: 3 of 3 left for 2 h, until 20")
    assert operator.did("allow", "--list").splitlines()[0].startswith(f"{code}  stop,restart dev-* ci-?: 3 of 3 left")
    assert operator.did("allow", "--end", code.lower()) == f"{code} has ended.\n"
    assert operator.did("allow", "--list") == "Nothing is allowed in advance.\n"
    assert operator.run("allow", "--end", code).returncode == 1
    assert phases(operator) == ["allowed", "disallowed"]


def test_what_the_policy_file_allows_ends_in_the_policy_file(operator: Operator) -> None:
    policy = operator.state / "policy.toml"
    entry = 'verbs = ["stop"]\nnames = ["dev-*"]\nuntil = 2099-01-01T00:00:00Z\nuses = 5\n'
    policy.write_text(f"[[allow]]\n{entry}", encoding="utf-8")
    listed = operator.did("allow", "--list", PAPERSPACE_MCP_POLICY=str(policy))
    code = listed.split()[0]
    ended = operator.run("allow", "--end", code, PAPERSPACE_MCP_POLICY=str(policy))
    assert (ended.returncode, "stands in the policy file" in ended.stderr) == (1, True)


def test_an_incident_is_unlocked_loudly(operator: Operator) -> None:
    told = operator.did("unlock", "--minutes", "5", "--reason", "node is burning", typed=TYPED)
    assert told.startswith("No limit on questions for 5 minutes. Every one is still asked.\n")
    (entry,) = Audit(operator.state).read()
    assert (entry["phase"], entry["reason"]) == ("unlocked", "node is burning")


def test_a_freeze_says_where_it_holds_and_is_lifted_with_the_secret(operator: Operator) -> None:
    assert str(operator.state) in operator.did("freeze", "--reason", "what is going on?")
    assert operator.did("freeze", "--lift", typed=TYPED) == "Changes pass again.\n"
    assert phases(operator) == ["frozen", "thawed"]


def test_a_policy_is_checked_and_a_call_explained(operator: Operator) -> None:
    assert operator.did("policy", "check").startswith("The policy can be used.\nmode ask; protects prod*; starts under")
    call = ("policy", "check", "delete_machine", "--arg", "machine=dev-ben", "--demo")
    assert "to type: dev-ben" in operator.did(*call)
    assert operator.did(*call, "--read-only").startswith("refused (read_only)")
    nowhere = operator.run(*call[:-1], "--api-url", "http://127.0.0.1:9/v1")
    assert (nowhere.returncode, nowhere.stdout, "not known (unreachable)" in nowhere.stderr) == (1, "", True)
    assert phases(operator) in ([], ["refused"]), "nobody was asked"


def test_the_audit_is_read_and_verified(operator: Operator) -> None:
    assert operator.did("audit", "verify").splitlines() == [str(operator.state), "no records yet"]
    operator.did("freeze", "--reason", "drill")
    lines = operator.did("audit", "verify").splitlines()
    assert lines[0] == str(operator.state)
    assert lines[1].startswith("1 records, ")
    assert lines[2].startswith("ok, last code ")
    assert "frozen" in operator.did("audit", "show")
    (record,) = map(json.loads, operator.did("audit", "show", "--json").splitlines())
    assert (record["phase"], record["reason"]) == ("frozen", "drill")
    log = operator.state / "audit-000001.jsonl"
    log.write_bytes(log.read_bytes().replace(b"drill", b"fires"))
    broken = operator.run("audit", "verify")
    assert (broken.returncode, "broken: record 1, audit-000001.jsonl, line 1" in broken.stdout) == (1, True)


def test_a_token_is_printed_once_and_kept_as_a_hash(operator: Operator) -> None:
    file = operator.state / "tokens"
    tokens = [operator.did("token", name, "--file", str(file)).strip() for name in ("anna", "ben")]
    kept = file.read_text(encoding="utf-8")
    assert [line.split()[0] for line in kept.splitlines()] == ["anna", "ben"]
    assert not any(token in kept for token in tokens)
    assert file.stat().st_mode & 0o777 == 0o600
    told = operator.did("token", "anna", "--secret", typed="annas own one\nannas own one\n")
    assert told == "anna decides with this secret.\n"


# -- help ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_the_help_of_a_command_is_short_and_names_every_argument(command: str) -> None:
    parser = _of(cli._parser(command), command)
    assert parser.description == cli.COMMANDS[command]
    for one in (parser, *_below(parser)):
        assert len(one.format_help().splitlines()) <= 45
        unsaid = [action.dest for action in one._actions if not action.help and action.dest != "what"]
        assert unsaid == []


def test_help_is_an_ordinary_end(tmp_path: Path) -> None:
    for words in (("--help",), ("approve", "--help"), ("audit", "show", "--help")):
        assert Operator(tmp_path).did(*words).startswith("usage: paperspace-mcp")
    assert list(tmp_path.iterdir()) == []


def _of(parser: argparse.ArgumentParser, name: str) -> argparse.ArgumentParser:
    return next(one for one in _below(parser) if one.prog.endswith(f" {name}"))


def _below(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return [one for group in groups for one in group.choices.values()]
