"""The policy file is strict: what would be ignored, or would shut less than its words say, is refused at the start."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.guard.bench import KEY, MODERN, STOP, Bench, error_of
from tests.operator.commands import Operator

from paperspace_mcp.app import build
from paperspace_mcp.contract.errors import OperatorError
from paperspace_mcp.policy_file import doubts, parse
from paperspace_mcp.rules.policy import Policy, stricter
from paperspace_mcp.settings import Settings, Upstream, from_environment

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('tools_deny = ["delete_machin"]', "did you mean delete_machine?"),
        ('tools_deny = ["stop_machine", "zzz"]', 'tools_deny holds "zzz"'),
        ('tools_allow = ["list_machine"]', "did you mean list_machines?"),
        ('tools_allow = ["DELETE_MACHINE"]', "did you mean delete_machine?"),
        ('toolsets = ["machine"]', "did you mean machines?"),
        ('toolsets = ["list_machines"]', 'toolsets holds "list_machines"'),
    ],
)
def test_a_name_that_nothing_has_is_refused_at_the_start(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(OperatorError) as refused:
        build(Settings(upstream=Upstream(key=SecretStr(KEY)), state_dir=tmp_path, policy=parse(text)))
    assert refused.value.code == "bad_policy"
    assert told in refused.value.facts["problem"]


@pytest.mark.parametrize("key", ["toolsets", "tools_allow", "budgets.machine_types"])
def test_a_list_that_would_allow_all_by_allowing_nothing_is_refused(key: str) -> None:
    with pytest.raises(OperatorError, match="bad_policy"):
        parse(f"{key} = []")


async def test_two_policies_with_no_tool_in_common_leave_none(tmp_path: Path) -> None:
    policy = stricter(parse('tools_allow = ["stop_machine"]'), parse('tools_allow = ["start_machine"]'))
    bench = Bench(tmp_path, policy=policy)
    async with bench.client(MODERN) as client:
        assert (await client.list_tools()).tools == []
    await bench.app.aclose()


async def test_a_freeze_in_the_file_stops_what_is_guarded_and_no_read(tmp_path: Path) -> None:
    bench = Bench(tmp_path, policy=parse("freeze = true"))
    assert error_of(await bench.call(MODERN, None, STOP.tool, STOP.arguments)) == "frozen"
    assert (await bench.call(MODERN, None, "get_machine", STOP.arguments))["machine"]["name"] == STOP.name
    assert bench.sent == []
    await bench.app.aclose()


def leads_nowhere(file: Path) -> None:
    file.symlink_to(file.with_name("gone.toml"))


def leads_to_itself(file: Path) -> None:
    file.symlink_to(file)


def in_a_folder_that_leads_nowhere(file: Path) -> None:
    file.parent.rmdir()
    file.parent.symlink_to(file.parents[1] / "gone")


@pytest.mark.parametrize(
    "made", [leads_nowhere, leads_to_itself, Path.mkdir, in_a_folder_that_leads_nowhere], ids=lambda one: one.__name__
)
def test_a_file_that_is_there_and_cannot_be_read_is_not_taken_for_none(
    tmp_path: Path, made: Callable[[Path], None]
) -> None:
    folder = tmp_path / "paperspace-mcp"
    environ = {"XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)}
    assert from_environment(environ).policy.protect == ("prod*",), "without one there are defaults"
    folder.mkdir()
    assert from_environment(environ).policy.protect == ("prod*",)
    made(folder / "policy.toml")
    with pytest.raises(OperatorError, match="bad_policy"):
        from_environment(environ)


def test_a_freeze_is_never_loosened() -> None:
    frozen = parse("freeze = true")
    assert stricter(Policy(), frozen).freeze
    assert stricter(frozen, Policy()).freeze


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('budgets.machine_types = ["A4000", "a100-80gx8", "C5"]', []),
        ("prices = { C5 = 0.08, H100x8 = 20 }", []),
        ('budgets.machine_types = ["A400"]', ['budgets.machine_types: "A400"']),
        ("prices = { A400O = 9 }", ['prices: "A400O"']),
    ],
)
def test_a_machine_type_that_is_not_known_is_only_doubted(text: str, found: list[str]) -> None:
    """The provider may have new ones, and both lists only narrow."""
    told = list(doubts(parse(text)))
    assert [one.partition(" is ")[0] for one in told] == found
    assert all("did you mean A4000?" in one for one in told)


def test_the_commands_refuse_and_tell(tmp_path: Path) -> None:
    operator, file = Operator(tmp_path / "state"), tmp_path / "policy.toml"
    named = {"PAPERSPACE_MCP_POLICY": str(file)}
    file.write_text('tools_deny = ["delete_machin"]', encoding="utf-8")
    for words in (("serve",), ("policy", "check")):
        ended = operator.run(*words, **named)
        assert (ended.returncode, ended.stdout, "did you mean delete_machine?" in ended.stderr) == (2, "", True)
    doctor = operator.run("doctor", "--demo", **named).stdout
    assert "fail policy" in " ".join(doctor.split())
    assert "did you mean delete_machine?" in doctor
    assert "did you mean events?" in operator.run("policy", "check", PAPERSPACE_MCP_TOOLSETS="machines, event").stderr


def test_the_commands_tell_of_a_freeze_and_of_doubts(tmp_path: Path) -> None:
    operator, file = Operator(tmp_path / "state"), tmp_path / "policy.toml"
    named = {"PAPERSPACE_MCP_POLICY": str(file)}
    file.write_text("freeze = true\n[prices]\nA400O = 9\n", encoding="utf-8")
    checked = operator.did("policy", "check", **named)
    assert "frozen: whatever is guarded is refused" in checked
    assert 'note: prices: "A400O" is no machine type that is known; did you mean A4000?' in checked
    call = ("policy", "check", "stop_machine", "--arg", "machine=dev-anna", "--demo")
    assert "refused (frozen)" in operator.did(*call, **named)
    doctor = operator.run("doctor", "--demo", **named).stdout
    assert "frozen: whatever is guarded is refused" in doctor
    assert "did you mean A4000?" in doctor
    assert "but the policy file still freezes" in operator.did("freeze", "--lift", **named)
