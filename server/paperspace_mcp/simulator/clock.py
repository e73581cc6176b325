"""Simulated time: a wall clock that runs faster than the real one and can be moved on by hand."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def iso(moment: float) -> str:
    """The provider's date form: UTC, milliseconds, a Z."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Clock:
    """Seconds since the epoch in the simulated world."""

    def __init__(self, real: Callable[[], float] | None, scale: float) -> None:
        self._real = real or time.monotonic
        self._scale = scale
        self._anchor_real = self._real()
        self._anchor = float(int(time.time()))

    def now(self) -> float:
        return self._anchor + (self._real() - self._anchor_real) * self._scale

    def advance(self, seconds: float) -> None:
        self._anchor += seconds

    @property
    def scale(self) -> float:
        return self._scale

    @scale.setter
    def scale(self, value: float) -> None:
        if value < 0:
            raise ValueError("time does not run backwards")
        self._anchor, self._anchor_real = self.now(), self._real()
        self._scale = value
