"""The classes of effect that a guard tells apart."""

from enum import StrEnum


class Effect(StrEnum):
    """What a call does to the world, in rising order of what a mistake costs."""

    READ = "read"
    SPEND = "spend"
    DISRUPT = "disrupt"
    GRANT = "grant"
    REVEAL = "reveal"
    DESTROY = "destroy"

    @property
    def rank(self) -> int:
        return list(Effect).index(self)


def highest(effects: list[Effect]) -> Effect:
    """The class that decides for several effects at once; READ for none."""
    return max(effects, key=lambda effect: effect.rank, default=Effect.READ)
