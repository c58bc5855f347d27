"""What one worker does for all, a drop at a time beside the others, while it has the lease.

Two may hold it for a moment, and a third may go on where one was killed: all of it is harmless to
repeat.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

from dropengine.errors import CarriedFault, DatabaseAway, DrawFault, Unavailable
from dropengine.jobs.job_runner import ended
from dropengine.jobs.lease import Lease
from dropengine.model import DropId
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

LEASE_MS: Final = 3_000
RENEW_S: Final = 1.0
AGAIN_S: Final = 1.0
STUCK_S: Final = 60.0
"""When it is tried again, where something was away or not known yet, or a person has to look."""


class LeasedDrops:
    """Its rounds renew the lease; whoever finds something to do calls `begin`."""

    name: str
    every_s = RENEW_S

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lease = Lease(store, self.name, LEASE_MS)
        self._working: dict[DropId, asyncio.Task[None]] = {}

    async def round(self) -> None:
        """Raises Unavailable: until there is an answer, whoever did it does it."""
        await self._lease.renew()

    def begin(self, drop: DropId) -> None:
        """There is something to do for a drop. Harmless to repeat, and nothing without the
        lease."""
        if self._lease.held and drop not in self._working:
            task = asyncio.get_running_loop().create_task(self._work(drop))
            self._working[drop] = task
            task.add_done_callback(lambda _: self._working.pop(drop, None))

    async def close(self) -> None:
        """End what is being done; whoever comes next goes on."""
        await ended(*self._working.values())

    async def _work(self, drop: DropId) -> None:
        raise NotImplementedError


class LeasedSteps(LeasedDrops):
    """The steps before a sale, until nothing is left to do. does: them, in the logs. clock:
    monotonic, s."""

    does: str

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(store)
        self._clock = clock
        self._not_before: dict[DropId, float] = {}
        self.stuck: dict[DropId, str] = {}
        """Drops that cannot go on -> why: an alarm."""

    def begin(self, drop: DropId) -> None:
        if self._clock() >= self._not_before.get(drop, 0.0):
            super().begin(drop)

    async def do(self, drop: DropId) -> bool:
        """As far as it comes now. Is nothing left to do? Raises Unavailable and DatabaseAway, and
        DrawFault or CarriedFault where a person has to look."""
        raise NotImplementedError

    async def _work(self, drop: DropId) -> None:
        self._not_before[drop] = self._clock() + AGAIN_S
        try:
            if await self.do(drop):
                self.stuck.pop(drop, None)
                self._not_before.pop(drop, None)
        except (Unavailable, DatabaseAway) as error:
            log.info("%s: to %s waits: %s", drop, self.does, error)
        except (DrawFault, CarriedFault) as fault:
            self._not_before[drop] = self._clock() + STUCK_S
            self._tell(drop, str(fault))
        except Exception:
            self._not_before[drop] = self._clock() + STUCK_S
            log.exception("%s: cannot %s", drop, self.does)

    def _tell(self, drop: DropId, why: str) -> None:
        """Once."""
        if self.stuck.get(drop) != why:
            log.error("%s: cannot %s, see to it: %s", drop, self.does, why)
        self.stuck[drop] = why
