"""`approve` as a process: what waits is listed, one or several are decided, and nobody's silence is a yes."""

from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from tests.guard.bench import MODERN, Bench
from tests.operator.commands import SECRET, Operator
from tests.operator.terminal import sitting_at
from tests.operator.test_lists import OFF, RUNNING, ask, asked, statuses

from paperspace_mcp.app import os_user
from paperspace_mcp.rules.guard.records import Status
from paperspace_mcp.wire.approvers import Approvers

pytestmark = pytest.mark.anyio
TYPED = f"{SECRET}\n"


@pytest.fixture
def operator(bench: Bench) -> Operator:
    """Somebody at a shell beside the server; the secret is set."""
    return Operator(bench.app.settings.state_dir).init()


async def run(operator: Operator, *words: str, typed: str = "") -> Any:
    """A command, while the server goes on."""
    return await anyio.to_thread.run_sync(lambda: operator.run(*words, typed=typed))


async def test_what_waits_is_listed_whole_with_the_way_to_decide_it_at_once(bench: Bench, operator: Operator) -> None:
    assert (await run(operator, "approve")).stdout == "Nothing waits for a person.\n"
    deletes = await asked(bench, "delete_machine", OFF)
    granted = await ask(bench, "add_machine_accessor", machine="dev-anna", user="ud1yam5t2")
    listed = (await run(operator, "approve")).stdout
    for code in (*deletes, granted):
        assert listed.count(f"{code}  ") == 1
    for name in OFF:
        assert f'"{name}"' in listed
    assert listed.count(f"calls of this OS user ({os_user()})") == 4
    assert f"As one list, with `delete 3`:\n  paperspace-mcp approve {' '.join(deletes)}\n" in listed


async def test_several_codes_are_shown_whole_and_take_one_text(bench: Bench, operator: Operator) -> None:
    codes = await asked(bench, "delete_machine", OFF)
    ended = await run(operator, "approve", *codes, codes[0].lower(), typed=f"delete 3\n{TYPED}")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("DELETE 3, as one list of 3 questions.\n")
    for name in OFF:
        assert f'"{name}"' in ended.stdout
    assert ended.stdout.count("type: ") == 1
    assert ended.stderr.count("approver's secret:") == 1
    assert all(f"{code}: approved.\n" in ended.stdout for code in codes)
    for name in OFF:
        assert (await bench.call(MODERN, None, "delete_machine", {"machine": name}))["status"] == "done"
    assert len(bench.sent) == 3


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("delete 2\n", "not what the question asks for"),
        ("delete 3\nwrong\n", "not the approver's secret"),
        ("\n", "Nothing was decided; they still wait"),
        ("", "Nobody is here to type"),
    ],
    ids=["text", "secret", "empty", "nobody"],
)
async def test_a_list_that_is_not_confirmed_still_waits(
    bench: Bench, operator: Operator, typed: str, told: str
) -> None:
    codes = await asked(bench, "delete_machine", OFF)
    ended = await run(operator, "approve", *codes, typed=typed if "wrong" in typed else typed + TYPED * bool(typed))
    assert (ended.returncode, told in ended.stderr) == (1, True), ended.stderr
    assert set(await statuses(bench, codes)) == {Status.OPEN}


async def test_codes_that_do_not_go_together_are_refused(bench: Bench, operator: Operator) -> None:
    codes = [*await asked(bench, "delete_machine", OFF[:2]), *await asked(bench, "stop_machine", RUNNING[:1])]
    ended = await run(operator, "approve", *codes, typed=f"delete 3\n{TYPED}")
    assert (ended.returncode, "not confirmed as one list" in ended.stderr) == (1, True)
    assert set(await statuses(bench, codes)) == {Status.OPEN}


