"""Reads in the books whom each drop calls, and puts down what his browsers are owed, while this
process has the lease.

How far a log was read moves in the transaction of the calls that it made: whoever dies in the
middle leaves none out and makes none twice.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from dropengine import events
from dropengine.catalogue import CATALOGUES, ENGLISH, Catalogue
from dropengine.errors import DatabaseAway, Unavailable
from dropengine.jobs.lease import Lease
from dropengine.model import DropId, FanId
from dropengine.people import wishes
from dropengine.people.wishes import wish_of
from dropengine.push import outbox, subscriptions
from dropengine.push.outbox import Kind
from dropengine.push.subscriptions import Subscription
from dropengine.push.whom import REMIND_MS, Called, Due, Ended, Follower, Moved
from dropengine.sql.database import Database
from dropengine.sql.log_rows import page
from dropengine.sql.schema.pushes import CALLED
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

EVERY_S = 0.5
LEASE_MS = 5_000
STRETCHES_MAX = 10
"""Of one drop, before the next one has its turn."""
REMINDED = 200
"""Browsers that are told of an opening at once; the others in the next round."""
TIME = "{time}"
"""Stands in a sentence for the moment of its call."""


class Calling:
    """One round over every drop in which anybody is called. clock: monotonic, s. now_ms: the
    time."""

    name = "calling"

    def __init__(
        self,
        store: Store,
        database: Database,
        *,
        clock: Callable[[], float] = time.monotonic,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.every_s = EVERY_S
        self._store = store
        self._database = database
        self._clock = clock
        self._now_ms = now_ms
        self._lease = Lease(store, self.name, LEASE_MS)
        self._followers: dict[DropId, Follower] = {}
        self._titles: dict[DropId, tuple[int, str]] = {}
        """Drop -> what it is called, as of which event."""

    async def round(self) -> None:
        """Raises DatabaseAway and Unavailable: the next round goes on where the calls end."""
        await self._lease.renew()
        if not self._lease.held:
            self._followers.clear()
            return
        called = await self._database.read(subscriptions.drops)
        for drop in self._followers.keys() - set(called):
            del self._followers[drop]
        for drop in called:
            await self._look(drop)

    async def _look(self, drop: DropId) -> None:
        """One drop that cannot be followed does not keep the others from it."""
        try:
            await self._follow(drop)
        except (DatabaseAway, Unavailable):
            # What was to be written last may have been.
            self._followers.pop(drop, None)
            raise
        except Exception:
            self._followers.pop(drop, None)
            log.exception("whom %s calls cannot be read from its log", drop)

    async def _follow(self, drop: DropId) -> None:
        follower = self._followers.get(drop)
        if follower is None:
            follower = self._followers[drop] = await self._caught_up(drop)
        for _ in range(STRETCHES_MAX):
            stretch = await self._stretch(drop, follower.seq)
            if not stretch:
                break
            seq = follower.seq
            due = follower.follow(stretch)
            await self._write(drop, due, seq, follower.seq)
        await self._remind(drop, follower)

    async def _caught_up(self, drop: DropId) -> Follower:
        """To where the calls end: of what was before that nobody is told again."""
        until = await self._database.read(functools.partial(_read_to, drop=drop))
        follower = Follower()
        while follower.seq < until:
            stretch = await self._stretch(drop, follower.seq, until)
            if not stretch:
                break
            follower.follow(stretch)
        return follower

    async def _stretch(
        self, drop: DropId, after: int, until: int = 2**62
    ) -> Sequence[events.AnyEvent]:
        found = await self._database.read(lambda sql: page(sql, drop, after, until))
        return [events.parse(line) for line in found]

    async def _write(self, drop: DropId, due: list[Due], after: int, to: int) -> None:
        title = await self._title(drop, to) if due else ""
        now_ms = self._now_ms()

        def write(sql: Connection) -> None:
            moved = sa.update(CALLED).where(CALLED.c.drop_id == drop, CALLED.c.seq == after)
            if sql.execute(moved.values(seq=to)).rowcount != 1:
                raise DatabaseAway(f"{drop}: somebody else reads whom it calls.")
            for one in due:
                _put(sql, drop, title, one, now_ms)

        await self._database.write(write)

    async def _remind(self, drop: DropId, follower: Follower) -> None:
        """Everybody of the opening, some at a time: whoever keeps the books waits for none."""
        now_ms = self._now_ms()
        call, told = follower.reminder(), [""]
        if call is not None and not 0 <= follower.opens_ms - now_ms <= REMIND_MS:
            return
        if call is None:
            call, told = follower.opened(), [follower.opened_by_itself]
        if call is None or not call.call.written_ms <= now_ms < call.call.until_ms:
            return
        event, since_ms = call.call.id, call.call.from_ms or call.call.written_ms

        def some(sql: Connection) -> list[Subscription]:
            return subscriptions.untold(sql, drop, [event, *filter(None, told)], since_ms, REMINDED)

        if not await self._database.read(some):
            return
        title = await self._title(drop, follower.seq)

        def write(sql: Connection) -> None:
            found = some(sql)
            _put_at(sql, drop, title, call, found)
            subscriptions.mark(sql, drop, event, [one.browser for one in found])

        await self._database.write(write)

    async def _title(self, drop: DropId, seq: int) -> str:
        """What the maker calls it, put right or not."""
        known = self._titles.get(drop)
        if known is None or known[0] != seq:
            shown = await self._store.show(drop)
            known = self._titles[drop] = (seq, shown.manifest.title if shown else drop)
        return known[1]


def _read_to(sql: Connection, drop: DropId) -> int:
    asked = sa.select(CALLED.c.seq).where(CALLED.c.drop_id == drop)
    return int(sql.execute(asked).scalar_one())


def _put(sql: Connection, drop: DropId, title: str, due: Due, now_ms: int) -> None:
    if isinstance(due, Ended):
        if due.about:
            outbox.end_about(sql, drop, list(due.about), now_ms)
        else:
            outbox.end_drop(sql, drop, now_ms)
        return
    if isinstance(due, Moved):
        subscriptions.move(sql, drop, due.guest, due.person)
        outbox.move(sql, drop, due.guest, due.person)
        return
    _put_at(sql, drop, title, due, _readers(sql, drop, due.fan))


def _put_at(
    sql: Connection, drop: DropId, title: str, due: Called, readers: Sequence[Subscription]
) -> None:
    """At these browsers, but for those whose owners want no such calls."""
    wish = wish_of(due.call.kind)
    silent = wishes.silent(sql, drop, wish) if wish is not None and readers else frozenset()
    for to in readers:
        if to.fan not in silent:
            say = CATALOGUES.get(to.language, ENGLISH)
            outbox.put(sql, to, due.call, title, in_words(due, say), at_ms=due.at_ms)


def _readers(sql: Connection, drop: DropId, fan: FanId | None) -> list[Subscription]:
    if fan is not None:
        return subscriptions.of_fan(sql, drop, fan)
    return [one for some in subscriptions.of_drop(sql, drop).values() for one in some]


def in_words(due: Called, say: Catalogue) -> str:
    """What a fan reads below the title. Where a time belongs the browser writes it, as its owner
    reads clocks."""
    match due.call.kind:
        case Kind.REMINDER:
            return say("call_reminder", time=TIME)
        case Kind.OPENED:
            return say("call_opened")
        case Kind.TEN_BEFORE:
            return say("call_ten_before", count=due.count)
        case Kind.OFFER:
            return say("call_offer", time=TIME)
        case Kind.HOLD_ENDS:
            return say("call_hold_ends", time=TIME)
        case Kind.CARRIED:
            return say("call_carried")
        case Kind.SOLD:
            serials = ", ".join(f"#{serial}" for serial in due.serials)
            return say("call_sold", serials=serials)
        case Kind.REFUND:
            return say("call_refund")
        case _:
            return due.text
