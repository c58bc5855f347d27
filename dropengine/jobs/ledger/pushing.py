"""Calls browsers, by their push services, while this process has the lease.

A call is marked after it was taken: whoever dies in between calls once more, and the second takes
the first one's place on the screen. What cannot be marked, because SQL is away, is remembered and
marked before anything else is sent.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection

from dropengine.config import Settings
from dropengine.errors import DatabaseAway
from dropengine.jobs.lease import Lease
from dropengine.people import makers
from dropengine.push import followers, outbox, request, sealed, subscriptions
from dropengine.push.endpoint import Endpoint, parse
from dropengine.push.judged_client import JudgedClient, NoAnswer, NotAllowed
from dropengine.push.outbox import Failed, Gone, Kind, Later, Outcome, Push
from dropengine.push.shop_key import ShopKey
from dropengine.push.subscriptions import Subscription
from dropengine.sql.database import Database
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

EVERY_S = 0.5
LEASE_MS = 10_000
RENEW_S = 2.0
LANES = 16
"""Calls that are on their way at once."""
TIDY_S = 3_600.0


class _Due(NamedTuple):
    push: Push
    to: Subscription | None


class Pushing:
    """clock: monotonic, s. now_ms: the time."""

    name = "pushing"

    def __init__(
        self,
        store: Store,
        database: Database,
        settings: Settings,
        key: ShopKey,
        *,
        client: JudgedClient | None = None,
        clock: Callable[[], float] = time.monotonic,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.every_s = EVERY_S
        self._database = database
        self._services = settings.push_services
        self._here = settings.push_here
        self._key = key
        self._client = client or JudgedClient(here=settings.push_here)
        self._clock = clock
        self._now_ms = now_ms
        self._lease = Lease(store, self.name, LEASE_MS)
        self._renewed_at = -RENEW_S
        self._tidied_at = -TIDY_S
        self._outcomes: dict[str, tuple[Push, Outcome]] = {}
        """Call -> what became of it, until that is written down."""
        self._silent: set[str] = set()
        """Push services that did not answer in this round."""
        self.waiting = 0
        """Calls that were due at the last look, and were not taken."""

    @property
    def held(self) -> bool:
        """Whether this process calls for all."""
        return self._lease.held

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.close()

    async def round(self) -> None:
        """Call whom there is to call. Raises DatabaseAway and Unavailable: the next round goes
        on."""
        await self._renew()
        if not self.held:
            self.waiting, self.every_s = 0, EVERY_S
            return
        await self._mark()
        await self._tidy()
        found = await self._database.read(self._due)
        self._silent.clear()
        lanes = asyncio.Semaphore(LANES)
        ended = await asyncio.gather(
            *(self._one(one, lanes) for one in found), return_exceptions=True
        )
        for fault in ended:
            if fault is not None:
                raise fault
        now_ms = self._now_ms()
        self.waiting = await self._database.read(lambda sql: outbox.waiting(sql, now_ms))
        self.every_s = 0.0 if len(found) == outbox.AT_ONCE and self.waiting else EVERY_S

    def _due(self, sql: Connection) -> list[_Due]:
        return [_Due(push, _to(sql, push)) for push in outbox.due(sql, self._now_ms())]

    async def _one(self, due: _Due, lanes: asyncio.Semaphore) -> None:
        """One call, to its mark. Raises DatabaseAway."""
        push, to = due
        async with lanes:
            await self._renew()
            if not self.held:
                return
            if 0 < push.until_ms <= self._now_ms():
                await self._database.write(
                    functools.partial(outbox.end_late, now_ms=self._now_ms())
                )
                return
            self._outcomes[push.id] = (push, await self._called(push, to))
            await self._mark()

    async def _called(self, push: Push, to: Subscription | None) -> Outcome:
        if to is None:
            return Failed("this browser is not called any more")
        try:
            endpoint = parse(to.endpoint, self._services, here=self._here)
        except ValueError as fault:
            # It was let in by other settings.
            return Gone(str(fault))
        if endpoint.host in self._silent:
            return Later("another call there was not answered")
        return await self._asked(push, to, endpoint)

    async def _asked(self, push: Push, to: Subscription, endpoint: Endpoint) -> Outcome:
        now_ms = self._now_ms()
        shown = self._key.authorization(endpoint.origin, now_ms // 1000)
        try:
            body = sealed.seal(request.message(push, to), to.p256dh, to.auth)
            answer = await self._client.post(endpoint, request.headers(push, shown, now_ms), body)
        except NotAllowed as fault:
            log.warning("a browser's address is not called: %s", fault)
            return Gone(str(fault))
        except NoAnswer as fault:
            self._silent.add(endpoint.host)
            return Later(str(fault))
        except ValueError as fault:
            return Failed(str(fault))
        return request.outcome(answer, now_ms)

    async def _mark(self) -> None:
        """Write down what became of calls."""
        known, self._outcomes = self._outcomes, {}
        if not known:
            return
        try:
            await self._database.write(
                functools.partial(_noted, known=known, now_ms=self._now_ms())
            )
        except DatabaseAway:
            self._outcomes = known | self._outcomes
            raise

    async def _tidy(self) -> None:
        """Let go of what ended long ago, and of what waits past its moment."""
        if self._clock() - self._tidied_at < TIDY_S:
            return
        self._tidied_at = self._clock()
        now_ms = self._now_ms()

        def tidied(sql: Connection) -> None:
            outbox.end_late(sql, now_ms)
            outbox.forget_old(sql, now_ms)
            subscriptions.forget_over(sql, now_ms)

        await self._database.write(tidied)

    async def _renew(self) -> None:
        """Take the lease, keep it, or see that another has it; asked anew after a while."""
        now = self._clock()
        if now - self._renewed_at < RENEW_S and self.held:
            return
        self._renewed_at = now
        await self._lease.keep()


def _to(sql: Connection, push: Push) -> Subscription | None:
    """Whom a call goes to, as long as he wants to be called there."""
    if push.kind is not Kind.NEW_DROP:
        return subscriptions.by_browser(sql, push.drop, push.browser)
    maker = makers.whose(sql, push.drop)
    one = None if maker is None else followers.find(sql, maker, push.browser)
    return None if one is None else one.within(push.drop)


def _noted(sql: Connection, known: dict[str, tuple[Push, Outcome]], now_ms: int) -> None:
    for push, outcome in known.values():
        outbox.note(sql, push, outcome, now_ms)
