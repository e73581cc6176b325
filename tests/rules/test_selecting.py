"""From a selector to a frozen list."""

from typing import Any

import pytest

from paperspace_mcp.contract.shapes import Machine
from paperspace_mcp.rules.selecting import UNCHANGED, Selection, Selector, meant, named, parts, scoped, select


def machine(name: str, **fields: Any) -> Machine:
    given = {"id": f"ps{name}", "region": "ny2", "machineType": "A4000", "state": "ready", **fields}
    return Machine.model_validate({"name": name, **given})


FLEET = [
    machine("dev-ben", state="off", region="West Coast (CA1)", publicIp="184.1.1.1"),
    machine("Dev-Anna"),
    machine("train-1", machineType="H100"),
    machine("train-2", machineType="H100", state="off"),
    machine("prod-api"),
    machine("twin", id="ps1"),
    machine("twin", id="ps2", region="ams1"),
    machine("stuck", state="provisioning"),
]


def stands(one: Machine) -> str:
    """As for a stop."""
    return UNCHANGED if one.state == "off" else "busy" if one.state == "provisioning" else ""


def chosen(**parts: Any) -> Selection:
    selector = Selector(**parts)
    names = named(FLEET, selector.machines)
    return select(FLEET, selector, names.machines, protected=lambda one: one.name.startswith("prod"), stands=stands)


def told(selection: Selection) -> tuple[list[str], list[str], dict[str, str]]:
    return (
        [one.name for one in selection.todo],
        [one.name for one in selection.unchanged],
        {one.machine.name: one.why for one in selection.left},
    )


CASES: list[tuple[dict[str, Any], list[str], list[str], dict[str, str]]] = [
    ({"name_globs": ("dev-*",)}, ["Dev-Anna"], ["dev-ben"], {}),
    ({"name_globs": ("DEV-?EN", "train-1")}, ["train-1"], ["dev-ben"], {}),
    ({"name_globs": ("nothing*",)}, [], [], {}),
    ({"name_globs": ("dev",)}, [], [], {}),
    ({"region": "ca1"}, [], ["dev-ben"], {}),
    ({"region": "ams1"}, ["twin"], [], {}),
    ({"machine_type": "h100"}, ["train-1"], ["train-2"], {}),
    ({"machine_type": "H10"}, [], [], {}),
    ({"states": ("off",)}, [], ["dev-ben", "train-2"], {}),
    ({"states": ("provisioning",)}, [], [], {"stuck": "busy"}),
    ({"name_globs": ("*",), "region": "ny2", "machine_type": "H100", "states": ("ready",)}, ["train-1"], [], {}),
    ({"name_globs": ("train-*",), "exclude_globs": ("*-1",)}, [], ["train-2"], {"train-1": "excluded"}),
    ({"region": "ny2", "machine_type": "A4000", "states": ("ready",)}, ["Dev-Anna", "twin"], [],
     {"prod-api": "protected"}),
    ({"name_globs": ("prod*",)}, [], [], {"prod-api": "protected"}),
    ({"machines": ("prod-api",)}, ["prod-api"], [], {}),
    ({"machines": ("prod-api",), "name_globs": ("train-*",)}, ["prod-api", "train-1"], ["train-2"], {}),
    ({"machines": ("train-1", "dev-ben"), "region": "ny2"}, ["train-1"], [], {"dev-ben": "region"}),
    ({"machines": ("train-1", "Dev-Anna"), "machine_type": "H100"}, ["train-1"], [], {"Dev-Anna": "machine_type"}),
    ({"machines": ("train-1", "train-2"), "states": ("ready",)}, ["train-1"], [], {"train-2": "state"}),
    ({"machines": ("train-1",), "exclude_globs": ("train*",)}, [], [], {"train-1": "excluded"}),
    ({"machines": ("prod-api",), "exclude_globs": ("prod*",)}, [], [], {"prod-api": "excluded"}),
    ({"machines": ("ps1", "twin-none")}, ["twin"], [], {}),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "todo", "unchanged", "left"), CASES, ids=lambda value: str(value)[:60])
def test_each_part_narrows(parts: dict[str, Any], todo: list[str], unchanged: list[str], left: dict[str, str]) -> None:
    assert told(chosen(**parts)) == (todo, unchanged, left)


