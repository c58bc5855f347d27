"""How late this worker's loop is: what does not come round in time keeps every fan waiting."""

from __future__ import annotations

import time
from collections.abc import Callable

from dropengine.live.measured import Histogram

EVERY_S = 0.1


class LoopWatch:
    """Asks to come round again after `EVERY_S`, and sees by how much it came later."""

    name = "loop watch"
    every_s = EVERY_S

    def __init__(self, lag_s: Histogram, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._lag_s = lag_s
        self._clock = clock
        self._asked_for: float | None = None

    async def round(self) -> None:
        """Once: the first round has nothing to be late for."""
        now = self._clock()
        if self._asked_for is not None:
            self._lag_s.observe(max(0.0, now - self._asked_for))
        self._asked_for = now + self.every_s
