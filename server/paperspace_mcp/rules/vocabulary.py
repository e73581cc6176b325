"""The provider's open words, and what people say instead.

A word that is not among them is passed on, for the provider may have new ones. Where nothing answers to it, what was
seen is told, and what may have been meant.
"""

from collections.abc import Mapping, Sequence

from paperspace_mcp.rules.naming import did_you_mean

EVENT_NAMES = (
    "create", "start", "stop", "restart", "deactivate", "vm-upgrade", "vm-migrate", "vm-shutdown-force",
    "snapshot-create", "snapshot-delete", "snapshot-restore", "template-create", "template-delete",
    "template-distribute", "template-import", "bill-sessions", "bill-upgrade",
)  # fmt: skip
AGENT_TYPES = ("LinuxHeadless", "LinuxDesktop", "WindowsDesktop")

_NO_FAILURE = "a failure stands in the events (list_machine_events, states error)"
SPOKEN_STATES = {
    "running": "ready", "on": "ready", "up": "ready", "active": "ready", "started": "ready", "online": "ready",
    "stopped": "off", "down": "off", "shutdown": "off", "shut down": "off", "offline": "off",
    "creating": "provisioning", "booting": "starting", "rebooting": "restarting", "resizing": "upgrading",
}  # fmt: skip
NO_STATE = {
    "idle": "whether a machine is used is in no state (find_waste names signs of it)",
    "failed": _NO_FAILURE, "error": _NO_FAILURE, "broken": _NO_FAILURE,
}  # fmt: skip
SPOKEN_EVENT_STATES = {
    "failed": "error", "failure": "error", "errored": "error", "finished": "done", "complete": "done",
    "completed": "done", "success": "done", "succeeded": "done", "successful": "done", "canceled": "cancelled",
    "running": "in progress", "pending": "in progress", "inprogress": "in progress", "queued": "new",
}  # fmt: skip
SPOKEN_EVENT_NAMES = {
    "reboot": "restart", "shutdown": "stop", "shut-down": "stop", "boot": "start", "delete": "deactivate",
    "destroy": "deactivate", "terminate": "deactivate", "resize": "vm-upgrade", "upgrade": "vm-upgrade",
    "migrate": "vm-migrate", "snapshot": "snapshot-create", "backup": "snapshot-create", "provision": "create",
}  # fmt: skip

SHOWN = 8
"""How many of the words that were seen are told."""


def strange(given: Sequence[str], seen: Mapping[str, int], known: Sequence[str]) -> list[str]:
    """The words that nothing seen answers to and that nobody knows."""
    there = {word.casefold() for word in (*seen, *known)}
    return [word for word in given if word.casefold() not in there]


def hint(
    argument: str,
    words: Sequence[str],
    seen: Mapping[str, int],
    known: Sequence[str],
    spoken: Mapping[str, str],
    never: Mapping[str, str] = {},
) -> str:
    """What to say of strange words, without repeating them; empty where there are none.

    seen: how many there are of each word; known: the provider's; spoken: what people say, and the word that is meant;
    never: what people say, and why no word is that.
    """
    if not words:
        return ""
    most = sorted(seen, key=lambda word: -seen[word])[:SHOWN]
    there = ", ".join(f"{word} ({seen[word]})" for word in most) or "nothing"
    meant = dict.fromkeys(filter(None, (spoken.get(word) or _near(word, known, seen) for word in words)))
    perhaps = f"; {' and '.join(meant)} may be meant" if meant else ""
    why = "".join(f"; {told}" for told in dict.fromkeys(never[word] for word in words if word in never))
    return f"{argument}: nothing here is called that; seen: {there}{perhaps}{why}."


def _near(word: str, known: Sequence[str], seen: Mapping[str, int]) -> str | None:
    return did_you_mean(word, [*known, *seen])
