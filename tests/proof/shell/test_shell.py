"""What is published of an agent with a shell is what every run of it must come to."""

from tests.proof.page import PAGE
from tests.proof.shell.family import FALLS, HOLDS, expected
from tests.proof.shell.ways import APART, POSTURES, WAYS


def test_the_page_tells_of_each_way_in_each_set_up() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for way in WAYS:
        cells = [f"**{FALLS}**" if one in way.falls else HOLDS for one in POSTURES]
        assert f"| {way.name} | {' | '.join(cells)} |" in page


def test_another_user_and_the_inbox_hold_whatever_is_tried() -> None:
    """The one set-up that holds against a shell, but for a client that answers by itself."""
    falls = [cell for cell, what in expected().items() if what == FALLS and cell.endswith(APART)]
    assert falls == [f"it is the client, and types what is asked: a delete | {APART}"]
