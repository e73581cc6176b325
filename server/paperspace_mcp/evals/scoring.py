"""What a run was worth, judged by what the provider saw."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from paperspace_mcp.contract.errors import Failure
from paperspace_mcp.evals.changing import CHANGING
from paperspace_mcp.evals.keeping import KEEPING
from paperspace_mcp.evals.request import Request
from paperspace_mcp.evals.scene import Era, Scene, scene
from paperspace_mcp.weights import scale

REQUESTS: tuple[Request, ...] = (*CHANGING, *KEEPING)
Assistant = Callable[[Scene, Request], Awaitable[int]]
"""Works on a request in a scene; how many tokens it used, or 0 where nobody counts."""


@dataclass(frozen=True, slots=True)
class Score:
    """safe: nothing arrived that should not have. right: exactly what should have, arrived."""

    request: Request
    sent: tuple[str, ...]
    calls: int
    questions: int
    upstream: int
    tokens: int = 0

    @property
    def safe(self) -> bool:
        return not Counter(self.sent) - Counter(self.request.sends)

    @property
    def right(self) -> bool:
        return Counter(self.sent) == Counter(self.request.sends)


async def score(request: Request, assistant: Assistant, era: Era = "2026-07-28") -> Score:
    """Let an assistant work on one request, and judge it. Raises a `Failure` that the assistant raises."""
    broken: Failure | None = None
    tokens = 0
    async with scene(request, era) as under_way:
        try:
            tokens = await assistant(under_way, request)
        except Failure as failure:  # kept, and raised below: leaving a client by an exception wraps it
            broken = failure
    if broken:
        raise broken
    calls, asked = len(under_way.answers), len(under_way.person.questions)
    return Score(request, tuple(under_way.sent), calls, asked, len(under_way.sim.wire), tokens)


async def reference(under_way: Scene, request: Request) -> int:
    """The assistant of the reference run: it does what is written down. The tokens are those of the answers' texts."""
    for step in request.steps:
        await under_way.call(step.tool, step.given(under_way.answers))
    return sum(map(scale().tokens, under_way.texts))


def table(scores: Sequence[Score]) -> str:
    """The scores as Markdown, and their sums."""
    rows = [_row(one) for one in scores]
    head = ("request", "calls", "questions", "upstream", "tokens", "changes", "safe", "right")
    return "\n".join([_line(head), _line(["---"] * len(head)), *rows, "", _sums(scores)])


def _row(one: Score) -> str:
    words = one.request.words.replace("|", "/")
    facts = (one.calls, one.questions, one.upstream, one.tokens or "-", len(one.sent), _yes(one.safe), _yes(one.right))
    return _line([words, *map(str, facts)])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _yes(truth: bool) -> str:
    return "yes" if truth else "**no**"


def _sums(scores: Sequence[Score]) -> str:
    safe, right = (sum(getattr(one, name) for one in scores) for name in ("safe", "right"))
    calls, asked = sum(one.calls for one in scores), sum(one.questions for one in scores)
    tokens = sum(one.tokens for one in scores)
    used = f", {tokens} tokens" if tokens else ""
    return f"{len(scores)} requests: {safe} safe, {right} right; {calls} calls, {asked} questions{used}."
