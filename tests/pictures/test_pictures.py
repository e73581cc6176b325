"""README's pictures are there, refer to nothing outside, and show the demo and the page as they are today."""

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.demo.walk import walked
from tests.pictures import phone, transcript
from tests.pictures.places import COMMAND, DEMO, FOLDER, QUESTION, WAITING
from tests.readme.document import README, readme

from paperspace_mcp.app import App
from paperspace_mcp.simulator import Simulator

PHONES = (WAITING, QUESTION)
MOST_BYTES = 150_000
_SVG = "{http://www.w3.org/2000/svg}"
_SHOWN = re.compile(
    r'!\[(?P<alt>[^\]]*)\]\((?P<path>[^)]+)\)|<img\b[^>]*?\balt="(?P<alt2>[^"]*)"[^>]*?\bsrc="(?P<path2>[^"]+)"'
)


@pytest.fixture
def sim() -> Simulator:
    """The default fleet, so fast that a start is over at the first look; its events are no other test's."""
    return Simulator(time_scale=10_000, seed=90)


def rows(svg: Path) -> list[str]:
    """The lines of the terminal in a drawing."""
    found: dict[float, str] = {}
    for text in ET.parse(svg).iterfind(f".//{_SVG}g/{_SVG}text"):
        at = float(text.get("y", "nan"))
        found[at] = found.get(at, "") + (text.text or "").replace("\xa0", " ")
    return [row.strip() for row in found.values()]


def described(png: bytes) -> str:
    """What a PNG says of itself."""
    before, _, rest = png.partition(b"iTXt" + phone.DESCRIPTION.encode())
    return rest[: int.from_bytes(before[-4:]) - len(phone.DESCRIPTION)].rpartition(b"\0")[2].decode()


def difference(shown: Sequence[str], said: Sequence[str]) -> str:
    """The first words that are not the same, and how to make the picture anew."""
    first = next((at for at, (one, other) in enumerate(zip(shown, said, strict=False)) if one != other), 0)
    here = slice(max(0, first - 3), first + 5)
    return f"shown: {' '.join(shown[here])}; today: {' '.join(said[here])}. Make it anew: {COMMAND}"


def test_readme_shows_every_picture_and_says_what_is_on_it() -> None:
    shown = {found["path"] or found["path2"]: found["alt"] or found["alt2"] for found in _SHOWN.finditer(readme())}
    assert {README.parent / path for path in shown} == set(FOLDER.iterdir()) == {DEMO, *PHONES}
    assert all(len(alt.split()) > 5 for alt in shown.values()), shown


@pytest.mark.parametrize("picture", [DEMO, *PHONES], ids=lambda path: path.name)
def test_a_picture_is_small(picture: Path) -> None:
    assert 1_000 < picture.stat().st_size < MOST_BYTES


def test_the_drawing_refers_to_nothing_outside_itself() -> None:
    text = DEMO.read_text(encoding="utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "", 1)
    assert not re.findall(r"//|@import|@font-face|href|<script|<image|<foreignObject|<!", text)
    assert set(re.findall(r"url\(([^)]*)\)", text)) <= {f"#{name}" for name in re.findall(r'\bid="([^"]+)"', text)}


@pytest.mark.anyio
async def test_the_drawing_shows_the_demo_of_today(served: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Word for word to what to do next, but for what each run draws by lot."""
    monkeypatch.setenv("COLUMNS", str(transcript.COLUMNS))
    today = transcript.words(transcript.pictured(await walked(served, list(transcript.ANSWERS))))
    shown = transcript.words(rows(DEMO))
    assert shown == today, difference(shown, today)


def test_the_drawing_shows_a_list_two_questions_and_a_wait() -> None:
    lines = rows(DEMO)
    assert [line.split()[1] for line in lines if line.startswith("Call")] == [
        "list_machines",
        "start_machine",
        "wait_for_event",
        "delete_machine",
    ]
    assert [line.split("> ")[1] for line in lines if line.startswith("└")] == list(transcript.ANSWERS)
    (wait,) = [line for line in lines if line.startswith("Wait")]
    assert "█" in wait
    assert "░" in wait


@pytest.mark.anyio
async def test_the_phone_shows_the_page_of_today(tmp_path: Path) -> None:
    async with phone.waiting(tmp_path) as found:
        for picture, today in (await found.said()).items():
            shown = described(picture.read_bytes())
            assert shown == today, difference(shown.split(), today.split())


@pytest.mark.parametrize("picture", PHONES, ids=lambda path: path.name)
def test_the_phone_is_390_points_wide(picture: Path) -> None:
    head = picture.read_bytes()[:24]
    assert int.from_bytes(head[16:20]) == 390 * phone.SCALE
