"""`schemas`: check or accept the published tool schemas."""

import argparse
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--folder", type=Path, default=Path("tool_schemas"), help="where they are stored (default: tool_schemas)"
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--check", action="store_true", help="exit 1 where a schema differs from the stored one")
    what.add_argument("--accept", action="store_true", help="store the schemas as they are now")
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    from paperspace_mcp.schemas import accept, differences

    if arguments.accept:
        sys.stdout.write(f"{accept(arguments.folder)} schemas stored in {arguments.folder}\n")
        return 0
    found = differences(arguments.folder)
    sys.stdout.write("\n".join(found or ["the stored schemas are what the server publishes"]) + "\n")
    return 1 if found else 0
