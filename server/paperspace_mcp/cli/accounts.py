"""Whose calls, and in which account: what a fingerprint stands for, in a person's words."""

import argparse
import sys
from dataclasses import dataclass

from paperspace_mcp.app import identity, os_user, principal_of
from paperspace_mcp.cli.arguments import user_name
from paperspace_mcp.settings import Settings
from paperspace_mcp.wire.accounts import Accounts, shown

_NO_KEY = (
    "paperspace-mcp: no API key is set here, so this holds for servers without one only. Run it with the "
    "PAPERSPACE_API_KEY that the server has.\n"
)


def add_user_argument(parser: argparse.ArgumentParser) -> None:
    """The flag that says whose calls are meant, where users have tokens."""
    parser.add_argument(
        "--user", type=user_name, metavar="NAME", help="whose calls, where users have tokens (default: this OS user's)"
    )


def principal(settings: Settings, user: str | None) -> str:
    """The identity of a user with a token, or of this OS user. What holds for no server of theirs is said so."""
    if not settings.upstream.key:
        sys.stderr.write(_NO_KEY)
    return principal_of(settings, user) if user else identity(settings).principal


@dataclass(frozen=True, slots=True)
class People:
    """Reads a principal: `USER:ACCOUNT` of an OS user, `user:NAME:ACCOUNT` of one with a token, nothing for all."""

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
    if who.startswith("user:"):
        return f"calls of {who.removeprefix('user:')} (by token)"
    return f"calls of this OS user ({who})" if who == os_user() else f"calls of the OS user {who}"
