"""Several processes, torn writes, full files, hostile text."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests.audit.conftest import FILE, stopped, ticking

from paperspace_mcp.audit import Audit, Entry

PROCESSES, EACH = 8, 200
APPEND = """
import sys
from pathlib import Path
from paperspace_mcp.audit import Audit, Entry
audit = Audit(Path(sys.argv[1]), rotate_bytes=100_000)
sys.stdin.readline()
print(*[audit.write(Entry(phase="intent", principal=sys.argv[2])) for _ in range(int(sys.argv[3]))])
"""
LIMITED = """
import resource, sys
from pathlib import Path
from paperspace_mcp.audit import Audit, Entry
audit, limit = Audit(Path(sys.argv[1])), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    audit.write(Entry(phase="intent", principal="late", reason="x" * 300))
except OSError as error:
    print(error)
    sys.exit(3)
"""
READ_ONLY = """
import os, sys
from pathlib import Path
from paperspace_mcp.audit import Audit, Entry
os.chdir(sys.argv[1])
if os.getuid() == 0:
    os.setuid(65534)
try:
    Audit(Path()).write(Entry(phase="intent", principal="ann"))
except PermissionError:
    sys.exit(3)
"""


def python(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_processes_that_start_at_once_keep_one_dense_chain_over_several_files(folder: Path) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", APPEND, str(folder), f"p{number}", str(EACH)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    for process in started:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    numbers = [int(number) for process in started for number in process.communicate()[0].split()]
    assert sorted(numbers) == list(range(1, PROCESSES * EACH + 1))
    verdict = Audit(folder).verify()
    assert (verdict.ok, verdict.records, verdict.notes) == (True, PROCESSES * EACH, ())
    oldest_first = [record["sequence"] for record in Audit(folder).read(newest_first=False)]
    assert oldest_first == sorted(numbers)
    assert [record["sequence"] for record in Audit(folder).read()] == oldest_first[::-1]
    assert len(list(folder.glob("audit-*.jsonl"))) > 2
    assert sorted(path.name for path in folder.glob("audit.*")) == ["audit.head", "audit.key"]


def test_only_the_owner_reads_it(six: Audit, folder: Path) -> None:
    assert six.verify().ok
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


@pytest.mark.parametrize("cut", [1, 30, 150, -1])
def test_a_torn_write_is_kept_told_and_goes_on(six: Audit, folder: Path, cut: int) -> None:
    head = (folder / "audit.head").read_bytes()
    whole = (folder / FILE).read_bytes()
    six.write(stopped("LOST"))
    torn = (folder / FILE).read_bytes()[len(whole) :][:cut]
    (folder / FILE).write_bytes(whole + torn)
    (folder / "audit.head").write_bytes(head)
    assert six.verify().ok
    assert six.verify().notes == (f"line 7 of {FILE} is a write that was cut off: no record",)
    assert len(list(six.read())) == len(list(six.read(newest_first=False))) == 6
    assert six.write(stopped("NEXT")) == 7
    assert six.write(stopped()) == 8
    verdict = six.verify()
    assert (verdict.ok, verdict.records) == (True, 8)
    assert verdict.notes == (f"line 7 of {FILE} begins with a write that was cut off",)
    assert (folder / FILE).read_bytes().startswith(whole + torn + b"\x1e")
    assert next(six.read(code="NEXT"))["torn"]["bytes"] == len(torn)
    damaged = (folder / FILE).read_bytes().replace(torn + b"\x1e", torn[:-1] + b"?\x1e")
    (folder / FILE).write_bytes(damaged)
    assert six.verify().line == 7


def test_a_write_cut_off_twice_at_one_place_goes_on(six: Audit, folder: Path) -> None:
    with (folder / FILE).open("ab") as file:
        file.write(b'{"seq\x1e{"sequ')
    assert six.write(stopped()) == 7
    assert six.verify().ok


def test_a_record_that_the_head_missed_counts(six: Audit, folder: Path) -> None:
    """The power went between the record and the head."""
    head = (folder / "audit.head").read_bytes()
    six.write(stopped())
    six.write(stopped())
    (folder / "audit.head").write_bytes(head)
    assert six.verify().records == 8
    assert six.write(stopped()) == 9
    assert six.verify().ok


@pytest.mark.parametrize("missed", [True, False])
def test_a_new_file_that_the_head_missed_is_gone_on_with(folder: Path, missed: bool) -> None:
    audit = ticking(folder, rotate_bytes=1)
    audit.write(stopped())
    head = (folder / "audit.head").read_bytes()
    audit.write(stopped())
    second = folder / "audit-000002.jsonl"
    if not missed:
        second.write_bytes(b"")
    (folder / "audit.head").write_bytes(head)
    assert audit.write(stopped()) == (3 if missed else 2)
    assert audit.verify().ok


def test_a_missing_file_is_named(folder: Path) -> None:
    audit = ticking(folder, rotate_bytes=1)
    for _ in range(4):
        audit.write(stopped())
    (folder / "audit-000004.jsonl").rename(folder / "away")
    assert (audit.verify().ok, audit.verify().sequence) == (False, 4)
    (folder / "away").rename(folder / "audit-000004.jsonl")
    assert audit.verify().ok
    (folder / "audit-000002.jsonl").unlink()
    verdict = audit.verify()
    assert (verdict.ok, verdict.file, verdict.reason) == (False, "audit-000002.jsonl", "the file is missing")


@pytest.mark.parametrize("room", [0, 100])
def test_a_full_disk_leaves_nothing_half_believed(six: Audit, folder: Path, room: int) -> None:
    whole = (folder / FILE).read_bytes()
    done = python(LIMITED, folder, len(whole) + room)
    assert done.returncode == 3, done.stderr
    assert (folder / FILE).read_bytes() == whole
    assert six.verify().records == 6
    assert six.write(stopped()) == 7
    assert six.verify().ok


def test_a_head_that_cannot_be_replaced_takes_the_record_back(six: Audit, folder: Path) -> None:
    whole = (folder / FILE).read_bytes()
    (folder / "audit.head.new").mkdir()
    with pytest.raises(IsADirectoryError):
        six.write(stopped())
    assert (folder / FILE).read_bytes() == whole
    assert six.verify().records == 6


def test_a_device_in_place_of_the_log_is_refused(folder: Path) -> None:
    folder.mkdir()
    (folder / FILE).symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"."):
        ticking(folder).write(stopped())


def test_a_read_only_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(0o555)
    done = python(READ_ONLY, tmp_path / "state")
    assert done.returncode == 3, done.stderr
    assert list((tmp_path / "state").iterdir()) == []


def test_nothing_written_is_nothing_broken(folder: Path) -> None:
    assert ticking(folder).verify().ok
    assert list(ticking(folder).read()) == []
    assert not folder.exists()


HOSTILE = {
    "controls": "a\x00\x1e\n\r\x1b[31m\u2028b",
    "surrogates": "\ud800\udfff" * 9,
    "a megabyte": "n" * 1_000_000,
    "right to left": "\u202egpj.exe",
    "quotes": '","mac":"' + "0" * 64 + '"}\n',
}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_stays_one_short_ascii_line(audit: Audit, folder: Path, hostile: str) -> None:
    text = HOSTILE[hostile]
    target = {"id": text, "name": text, "fingerprint": {text: text}}
    said = Entry(text, text, text, text, text, text, (target,), (text,), approver=text, outcome=text, reason=text)
    audit.write(replace(said, event_ids=(text,)))
    audit.write(stopped())
    line, second = (folder / FILE).read_bytes().split(b"\n")[:2]
    assert line.isascii()
    assert all(byte >= 0x20 for byte in line)
    assert len(line) < 64_000
    assert len(json.loads(line)["targets"][0]["name"]) <= 128
    assert json.loads(second)["sequence"] == 2
    assert audit.verify().ok
    assert [record["sequence"] for record in audit.read(machine=text)] == [1]


def test_a_record_too_long_to_write_is_refused(audit: Audit, folder: Path) -> None:
    audit.write(stopped())
    with pytest.raises(OSError, match="too long"):
        audit.write(Entry(phase="intent", principal="ann", arguments=("x" * 500,) * 3000))
    assert audit.write(stopped()) == 2
    assert (folder / FILE).stat().st_size < 4096


def test_a_long_fingerprint_is_kept_as_a_digest_that_differs(audit: Audit) -> None:
    for last in "ab":
        target = {"id": "ps1", "name": "dev", "fingerprint": {"accessors": "u" * 600 + last}}
        audit.write(Entry(phase="intent", principal="ann", targets=(target,)))
    kept = [record["targets"][0]["fingerprint"]["accessors"] for record in audit.read()]
    assert kept[0] != kept[1]
    assert all(one.startswith("sha256:") for one in kept)
