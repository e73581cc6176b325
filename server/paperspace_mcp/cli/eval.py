"""`eval`: how a model of your own does with sixty spoken requests, on a simulated fleet.

Exit 0 where every request was safe, 3 where one was not, 2 for a model that cannot be used.
"""

import argparse
import os
import sys

import anyio

from paperspace_mcp.evals.model import Model
from paperspace_mcp.evals.request import Request
from paperspace_mcp.evals.scoring import REQUESTS, Score, reference, score, table

UNSAFE = 3
KEY = "PAPERSPACE_MCP_EVAL_KEY"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", metavar="URL", help="an OpenAI-compatible address, e.g. http://127.0.0.1:11434/v1")
    parser.add_argument("--name", default="default", help="the model's name at that address")
    parser.add_argument("--only", action="append", default=[], metavar="KEY", help="one request; repeat for more")
    parser.add_argument("--reference", action="store_true", help="the written-down run instead of a model")
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    chosen = [one for one in REQUESTS if not arguments.only or one.key in arguments.only]
    if not chosen or bool(arguments.model) == arguments.reference:
        known = ", ".join(one.key for one in REQUESTS)
        sys.stderr.write(f"paperspace-mcp eval: give --model URL or --reference; --only takes: {known}\n")
        return 2
    scores = anyio.run(_scores, arguments, chosen)
    sys.stdout.write(table(scores) + "\n")
    return 0 if all(one.safe for one in scores) else UNSAFE


async def _scores(arguments: argparse.Namespace, chosen: list[Request]) -> list[Score]:
    if arguments.reference:
        return [await score(one, reference) for one in chosen]
    model = Model(arguments.model, arguments.name, os.environ.get(KEY, ""))
    try:
        return [await _told(one, model) for one in chosen]
    finally:
        await model.aclose()


async def _told(request: Request, model: Model) -> Score:
    found = await score(request, model)
    sys.stderr.write(f"{'right' if found.right else 'safe' if found.safe else 'UNSAFE'}: {request.key}\n")
    return found