async def test_another_name_in_the_environment_is_no_other_user(bench: Bench, operator: Operator) -> None:
    """Who has a secret is asked for it before another is set; calling oneself somebody else does not help."""
    (code,) = await asked(bench, "delete_machine", OFF[:1])
    names = {"LOGNAME": "eve", "USER": "eve"}
    own = "a secret of eve's own\n"
    for words, typed in ((("approve", "--init"), own * 3), (("approve", code), f"{OFF[0]}\n{own}")):
        ended = await anyio.to_thread.run_sync(partial(operator.run, *words, typed=typed, **names))
        assert ended.returncode == 1, ended.stdout
    assert await statuses(bench, [code]) == [Status.OPEN]


async def test_what_no_longer_waits_is_told_and_the_others_go_on(bench: Bench, operator: Operator) -> None:
    codes = await asked(bench, "delete_machine", OFF)
    await run(operator, "approve", codes[1], "--deny", typed=TYPED)
    ended = await run(operator, "approve", *codes, typed=f"delete 2\n{TYPED}")
    assert (ended.returncode, f"{codes[1]}: It was decided already" in ended.stderr) == (1, True)
    assert await statuses(bench, codes) == [Status.APPROVED, Status.DECLINED, Status.APPROVED]


async def test_all_goes_class_by_class_and_then_one_by_one(bench: Bench, operator: Operator) -> None:
    stops, deletes = await asked(bench, "stop_machine", RUNNING[:2]), await asked(bench, "delete_machine", OFF)
    protected = await asked(bench, "stop_machine", ("prod-api-1",))
    typed = f"stop 2\n{TYPED}delete 3\n{TYPED}prod-api-1\n{TYPED}"
    ended = await run(operator, "approve", "--all", typed=typed)
    assert ended.returncode == 0, ended.stderr
    assert set(await statuses(bench, [*stops, *deletes, *protected])) == {Status.APPROVED}
    assert (await run(operator, "approve", "--all")).stdout == "Nothing waits for a person.\n"


async def test_a_no_to_all_needs_the_secret_once_a_list(bench: Bench, operator: Operator) -> None:
    codes = [*await asked(bench, "delete_machine", OFF[:2]), *await asked(bench, "stop_machine", RUNNING[:1])]
    ended = await run(operator, "approve", *codes, "--deny", typed=TYPED)
    assert ended.returncode == 0, ended.stderr
    assert set(await statuses(bench, codes)) == {Status.DECLINED}


async def test_nobodys_silence_is_neither_a_yes_nor_a_no(bench: Bench, operator: Operator) -> None:
    codes = await asked(bench, "delete_machine", OFF[:1])
    for words in (("approve", codes[0]), ("approve", "--all"), ("approve", "--watch")):
        ended = await run(operator, *words)
        assert (ended.returncode, "Nobody is here to type" in ended.stderr) == (1, True), words
    assert await statuses(bench, codes) == [Status.OPEN]
    assert (await run(operator, "approve", codes[0], typed=f"\n{TYPED}")).stdout.endswith("declined.\n")
    assert await statuses(bench, codes) == [Status.DECLINED]


@pytest.mark.parametrize(
    "words",
    [("--deny",), ("K7Q2", "--all"), ("--deny", "--watch"), ("--list",)],
    ids=" ".join,
)
async def test_a_wrong_command_line(operator: Operator, words: tuple[str, ...]) -> None:
    ended = await run(operator, "approve", *words)
    assert (ended.returncode, ended.stdout, "usage:" in ended.stderr) == (2, "", True)


async def test_codes_that_nobody_gave(operator: Operator) -> None:
    for words in (("../../etc",), ("ZZZZ", "YYYY")):
        ended = await run(operator, "approve", *words, typed="stop\n")
        assert (ended.returncode, "No question that waits" in ended.stderr) == (1, True)


async def test_in_a_terminal_the_secret_is_not_seen(bench: Bench, operator: Operator) -> None:
    codes = await asked(bench, "delete_machine", OFF)

    def decide() -> tuple[int, str]:
        with sitting_at(operator.state, "approve", *codes) as terminal:
            terminal.until("> ")
            terminal.types("delete 3")
            terminal.until("approver's secret: ")
            terminal.types(SECRET)
            return terminal.ended(), terminal.shown

    code, shown = await anyio.to_thread.run_sync(decide)
    assert (code, SECRET in shown, shown.count("approved.")) == (0, False, 3)
    assert set(await statuses(bench, codes)) == {Status.APPROVED}


