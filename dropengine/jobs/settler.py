"""The timer of a worker: settles what is due, does the duties, watches the server's clock.

Switching it off changes nothing about who can buy, because every script settles first; it only
makes the screens and the provider wait. Any number of workers may run it: the scripts are harmless
to repeat, and a lease merely saves the second one the duties.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from dropengine import model, refusals
from dropengine.config import Settings
from dropengine.errors import Unavailable
from dropengine.model import DropId, DutyRecord
from dropengine.truth.replies import Settled
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

Perform = Callable[[DropId, str, DutyRecord], Awaitable[None]]
"""(drop, duty id, duty): do it at the provider and tick it off."""

FINAL = frozenset({"settled", "cancelled"})
INDEX_S = 1.0
LEASE_MS = 3_000
DUTIES_AT_ONCE = 32
OVER_S = 15.0
CANCEL_AGAIN_S = 0.1
RETRY_S = 2.0
"""A duty that stays undone is tried again after this."""
DUTY_S_MAX = 20.0
"""A provider that has not answered by then is asked again, with the same key."""
PAUSES_MAX = 5
"""How often a drop is paused anew when its creator acts at the same moment."""


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


async def ended(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks until they have ended.

    Up to Python 3.11 `asyncio.wait_for`, which the server's client uses, may swallow one. Whoever
    is cancelled while he waits here still waits, and is cancelled then.
    """
    interrupted = False
    while alive := [task for task in tasks if not task.done()]:
        for task in alive:
            task.cancel()
        try:
            await asyncio.wait(alive, timeout=CANCEL_AGAIN_S)
        except asyncio.CancelledError:
            interrupted = True
    if interrupted:
        raise asyncio.CancelledError


class Settler:
    """Nothing is kept here that another worker would miss.

    perform: how a duty is done. disk_free_mib: how much room is left where sales are written down.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        perform: Perform,
        disk_free_mib: Callable[[], int],
    ) -> None:
        self._store = store
        self._settings = settings
        self._perform = perform
        self._disk_free_mib = disk_free_mib
        self._me = secrets.token_hex(8)
        self._over: dict[DropId, float] = {}
        """Final drops with nothing left to do -> when to look again: late money may still come."""
        self._drops: list[DropId] = []
        self._tried_at: dict[tuple[DropId, str], float] = {}
        self._leads = False
        self._working: dict[DropId, asyncio.Task[None]] = {}
        """Drops whose duties are being done: a slow provider must not keep the others waiting."""
        self.last_at = 0.0
        """Monotonic time of the last full round, for the health page."""

    async def run(self) -> None:
        """Until cancelled. A fault is logged and the next round comes all the same."""
        clock = asyncio.create_task(self._watch())
        index_at = 0.0
        try:
            while True:
                try:
                    now = time.monotonic()
                    if now >= index_at:
                        index_at = now + INDEX_S
                        self._drops = [
                            drop
                            for drop in await self._store.drops()
                            if self._over.get(drop, 0.0) <= now
                        ]
                        self._leads = await self._store.lease("duties", self._me, LEASE_MS)
                    for drop in self._drops:
                        await self._settle(drop)
                    self.last_at = time.monotonic()
                except Unavailable as error:
                    log.info("settling waits: %s", error)
                except Exception:
                    log.exception("settling failed, the next round comes")
                await asyncio.sleep(self._settings.settle_ms / 1000)
        finally:
            await ended(clock, *self._working.values())

    async def _settle(self, drop: DropId) -> None:
        try:
            settled = await self._store.settle(drop)
        except Unavailable:
            raise
        except Exception:
            # One drop that cannot be settled must not keep the others from it.
            log.exception("%s cannot be settled", drop)
            return
        if not isinstance(settled, Settled):
            log.error("%s: %s", drop, settled)
            return
        if settled.duties and self._leads:
            if drop not in self._working:
                task = asyncio.get_running_loop().create_task(self._duties(drop))
                self._working[drop] = task
                task.add_done_callback(lambda _: self._working.pop(drop, None))
        elif settled.state in FINAL and not settled.next_ms and not settled.duties:
            self._over[drop] = time.monotonic() + OVER_S

    async def _duties(self, drop: DropId) -> None:
        now = time.monotonic()
        todo = []
        try:
            duties = await self._store.duties(drop)
        except Unavailable as error:
            log.info("%s: duties wait: %s", drop, error)
            return
        for duty_id, duty in duties.items():
            if now - self._tried_at.get((drop, duty_id), -RETRY_S) >= RETRY_S:
                self._tried_at[drop, duty_id] = now
                todo.append((duty_id, duty))
        for i in range(0, len(todo), DUTIES_AT_ONCE):
            await asyncio.gather(*(self._do(drop, *each) for each in todo[i : i + DUTIES_AT_ONCE]))
        self._tried_at = {k: at for k, at in self._tried_at.items() if now - at < 10 * RETRY_S}

    async def _do(self, drop: DropId, duty_id: str, duty: DutyRecord) -> None:
        try:
            async with asyncio.timeout(DUTY_S_MAX):
                await self._perform(drop, duty_id, duty)
        except (Unavailable, TimeoutError) as error:
            log.info("%s: duty %s waits: %s", drop, duty_id, str(error) or "no answer in time")
        except Exception:
            log.exception("%s: duty %s failed", drop, duty_id)

    async def _watch(self) -> None:
        """A clock that leaps ends holds early, a full disk ends the server: pause before that."""
        known: Reading | None = None
        while True:
            try:
                before = time.monotonic_ns() // 1_000_000
                server = await self._store.time_ms()
                after = time.monotonic_ns() // 1_000_000
                now = Reading(server - after, server - before)
                if known is not None and leapt(known, now, self._settings.clock_leap_ms_max):
                    log.error("the server's clock leapt by %d ms", now.middle - known.middle)
                    await self._pause_all("clock", "the server's clock leapt")
                known = now
                if self._disk_free_mib() < self._settings.disk_free_mib_min:
                    # A full disk ends the server in the middle of a sale: stop while it can write.
                    await self._pause_all("disk", "the disk is nearly full")
            except Unavailable as error:
                log.info("the server's clock cannot be read: %s", error)
            except Exception:
                log.exception("the watch over clock and disk failed")
            await asyncio.sleep(INDEX_S)

    async def _pause_all(self, by: str, why: str) -> None:
        for drop in await self._store.drops():
            for _ in range(PAUSES_MAX):
                shown = await self._store.show(drop)
                if shown is None or shown.state != model.DropState.LIVE:
                    break
                outcome = await self._store.pause(
                    drop,
                    revision=shown.revision,
                    by=by,
                    key=secrets.token_hex(8),
                    why=why,
                )
                log.error("%s: paused because %s: %s", drop, why, outcome)
                if not isinstance(outcome, refusals.StaleRevision):
                    break
