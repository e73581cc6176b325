"""One operation of the API: what it is called on the wire, what it takes and gives, and what it does."""

import re
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel

from paperspace_mcp.contract.effects import Effect
from paperspace_mcp.contract.shapes import Shape

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
"""What may stand in a path. Everything else could name another endpoint (`m1/desktop`, `../users`)."""

Gives = TypeVar("Gives", bound=BaseModel)

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Operation(Generic[Gives]):
    """An endpoint of the reference, as data.

    `effect` is the least class of the operation; arguments can raise it (see `rules.classing`).
    `consequence` says what cannot be taken back; an operation that destroys does not construct without it.

    Raises:
        ValueError: for a mutation without an effect, or a destroyer without a consequence.
    """

    name: str
    method: Method
    path: str
    gives: type[Gives]
    effect: Effect
    query: type[Shape] | None = None
    body: type[Shape] | None = None
    consequence: str = ""
    reference: bool = True
    """Whether it is one of the reference's 15. Neighbours are feature-detected and may be missing upstream."""

    def __post_init__(self) -> None:
        if (self.effect is Effect.READ) != (self.method == "GET"):
            raise ValueError(f"{self.name}: {self.method} does not go with the effect {self.effect}")
        if self.effect is Effect.DESTROY and not self.consequence:
            raise ValueError(f"{self.name}: says nothing about what is lost")

    @property
    def mutates(self) -> bool:
        return self.method != "GET"

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The names in the path, in order: `("id", "userId")`."""
        return tuple(_PLACEHOLDER.findall(self.path))
