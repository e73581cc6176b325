"""Whose calls, and in which account: what a fingerprint stands for, in a person's words."""

import argparse
import sys
from dataclasses import dataclass

from paperspace_mcp.app import anonymous, identity, os_user, principal_of
from paperspace_mcp.cli.arguments import user_name
from paperspace_mcp.conduct import ANONYMOUS
from paperspace_mcp.settings import Settings
from paperspace_mcp.wire.accounts import Accounts, shown

_NO_KEY = (
    "paperspace-mcp: no API key is set here, so this holds for servers without one only. Run it with the "
    "PAPERSPACE_API_KEY that the server has.\n"
)


def add_user_argument(parser: argparse.ArgumentParser) -> None:
    """The flags that say whose calls are meant, where it is not this OS user's on stdio."""
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument(
        "--user", type=user_name, metavar="NAME", help="whose calls, where users have tokens (default: this OS user's)"
    )
    whose.add_argument("--anonymous", action="store_true", help="the calls over HTTP where nobody logs in")


def principal(settings: Settings, arguments: argparse.Namespace) -> str:
    """Whose calls the flags mean. What holds for no server of theirs is said so."""
    if not settings.upstream.key:
        sys.stderr.write(_NO_KEY)
    if arguments.anonymous:
        return anonymous(settings).principal
    return principal_of(settings, arguments.user) if arguments.user else identity(settings).principal


@dataclass(frozen=True, slots=True)
class People:
    """Reads a principal: `USER:ACCOUNT` of an OS user, `user:NAME:ACCOUNT` of one with a token, nothing for all.

    `http:local:ACCOUNT` is whoever calls over HTTP where nobody logs in.
    """

    settings: Settings

    def whose(self, principal: str) -> str:
        """`calls of anna (by token) at https://...`."""
        who, _, account = principal.rpartition(":")
        return f"{_name(who)} {self._where(account)}" if principal else "everybody's calls, in every account"

    def _where(self, account: str) -> str:
        ours = shown(self.settings.upstream.url)
        if account == identity(self.settings).account:
            return f"at {ours} with this key" if self.settings.upstream.key else f"at {ours} without a key"
        url = Accounts(self.settings.state_dir).url(account)
        if url and url != ours:
            return f"at {url}"
        return f"at {url} with another key" if url else f"in another account ({account})"


def _name(who: str) -> str:
    if who == ANONYMOUS:
        return "calls over HTTP without a login"
    if who.startswith("user:"):
        return f"calls of {who.removeprefix('user:')} (by token)"
    return f"calls of this OS user ({who})" if who == os_user() else f"calls of the OS user {who}"
