"""`serve`: MCP clients, on stdio or over HTTP."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from paperspace_mcp.app import Tell
from paperspace_mcp.cli.common import add_server_arguments, app_of, settings_of
from paperspace_mcp.contract.errors import OperatorError
from paperspace_mcp.rules.guard.records import Record
from paperspace_mcp.settings import Settings, hold


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
    parser.add_argument("--password-sink", choices=("file", "off", "inline"), default="", help="where passwords go")
    parser.add_argument(
        "--tokens", type=Path, help="file of bearer tokens (made by `token`): who may call over HTTP, and the page"
    )
    parser.add_argument("--stateless", action="store_true", help="for replicas: older clients cannot be asked then")
    parser.set_defaults(execute=execute)


def _sink(chosen: str, *, http: bool) -> str:
    """On stdio the password goes to a file of the user who runs this; over HTTP nowhere, unless somebody says so."""
    return chosen or ("off" if http else "file")


async def tell(record: Record) -> None:
    """Say on standard error, where no model reads, how the question is decided."""
    sys.stderr.write(f"paperspace-mcp: {record.code} waits for a person: paperspace-mcp approve {record.code}\n")
    sys.stderr.flush()


def telling(settings: Settings) -> Tell:
    """On standard error always, and to the chat bot's webhook where one is set."""
    if not settings.webhook_url:
        return tell
    from paperspace_mcp.webhook import Outgoing

    outgoing = Outgoing(settings.webhook_url, settings.webhook_secret)

    async def both(record: Record) -> None:
        await tell(record)
        await outgoing.tell(record)

    return both


def _settings(arguments: argparse.Namespace, *, http: bool) -> Settings:
    if arguments.tokens and not http:
        raise OperatorError("bad_configuration", facts={"setting": "--tokens (only with --transport http)"})
    sink = _sink(arguments.password_sink, http=http)
    return replace(settings_of(arguments), hold_s=hold(), password_sink=sink, tokens=arguments.tokens)


def execute(arguments: argparse.Namespace) -> int:
    http = arguments.transport == "http"
    settings = _settings(arguments, http=http)
    app = app_of(arguments, settings, tell=telling(settings))
    if http:
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
