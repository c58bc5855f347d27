"""Watches the server's clock against ours: one that leaps would end holds early or late."""

from __future__ import annotations

import logging
import time
from typing import NamedTuple

from dropengine.config import Settings
from dropengine.jobs.emergency_pause import pause_every_drop
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

READ_S = 1.0


class Reading(NamedTuple):
    """The server's clock minus ours lies between these, ms: it was read in between."""

    low: int
    high: int

    @property
    def middle(self) -> int:
        return (self.low + self.high) // 2


def leapt(before: Reading, now: Reading, leap_ms_max: int) -> bool:
    """Did the server's clock leave ours by more than this between two readings?

    Sure of it only: what a slow answer explains is no leap.
    """
    return now.low - before.high > leap_ms_max or before.low - now.high > leap_ms_max


class ClockWatch:
    """Compares each reading with the one before; a leap pauses every live drop."""

    name = "the clock watch"
    every_s = READ_S

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._leap_ms_max = settings.clock_leap_ms_max
        self._known: Reading | None = None

    async def round(self) -> None:
        """Raises Unavailable; a leap that could not be answered with a pause is seen again."""
        now, known = await self._read(), self._known
        if known is not None and leapt(known, now, self._leap_ms_max):
            log.error("the server's clock leapt by %d ms", now.middle - known.middle)
            await pause_every_drop(self._store, "clock", "the server's clock leapt")
        self._known = now

    async def _read(self) -> Reading:
        before = time.monotonic_ns() // 1_000_000
        server = await self._store.time_ms()
        after = time.monotonic_ns() // 1_000_000
        return Reading(server - after, server - before)
