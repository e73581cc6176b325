"""A question to the API as data. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from paperspace_mcp.checkup.readings.answers import Answers, Unsettled

Value = str | int | bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What the answers show. value: for programs; told: the same in a sentence, and no more than they show."""

    value: Value
    told: str


@dataclass(frozen=True, slots=True)
class Question:
    """gets: the names of the GETs whose answers it reads. server: what this server does with the reading."""

    name: str
    asks: str
    gets: tuple[str, ...]
    read: Callable[[Answers], Reading]
    server: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A question that only a change could settle, and so is not asked."""

    name: str
    asks: str


@dataclass(frozen=True, slots=True)
class Result:
    """How a question stands. reading: None where it is not settled; `why` then tells what was in the way."""

    question: Question
    reading: Reading | None = None
    why: str = ""


def settle(questions: Sequence[Question], answers: Answers, stopped: str = "") -> list[Result]:
    """Each question read from the answers. stopped: why the later ones were not asked, empty where all were."""
    return [_settled(question, answers, stopped) for question in questions]


def _settled(question: Question, answers: Answers, stopped: str) -> Result:
    try:
        return Result(question, question.read(answers))
    except Unsettled as why:
        return Result(question, why=str(why) if not stopped or answers.came(question.gets) else stopped)
