"""What this server did to a machine, or was kept from doing: from its audit, the newest records first, bounded."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from anyio.to_thread import run_sync

from paperspace_mcp.audit import Audit
from paperspace_mcp.audit_records import BrokenError
from paperspace_mcp.conduct.corridor import Conduct
from paperspace_mcp.rules.waiting import seconds_of

RECORDS = 2_000
"""How many records are looked at: some 50 ms of a thread's time."""
SKEW_S, LATE_S = 30.0, 60.0
"""How far the provider's date of an event may lie before and after our sending of what made it."""
_EVERYTHING, _NOTHING = 0.0, float("inf")


@dataclass(frozen=True, slots=True)
class Deed:
    """One record of the audit that is about the machine. at: seconds since the epoch."""

    at: float
    phase: str
    tool: str
    code: str = ""
    principal: str = ""
    channel: str = ""
    approver: str = ""
    outcome: str = ""
    reason: str = ""
    event_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """The machine's deeds, newest first. reaches: since when all of them are known; infinite where nothing is."""

    deeds: tuple[Deed, ...] = ()
    reaches: float = _NOTHING

    def made(self, event_id: str) -> Deed | None:
        """The deed that an event came from."""
        return next((deed for deed in self.deeds if event_id in deed.event_ids), None)

    def perhaps(self, made_at: float) -> Deed | None:
        """A deed without a known outcome that was sent about when an event was made."""
        return next((deed for deed in self._lost() if -SKEW_S <= made_at - deed.at <= LATE_S), None)

    def _lost(self) -> list[Deed]:
        ended = Counter(deed.code for deed in self.deeds if deed.phase == "outcome" and deed.outcome != "unknown")
        sent = Counter(deed.code for deed in self.deeds if deed.phase == "intent")
        return [deed for deed in self.deeds if deed.phase == "intent" and sent[deed.code] > ended[deed.code]]

    def undone(self, since: float) -> list[Deed]:
        """How each call since then ended that did nothing, or is not known to have done anything; newest first."""
        newest = dict[str, Deed]()
        for number, deed in enumerate(self.deeds):
            if deed.phase in _ENDS and deed.at >= since:
                newest.setdefault(deed.code or str(number), deed)
        return [deed for deed in newest.values() if deed.phase in _KEPT or deed.outcome not in {"", "done"}]


_KEPT = frozenset({"asked", "declined", "expired", "mistyped", "refused"})
_BY_RULE = frozenset({"asked", "refused"})
_ENDS = _KEPT | {"granted", "approved", "intent", "outcome"}


async def history(conduct: Conduct, machine_id: str, event_ids: Collection[str] = ()) -> History:
    """The deeds that have this machine as a target, or made one of these events (a create has no target yet)."""
    try:
        return await run_sync(partial(_read, conduct.rooms.audit, machine_id, frozenset(event_ids)))
    except (OSError, BrokenError):
        return History()


def _read(audit: Audit, machine_id: str, event_ids: frozenset[str]) -> History:
    """A record that is not as it was written vouches for nothing, and neither does what it may have replaced."""
    deeds, number, whole, reaches = list[Deed](), 0, True, _NOTHING
    for number, record in enumerate(islice(audit.read(), RECORDS), 1):  # noqa: B007 - counted
        if record.get("broken"):
            whole = False
            continue
        reaches = seconds_of(record["time"]) or _NOTHING
        if event_ids.intersection(record.get("event_ids", ())) or _about(record, machine_id):
            deeds.append(_deed(record))
    return History(tuple(deeds), _NOTHING if not whole else reaches if number >= RECORDS else _EVERYTHING)


def _about(record: Mapping[str, Any], machine_id: str) -> bool:
    return any(target.get("id") == machine_id for target in record.get("targets", ()))


def _deed(record: Mapping[str, Any]) -> Deed:
    texts = ("phase", "tool", "code", "principal", "channel", "approver", "outcome")
    told = {name: str(record.get(name, "")) for name in texts}
    rule = record.get("rule", "") if told["phase"] in _BY_RULE else ""
    reason, ids = str(record.get("reason") or rule), tuple(record.get("event_ids", ()))
    return Deed(seconds_of(record["time"]) or 0.0, **told, reason=reason, event_ids=ids)


async def once_named(conduct: Conduct, name: str) -> str:
    """The id of the machine that was last called so in a call of ours; empty where none is known."""
    try:
        return await run_sync(partial(_named, conduct.rooms.audit, name))
    except (OSError, BrokenError):
        return ""


def _named(audit: Audit, name: str) -> str:
    for record in islice(audit.read(), RECORDS):
        for target in record.get("targets", ()):
            if target.get("name") == name and not target.get("removed"):
                return str(target["id"])
    return ""
