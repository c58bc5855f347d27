"""Watches the server's clock against ours: one that leaps would end holds early or late.

A leap pauses every live drop and keeps those that wait for their time from opening by the clock.
Once the clock has agreed with ours again for a while, every drop is told that it is right: its own
time goes on from where it stands.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import time
from typing import NamedTuple

from dropengine import refusals
from dropengine.catalogue import ENGLISH
from dropengine.config import Settings
from dropengine.creator_commands import Realign
from dropengine.errors import NewerSchema
from dropengine.jobs.emergency_pause import TRIES_MAX, pause_every_drop
from dropengine.model import DropId
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

READ_S = 1.0
AGREE_S = 10.0
"""A clock that was put right is trusted after this."""


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
    """Compares each reading with the one before. agree_s: see `AGREE_S`."""

    name = "the clock watch"
    every_s = READ_S

    def __init__(self, store: Store, settings: Settings, agree_s: float = AGREE_S) -> None:
        self._store = store
        self._leap_ms_max = settings.clock_leap_ms_max
        self._agree_s = agree_s
        self._known: Reading | None = None
        self._trusted: Reading | None = None
        """The last one before the clock leapt, until it agrees with it again."""
        self._agreed_at: float | None = None

    @property
    def leapt(self) -> bool:
        """It leapt, and has not agreed with ours for long enough since."""
        return self._trusted is not None

    async def round(self) -> None:
        """Raises Unavailable; a leap that could not be answered with a pause is seen again."""
        now, known = await self._read(), self._known
        if known is not None and leapt(known, now, self._leap_ms_max):
            self._trusted, self._agreed_at = self._trusted or known, None
            log.error("the server's clock leapt by %d ms", now.middle - known.middle)
            await doubt_every_drop(self._store)
            await pause_every_drop(self._store, "clock", ENGLISH("stopped.clock"))
        elif self._trusted is not None:
            await self._await_agreement(self._trusted, now)
        self._known = now

    async def _await_agreement(self, trusted: Reading, now: Reading) -> None:
        if leapt(trusted, now, self._leap_ms_max):
            self._agreed_at = None
            return
        if self._agreed_at is None:
            self._agreed_at = time.monotonic()
        if time.monotonic() - self._agreed_at >= self._agree_s:
            await realign_every_drop(self._store)
            self._trusted = self._agreed_at = None

    async def _read(self) -> Reading:
        before = time.monotonic_ns() // 1_000_000
        server = await self._store.time_ms()
        after = time.monotonic_ns() // 1_000_000
        return Reading(server - after, server - before)


async def doubt_every_drop(store: Store) -> None:
    """No drop that waits for its time opens by the clock. Raises Unavailable."""
    for drop in await store.drops():
        with contextlib.suppress(NewerSchema):
            await store.doubt_clock(drop)


async def realign_every_drop(store: Store) -> None:
    """The clock is right: drops whose time stands still go on. Raises Unavailable."""
    for drop in await store.drops():
        with contextlib.suppress(NewerSchema):
            await _realign(store, drop)


async def _realign(store: Store, drop: DropId) -> None:
    for _ in range(TRIES_MAX):
        shown = await store.show(drop)
        if shown is None:
            return
        key = secrets.token_hex(8)
        outcome = await store.command(drop, Realign(), revision=shown.revision, by="clock", key=key)
        if not isinstance(outcome, refusals.StaleRevision):
            log.info("%s: the clock is right again: %s", drop, outcome)
            return