async def test_watching_shows_what_comes_at_once_as_one_list(bench: Bench, operator: Operator) -> None:
    deletes = await asked(bench, "delete_machine", OFF)
    with sitting_at(operator.state, "approve", "--watch") as terminal:
        shown = await anyio.to_thread.run_sync(terminal.until, "> ")
        assert "DELETE 3, as one list of 3 questions." in shown
        terminal.types("delete 3")
        await anyio.to_thread.run_sync(terminal.until, "approver's secret: ")
        terminal.types(SECRET)
        await anyio.to_thread.run_sync(terminal.until, f"{deletes[-1]}: approved.")
        (stop,) = await asked(bench, "stop_machine", RUNNING[:1])
        shown = await anyio.to_thread.run_sync(terminal.until, "> ")
        assert f"Approval {stop}. To go ahead, type: stop" in shown
        assert deletes[0] not in shown
        terminal.types("stop")
        await anyio.to_thread.run_sync(terminal.until, "approver's secret: ")
        terminal.types(SECRET)
        await anyio.to_thread.run_sync(terminal.until, f"{stop}: approved.")
        assert await anyio.to_thread.run_sync(terminal.interrupts) == 130
        assert "Traceback" not in terminal.shown
    assert set(await statuses(bench, [*deletes, stop])) == {Status.APPROVED}


def test_a_secret_is_set_and_changed_by_whoever_knows_it(tmp_path: Path) -> None:
    operator = Operator(tmp_path)
    for typed, told in (("short\nshort\n", "at least 8 characters"), (f"{SECRET}\nanother\n", "not the same")):
        ended = operator.run("approve", "--init", typed=typed)
        assert (ended.returncode, told in ended.stderr) == (1, True)
    operator.init()
    wrong = operator.run("approve", "--init", typed="wrong\nanother-secret\nanother-secret\n")
    assert (wrong.returncode, "not the present secret" in wrong.stderr) == (1, True)
    operator.did("approve", "--init", typed=f"{SECRET}\nanother-secret\nanother-secret\n")
    assert operator.run("unlock", "--reason", "fire", typed=TYPED).returncode == 1
    operator.did("unlock", "--reason", "fire", typed="another-secret\n")
    assert SECRET.encode() not in (tmp_path / "approvers.json").read_bytes()


def test_five_wrong_secrets_are_enough(tmp_path: Path) -> None:
    operator = Operator(tmp_path).init()
    for _ in range(4):
        assert not Approvers(tmp_path).check(os_user(), "guess")
    assert operator.run("unlock", "--reason", "fire", typed="guess\n").returncode == 1
    ended = operator.run("unlock", "--reason", "fire", typed=TYPED)
    assert (ended.returncode, "Too many wrong secrets" in ended.stderr) == (1, True)


async def test_a_line_too_many_does_not_answer_the_next_question(bench: Bench) -> None:
    """Without a secret nothing else stands between what was typed too early and a question that nobody has read."""
    (first,) = await asked(bench, "stop_machine", RUNNING[:1])
    with sitting_at(bench.app.settings.state_dir, "approve", "--watch") as terminal:
        await anyio.to_thread.run_sync(terminal.until, "> ")
        terminal.types("stop\nstop")
        await anyio.to_thread.run_sync(terminal.until, f"{first}: approved.")
        (second,) = await asked(bench, "stop_machine", RUNNING[1:2])
        await anyio.to_thread.run_sync(terminal.until, "> ")
        terminal.types("")
        await anyio.to_thread.run_sync(terminal.until, f"{second}: ")
        assert await anyio.to_thread.run_sync(terminal.interrupts) == 130
    assert await statuses(bench, [first, second]) == [Status.APPROVED, Status.DECLINED]
