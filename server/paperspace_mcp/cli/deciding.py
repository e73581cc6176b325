"""A person decides at a terminal: what is asked is shown whole, what is typed is compared by the approver."""

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from paperspace_mcp.approving import Approver, Decided
from paperspace_mcp.cli.accounts import People
from paperspace_mcp.cli.hints import helped
from paperspace_mcp.contract.errors import Refusal
from paperspace_mcp.rules.guard import lists
from paperspace_mcp.rules.guard.lists import Listing
from paperspace_mcp.rules.guard.records import Record

_SOON_S = 60.0


@dataclass(slots=True)
class Terminal:
    """Shows and asks. `deny`: say no instead. `deserted`: nobody is there to type, so nothing is decided."""

    approver: Approver
    people: People
    read_secret: Callable[[str], str]
    deny: bool = False
    deserted: bool = field(default=False, init=False)

    def row(self, record: Record) -> None:
        """One question of a list, in a few lines."""
        first, *rest = lists.lines(record)
        left = record.expires_at - time.time()
        minutes = f"{left / _SOON_S:.0f} min left" if left > _SOON_S else "less than a minute left"
        sys.stdout.write(f"{record.code}  {record.effect}, {minutes}: {first}\n")
        for line in (*rest, self.people.whose(record.principal)):
            sys.stdout.write(f"      {line}\n")

    async def decide(self, codes: Sequence[str]) -> int:
        """One question, or several as one list. The exit code: 0 where all were decided as wished."""
        try:
            wanted = list(dict.fromkeys(code.strip().upper() for code in codes))
            return await (self._several(wanted) if len(wanted) > 1 else self._one(wanted[0]))
        except Refusal as refusal:
            sys.stderr.write(f"{helped(refusal)}\n")
            return 1

    async def _one(self, code: str) -> int:
        record = await self.approver.show(code)
        sys.stdout.write(f"{record.question}\n{self.people.whose(record.principal)}\n")
        if self.deny:
            return await self._denied(code)
        if not self.approver.approvers.any():
            self.approver.authenticate(record, "")  # what cannot be decided at all is told before anything is typed
        typed = self._typed()
        if typed is None:
            return 1
        if not typed:
            return await self._denied(code)
        await self.approver.approve(code, typed, self._secret())
        sys.stdout.write(f"{code}: approved.\n")
        return 0

    async def _denied(self, code: str) -> int:
        await self.approver.deny(code, self._secret())
        sys.stdout.write(f"{code}: declined.\n")
        return 0

    async def _several(self, codes: Sequence[str]) -> int:
        """Those that still wait, as one list; those that do not are told, and take part in nothing."""
        waiting, told = await self._waiting(codes)
        if not waiting:
            return 1
        if len(waiting) == 1:
            return max(told, await self._one(waiting[0].code))
        if self.deny:
            for record in waiting:
                self.row(record)
            return max(told, self._told(await self.approver.deny_list(_codes(waiting), self._secret()), "declined"))
        return max(told, await self._confirmed(await self.approver.listing(_codes(waiting))))

    async def _waiting(self, codes: Sequence[str]) -> tuple[list[Record], int]:
        waiting, code = list[Record](), 0
        for one in codes:
            try:
                waiting.append(await self.approver.show(one))
            except Refusal as refusal:
                code = self._told([Decided(one, refusal)], "")
        return waiting, code

    async def _confirmed(self, listing: Listing) -> int:
        sys.stdout.write(f"{listing.heading}\n")
        for record in listing.records:
            self.row(record)
        if not self.approver.approvers.any():
            self.approver.authenticate(listing.records[0], "")
        sys.stdout.write(f"To go ahead with all of them, type: {listing.typed}\n")
        typed = self._typed()
        if not typed:
            sys.stderr.write("Nothing was decided; they still wait. `--deny` says no to all.\n" if typed == "" else "")
            return 1
        done = await self.approver.approve_list(_codes(listing.records), typed, self._secret())
        return self._told(done, "approved")

    def _told(self, done: Sequence[Decided], how: str) -> int:
        for one in done:
            if one.failure is None:
                sys.stdout.write(f"{one.code}: {how}.\n")
            else:
                sys.stderr.write(f"{one.code}: {helped(one.failure)}\n")
        return int(any(one.failure for one in done))

    def _typed(self) -> str | None:
        """What the person types; an empty text for an empty line, None where standard input has ended."""
        _forget_typed()
        sys.stdout.write("> ")
        sys.stdout.flush()
        line = sys.stdin.readline()
        if not line:
            self.deserted = True
            sys.stderr.write("\nNobody is here to type. Nothing was decided; it still waits.\n")
            return None
        return line.strip()

    def _secret(self) -> str:
        return self.read_secret("approver's secret: ") if self.approver.approvers.any() else ""


def _forget_typed() -> None:
    """What was typed before its question was there answers nothing: a line too many would approve the next one."""
    if sys.stdin.isatty():
        with suppress(ImportError):  # a system without terminals of this kind
            import termios

            termios.tcflush(sys.stdin, termios.TCIFLUSH)


def _codes(records: Sequence[Record]) -> list[str]:
    return [one.code for one in records]
