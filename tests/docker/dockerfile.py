"""A Dockerfile read into its stages: as much of the format as ours uses."""

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
_INSTALLING = {"FROM", "ARG", "ENV", "RUN", "COPY", "ADD", "WORKDIR", "USER", "SHELL", "LABEL", "ONBUILD"}
_RUNNING = {"CMD", "ENTRYPOINT", "EXPOSE", "VOLUME", "HEALTHCHECK", "STOPSIGNAL"}
KNOWN = frozenset(_INSTALLING | _RUNNING)


@dataclass(frozen=True, slots=True)
class Instruction:
    keyword: str
    value: str

    @property
    def words(self) -> list[str]:
        """The exec form's list, or the words of a plain line, without flags."""
        if "[" in self.value:
            found: list[str] = json.loads(self.value[self.value.index("[") :])
            return found
        return [word for word in shlex.split(self.value) if not word.startswith("--")]

    @property
    def flags(self) -> dict[str, str]:
        return dict(re.findall(r"--([\w-]+)=(\S+)", self.value))


@dataclass(slots=True)
class Stage:
    """One FROM and what follows it."""

    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def all(self, keyword: str) -> list[Instruction]:
        return [one for one in self.instructions if one.keyword == keyword]

    def only(self, keyword: str) -> Instruction:
        (one,) = self.all(keyword)
        return one

    @property
    def env(self) -> dict[str, str]:
        return dict(word.partition("=")[::2] for one in self.all("ENV") for word in one.words)


def parsed(text: str) -> list[Stage]:
    """The stages in order.

    Raises:
        ValueError: an instruction that no Dockerfile has, or one before the first FROM.
    """
    stages: list[Stage] = []
    lines = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    for line in filter(str.strip, lines.splitlines()):
        _enter(stages, *line.strip().partition(" ")[::2])
    return stages


def _enter(stages: list[Stage], keyword: str, value: str) -> None:
    if keyword not in KNOWN or (keyword != "FROM" and not stages):
        raise ValueError(f"not an instruction here: {keyword}")
    if keyword == "FROM":
        base, _, name = value.partition(" AS ")
        stages.append(Stage(base, name))
    else:
        stages[-1].instructions.append(Instruction(keyword, value.strip()))
