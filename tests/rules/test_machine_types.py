"""Machine types: the provider's spelling of what people write, and what may become what."""

import pytest

from paperspace_mcp.rules import machine_types

SPELLED = {
    "a4000": "A4000", " A4000 ": "A4000", "rtx5000": "RTX5000", "RTX 5000": "RTX5000", "rtx-4000": "RTX4000",
    "a100-80g": "A100-80G", "A100 80GB": "A100-80G", "a100_80gbX8": "A100-80Gx8", "A100X4": "A100x4",
    "a100x2": "A100x2",
    "v100-32gx4": "V100-32Gx4", "h100X8": "H100x8", "gpu+": "GPU+", "M4000": "GPU+", "RTX A5000": "A5000", "c10": "C10",
    "RTX 4090": "RTX 4090", " B200 ": "B200", "A4000x": "A4000x", "x8": "x8", "": "",
}  # fmt: skip


@pytest.mark.parametrize(("words", "label"), SPELLED.items())
def test_a_known_type_is_spelled_as_the_provider_does(words: str, label: str) -> None:
    assert machine_types.label(words) == label
    assert machine_types.label(label) == label


@pytest.mark.parametrize("label", machine_types.KNOWN)
def test_every_known_label_is_its_own_spelling(label: str) -> None:
    assert machine_types.label(label) == machine_types.label(label.casefold()) == label
    assert machine_types.known(label)
    assert machine_types.group(label)


@pytest.mark.parametrize("kind", ["A4000", "rtx5000", "a100X4", "C2", "c9", "gpu+", "V100-32Gx2"])
def test_a_type_is_known_in_any_case(kind: str) -> None:
    assert machine_types.known(kind)


@pytest.mark.parametrize("kind", ["", "x", "x8", "A4000x", "A4000x-1", "A100x\N{SUPERSCRIPT TWO}", "C11", "dev"])
def test_what_is_no_type(kind: str) -> None:
    assert not machine_types.known(kind)


@pytest.mark.parametrize(
    ("words", "parts"),
    [("RTX5000", ("RTX5000", 1)), ("A100X4", ("A100", 4)), ("V100-32Gx2", ("V100-32G", 2)), ("x8", ("x8", 1))],
)
def test_several_in_one(words: str, parts: tuple[str, int]) -> None:
    assert machine_types.parts(words) == parts


@pytest.mark.parametrize(
    ("old", "new", "elsewhere", "doubtful"),
    [
        ("A4000", "A6000", False, False),
        ("A4000", "P4000", True, False),
        ("RTX4000", "A4000", True, False),
        ("C5", "C7", False, False),
        ("C5", "A4000", True, False),
        ("A4000", "C5", True, False),
        ("V100", "V100-32Gx2", False, False),
        ("V100", "A100", True, False),
        ("A100", "A100-80Gx8", False, False),
        ("A4000", "A100", False, True),
        ("A100-80G", "A5000", False, True),
        ("B200", "A4000", False, False),
        ("A4000", "B200", False, False),
    ],
)
def test_groups(old: str, new: str, elsewhere: bool, doubtful: bool) -> None:
    assert (machine_types.elsewhere(old, new), machine_types.doubtful(old, new)) == (elsewhere, doubtful)


def test_kin_are_surely_of_the_same_group() -> None:
    assert machine_types.kin("A5000") == ("A4000", "A5000", "A6000")
    assert machine_types.kin("A100x4") == ("A100", "A100-80G")
    assert machine_types.kin("B200") == ()
