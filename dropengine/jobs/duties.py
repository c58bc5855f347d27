"""Does what is owed at the provider: the duties in the outboxes of the drops.

One worker does them for all, while it has the lease. Two may do the same one: a duty carries its
own idempotency key.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from dropengine.errors import Unavailable
from dropengine.jobs.job_runner import ended
from dropengine.jobs.lease import Lease
from dropengine.model import DropId, DutyRecord
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

Perform = Callable[[DropId, str, DutyRecord], Awaitable[None]]
"""(drop, duty id, duty): do it at the provider and tick it off."""

LEASE_MS = 3_000
RENEW_S = 1.0
DUTIES_AT_ONCE = 32
RETRY_S = 2.0
"""A duty that stays undone is tried again after this."""
DUTY_S_MAX = 20.0
"""A provider that has not answered by then is asked again, with the same key."""


class Duties:
    """Begun by `owed`, a drop at a time beside the others: a slow provider keeps nobody waiting.

    Its rounds renew the lease. perform: how a duty is done.
    """

    name = "duties"
    every_s = RENEW_S

    def __init__(self, store: Store, perform: Perform) -> None:
        self._store = store
        self._perform = perform
        self._lease = Lease(store, self.name, LEASE_MS)
        self.set_aside: dict[DropId, frozenset[str]] = {}
        """Drop -> entries of its outbox that cannot be read: a person has to see to that money."""
        self._tried_at: dict[tuple[DropId, str], float] = {}
        self._working: dict[DropId, asyncio.Task[None]] = {}

    async def round(self) -> None:
        """Raises Unavailable: until there is an answer, whoever did the duties does them."""
        await self._lease.renew()

    def owed(self, drop: DropId) -> None:
        """A drop has duties. Harmless to repeat, and nothing without the lease."""
        if self._lease.held and drop not in self._working:
            task = asyncio.get_running_loop().create_task(self._outbox(drop))
            self._working[drop] = task
            task.add_done_callback(lambda _: self._working.pop(drop, None))

    async def close(self) -> None:
        """End what is being done; it stays in the outbox."""
        await ended(*self._working.values())

    async def _outbox(self, drop: DropId) -> None:
        now = time.monotonic()
        todo = []
        try:
            duties, set_aside = await self._store.outbox(drop)
        except Unavailable as error:
            log.info("%s: duties wait: %s", drop, error)
            return
        self._put_aside(drop, frozenset(set_aside))
        for duty_id, duty in duties.items():
            if now - self._tried_at.get((drop, duty_id), -RETRY_S) >= RETRY_S:
                self._tried_at[drop, duty_id] = now
                todo.append((duty_id, duty))
        for i in range(0, len(todo), DUTIES_AT_ONCE):
            await asyncio.gather(*(self._do(drop, *each) for each in todo[i : i + DUTIES_AT_ONCE]))
        self._tried_at = {k: at for k, at in self._tried_at.items() if now - at < 10 * RETRY_S}

    def _put_aside(self, drop: DropId, ids: frozenset[str]) -> None:
        for duty_id in sorted(ids - self.set_aside.get(drop, frozenset())):
            log.error(
                "%s: duty %r cannot be read and is set aside: see to its money", drop, duty_id
            )
        self.set_aside.pop(drop, None)
        if ids:
            self.set_aside[drop] = ids

    async def _do(self, drop: DropId, duty_id: str, duty: DutyRecord) -> None:
        try:
            async with asyncio.timeout(DUTY_S_MAX):
                await self._perform(drop, duty_id, duty)
        except (Unavailable, TimeoutError) as error:
            log.info("%s: duty %s waits: %s", drop, duty_id, str(error) or "no answer in time")
        except Exception:
            log.exception("%s: duty %s failed", drop, duty_id)
