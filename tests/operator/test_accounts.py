"""Which account an approval is for: granted and used under one address and key, and told in a person's words."""

from pathlib import Path

from tests.operator.commands import KEY, SECRET, Account, Operator

from paperspace_mcp.app import os_user

ALLOW = ("allow", "stop", "dev-*", "--max", "2")
TYPED = f"{SECRET}\n"
POLICY = """
[[allow]]
verbs = ["restart"]
names = ["ci-*"]
until = 2099-01-01T00:00:00Z
uses = 9
"""


def test_an_approval_holds_at_the_address_that_it_was_granted_for(account: Account, tmp_path: Path) -> None:
    elsewhere, here = Operator(tmp_path).init(), Operator(tmp_path, account.url)
    elsewhere.did(*ALLOW, typed=TYPED)
    assert here.calls("stop_machine", machine="dev-anna") == 75, "granted for the provider's own address"
    elsewhere.did(*ALLOW, "--api-url", f"{account.url}/", typed=TYPED)
    assert here.calls("stop_machine", machine="dev-carlos") == 0
    assert account.sent == ["PATCH /machines/psfj3c701/stop"]


def test_the_list_says_whose_calls_where_and_what_is_left(account: Account, tmp_path: Path) -> None:
    here = Operator(tmp_path, account.url).init()
    here.did(*ALLOW, "--for", "90m", typed=TYPED)
    here.did("allow", "start", "ci-*", "--user", "anna", "--usd-per-hour", "1.5", "--for", "2d", typed=TYPED)
    assert here.calls("stop_machine", machine="dev-diya") == 0
    (tmp_path / "policy.toml").write_text(POLICY, encoding="utf-8")
    listed = here.did("allow", "--list", PAPERSPACE_MCP_POLICY=str(tmp_path / "policy.toml"))
    (stop, mine), (start, annas), (restart, all_) = sorted(
        zip(*[iter(listed.splitlines())] * 2, strict=True),
        key=lambda two: "stop start restart".index(two[0].split()[1]),
    )
    assert "stop dev-*: 1 of 2 left for 1 h 30 min, until 20" in stop
    assert mine.strip() == f"calls of this OS user ({os_user()}) at {account.url} with this key; allowed by {os_user()}"
    assert "start ci-*: 20 of 20 left for 2 d, until 20" in start
    assert start.endswith(", each start up to 1.5 USD/h")
    assert annas.strip().startswith(f"calls of anna (by token) at {account.url} with this key;")
    assert restart.startswith("F-")
    assert all_.strip() == "everybody's calls, in every account; allowed by policy file"
    assert KEY not in listed


def test_another_key_and_another_address_are_told_apart(tmp_path: Path) -> None:
    Operator(tmp_path, "https://user:hidden@api.example/v1").init().did(*ALLOW, typed=TYPED)
    other_key = Operator(tmp_path, "https://api.example/v1").did("allow", "--list", PAPERSPACE_API_KEY="another")
    assert "at https://api.example/v1 with another key" in other_key
    elsewhere = Operator(tmp_path).did("allow", "--list")
    assert "at https://api.example/v1;" in elsewhere
    assert "hidden" not in other_key + elsewhere
    for path in (tmp_path / "accounts").iterdir():
        path.unlink()
    assert "in another account (" in Operator(tmp_path).did("allow", "--list")


def test_unlock_and_freeze_take_the_address_too(account: Account, tmp_path: Path) -> None:
    operator = Operator(tmp_path).init()
    told = operator.did("unlock", "--reason", "fire", "--api-url", account.url, typed=TYPED)
    assert f"at {account.url} with this key" in told
    operator.did("freeze", "--api-url", account.url)
    sent = account.sent
    assert Operator(tmp_path, account.url).calls("stop_machine", machine="train-a100") == 4
    assert account.sent == sent
    assert operator.did("freeze", "--lift", "--api-url", account.url, typed=TYPED) == "Changes pass again.\n"
    assert Operator(tmp_path, account.url).calls("stop_machine", machine="train-a100") == 75


def test_policy_check_sees_the_approval_of_its_own_account(account: Account, tmp_path: Path) -> None:
    operator = Operator(tmp_path).init()
    operator.did(*ALLOW, "--api-url", account.url, "--user", "anna", typed=TYPED)
    check = ("policy", "check", "stop_machine", "--arg", "machine=dev-ines", "--api-url", account.url)
    account.sim.add_machine(name="dev-ines", state="ready")
    assert "rule class:disrupt" in operator.did(*check)
    assert "rule standing:" in operator.did(*check, "--user", "anna")


def test_whoever_has_no_key_is_told_what_that_means(tmp_path: Path) -> None:
    operator = Operator(tmp_path).init()
    ended = operator.run(*ALLOW, typed=TYPED, PAPERSPACE_API_KEY="", HOME=str(tmp_path))
    assert ended.returncode == 0
    assert "no API key is set here" in ended.stderr
    assert "without a key" in ended.stdout
