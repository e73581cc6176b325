"""README as its tests read it."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)


def readme() -> str:
    return README.read_text(encoding="utf-8")


def commands(path: Path = README) -> list[str]:
    """Every line of every shell block, without its comment."""
    blocks = _BLOCK.findall(path.read_text(encoding="utf-8"))
    return [line.partition("  #")[0].strip() for block in blocks for line in block.splitlines()]


def table(name: str) -> list[list[str]]:
    """The cells of a generated table, without its head."""
    _, _, rest = readme().partition(f"<!-- {name}:begin -->\n")
    lines = rest.partition(f"<!-- {name}:end -->")[0].splitlines()[2:]
    return [line.strip("| ").split(" | ") for line in lines]