def test_everything_is_said_and_in_the_order_of_names() -> None:
    found = chosen(name_globs=("*",))
    assert told(found) == (
        ["Dev-Anna", "train-1", "twin", "twin"],
        ["dev-ben", "train-2"],
        {"prod-api": "protected", "stuck": "busy"},
    )
    ids = [one.id for one in (*found.todo, *found.unchanged)] + [one.machine.id for one in found.left]
    assert sorted(ids) == sorted(one.id for one in FLEET), "each machine stands in one part"


@pytest.mark.parametrize(
    "said",
    [
        Selector(machines=("x",)),
        Selector(name_globs=("*",)),
        Selector(region="ny2"),
        Selector(machine_type="A4000"),
        Selector(states=("off",)),
    ],
    ids=str,
)
def test_a_selector_says_what_is_meant(said: Selector) -> None:
    assert not said.empty
    assert Selector().empty
    assert Selector(exclude_globs=("prod*",)).empty, "all but a few must be said"


MEANT: list[tuple[str, list[str]]] = [
    ("ps1", ["ps1"]),
    (" ps1 ", []),
    (" dev-anna ", ["psDev-Anna"]),
    ("twin", ["ps1", "ps2"]),
    ("TWIN", ["ps1", "ps2"]),
    ("dev-anna", ["psDev-Anna"]),
    ("184.1.1.1", ["psdev-ben"]),
    ("train", []),
    ("train-*", []),
    ("", []),
    ("  ", []),
]


@pytest.mark.parametrize(("reference", "ids"), MEANT)
def test_a_reference_means_a_machine_and_never_a_part_of_a_name(reference: str, ids: list[str]) -> None:
    found = meant([*FLEET, machine("", id="psnameless")], [reference])
    assert [one.id for one in found[reference]] == ids


def test_an_id_wins_over_an_equal_name() -> None:
    fleet = [machine("ps1", id="ps9"), machine("x", id="ps1")]
    assert [one.name for one in meant(fleet, ["ps1"])["ps1"]] == ["x"]


def test_references_that_mean_none_or_several_are_told_apart() -> None:
    found = named(FLEET, ("train-1", "nope", "twin", "pstrain-1", "TRAIN-1", "gone"))
    assert [one.id for one in found.machines] == ["pstrain-1"], "named three times, one machine"
    assert found.unknown == ("nope", "gone")
    assert {reference: [one.id for one in several] for reference, several in found.ambiguous.items()} == {
        "twin": ["ps1", "ps2"]
    }


SCOPES: dict[str, Selector] = {
    "ny2": Selector(region="ny2"),
    "East Coast (NY2)": Selector(region="ny2"),
    " europe ": Selector(region="ams1"),
    "a4000": Selector(machine_type="a4000"),
    "A100-80Gx8": Selector(machine_type="A100-80Gx8"),
    "C7": Selector(machine_type="C7"),
    "dev-*": Selector(name_globs=("dev-*",)),
    "*": Selector(name_globs=("*",)),
    "dev-?": Selector(name_globs=("dev-?",)),
    "dev": Selector(machines=("dev",)),
    "box[1]": Selector(machines=("box[1]",)),
    "psoxnh2i7": Selector(machines=("psoxnh2i7",)),
    "A4000x": Selector(machines=("A4000x",)),
}


@pytest.mark.parametrize(("words", "selector"), SCOPES.items())
def test_one_word_is_one_part_of_a_selector(words: str, selector: Selector) -> None:
    assert scoped(words) == selector


@pytest.mark.parametrize(
    ("most", "by", "sizes"),
    [
        (6, "region", {"ny2": 6, "ca1": 1, "ams1": 1}),
        (5, "machine_type", {"A4000": 4, "H100": 4}),
        (3, "", {}),
    ],
)
def test_what_splits_a_list_into_short_enough_parts(most: int, by: str, sizes: dict[str, int]) -> None:
    """A region may be written in words."""
    fleet = [one if one.name != "stuck" else machine("stuck", machineType="H100") for one in FLEET]
    fleet = [*fleet[:5], machine("twin", machineType="H100"), *fleet[6:]]
    assert parts(fleet, most) == (by, sizes)
