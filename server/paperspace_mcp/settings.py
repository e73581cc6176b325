"""What the operator sets: flags over environment over files. Read once, at the composition root."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from paperspace_mcp.contract.errors import OperatorError
from paperspace_mcp.rules.policy import Mode, Policy, stricter

DEFAULT_URL = "https://api.paperspace.com/v1"
MAX_WAIT_S = 300.0
LONGEST_HOLD_S = 55.0
"""Many clients give a call up after 60 s."""
SHORTEST_WEBHOOK_SECRET = 16
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where the API is and how long we wait for it. Times are seconds."""

    url: str = DEFAULT_URL
    key: SecretStr | None = None
    connect_timeout_s: float = 5.0
    read_timeout_s: float = 20.0
    budget_s: float = 30.0
    """The longest that one read may take with all its retries. A `Retry-After` beyond it is told, not slept."""
    max_attempts: int = 4
    max_answer_bytes: int = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that is configured. `state_dir` holds the records of approvals."""

    upstream: Upstream = field(default_factory=Upstream)
    state_dir: Path = Path()
    log_level: str = "WARNING"
    max_wait_s: float = 50.0
    hold_s: float = 0.0
    """How long a call waits for a person who decides out of band, before it answers that one must."""
    policy: Policy = field(default_factory=Policy)
    password_sink: str = "off"  # noqa: S105 - the name of a sink
    """Where a revealed desktop password goes: file, link, inline, or off."""
    demo: bool = False
    allow: str = ""
    """The one standing approval that calls may use, instead of asking anybody; empty for any, else asking."""
    tokens: Path | None = None
    """The file of bearer tokens; without it nobody has an identity over HTTP."""
    webhook_url: str = ""
    webhook_secret: SecretStr | None = None
    """Signs what goes to the webhook, and what comes from it."""


def from_environment(environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings of this process.

    Raises:
        OperatorError: a value that cannot be used, named without its content.
    """
    url = environ.get("PAPERSPACE_API_URL", "").strip() or DEFAULT_URL
    upstream = Upstream(url=url.rstrip("/"), key=_key(environ))
    return Settings(
        upstream=upstream,
        state_dir=_state_dir(environ),
        log_level=_log_level(environ),
        max_wait_s=_max_wait(environ),
        policy=_policy(environ),
        webhook_url=_webhook_url(environ),
        webhook_secret=_webhook_secret(environ),
    )


def _log_level(environ: Mapping[str, str]) -> str:
    level = environ.get("PAPERSPACE_MCP_LOG_LEVEL", "WARNING").upper()
    if level not in LOG_LEVELS:
        raise OperatorError("bad_configuration", facts={"setting": "PAPERSPACE_MCP_LOG_LEVEL"})
    return level


def _webhook_url(environ: Mapping[str, str]) -> str:
    url = environ.get("PAPERSPACE_MCP_WEBHOOK_URL", "").strip()
    if url and not (url.startswith(("http://", "https://")) and environ.get("PAPERSPACE_MCP_WEBHOOK_SECRET_FILE")):
        raise OperatorError("bad_configuration", facts={"setting": "PAPERSPACE_MCP_WEBHOOK_URL"})
    return url


def _webhook_secret(environ: Mapping[str, str]) -> SecretStr | None:
    """A short secret could be guessed from one signature."""
    path = environ.get("PAPERSPACE_MCP_WEBHOOK_SECRET_FILE")
    if not path:
        return None
    try:
        secret = Path(path).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        secret = ""
    if len(secret) < SHORTEST_WEBHOOK_SECRET:
        raise OperatorError("bad_configuration", facts={"setting": "PAPERSPACE_MCP_WEBHOOK_SECRET_FILE"})
    return SecretStr(secret)


def _policy(environ: Mapping[str, str]) -> Policy:
    """The file's policy, made stricter by the environment. A file that is named must be there."""
    named = environ.get("PAPERSPACE_MCP_POLICY")
    path = Path(named).expanduser() if named else config_dir(environ) / "policy.toml"
    policy = Policy()
    if named or _is_there(path):
        from paperspace_mcp.policy_file import load

        policy = load(path)
    return stricter(policy, _tightened(environ, policy))


