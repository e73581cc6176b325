"""The adversarial proof, whole: prints what came of it and writes the page of the proof.

--quick runs the counts of the ordinary tests, --only NAME the families whose name has this in it and nothing beside
them; neither writes the page, unless --quick --write is given (the page then says so). Exit 1 where anything came
through our server, a state of the walk was bad, or a check was not missed when it was taken out.
"""

import argparse
import sys

from tests.proof import beside
from tests.proof.page import PAGE, Results, families, render, shell
from tests.proof.page import beside as told
from tests.proof.wire.families import FAMILIES
from tests.proof.wire.run import OURS, SERVERS, Job, Result, run


def main() -> int:
    arguments = _arguments()
    chosen = [family for family in FAMILIES if arguments.only in family.name]
    jobs = [
        Job(one.name, server, arguments.quick) for one in chosen for server in SERVERS if server == OURS or one.weak
    ]
    results: Results = {}
    for result in run(jobs):
        results[result.job.family, result.job.server] = result.tally
        _tell(result)
    sys.stdout.write(f"{families(results)}\n\n{shell(results)}\n")
    came = any(tally.bypasses for (_, server), tally in results.items() if server == OURS)
    return int(came) if arguments.only else int(_beside(arguments, results) or came)


def _beside(arguments: argparse.Namespace, results: Results) -> bool:
    """What is no family; whether anything of it is wrong."""
    found = beside.run(quick=arguments.quick)
    sys.stdout.write(f"{told(found)}\n")
    if arguments.write or not arguments.quick:
        PAGE.write_text(render(results, found, quick=arguments.quick), encoding="utf-8")
    return bool(found.walked.bad or found.survivors)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.proof", description=__doc__)
    parser.add_argument("--only", default="", help="the families whose name has this in it")
    parser.add_argument("--quick", action="store_true", help="the counts of the ordinary tests")
    parser.add_argument("--write", action="store_true", help="write the page, also of a quick run")
    return parser.parse_args()


def _tell(result: Result) -> None:
    """How far it is, and whatever came through our own server, by how."""
    job, tally = result.job, result.tally
    lines = [
        f"{job.server}, {job.family}: {tally.attempts:,} attempts, {tally.bypasses} bypasses, {result.seconds:.0f} s"
    ]
    if job.server == OURS:
        lines += [f"    {how}: {times}" for how, times in tally.by.most_common(20)]
    sys.stderr.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
