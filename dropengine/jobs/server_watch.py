"""Watches what the server of the truth says of itself: which run of it this is, whether it keeps
what it acknowledges, and how full its memory is.

Memory has a budget. Before it is used up nothing new begins, so that what was begun has the room to
come to its end.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from dropengine.truth.server_check import ServerFacts, read_facts
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

READ_S: Final = 1.0
NEARLY_FULL_PERCENT: Final = 90
"""From here on only what was begun goes on."""
ALARMS_PERCENT: Final = (60, 80, NEARLY_FULL_PERCENT)
"""Shares of the memory that the server may use, at which whoever runs the shop is told."""


class ServerWatch:
    """Reads the server's facts again and again. heard: told them all each time.

    used_bytes, max_bytes: its memory (0: no limit of its own); alarm_percent: the highest of
    `ALARMS_PERCENT` that is reached, or 0.
    """

    name = "the server watch"
    every_s = READ_S

    def __init__(self, store: Store, heard: Callable[[ServerFacts], None]) -> None:
        self._store = store
        self._heard = heard
        self.facts: ServerFacts | None = None
        """What it said last; None while it was never heard."""
        self.used_bytes = 0
        self.max_bytes = 0
        self.alarm_percent = 0

    async def round(self) -> None:
        """Raises Unavailable: what was known last still counts then."""
        self.hear(await read_facts(self._store.client))

    def hear(self, facts: ServerFacts) -> None:
        """What the server says now."""
        self._heard(facts)
        self.facts = facts
        self.used_bytes, self.max_bytes = facts.used_memory_bytes, facts.maxmemory_bytes
        percent = 100 * self.used_bytes // self.max_bytes if self.max_bytes else 0
        before = self.alarm_percent
        self.alarm_percent = max((alarm for alarm in ALARMS_PERCENT if percent >= alarm), default=0)
        self._store.nearly_full = self.alarm_percent >= NEARLY_FULL_PERCENT
        if self.alarm_percent > before:
            log.error("%s", _alarm(percent, self.max_bytes, self._store.nearly_full))
        elif self.alarm_percent < before:
            log.warning("the server's memory is at %d %% again", percent)


def _alarm(percent: int, max_bytes: int, nearly_full: bool) -> str:
    follows = (
        "only what was begun goes on now"
        if nearly_full
        else (f"at {NEARLY_FULL_PERCENT} % nothing new begins")
    )
    return (
        f"the server's memory is at {percent} % of {max_bytes >> 20} MiB: {follows}; "
        f"give it more (maxmemory_mib, or maxmemory of your own server)"
    )
