"""Whoever has not the key can change nothing that is not named."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.audit.conftest import FILE, stopped, ticking

from paperspace_mcp.audit import Audit

Lines = list[bytes]


def rewrite(path: Path, change: Callable[[Lines], Lines]) -> None:
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


def test_every_flipped_byte_is_found_and_named(audit: Audit, folder: Path) -> None:
    for _ in range(2):
        audit.write(stopped())
    whole = (folder / FILE).read_bytes()
    for at in range(len(whole)):
        for bit in (0x01, 0x20, 0x80):
            flipped = bytes([whole[at] ^ bit])
            (folder / FILE).write_bytes(whole[:at] + flipped + whole[at + 1 :])
            verdict = audit.verify()
            line = whole[:at].count(b"\n") + 1
            assert (verdict.ok, verdict.sequence, verdict.line, verdict.file) == (False, line, line, FILE), (at, bit)
            assert verdict.reason


@pytest.mark.parametrize("name", ["audit.head", "audit.key"])
def test_every_flipped_byte_beside_the_log_is_found(six: Audit, folder: Path, name: str) -> None:
    whole = (folder / name).read_bytes()
    for at in range(len(whole)):
        (folder / name).write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        verdict = six.verify()
        assert not verdict.ok
        assert "audit.key" in verdict.reason
        with pytest.raises(OSError, match=r"audit\.head was changed"):
            six.write(stopped())


CHANGES: dict[str, tuple[Callable[[Lines], Lines], int]] = {
    "the first deleted": (lambda lines: lines[1:], 1),
    "one deleted": (lambda lines: lines[:2] + lines[3:], 3),
    "two swapped": (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], 2),
    "one put in": (lambda lines: [*lines[:3], lines[0], *lines[3:]], 4),
    "an empty line put in": (lambda lines: [*lines[:3], b"\n", *lines[3:]], 4),
    "a line break put in": (lambda lines: [lines[0][:9] + b"\n" + lines[0][9:], *lines[1:]], 1),
    "a torn line forged": (lambda lines: [lines[0], b"torn\x1e" + lines[1], *lines[2:]], 2),
    "the last deleted": (lambda lines: lines[:-1], 6),
    "the end cut off": (lambda lines: [*lines[:-1], lines[-1][:40]], 6),
    "the last newline cut off": (lambda lines: [*lines[:-1], lines[-1][:-1]], 6),
    "all deleted": (lambda _lines: [], 1),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_order_is_named_at_its_line(six: Audit, folder: Path, change: str) -> None:
    change_, broken = CHANGES[change]
    rewrite(folder / FILE, change_)
    verdict = six.verify()
    assert (verdict.ok, verdict.sequence, verdict.line, verdict.file) == (False, broken, broken, FILE)
    assert verdict.records == broken - 1


@pytest.mark.parametrize("change", ["the last deleted", "the end cut off", "the last newline cut off", "all deleted"])
def test_nothing_is_written_behind_an_end_that_was_cut_off(six: Audit, folder: Path, change: str) -> None:
    rewrite(folder / FILE, CHANGES[change][0])
    before = (folder / FILE).read_bytes()
    with pytest.raises(OSError, match=r"not as it was (written|left)"):
        six.write(stopped())
    assert (folder / FILE).read_bytes() == before


def test_nothing_is_written_behind_a_line_of_somebody_else(six: Audit, folder: Path) -> None:
    rewrite(folder / FILE, lambda lines: [*lines, lines[-1]])
    with pytest.raises(OSError, match="was not written by this audit"):
        six.write(stopped())
    assert six.verify().line == 7


@pytest.mark.parametrize("left", [0, 1, 60, -1])
def test_a_truncated_head_is_found(six: Audit, folder: Path, left: int) -> None:
    head = (folder / "audit.head").read_bytes()
    (folder / "audit.head").write_bytes(head[:left])
    verdict = six.verify()
    assert (verdict.ok, verdict.file) == (False, "audit.head")
    with pytest.raises(OSError, match=r"audit\.head"):
        six.write(stopped())


def test_a_missing_head_is_found(six: Audit, folder: Path) -> None:
    (folder / "audit.head").unlink()
    assert "audit.head is missing" in six.verify().reason
    with pytest.raises(OSError, match=r"audit\.head is missing"):
        six.write(stopped())


def test_a_missing_key_is_not_replaced(six: Audit, folder: Path) -> None:
    (folder / "audit.key").unlink()
    assert "audit.key is missing" in six.verify().reason
    with pytest.raises(FileNotFoundError):
        six.write(stopped())
    assert not (folder / "audit.key").exists()


def test_a_log_under_another_key_breaks_at_its_first_record(six: Audit, folder: Path, tmp_path: Path) -> None:
    ticking(tmp_path / "other").write(stopped())
    shutil.copy(tmp_path / "other" / "audit.key", folder / "audit.key")
    verdict = six.verify()
    assert (verdict.ok, verdict.sequence, verdict.line) == (False, 1, 1)
    assert "audit.key is not the key" in verdict.reason


def test_a_log_cut_back_with_its_older_head_is_what_no_file_can_show(audit: Audit, folder: Path) -> None:
    """Said in the module's docstring; the last code that `verify` printed is what tells it."""
    audit.write(stopped())
    older = {name: (folder / name).read_bytes() for name in (FILE, "audit.head")}
    audit.write(stopped())
    told = audit.verify().mac
    for name, content in older.items():
        (folder / name).write_bytes(content)
    assert audit.verify().ok
    assert audit.verify().mac != told


def test_reading_flags_what_was_changed(six: Audit, folder: Path) -> None:
    rewrite(folder / FILE, lambda lines: [line.replace(b"dev-1", b"dev-9") for line in lines])
    for newest_first in (True, False):
        found = list(six.read(newest_first=newest_first, machine="dev-9"))
        assert [record["broken"] for record in found] == [True, True]
