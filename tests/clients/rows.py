"""What was seen: a row for each thing that a client did, and their table."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.clients.account import Account, effects, told

Eras = tuple[str, ...]
HANDSHAKE, MODERN = "handshake", "2026-07-28"
ERAS: Eras = (HANDSHAKE, MODERN)
_HEADS = ("client", "era", "transport", "what was done", "on the simulator's wire", "")
_LONGEST = 200


@dataclass(slots=True)
class Row:
    """problem: empty where all was as it should be. apart: why it was not done at all; then it counts as nothing."""

    client: str
    era: str
    transport: str
    did: str
    wire: str = ""
    problem: str = ""
    apart: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        judged = f"does not apply: {self.apart}" if self.apart else "ok"
        return (self.client, self.era, self.transport, self.did, self.wire, self.problem or judged)


@dataclass(slots=True)
class Scene:
    """One client in one era on one transport. Keeps a row for each step, and judges each by the wire."""

    account: Account
    client: str
    era: str
    transport: str
    rows: list[Row] = field(default_factory=list)

    @contextmanager
    def step(self, did: str, sends: Sequence[str] = (), *, reads: bool | None = True) -> Iterator[None]:
        """What is raised becomes the row's problem.

        sends: the effects that must arrive meanwhile, no more and no fewer. reads: whether the provider is looked at;
        None where it does not matter.
        """
        row = Row(self.client, self.era, self.transport, did)
        self.rows.append(row)
        before = len(self.account.requests())
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever a client does wrong is a row, and the next step goes on
            row.problem = _short(error)
        arrived = self.account.requests()[before:]
        row.wire = told(arrived)
        row.problem = row.problem or _difference(arrived, sends, reads=reads)


def _difference(arrived: list[str], sends: Sequence[str], *, reads: bool | None) -> str:
    if effects(arrived) != list(sends):
        return f"should have sent {'; '.join(sends) or 'nothing'}"
    if reads not in (None, len(arrived) > len(sends)):
        return "should have read" if reads else "should have read nothing"
    return ""


def _short(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST]


def table(rows: Sequence[Row]) -> str:
    """As Markdown."""
    lines = [_line(_HEADS), _line(["---"] * len(_HEADS)), *(_line(row.cells) for row in rows)]
    failed, apart = sum(bool(row.problem) for row in rows), sum(bool(row.apart) for row in rows)
    said = f"{len(rows) - apart} steps, {failed} failed{f', {apart} do not apply' if apart else ''}."
    return "\n".join([*lines, "", said])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
