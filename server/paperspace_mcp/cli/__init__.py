"""The command line. Each command is a module of its own, imported when it is called."""

import argparse
import gc
import logging
import sys
from collections.abc import Sequence
from importlib import import_module

from paperspace_mcp import __version__

COMMANDS: dict[str, str] = {
    "serve": "Serve MCP clients, on stdio or over HTTP.",
    "demo": "A walk through the server on a simulated fleet: no key, no network.",
    "simulate": "The simulated API on a port of its own.",
    "run": "Call one tool from the shell.",
    "token": "Make a bearer token for a user of the HTTP server.",
    "approve": "See and decide the questions that wait for a person.",
    "allow": "Give, list and end standing approvals.",
    "unlock": "Lift the limit on questions for an incident.",
    "freeze": "Stop everything that changes something.",
    "policy": "Explain what a call would meet.",
    "audit": "Verify or read the audit.",
    "schemas": "Check or accept the published tool schemas.",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; its exit code.

    2 for a wrong command line or configuration, and what each command says.
    """
    gc.disable()  # imports make no garbage; looking for it is a tenth of the start
    arguments = sys.argv[1:] if argv is None else list(argv)
    parser = _parser(arguments[0] if arguments and arguments[0] in COMMANDS else "")
    parsed = parser.parse_args(arguments)
    gc.enable()
    gc.freeze()
    if not hasattr(parsed, "execute"):
        parser.print_help(sys.stderr)
        return 2
    return _executed(parsed)


def _executed(parsed: argparse.Namespace) -> int:
    from paperspace_mcp.contract.errors import Failure

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        code: int = parsed.execute(parsed)
    except Failure as failure:
        from paperspace_mcp.surface.wording import explain

        sys.stderr.write("paperspace-mcp: " + " ".join(explain(failure)) + "\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return code


def _parser(command: str) -> argparse.ArgumentParser:
    """The parser; only the command that is called brings its own arguments."""
    parser = argparse.ArgumentParser(prog="paperspace-mcp", description="MCP server for Paperspace machines.")
    parser.add_argument("--version", action="version", version=f"paperspace-mcp {__version__}")
    subparsers = parser.add_subparsers(metavar="COMMAND")
    for name, about in COMMANDS.items():
        one = subparsers.add_parser(name, help=about, description=about)
        if name == command:
            import_module(f"paperspace_mcp.cli.{name}").add_arguments(one)
    return parser


if __name__ == "__main__":
    sys.exit(main())
