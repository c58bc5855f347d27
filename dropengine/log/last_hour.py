"""How often something happened in the last hour, in a bounded memory however often it does."""

from __future__ import annotations

from collections import deque
from typing import Final

HOUR_MS: Final = 3_600_000
STRETCH_MS: Final = 60_000


class LastHour:
    """Counts by the minute; `ever` is all of them."""

    def __init__(self) -> None:
        self.ever = 0
        self._minutes: deque[list[int]] = deque(maxlen=HOUR_MS // STRETCH_MS + 1)

    def add(self, at_ms: int, count: int = 1) -> None:
        """Times come in order."""
        minute = at_ms // STRETCH_MS
        if not self._minutes or self._minutes[-1][0] != minute:
            self._minutes.append([minute, 0])
        self._minutes[-1][1] += count
        self.ever += count

    def until(self, now_ms: int) -> int:
        """In the hour that ends now, to the minute."""
        first = (now_ms - HOUR_MS) // STRETCH_MS
        return sum(count for minute, count in self._minutes if minute > first)
