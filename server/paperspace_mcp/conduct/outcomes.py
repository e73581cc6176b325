"""What became of the steps of a plan, as it is written into its record."""

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

TOLD_ONCE = "told once, not kept"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one step.

    status: intent (perhaps sent, no answer written down), done, failed (nothing changed), changed (the target was not
    as approved; nothing sent), unknown. answer: what the provider said, by its own names. at: when it was taken.
    upstream_status: HTTP's, of the provider's answer where one came.
    """

    operation: str
    status: str
    target_id: str = ""
    answer: dict[str, Any] = field(default_factory=dict)
    code: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    at: float = 0.0
    retryable: bool = False
    upstream_status: int | None = None

    @property
    def made(self) -> str:
        """The id of the machine that the step made; empty where it made none."""
        made = self.answer.get("data") if not self.target_id and self.status == "done" else None
        return str(made.get("id", "")) if isinstance(made, dict) else ""


def dump_outcomes(outcomes: list[Outcome]) -> str:
    """The outcomes as they are written down: what was revealed into an answer is told once and kept nowhere."""
    return json.dumps([asdict(replace(one, answer=_kept(one.answer))) for one in outcomes]) if outcomes else ""


def _kept(answer: dict[str, Any]) -> dict[str, Any]:
    delivered = answer.get("delivered")
    if not isinstance(delivered, dict) or "password" not in delivered:
        return answer
    return {**answer, "delivered": {**delivered, "password": TOLD_ONCE}}


def load_outcomes(text: str) -> list[Outcome]:
    return [Outcome(**item) for item in json.loads(text)] if text else []
