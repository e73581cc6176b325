"""The benchmark runs and measures both sides. No time is asserted: that is what its table is for."""

import pytest
from tests.benchmarks import fleet
from tests.benchmarks.run import Row, Size, Table, run
from tests.benchmarks.servers import FLOOR, OURS, SIDES
from tests.benchmarks.speech import check


def test_a_small_run_measures_every_row_on_both_sides() -> None:
    told: list[str] = []
    table = run(Size(rounds=1, starts=1, singles=2, many=4), told.append)
    assert told == ["round 1 of 1"]
    assert {len(row.values[side]) for row in table.rows.values() for side in SIDES} == {1}
    assert all(value > 0 for row in table.rows.values() for values in row.values.values() for value in values)
    targets = [row.target for row in table.rows.values()]
    assert [targets.count(target) for target in ("<= 1.15", "<= 1.0", ">= 2", ">= 4")] == [2, 4, 2, 2]
    assert len(table.text().splitlines()) == len(table.rows) + 4


def test_one_question_over_a_fleet_is_one_call_and_few_tokens() -> None:
    loop, ours = fleet.table(machines=300, slow_s=0.0).splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in (loop, ours)]
    assert [row[:3] for row in cells] == [[fleet.LOOP, "3", "3"], [fleet.OURS, "1", cells[1][2]]]
    assert int(cells[1][4].replace(",", "")) < 600 < int(cells[0][4].replace(",", ""))


def test_the_ratio_is_of_the_rounds_and_not_of_the_medians() -> None:
    """A round in which the machine was slow, for both, changes nothing."""
    row = Row("x", "ms", values={FLOOR: [1.0, 10.0, 1.0], OURS: [2.0, 20.0, 2.0]})
    assert row.ratio == pytest.approx(2.0)


def test_the_table_shows_the_medians() -> None:
    table = Table()
    for side, values in ((FLOOR, (1.0, 3.0, 5.0)), (OURS, (2.0, 6.0, 10.0))):
        for value in values:
            table.add("a", "ms", "", side, value)
    assert "| a | 3 ms | 6 ms | 2.00 |" in table.text()


@pytest.mark.parametrize(
    "answer",
    [
        b'{"result":{"content":[],"isError":true}}',
        b'{"jsonrpc":"2.0","id":2,"error":{"code":-32602,"message":"psoxnh2i7"}}',
        b'{"result":{"content":[{"text":"psoxnh2i7"}],"isError": true}}',
    ],
)
def test_an_error_is_no_measured_call(answer: bytes) -> None:
    with pytest.raises(ValueError, match=r"result|error"):
        check(answer)
