"""The adversarial proof, whole: prints a table and writes the page of the proof.

--quick runs the counts of the ordinary tests, --only NAME the families whose name has this in it; neither writes the
page. Exit 1 where anything came through.
"""

import argparse
import sys

from tests.proof.page import PAGE, families, render
from tests.proof.wire.families import FAMILIES
from tests.proof.wire.run import Result, run


def main() -> int:
    arguments = _arguments()
    names = [family.name for family in FAMILIES if arguments.only in family.name]
    results = dict[str, Result]()
    for result in run(names, quick=arguments.quick):
        results[result.family] = result
        tally = result.tally
        _tell(f"{result.family}: {tally.attempts:,} attempts, {tally.bypasses} bypasses, {result.seconds:.0f} s")
        for how, times in tally.by.most_common(20):
            _tell(f"    {how}: {times}")
    sys.stdout.write(families(results) + "\n")
    if not arguments.quick and not arguments.only:
        PAGE.write_text(render(results), encoding="utf-8")
    return 1 if any(result.tally.bypasses for result in results.values()) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.proof", description=__doc__)
    parser.add_argument("--only", default="", help="the families whose name has this in it")
    parser.add_argument("--quick", action="store_true", help="the counts of the ordinary tests")
    return parser.parse_args()


def _tell(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
