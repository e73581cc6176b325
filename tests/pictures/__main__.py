"""`python -m tests.pictures`: the pictures of README, made from the demo and from the page in Chromium.

Another run changes nothing unless the demo or the page did; letters look as the fonts of the machine make them.
Look at the pictures before you commit them.
"""

import sys

import anyio
import pytest
from tests.pictures.drawing import drawn
from tests.pictures.phone import photographed
from tests.pictures.places import DEMO, FOLDER
from tests.pictures.transcript import captured, pictured


def main() -> int:
    try:
        pictures = anyio.run(photographed)
    except pytest.fail.Exception as missing:
        sys.stderr.write(f"{missing}\n")
        return 2
    pictures[DEMO] = drawn(pictured(captured())).encode()
    FOLDER.mkdir(exist_ok=True)
    for path, picture in pictures.items():
        path.write_bytes(picture)
        sys.stdout.write(f"{path.name}: {len(picture) / 1000:.0f} kB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
