"""How often something may be tried, for all workers of a shop together.

The server of the truth keeps the counts under names that tell neither addresses nor people.
"""

from __future__ import annotations

import asyncio
import hmac
from typing import Final

from dropengine.config import Settings
from dropengine.truth.store import Store

US_PER_MS: Final = 1_000
AT_ONCE: Final = 1
"""So many tries of one process are counted at a time: the few connections to the server are for
presses first, which would wait behind every try of a flood."""

BUSY_MS: Final = 2_000
"""Whoever waited in vain to be counted comes back after this."""


class PacedTries:
    """key: the shop's secret. purpose: tells these tries from others.

    Every count raises Unavailable; behind too many others it is told to come back.
    """

    def __init__(self, store: Store, settings: Settings, key: bytes, purpose: str) -> None:
        self._store = store
        self._purpose = purpose
        self._key = hmac.digest(key, f"dropengine:{purpose}".encode(), "sha256")
        self._timeout_s = settings.redis_timeout_ms / 1000
        self._counting = asyncio.Semaphore(AT_ONCE)

    async def admit(self, near: str, wide: str, at_once: int, each_ms: float) -> int:
        """Count one more: 0, or how long to wait, ms. At `near` so many at once, then one in each
        `each_ms`; at `wide` four times as many."""
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._counting.acquire()
        except TimeoutError:
            return BUSY_MS
        try:
            each_us = max(1, int(each_ms * US_PER_MS))
            (wait_ms,) = await self._store.house.admit([(near, wide)], at_once, each_us)
        finally:
            self._counting.release()
        return wait_ms

    def name(self, what: str, of: str) -> str:
        """What is counted, by a name that nobody can read it from."""
        hidden = hmac.digest(self._key, f"{what} {of}".encode(), "sha256").hex()[:32]
        return f"{self._purpose}:{hidden}"
