"""How many requests a network may send."""

from __future__ import annotations

import time
from functools import lru_cache

from dropengine.config import Settings
from dropengine.doors.identity import network

NETWORKS_MAX = 100_000

_network = lru_cache(maxsize=4096)(network)


class Rate:
    """How many requests a network may send: one bucket each, `requests_per_s_max`, after a burst
    of ten seconds' worth."""

    def __init__(self, settings: Settings) -> None:
        self._rate = settings.requests_per_s_max
        self._seen: dict[str, tuple[float, float]] = {}

    def too_many(self, client: tuple[str, int] | None) -> bool:
        """One more request from there; is it beyond the rate? Then it is not counted."""
        where = _network(client[0]) if client else ""
        now, burst = time.monotonic(), 10.0 * self._rate
        if len(self._seen) > NETWORKS_MAX:
            self._seen.clear()
        budget, at = self._seen.get(where, (burst, now))
        budget = min(burst, budget + (now - at) * self._rate)
        self._seen[where] = (budget - 1 if budget >= 1 else budget, now)
        return budget < 1
