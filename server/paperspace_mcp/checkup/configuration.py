"""The variables and the policy file: whether the server would start with them, and what they say."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from paperspace_mcp.checkup.rows import Level, Row
from paperspace_mcp.contract.errors import OperatorError
from paperspace_mcp.policy_file import check, doubts
from paperspace_mcp.rules.policy import Mode, Policy
from paperspace_mcp.settings import Settings, config_dir, from_environment, hold
from paperspace_mcp.surface.tools import NAMES
from paperspace_mcp.surface.wording import explain

PART = "configuration"
_POLICY, _TOOLSETS = "PAPERSPACE_MCP_POLICY", "PAPERSPACE_MCP_TOOLSETS"
_NOWHERE = "/nonexistent/paperspace-mcp"
_MOST = 12


@dataclass(frozen=True, slots=True)
class Configured:
    """What can be used of the environment: a part that cannot is left at its default, and told in `rows`."""

    settings: Settings
    rows: tuple[Row, ...]
    policy_read: bool


def configured(environ: Mapping[str, str]) -> Configured:
    """The server refuses to start for one wrong part; a checkup goes on without it."""
    kept, rows, policy_read = dict(environ), list[Row](), True
    for _ in range(_MOST):
        try:
            hold(kept)
            settings = from_environment(kept)
            check(settings.policy, NAMES)
            return Configured(settings, tuple(rows), policy_read)
        except OperatorError as error:
            rows.append(_row(error))
            policy_read = policy_read and error.code != "bad_policy"
            _without(kept, error)
    return Configured(Settings(), tuple(rows), policy_read)


def _row(error: OperatorError) -> Row:
    about = "policy" if error.code == "bad_policy" else str(error.facts.get("setting", "setting"))
    message, remedy = explain(error)
    return Row(PART, about, Level.FAIL, message, remedy)


def _without(kept: dict[str, str], error: OperatorError) -> None:
    """Take out what was complained of."""
    if error.code == "bad_policy":
        kept.pop(_POLICY, None)
        kept.pop(_TOOLSETS, None)
        kept["XDG_CONFIG_HOME"] = _NOWHERE
    else:
        kept.pop(str(error.facts.get("setting", "")), None)


def rows(environ: Mapping[str, str], found: Configured) -> Iterator[Row]:
    yield from found.rows
    if found.policy_read:
        level = Level.WARN if found.settings.policy.freeze else Level.OK
        yield Row(PART, "policy", level, f"{_place(environ)}: {told(found.settings.policy)}")
        for doubt in doubts(found.settings.policy):
            yield Row(PART, "policy", Level.WARN, doubt, "It matters to no other type. Correct it, or leave it so.")
    unknown = [name for name in environ if name.startswith("PAPERSPACE_MCP_") and name not in KNOWN]
    for name in sorted(unknown):
        yield Row(PART, name, Level.WARN, "it is set, and nothing reads it", "README lists the variables.")


def _place(environ: Mapping[str, str]) -> str:
    named = environ.get(_POLICY)
    path = Path(named).expanduser() if named else config_dir(environ) / "policy.toml"
    return str(path) if named or path.is_file() else "no file, so the defaults"


def told(policy: Policy) -> str:
    """What a policy says, in one line."""
    words = [f"mode {policy.mode.value}" + (" (whatever is guarded is refused)" if policy.mode is Mode.DENY else "")]
    words += ["frozen: whatever is guarded is refused"] if policy.freeze else []
    words += ["read only"] if policy.read_only else []
    words += [f"toolsets {','.join(policy.toolsets)}"] if policy.toolsets else []
    words += [f"protects {', '.join(policy.protect) or 'nothing'}"]
    words += [f"starts under {policy.confirm_usd_per_hour:g} USD/h are not asked about"]
    words += [f"{len(policy.standing)} standing approvals"] if policy.standing else []
    return "; ".join(words)


KNOWN = frozenset(
    f"PAPERSPACE_MCP_{name}"
    for name in (
        "STATE_DIR", "POLICY", "MODE", "READ_ONLY", "TOOLSETS", "HOLD", "WEBHOOK_URL", "WEBHOOK_SECRET_FILE",
        "MAX_WAIT", "LOG_LEVEL",
    )
)  # fmt: skip
"""A test compares with what `settings` reads."""
