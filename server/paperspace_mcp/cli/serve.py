"""`serve`: MCP clients, on stdio or over HTTP."""

import argparse
import sys

from paperspace_mcp.cli.common import add_server_arguments, app_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_server_arguments(parser)
    parser.add_argument("--transport", choices=("stdio", "http"), default="stdio")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on, with --transport http")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument(
        "--allowed-host",
        action="append",
        default=[],
        help="a name under which clients reach it; needed beyond loopback",
    )
    parser.add_argument("--stateless", action="store_true", help="for replicas: older clients cannot be asked then")
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    app = app_of(arguments)
    if arguments.transport == "http":
        from paperspace_mcp.deployment import http_app, serve_http

        web = http_app(app, arguments.host, arguments.allowed_host, stateless=arguments.stateless)
        serve_http(web, arguments.host, arguments.port)
        return 0
    import anyio

    from paperspace_mcp.deployment import serve_stdio

    if sys.stdin.isatty():
        sys.stderr.write(
            "paperspace-mcp: waiting for an MCP client on standard input; try `paperspace-mcp demo` instead.\n"
        )
    anyio.run(serve_stdio, app)
    return 0