def _is_there(path: Path) -> bool:
    """Whether there is a policy, usable or not: taking a link that leads nowhere for none would loosen it."""
    try:
        path.lstat()
    except FileNotFoundError:
        return path.parent.is_symlink() and not path.parent.exists()
    except OSError:
        return True
    return True


def _tightened(environ: Mapping[str, str], policy: Policy) -> Policy:
    """What the environment says of the policy; what it does not say is as it was."""
    mode = environ.get("PAPERSPACE_MCP_MODE", policy.mode.value)
    read_only = environ.get("PAPERSPACE_MCP_READ_ONLY", "")
    if mode not in {one.value for one in Mode}:
        raise OperatorError("bad_configuration", facts={"setting": "PAPERSPACE_MCP_MODE"})
    if read_only not in {"", "0", "1", "true", "false"}:
        raise OperatorError("bad_configuration", facts={"setting": "PAPERSPACE_MCP_READ_ONLY"})
    toolsets = tuple(filter(None, map(str.strip, environ.get("PAPERSPACE_MCP_TOOLSETS", "").split(","))))
    return replace(policy, mode=Mode(mode), read_only=read_only in {"1", "true"}, toolsets=toolsets)


def config_dir(environ: Mapping[str, str]) -> Path:
    if chosen := environ.get("XDG_CONFIG_HOME"):
        return Path(chosen) / "paperspace-mcp"
    from platformdirs import user_config_path

    return user_config_path("paperspace-mcp")


def _key(environ: Mapping[str, str]) -> SecretStr | None:
    """Precedence: the variable, the file it names, the provider's own CLI (read only)."""
    key = (environ.get("PAPERSPACE_API_KEY") or "").strip() or _key_of_file(environ) or _key_of_cli(environ)
    return SecretStr(key) if key else None


def _key_of_file(environ: Mapping[str, str]) -> str | None:
    path = environ.get("PAPERSPACE_API_KEY_FILE")
    if not path:
        return None
    try:
        return Path(path).expanduser().read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        raise OperatorError("bad_configuration", facts={"setting": "PAPERSPACE_API_KEY_FILE"}) from None


def _key_of_cli(environ: Mapping[str, str]) -> str | None:
    home = Path(environ.get("HOME") or Path.home()) / ".paperspace"
    keys, team = _toml(home / "credentials.toml").get("keys", {}), _toml(home / "config.toml").get("team")
    key = keys.get(team) if isinstance(keys, dict) and isinstance(team, str) else None
    return key if isinstance(key, str) else None


def _toml(path: Path) -> dict[str, Any]:
    """A file of the provider's CLI; one that is missing or broken is none of ours to complain of."""
    if not path.is_file():
        return {}
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _state_dir(environ: Mapping[str, str]) -> Path:
    if chosen := environ.get("PAPERSPACE_MCP_STATE_DIR"):
        return Path(chosen).expanduser()
    from platformdirs import user_state_path

    return user_state_path("paperspace-mcp")


def hold(environ: Mapping[str, str] = os.environ) -> float:
    """Seconds for which `serve` holds a call whose question a person decides out of band.

    Raises:
        OperatorError: not a number from 0 to 55.
    """
    seconds = _seconds(environ.get("PAPERSPACE_MCP_HOLD", "40"))
    if not 0 <= seconds <= LONGEST_HOLD_S:
        raise OperatorError("bad_configuration", facts={"setting": "PAPERSPACE_MCP_HOLD"})
    return seconds


def _max_wait(environ: Mapping[str, str]) -> float:
    seconds = _seconds(environ.get("PAPERSPACE_MCP_MAX_WAIT", "50"))
    if not 0 < seconds <= MAX_WAIT_S:
        raise OperatorError("bad_configuration", facts={"setting": "PAPERSPACE_MCP_MAX_WAIT"})
    return seconds


def _seconds(text: str) -> float:
    """A number of seconds; below every limit where the text is none."""
    try:
        return float(text)
    except ValueError:
        return -1.0
