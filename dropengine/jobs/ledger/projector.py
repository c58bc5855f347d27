"""Enters what happens in the drops into the books, a stretch of a log at a time.

One process does it for all, while it has the lease. Whoever dies, or loses the lease, in the middle
leaves books that end somewhere: the next goes on from there.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable

from dropengine.errors import DatabaseAway, Unavailable
from dropengine.jobs.lease import Lease
from dropengine.jobs.ledger import books
from dropengine.jobs.ledger.books import NotNext
from dropengine.jobs.ledger.told_ids import told_ids
from dropengine.jobs.settle import FINAL
from dropengine.model import DropId
from dropengine.sql.database import Database
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

LEASE_MS = 5_000
RENEW_S = 1.0
ROUND_S = 0.5
"""So long after a round the drops are looked at again."""
RUSH = 500
RUSH_S = 1.5
"""Where a round found more events than that it is a rush, and what sells has the server: the books
ask it more rarely, for more at once."""
AWAY_S_MAX = 10.0
"""SQL that is away is tried again after a round's time, then after twice as long every time."""
OVER_S = 15.0
"""A drop that is over, with its books complete, is looked at so often: late money may still
come."""
STRETCHES_MAX = 10
"""Of one drop, before the next one has its turn."""


class Projector:
    """One round over every drop whose log has grown. clock: monotonic, s."""

    name = "ledger"

    def __init__(
        self, store: Store, database: Database, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.every_s = ROUND_S
        self._store = store
        self._database = database
        self._clock = clock
        self._lease = Lease(store, self.name, LEASE_MS)
        self._renewed_at = 0.0
        self._cursors: dict[str, int] | None = None
        """Where the books end; None when that has to be read."""
        self._unread: list[str] | None = None
        """Drops whose books are older than what tells fans why they got none."""
        self._over: dict[DropId, float] = {}
        self._entered = 0
        """Events, in this round."""
        self.behind: dict[DropId, int] = {}
        """Drops whose log is longer than their books, at the last look -> by how many events."""
        self._complete_at = clock()

    @property
    def held(self) -> bool:
        """Whether this process enters for all."""
        return self._lease.held

    @property
    def lag_s(self) -> float:
        """For so long the books have not been complete; 0 when they were at the last look."""
        return self._clock() - self._complete_at if self.behind else 0.0

    async def round(self) -> None:
        """Raises DatabaseAway and Unavailable: the books go on where they end."""
        try:
            await self._round()
        except (DatabaseAway, Unavailable):
            # What was to be written last may have been.
            self._cursors = None
            self.every_s = min(2 * self.every_s, AWAY_S_MAX)
            raise

    async def _round(self) -> None:
        begun = self._clock()
        if not await self._renewed():
            self._cursors, self.behind, self.every_s = None, {}, ROUND_S
            self._unread = None
            return
        self.behind, self._entered = {}, 0
        for drop in await self._store.drops():
            if self._over.get(drop, 0.0) <= begun:
                await self._enter(drop)
        await self._read_on()
        if not self.behind:
            self._complete_at = begun
        pause_s = RUSH_S if self._entered > RUSH else ROUND_S
        self.every_s = 0.0 if self.behind else pause_s

    async def _renewed(self) -> bool:
        """Is this process still the one? Asked anew after a while."""
        now = self._clock()
        if now - self._renewed_at >= RENEW_S or not self.held:
            await self._lease.renew()
            self._renewed_at = now
        return self.held

    async def _read_on(self) -> None:
        """Books of before are read once more, a little in each round."""
        if self._unread is None:
            self._unread = await self._database.read(books.unread)
        for _ in range(STRETCHES_MAX):
            if not self._unread or not await self._renewed():
                return
            drop = self._unread[-1]
            if not await self._database.write(functools.partial(books.read_on, drop=drop)):
                self._unread.pop()

    async def _enter(self, drop: DropId) -> None:
        """One drop that cannot be entered does not keep the others from it."""
        try:
            await self._catch_up(drop)
        except (DatabaseAway, Unavailable):
            raise
        except NotNext as fault:
            self._cursors = None
            log.warning("%s", fault)
        except Exception:
            log.exception("%s cannot be entered into the books", drop)

    async def _catch_up(self, drop: DropId) -> None:
        seq, state = await self._store.stands(drop)
        if self._cursors is None:
            self._cursors = await self._database.read(books.cursors)
        at = self._cursors.get(drop, 0)
        if not seq and await self._store.is_archived(drop):
            return
        if at > seq:
            log.error("%s: its books end at event %d and its log at %d", drop, at, seq)
            return
        for _ in range(STRETCHES_MAX):
            if at >= seq:
                break
            self.behind[drop] = seq - at
            found = await self._store.stretch(drop, at, books.STRETCH)
            ids = await told_ids(self._store.charge_ids, drop, found)
            if not await self._renewed():
                return
            at = await self._database.write(
                functools.partial(books.enter, drop=drop, after=at, lines=found, ids=ids)
            )
            self._cursors[drop] = at
            self._entered += len(found)
        if at < seq:
            self.behind[drop] = seq - at
            return
        self.behind.pop(drop, None)
        if state in FINAL:
            self._over[drop] = self._clock() + OVER_S
