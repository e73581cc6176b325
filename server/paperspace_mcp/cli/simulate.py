"""`simulate`: the simulated API on a port of its own."""

import argparse
import sys

from paperspace_mcp.cli.arguments import fleet, port, time_scale


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=port, default=9100, help="default: 9100; 0 takes a free one")
    parser.add_argument("--key", action="append", help="an API key to accept (default: demo-key)")
    parser.add_argument("--time-scale", type=time_scale, default=1.0, help="simulated seconds per second")
    parser.add_argument("--fleet", type=fleet, default="default", help="default, empty, or a number of machines")
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    from paperspace_mcp.simulator.server import serve

    keys = tuple(arguments.key or ["demo-key"])

    def ready(url: str) -> None:
        sys.stderr.write(f"paperspace-mcp: simulated API on {url} (keys: {len(keys)})\n")
        sys.stderr.flush()

    serve(
        arguments.host, arguments.port, time_scale=arguments.time_scale, fleet=arguments.fleet, keys=keys, ready=ready
    )
    return 0
