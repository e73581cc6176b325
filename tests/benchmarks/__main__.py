"""`python -m tests.benchmarks`: the server beside a bare one, in one run. Prints a table; asserts nothing.

`fleet` instead: one question over ten thousand machines, beside a plain paging loop.
"""

import argparse
import sys

from tests.benchmarks import fleet
from tests.benchmarks.run import Size, run


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("what", nargs="?", choices=("calls", "fleet"), default="calls", help="default: calls")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--starts", type=int, default=3, help="starts of each side in a round")
    parser.add_argument("--singles", type=int, default=200, help="calls one after another in a round")
    parser.add_argument("--many", type=int, default=600, help="calls at once in a round")
    parsed = parser.parse_args()
    if parsed.what == "fleet":
        sys.stdout.write(fleet.table() + "\n")
        return
    size = Size(parsed.rounds, parsed.starts, parsed.singles, parsed.many)
    sys.stdout.write(run(size, _tell).text() + "\n")


def _tell(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    main()
