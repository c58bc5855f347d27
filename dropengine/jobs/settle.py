"""Settles what is due: holds end, drops open and close, though nobody asks.

Switching it off changes nothing about who can buy, because every script settles first; it only
makes the screens and the provider wait.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from dropengine.config import Settings
from dropengine.errors import NewerSchema, Unavailable
from dropengine.model import DropId, DropState
from dropengine.truth.replies import Settled
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

FINAL = frozenset({"settled", "cancelled"})
INDEX_S = 1.0
"""A drop that was just published is found within this."""
OVER_S = 15.0


class Settling:
    """One round over every drop that something can still happen to.

    owed: told each drop whose outbox is not empty, in every round; ordering: each whose list is to
    be ordered; carrying: each into which places of an earlier one are to be carried.
    """

    name = "settling"

    def __init__(
        self,
        store: Store,
        settings: Settings,
        owed: Callable[[DropId], None],
        *,
        ordering: Callable[[DropId], None] = lambda _: None,
        carrying: Callable[[DropId], None] = lambda _: None,
    ) -> None:
        self.every_s = settings.settle_ms / 1000
        self._store = store
        self._owed = owed
        self._ordering = ordering
        self._carrying = carrying
        self._drops: list[DropId] = []
        self._index_at = 0.0
        self._over: dict[DropId, float] = {}
        """Drops with nothing left to do here -> when to look again: late money may still come."""
        self.frozen: dict[DropId, str] = {}
        """Drops that stand still until a person has looked -> why: an alarm."""
        self._told: dict[DropId, str] = {}
        """Drops that cannot be settled -> what was said of it: once is enough."""

    async def round(self) -> None:
        """Raises Unavailable when the server does not answer: the rest waits for the next."""
        now = time.monotonic()
        if now >= self._index_at:
            self._index_at = now + INDEX_S
            drops = await self._store.drops()
            self._drops = [drop for drop in drops if self._over.get(drop, 0.0) <= now]
        for drop in self._drops:
            await self._settle(drop)

    async def _settle(self, drop: DropId) -> None:
        try:
            settled = await self._store.settle(drop)
        except NewerSchema:
            # Whoever runs the newer version settles it; the store has told it once.
            self._over[drop] = time.monotonic() + OVER_S
            return
        except Unavailable:
            raise
        except Exception as fault:
            # One drop that cannot be settled must not keep the others from it.
            if self._new(drop, str(fault)):
                log.exception("%s cannot be settled", drop)
            return
        if not isinstance(settled, Settled):
            if self._new(drop, settled.code):
                log.error("%s cannot be settled: %s", drop, settled)
            return
        self._told.pop(drop, None)
        self._hear(drop, settled.froze)
        if settled.state == DropState.ORDERING:
            self._ordering(drop)
        if settled.to_carry:
            self._carrying(drop)
        if settled.duties:
            self._owed(drop)
        elif settled.state in FINAL and not settled.next_ms:
            self._over[drop] = time.monotonic() + OVER_S

    def _new(self, drop: DropId, what: str) -> bool:
        """Was that not said of this drop just before?"""
        before = self._told.get(drop)
        self._told[drop] = what
        return what != before

    def _hear(self, drop: DropId, froze: str) -> None:
        """Alarm once when a drop freezes, and say when it goes on."""
        if froze == self.frozen.get(drop, ""):
            return
        if froze:
            self.frozen[drop] = froze
            command = "reconcile" if froze == "restore" else "audit"
            log.error(
                "%s is frozen (%s) and stands still: see `dropengine %s %s`",
                drop,
                froze,
                command,
                drop,
            )
        else:
            del self.frozen[drop]
            log.warning("%s is not frozen any more", drop)
