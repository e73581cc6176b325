"""Write README's generated tables as they are now: `python -m tests.readme.accept`. Read the diff afterwards."""

from pathlib import Path

from tests.days.days import text

from paperspace_mcp.tables import TABLES, filled

README = Path(__file__).parents[2] / "README.md"


def accepted(document: str) -> str:
    """The document with every table as it is generated now."""
    for name, table in TABLES.items():
        document = filled(document, name, table())
    return filled(document, "days", text())


if __name__ == "__main__":
    README.write_text(accepted(README.read_text(encoding="utf-8")), encoding="utf-8")
