"""`serve`: MCP clients, on stdio or over HTTP."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from paperspace_mcp.app import App, Tell
from paperspace_mcp.cli.arguments import port
from paperspace_mcp.cli.common import add_server_arguments, app_of, settings_of
from paperspace_mcp.contract.errors import OperatorError
from paperspace_mcp.rules.guard.records import Record
from paperspace_mcp.settings import Settings, hold
from paperspace_mcp.wire.accounts import Accounts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_server_arguments(parser)
    parser.add_argument("--transport", choices=("stdio", "http"), default="stdio", help="default: stdio")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on, with --transport http")
    parser.add_argument("--port", type=port, default=8000, help="default: 8000; 0 takes a free one")
    parser.add_argument(
        "--allowed-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name under which clients reach it; needed beyond loopback",
    )
    parser.add_argument(
        "--password-sink",
        choices=("file", "link", "off", "inline"),
        default="",
        help="where a revealed password goes: a file of this user (stdio's default), a page that shows it once (with "
        "--tokens), nowhere (HTTP's default), or into the answer",
    )
    parser.add_argument(
        "--tokens",
        type=Path,
        metavar="FILE",
        help="file of bearer tokens (made by `token`): who may call over HTTP, and the page",
    )
    parser.add_argument("--stateless", action="store_true", help="for replicas: older clients cannot be asked then")
    parser.set_defaults(execute=execute)


def _sink(chosen: str, *, http: bool) -> str:
    """On stdio the password goes to a file of the user who runs this; over HTTP nowhere, unless somebody says so."""
    return chosen or ("off" if http else "file")


@dataclass(slots=True)
class Hints:
    """Says on standard error, where no model reads, how a question is decided: the command, and the page if there is.

    page: the address of the page; known once the server listens.
    """

    settings: Settings
    page: str = ""

    async def tell(self, record: Record) -> None:
        """One line for each question."""
        Accounts(self.settings.state_dir).remember(record.account, self.settings.upstream.url)
        page = f", or in a browser {self.page}/{record.code}" if self.page else ""
        command = f"paperspace-mcp approve {record.code}{self._where}"
        sys.stderr.write(f"paperspace-mcp: {record.code} waits for a person: {command}{page}\n")
        sys.stderr.flush()

    @property
    def _where(self) -> str:
        """The directory, where it is not what `approve` would look into by itself."""
        from platformdirs import user_state_path

        state = self.settings.state_dir
        return "" if state == user_state_path("paperspace-mcp") else f" --state-dir {shlex.quote(str(state))}"


def telling(settings: Settings, hints: Hints) -> Tell:
    """On standard error always, and to the chat bot's webhook where one is set."""
    if not settings.webhook_url or settings.webhook_secret is None:
        return hints.tell
    from paperspace_mcp.webhook import Outgoing

    outgoing = Outgoing(settings.webhook_url, settings.webhook_secret)

    async def both(record: Record) -> None:
        await hints.tell(record)
        await outgoing.tell(record)

    return both


def _settings(arguments: argparse.Namespace, *, http: bool) -> Settings:
    if arguments.tokens and not http:
        raise OperatorError("bad_configuration", facts={"setting": "--tokens (only with --transport http)"})
    sink = _sink(arguments.password_sink, http=http)
    if sink == "link" and not arguments.tokens:
        raise OperatorError("bad_configuration", facts={"setting": "--password-sink link (only with --tokens)"})
    return replace(settings_of(arguments), hold_s=hold(), password_sink=sink, tokens=arguments.tokens)


def _reached(url: str, names: Sequence[str]) -> str:
    """Where people reach the server: under its first name, behind TLS, or where it listens."""
    return f"https://{names[0]}" if names else url


def _serve_http(app: App, arguments: argparse.Namespace, hints: Hints) -> None:
    from paperspace_mcp.deployment import http_app, serve_http
    from paperspace_mcp.wire.sinks import LinkSink

    web = http_app(app, arguments.host, arguments.allowed_host, stateless=arguments.stateless)

    def announced(url: str) -> None:
        address, sink = _reached(url, arguments.allowed_host), app.conduct.rooms.sink
        hints.page = f"{address}/approvals" if app.tokens else ""
        if isinstance(sink, LinkSink):
            sink.address = address

    serve_http(web, arguments.host, arguments.port, announced)


def execute(arguments: argparse.Namespace) -> int:
    http = arguments.transport == "http"
    settings = _settings(arguments, http=http)
    hints = Hints(settings)
    app = app_of(arguments, settings, tell=telling(settings, hints))
    if http:
        _serve_http(app, arguments, hints)
        return 0
    import anyio

    from paperspace_mcp.deployment import serve_stdio

    if sys.stdin.isatty():
        sys.stderr.write(
            "paperspace-mcp: waiting for an MCP client on standard input; try `paperspace-mcp demo` instead.\n"
        )
    anyio.run(serve_stdio, app)
    return 0
