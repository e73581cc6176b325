"""Where the pictures are."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "pictures"
DEMO = FOLDER / "demo.svg"
WAITING = FOLDER / "approvals-390.png"
QUESTION = FOLDER / "question-390.png"
COMMAND = "uv run --group pictures python -m tests.pictures"
