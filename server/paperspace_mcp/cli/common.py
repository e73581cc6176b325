"""What several commands need: settings from flags, the embedded fleet."""

import argparse
import atexit
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from paperspace_mcp.app import App, Tell, build
from paperspace_mcp.cli.arguments import STATE_DIR, address, directory, time_scale
from paperspace_mcp.contract.errors import OperatorError
from paperspace_mcp.rules.policy import Policy, stricter
from paperspace_mcp.settings import Settings, Upstream, from_environment
from paperspace_mcp.surface.tools import TOOLSETS

DEMO_KEY = SecretStr("demo-key")
DEMO_URL = "http://simulator.invalid/v1"


def add_server_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of every command that puts a server together."""
    parser.add_argument("--demo", action="store_true", help="use a simulated fleet: no key, no network")
    parser.add_argument(
        "--time-scale", type=time_scale, default=1.0, metavar="N", help="simulated seconds per second, with --demo"
    )
    add_account_arguments(parser)
    add_offer_arguments(parser)


def add_offer_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags that say which tools are offered."""
    parser.add_argument("--read-only", action="store_true", help="offer only what changes nothing")
    parser.add_argument(
        "--toolsets", default="", metavar="A,B", help="only these, with commas: machines,events,accessors,desktop,fleet"
    )


def add_account_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags that say which account is meant, and where its approvals are: the same for every command."""
    parser.add_argument(
        "--api-url",
        type=address,
        metavar="URL",
        help="address of the API (default: $PAPERSPACE_API_URL or the provider's)",
    )
    parser.add_argument("--state-dir", type=directory, metavar="DIR", help=STATE_DIR)


def settings_of(arguments: argparse.Namespace) -> Settings:
    """Flags before environment before files. A demo has a state of its own, thrown away with it."""
    settings = from_environment()
    if arguments.state_dir:
        settings = replace(settings, state_dir=arguments.state_dir)
    if arguments.api_url:
        settings = replace(settings, upstream=replace(settings.upstream, url=arguments.api_url.rstrip("/")))
    settings = replace(settings, policy=tightened(settings.policy, arguments))
    if not getattr(arguments, "demo", False):
        return settings
    state_dir = arguments.state_dir or _thrown_away()
    return replace(settings, demo=True, upstream=Upstream(url=DEMO_URL, key=DEMO_KEY), state_dir=state_dir)


def _thrown_away() -> Path:
    """A directory that goes with this process."""
    directory = Path(tempfile.mkdtemp(prefix="paperspace-mcp-demo-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return directory


def tightened(policy: Policy, arguments: argparse.Namespace) -> Policy:
    """The policy with what the flags add to it: they can only tighten it."""
    toolsets = tuple(filter(None, getattr(arguments, "toolsets", "").split(",")))
    if unknown := set(toolsets) - set(TOOLSETS):
        raise OperatorError("bad_configuration", facts={"setting": f"--toolsets ({', '.join(sorted(unknown))[:60]})"})
    return stricter(policy, replace(policy, read_only=getattr(arguments, "read_only", False), toolsets=toolsets))


def app_of(arguments: argparse.Namespace, settings: Settings | None = None, *, tell: Tell | None = None) -> App:
    """The server that the flags ask for, or `settings` made from them."""
    settings = settings or settings_of(arguments)
    return build(settings, transport=embedded(arguments.time_scale) if settings.demo else None, tell=tell)


def embedded(time_scale: float) -> Any:
    """Makes the transport to a simulated fleet in this process, at the first call."""

    def transport() -> Any:
        import httpx

        from paperspace_mcp.simulator import Simulator

        return httpx.ASGITransport(Simulator(keys=(DEMO_KEY.get_secret_value(),), time_scale=time_scale).app)

    return transport
