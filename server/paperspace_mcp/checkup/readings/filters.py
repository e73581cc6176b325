"""Readings of filters. Each has a control, a filter for what there is not, so that an ignored one is seen. Pure."""

from collections.abc import Callable

from paperspace_mcp.checkup.readings import picks
from paperspace_mcp.checkup.readings.answers import REFUSED, Answers, Record, Unsettled, text
from paperspace_mcp.checkup.readings.gets import elsewhere, found
from paperspace_mcp.checkup.readings.question import Reading
from paperspace_mcp.rules import naming

_NAMES = (
    ("contains", "name_middle", "a name is found by its middle"),
    ("prefix", "name_beginning", "a name is found by its beginning, and not by its middle"),
    ("exact", "name_whole", "a name is found by itself, and not by its beginning or middle"),
)


def name_filter(answers: Answers) -> Reading:
    machine_id = text(picks.named(answers), "id")
    if answers.rows("name_of_none"):
        return Reading("ignored", "a name that no machine has finds machines")
    for value, get, told in _NAMES:
        if found(answers, get, machine_id):
            return Reading(value, told)
    return Reading("nothing", "a machine is not found by its own name")


def name_filter_folds(answers: Answers) -> Reading:
    machine_id = text(picks.named(answers), "id")
    if answers.rows("name_of_none"):
        raise Unsettled("the filter is ignored")
    if found(answers, "name_other_case", machine_id):
        return Reading(True, "a name is found in another case")
    if name_filter(answers).value == "nothing":
        raise Unsettled("a machine is not found by its own name")
    return Reading(False, "a name is not found in another case")


def long_region(answers: Answers) -> Reading:
    code = picks.placed(answers)
    what = "a long region, such as East Coast (NY2)"
    if refused := _refused(answers, "region_long"):
        return Reading(False, f"{what}, is refused as a filter (HTTP {refused})")
    if not any(_in(code)(row) for row in answers.rows("region_long")):
        return Reading(False, f"{what}, finds none of the machines there")
    if any(map(_in(code), answers.rows("region_elsewhere"))):
        return Reading("ignored", f"the long name of {elsewhere(code)} finds machines that are elsewhere")
    return Reading(True, f"{what}, finds the machines there and no others")


def _in(code: str) -> Callable[[Record], bool]:
    return lambda row: naming.region(text(row, "region")) == code


def type_other_case(answers: Answers) -> Reading:
    machine = picks.typed(answers)
    if refused := _refused(answers, "type_other_case"):
        return Reading(False, f"a machine type in another case is refused as a filter (HTTP {refused})")
    same = {text(row, "machineType") for row in answers.rows("type_other_case")} == {text(machine, "machineType")}
    if answers.good("type_of_none") and answers.rows("type_of_none"):
        return Reading("ignored", "a machine type that there is not finds machines")
    return Reading(same, f"a machine type {'is' if same else 'is not'} found in another case; creating was not tried")


def _refused(answers: Answers, name: str) -> int:
    """The status of a refusal; 0 where it was none."""
    status = answers.answered(name).status
    return status if status in REFUSED else 0
