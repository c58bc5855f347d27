"""Keeps the server of the truth thin: while the shop is calm, what nobody can ask for any more is
taken out of it, drop by drop, a little at a time. Nothing waits for that, and nothing is due by it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from dropengine.config import Settings
from dropengine.errors import DatabaseAway, Unavailable
from dropengine.jobs.lease import Lease
from dropengine.jobs.ledger import books
from dropengine.jobs.ledger.taking_out import TakingOut
from dropengine.model import DropId
from dropengine.sql.database import Database
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

OFF_S = 3600.0
LEASE_MS = 30_000
LOOK_S = 2.0
"""In the middle of it, it is looked so often whether the shop is calm still."""
CALM_EVENTS_PER_S = 20.0
"""In all drops together; while there are more, everything waits."""
HOLDS_EACH_S = 3600.0
"""A drop's holds are gone through so often: what can go is told once an hour."""
PAUSE_S = 0.05
"""Between two scripts: nobody who presses waits behind a row of them."""


class Thinning:
    """One look at every drop. clock: monotonic, s."""

    name = "thinning"

    def __init__(
        self,
        store: Store,
        database: Database,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.every_s = float(settings.thin_s) or OFF_S
        self._off = settings.thin_s == 0
        self._events_kept = settings.thin_events_kept
        self._store = store
        self._database = database
        self._clock = clock
        self._lease = Lease(store, self.name, LEASE_MS)
        self._out = TakingOut(store, database, self._goes_on)
        self._looked: tuple[float, int] | None = None
        """When the drops were looked at last, and how many events they had together."""
        self._holds_at: dict[DropId, float] = {}

    async def round(self) -> None:
        """Raises DatabaseAway and Unavailable: the next look goes on."""
        if self._off or not await self._calm():
            return
        cursors = await self._database.read(books.cursors)
        for drop in await self._store.drops():
            try:
                if not await self._thin(drop, cursors.get(drop, 0)):
                    return
            except (DatabaseAway, Unavailable):
                raise
            except Exception:
                # One drop that cannot be thinned does not keep the others from it.
                log.exception("%s cannot be thinned", drop)

    async def _thin(self, drop: DropId, cursor: int) -> bool:
        """One drop, whose books end at `cursor`. False when everything has to wait."""
        if not await self._out.rows(drop, cursor, self._events_kept):
            return False
        now = self._clock()
        if now - self._holds_at.get(drop, -HOLDS_EACH_S) < HOLDS_EACH_S:
            return True
        self._holds_at[drop] = now
        return await self._out.answers(drop) and await self._out.holds(drop)

    async def _goes_on(self) -> bool:
        await asyncio.sleep(PAUSE_S)
        looked = self._looked
        due = looked is None or self._clock() - looked[0] >= LOOK_S
        if due and not await self._calm():
            return False
        return not await self._store.house.backed_up()

    async def _calm(self) -> bool:
        """Is this the one who does it, and has little happened since the last look? At the first
        nobody knows."""
        await self._lease.renew()
        drops = await self._store.drops()
        events = sum([(await self._store.stands(drop))[0] for drop in drops])
        now, before = self._clock(), self._looked
        self._looked = (now, events)
        if before is None or not self._lease.held:
            return False
        return events - before[1] <= CALM_EVENTS_PER_S * (now - before[0])
