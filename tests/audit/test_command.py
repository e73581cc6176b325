"""`audit verify` and `audit show`."""

import argparse
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.audit.conftest import FILE, START, stopped, ticking
from tests.operator.commands import without_privileges

from paperspace_mcp.audit import Audit
from paperspace_mcp.cli import audit as command


def run(folder: Path, what: str, *flags: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    arguments = parser.parse_args([what, "--state-dir", str(folder), *flags])
    code: int = arguments.execute(arguments)
    return code


def sequences(text: str) -> list[int]:
    return [json.loads(line)["sequence"] for line in text.splitlines()]


def test_verify_counts_and_tells_the_code_to_keep(six: Audit, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "verify") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        str(folder),
        "6 records, 2026-11-18T11:06:40.000Z to 2026-11-18T11:06:45.000Z",
        f"ok, last code {six.verify().mac}",
    ]


def test_verify_names_the_first_broken_record(six: Audit, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert six.verify().ok
    lines = (folder / FILE).read_bytes().splitlines(keepends=True)
    (folder / FILE).write_bytes(b"".join(lines[:3] + lines[4:]))
    assert run(folder, "verify") == 1
    assert f"broken: record 4, {FILE}, line 4: it says that it is record 5" in capsys.readouterr().out


def test_verify_of_a_log_without_a_record_says_where_it_looked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.mkdir()
    assert run(folder, "verify") == 0
    assert capsys.readouterr().out.splitlines() == [str(folder), "no records yet"]


@pytest.mark.parametrize("what", ["verify", "show"])
@pytest.mark.parametrize("place", ["missing", "file", "file/below"])
def test_what_is_no_log_is_not_called_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str, what: str
) -> None:
    (tmp_path / "file").touch()
    assert run(tmp_path / place, what) == 2
    shown = capsys.readouterr()
    assert (shown.out, str(tmp_path / place) in shown.err) == ("", True)


@pytest.mark.parametrize("mode", [0o000, 0o444, 0o311])
def test_a_log_that_this_user_may_not_look_at_is_not_called_whole(
    capsys: pytest.CaptureFixture[str], mode: int
) -> None:
    with TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        folder = Path(made) / "state"
        ticking(folder).write(stopped())
        for path in (*folder.iterdir(), folder):
            path.chmod(mode if path == folder else 0o644)
        with without_privileges():
            code = run(folder, "verify")
        folder.chmod(0o700)
    shown = capsys.readouterr()
    assert (code, shown.out) == (2, ""), shown.err
    assert f"{folder} cannot be read: Permission denied" in shown.err


def test_a_log_that_cannot_be_read_exits_2(six: Audit, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert six.verify().ok
    (folder / "audit.key").write_bytes(b"short")
    assert run(folder, "verify") == run(folder, "show") == 2
    assert "audit.key is not whole" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ((), [6, 5, 4, 3, 2, 1]),
        (("--limit", "2"), [6, 5]),
        (("--code", "aaa1"), [4, 3]),
        (("--machine", "ps2"), [6, 5]),
        (("--machine", "dev-0"), [2, 1]),
        (("--since", "2026-11-18T11:06:44Z"), [6, 5]),
        (("--machine", "dev-0", "--code", "AAA1"), []),
    ],
)
def test_show_filters(
    six: Audit, folder: Path, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], expected: list[int]
) -> None:
    assert run(folder, "show", "--json", *flags) == 0
    assert sequences(capsys.readouterr().out) == expected
    assert [record["sequence"] for record in six.read(since=START + 4)] == [6, 5]


def test_the_table_quotes_names_on_one_line(audit: Audit, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    audit.write(stopped(name='x" (ps9)\n\x1b[2Jevil\u202e'))
    assert run(folder, "show") == 0
    assert capsys.readouterr().out == (
        '1  2026-11-18T11:06:40.000Z  intent  K7Q2  stop_machine  ann:0a1b  "x\\" (ps9) [2Jevil" (ps1)\n'
    )


def test_the_table_shouts_at_a_changed_line(six: Audit, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert six.verify().ok
    (folder / FILE).write_bytes((folder / FILE).read_bytes().replace(b"ann:0a1b", b"bob\x1b0a1b", 1))
    assert run(folder, "show", "--code", "AAA2") == 0
    shown = capsys.readouterr()
    assert [line.split()[0] for line in shown.out.splitlines()] == ["6", "5", "BROKEN"]
    assert "\x1b" not in shown.out
    assert "audit verify" in shown.err
