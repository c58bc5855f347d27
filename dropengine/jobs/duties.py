"""Does what is owed at the provider: the duties in the outboxes of the drops.

One worker does them for all, while it has the lease, which is asked for again before each. Two may
do the same one: a duty carries its own idempotency key.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable, Collection
from typing import NamedTuple

import msgspec

from dropengine.errors import Unavailable
from dropengine.jobs.job_runner import ended
from dropengine.jobs.leased_drops import LeasedDrops
from dropengine.jobs.order_of_work import next_duties
from dropengine.model import DropId, DutyRecord
from dropengine.truth.outbox import Outbox
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

Perform = Callable[[DropId, str, DutyRecord], Awaitable[str | None]]
"""(drop, duty id, duty): do it at the provider and tick it off. Answers why the provider will never
do it, where it said so."""

ROUND_S = 1.0
"""The outbox is read again when all that was begun is done, at the latest after this."""
RETRY_S = 2.0
"""A duty that stays undone is tried again after this, then after twice as long every time."""
RETRY_S_MAX = 600.0
JITTER = 0.25
"""Of each pause so much more at most."""
SHOWN = "duties"
"""The list of those set aside that workers share, by drop."""
AGAIN = "again"
"""The list of those that people want tried again, by drop."""
AGE_MS_MAX = 24 * 3600 * 1000
"""A duty that is owed for longer and was tried once more is left to a person."""
DUTY_S_MAX = 20.0
"""A provider that has not answered by then is asked again, with the same key."""


class Patience:
    """When a duty is tried again. `refused`: why the provider will never do it, or ''."""

    def __init__(self) -> None:
        self.refused = ""
        self.tries = 0
        self._pause_s = RETRY_S
        self._not_before = -math.inf

    def ends(self, age_ms: int) -> str:
        """Why a person has to see to it now, or ''."""
        if self.refused:
            return f"the provider refuses it for good: {self.refused}"
        if age_ms >= AGE_MS_MAX and self._not_before > -math.inf:
            return f"it is undone for {age_ms // 3_600_000} h"
        return ""

    def renew(self) -> None:
        """A person wants it tried at once, as if it had never been."""
        self.refused = ""
        self._pause_s = RETRY_S
        self._not_before = -math.inf

    def over(self, now: float) -> bool:
        return now >= self._not_before

    def tried(self, now: float, *, grows: bool) -> None:
        """grows: a question about what stands is asked as often until its hard stop. What grows is
        spread out, so that what failed together does not come together again."""
        self.tries += 1
        self._not_before = now + self._pause_s
        if grows:
            self._not_before += random.uniform(0, self._pause_s * JITTER)
            self._pause_s = min(2 * self._pause_s, RETRY_S_MAX)


class SetAside(msgspec.Struct, frozen=True):
    """A duty that a person has to see to. tries: by whoever does the duties now. since_ms: it is
    owed since then, 0 where that cannot be read."""

    id: str
    tries: int
    since_ms: int
    why: str


async def shown(store: Store, drop: DropId) -> list[SetAside]:
    """What whoever does the duties of this drop set aside last. Raises Unavailable."""
    row = await store.house.shown(SHOWN, drop)
    return msgspec.msgpack.decode(row, type=list[SetAside]) if row else []


class Again(msgspec.Struct, frozen=True):
    """A duty that a person wants tried again, and when he said so."""

    id: str
    at_ms: int


async def try_again(store: Store, drop: DropId, duty_id: str, now_ms: int) -> bool:
    """Whoever does the duties tries one that was set aside once more, within a round. False: it is
    not set aside. Raises Unavailable."""
    aside = {one.id for one in await shown(store, drop)}
    if duty_id not in aside or duty_id not in await store.duties(drop):
        return False
    others = [one for one in await _wanted(store, drop) if one.id in aside and one.id != duty_id]
    row = msgspec.msgpack.encode([*others, Again(duty_id, now_ms)])
    await store.house.show(AGAIN, drop, row)
    return True


async def _wanted(store: Store, drop: DropId) -> list[Again]:
    row = await store.house.shown(AGAIN, drop)
    return msgspec.msgpack.decode(row, type=list[Again]) if row else []


class Work(NamedTuple):
    """A duty whose turn it is."""

    id: str
    duty: DutyRecord
    patience: Patience


def wall_ms() -> int:
    """The clock on the wall, ms since 1970."""
    return time.time_ns() // 1_000_000


class Duties(LeasedDrops):
    """Begun for each drop that owes something: a slow provider of one keeps no other waiting.

    perform: how a duty is done. clock_ms: the true clock.
    """

    name = "duties"

    def __init__(
        self, store: Store, perform: Perform, *, clock_ms: Callable[[], int] = wall_ms
    ) -> None:
        super().__init__(store)
        self._perform = perform
        self._clock_ms = clock_ms
        self.set_aside: dict[DropId, frozenset[str]] = {}
        """Drop -> entries of its outbox that a person has to see to: they cannot be read, or the
        provider does not do them."""
        self._shown: dict[DropId, list[SetAside]] = {}
        self._heard: dict[DropId, dict[str, int]] = {}
        """Of each drop, which were wanted again and when, as far as that was heard."""
        self._patience: dict[DropId, dict[tuple[str, int], Patience]] = {}
        """Of each duty and since when it is owed: the end of a hold asks anew."""

    async def round(self) -> None:
        """Raises Unavailable: until there is an answer, whoever did the duties does them."""
        await super().round()
        # Somebody may have seen to the last that was set aside: then nobody calls any more.
        for drop in list(self.set_aside):
            self.begin(drop)

    @property
    def owing(self) -> dict[DropId, int]:
        """Drop -> how many duties it had at the last look of whoever does them."""
        return {drop: len(known) for drop, known in self._patience.items()}

    async def _work(self, drop: DropId) -> None:
        """Rounds until nothing is left that may be done now. Who is slow keeps his place, and the
        free ones go to whoever is the most urgent by then."""
        busy: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                for work in await self._next(drop, busy):
                    busy[work.id] = asyncio.create_task(self._do(drop, work))
                if not busy:
                    return
                await asyncio.wait(busy.values(), timeout=ROUND_S)
                busy = {duty_id: task for duty_id, task in busy.items() if not task.done()}
        finally:
            await ended(*busy.values())

    async def _next(self, drop: DropId, busy: Collection[str]) -> list[Work]:
        """What is begun now. Nothing without the lease: who has it reads the same outbox."""
        if not self._lease.held:
            return []
        try:
            outbox = await self._store.outbox(drop)
        except Unavailable as error:
            log.info("%s: duties wait: %s", drop, error)
            return []
        if outbox.waits:
            return []
        patience = self._patience_of(drop, outbox)
        if drop in self.set_aside:
            try:
                await self._hear(drop, patience)
            except Unavailable as error:
                log.info("%s: duties wait: %s", drop, error)
                return []
        aside = dict.fromkeys(outbox.set_aside, "it cannot be read")
        for duty_id, duty in outbox.duties.items():
            if duty_id in outbox.standing:
                continue
            if why := patience[duty_id].ends(self._clock_ms() - duty.at_ms):
                aside[duty_id] = why
        rows = [
            SetAside(
                duty_id,
                patience[duty_id].tries if duty_id in patience else 0,
                outbox.duties[duty_id].at_ms if duty_id in outbox.duties else 0,
                why,
            )
            for duty_id, why in sorted(aside.items())
        ]
        try:
            await self._show(drop, rows)
        except Unavailable as error:
            log.info("%s: duties wait: %s", drop, error)
            return []
        self._put_aside(drop, aside)
        return self._chosen(outbox, patience, busy, aside)

    async def _hear(self, drop: DropId, patience: dict[str, Patience]) -> None:
        """What people want tried again, once for each time they said so."""
        heard, wanted = self._heard.get(drop, {}), await _wanted(self._store, drop)
        for one in wanted:
            if one.id in patience and heard.get(one.id) != one.at_ms:
                log.warning("%s: duty %s is tried again: a person wants it", drop, one.id)
                patience[one.id].renew()
        self._heard[drop] = {one.id: one.at_ms for one in wanted}

    def _chosen(
        self,
        outbox: Outbox,
        patience: dict[str, Patience],
        busy: Collection[str],
        aside: Collection[str],
    ) -> list[Work]:
        now = time.monotonic()
        waiting = [
            duty_id
            for duty_id in outbox.duties
            if duty_id not in busy and duty_id not in aside and patience[duty_id].over(now)
        ]
        chosen = next_duties(outbox, waiting, busy)
        for duty_id in chosen:
            patience[duty_id].tried(now, grows=duty_id not in outbox.standing)
        return [Work(duty_id, outbox.duties[duty_id], patience[duty_id]) for duty_id in chosen]

    def _patience_of(self, drop: DropId, outbox: Outbox) -> dict[str, Patience]:
        """Of each duty that is still owed; those that are not are forgotten."""
        known = self._patience.pop(drop, {})
        kept = {
            (duty_id, duty.at_ms): known.get((duty_id, duty.at_ms)) or Patience()
            for duty_id, duty in outbox.duties.items()
        }
        if kept:
            self._patience[drop] = kept
        return {duty_id: patience for (duty_id, _), patience in kept.items()}

    async def _show(self, drop: DropId, rows: list[SetAside]) -> None:
        """Let every worker read it, once it is another."""
        if rows != self._shown.get(drop):
            packed = msgspec.msgpack.encode(rows) if rows else b""
            await self._store.house.show(SHOWN, drop, packed)
            self._shown[drop] = rows

    def _put_aside(self, drop: DropId, aside: dict[str, str]) -> None:
        """aside: id -> why. Each is told once, and counted as long as it is there."""
        for duty_id in sorted(aside.keys() - self.set_aside.get(drop, frozenset())):
            log.error(
                "%s: duty %r is set aside, see to its money: %s", drop, duty_id, aside[duty_id]
            )
        self.set_aside.pop(drop, None)
        if aside:
            self.set_aside[drop] = frozenset(aside)

    async def _do(self, drop: DropId, work: Work) -> None:
        try:
            async with asyncio.timeout(DUTY_S_MAX):
                # Somebody else may sell from this server by now: it would be done twice.
                await self._lease.renew()
                if not self._lease.held:
                    return
                work.patience.refused = await self._perform(drop, work.id, work.duty) or ""
        except (Unavailable, TimeoutError) as error:
            log.info("%s: duty %s waits: %s", drop, work.id, str(error) or "no answer in time")
        except Exception:
            log.exception("%s: duty %s failed", drop, work.id)
