"""Reads in the books what gives points, decides what is due, and tells the truth each fan's sum,
while this process has the lease.

How far a log was read moves in the transaction of what that made, and a sum is ticked off after the
truth has it, by its number: whoever dies in the middle leaves nothing out and counts nothing twice.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from dropengine import events
from dropengine.errors import DatabaseAway, NewerSchema, Unavailable
from dropengine.jobs.lease import Lease
from dropengine.manifest import Manifest
from dropengine.model import GIVEN_BACK, DropId, FanId
from dropengine.people import badges, becoming, game_fans, points_book, referrals
from dropengine.people.one_after_another import change
from dropengine.people.referrals import Referral
from dropengine.people.tickets import VERIFIED
from dropengine.sql import reasons
from dropengine.sql.database import Database
from dropengine.sql.log_rows import page
from dropengine.sql.schema.game import CREDITED, GAME_FANS
from dropengine.sql.schema.ledger import ENTRIES, ORDERS
from dropengine.truth.replies import Pointed
from dropengine.truth.store import Pointing, Store

log = logging.getLogger(__name__)

EVERY_S: Final = 1.0
LEASE_MS: Final = 5_000
STRETCH: Final = 500
"""Events that are read at once: one transaction ends long before it counts as hanging."""
STRETCHES_MAX: Final = 40
"""Of one drop, before the next one has its turn."""
TOLD_AT_ONCE: Final = 25
"""The server is kept for half a millisecond, with a hundred thousand in line."""
TELLINGS_MAX: Final = 200
ENDED: Final = (events.Settled, events.Cancelled)
BEGINS: Final = (events.Held, events.Joined)
OF_FANS: Final = (*BEGINS, events.Sold, events.Rescued, events.Refunded, events.Served)


class Crediting:
    """One round over every drop in which somebody plays. now_ms: the time."""

    name = "crediting"
    every_s = EVERY_S

    def __init__(
        self,
        store: Store,
        database: Database,
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._store = store
        self._database = database
        self._now_ms = now_ms
        self._lease = Lease(store, self.name, LEASE_MS)
        self._manifests: dict[DropId, Manifest | None] = {}

    async def round(self) -> None:
        """Raises DatabaseAway and Unavailable: the next round goes on where the books of points
        end."""
        await self._lease.renew()
        if not self._lease.held:
            return
        playing = await self._database.read(_playing)
        for drop in self._manifests.keys() - {*playing}:
            del self._manifests[drop]
        for drop in playing:
            try:
                await self.credit(drop)
            except (DatabaseAway, Unavailable):
                raise
            except Exception:
                # One drop that cannot be read does not keep the others from it.
                log.exception("the points of %s cannot be counted", drop)

    async def credit(self, drop: DropId) -> None:
        """All that is to be done in one drop now."""
        manifest = await self._manifest(drop)
        if manifest is None or manifest.game is None:
            return
        for _ in range(STRETCHES_MAX):
            if not await self._read_on(drop, manifest):
                break
        await self._decide(drop, manifest)
        await self._tell(drop)

    async def _read_on(self, drop: DropId, manifest: Manifest) -> bool:
        """The next stretch of its log; is there more?"""
        after = await self._database.read(functools.partial(_read_to, drop=drop))
        lines = await self._database.read(lambda sql: page(sql, drop, after, after + STRETCH))
        if not lines:
            return False
        stretch = [events.parse(line) for line in lines]

        def write(sql: Connection) -> None:
            moved = sa.update(CREDITED).where(CREDITED.c.drop_id == drop, CREDITED.c.seq == after)
            if sql.execute(moved.values(seq=after + len(lines))).rowcount != 1:
                raise DatabaseAway(f"{drop}: somebody else reads what gives points there.")
            _Reading(sql, drop, manifest).read(stretch)

        await change(self._database, write)
        return True

    async def _decide(self, drop: DropId, manifest: Manifest) -> None:
        game, now_ms = manifest.game, self._now_ms()
        assert game is not None, "only drops with a game are credited"
        while await self._database.read(lambda sql: points_book.due(sql, drop, now_ms)):
            await change(
                self._database,
                lambda sql: points_book.decide(sql, drop, game, now_ms),
            )

    async def _tell(self, drop: DropId) -> None:
        for _ in range(TELLINGS_MAX):
            fans = await self._database.read(lambda sql: game_fans.untold(sql, drop, TOLD_AT_ONCE))
            if not fans:
                return
            rows = [Pointing(one.fan, one.at, one.points, one.why) for one in fans]
            answer = await self._store.point(drop, rows)
            if not isinstance(answer, Pointed):
                log.info("%s: its points wait: %s", drop, answer)
                return
            # Who has no place now joins later, and is told again then.
            await self._database.write(functools.partial(game_fans.told, drop=drop, fans=fans))

    async def _manifest(self, drop: DropId) -> Manifest | None:
        """What never changes in it."""
        if self._manifests.get(drop) is None:
            try:
                shown = await self._store.show(drop)
            except NewerSchema:
                return None
            self._manifests[drop] = None if shown is None else shown.manifest
        return self._manifests[drop]


class _Reading:
    """What a stretch of a log means for those who play, within one transaction."""

    def __init__(self, sql: Connection, drop: DropId, manifest: Manifest) -> None:
        assert manifest.game is not None, "only drops with a game are credited"
        self._sql = sql
        self._drop = drop
        self._game = manifest.game
        self._when_paid = manifest.identity != VERIFIED
        self._who: dict[str, FanId] = {}
        self._friends: dict[FanId, Referral] = {}
        """Who came by a link."""
        self._joined: dict[FanId, None] = {}

    def read(self, stretch: Sequence[events.AnyEvent]) -> None:
        """In its order."""
        named = [event.fan for event in stretch if isinstance(event, OF_FANS)]
        self._know(named)
        for event in stretch:
            if isinstance(event, OF_FANS):
                if (fan := self._who.get(event.fan)) is not None:
                    self._of_fan(event, fan)
            elif isinstance(event, events.Adopted):
                self._adopted(event)
            elif isinstance(event, events.Thawed) and event.why == "restore":
                game_fans.tell_all_again(self._sql, self._drop)
            elif isinstance(event, events.Sealed) and self._game.points_until == "seal":
                points_book.end(self._sql, self._drop, self._game, event.at)
            elif isinstance(event, ENDED):
                self._over(event.at)
        game_fans.tell_again(self._sql, self._drop, [*self._joined])

    def _of_fan(
        self,
        event: events.Held
        | events.Joined
        | events.Sold
        | events.Rescued
        | events.Refunded
        | events.Served,
        fan: FanId,
    ) -> None:
        match event:
            case events.Held() | events.Joined():
                if isinstance(event, events.Joined):
                    self._joined[fan] = None
                self._takes_part(fan, event.at)
            case events.Sold() | events.Rescued():
                self._takes_part(fan, event.at)
                self._paid(fan, event.at)
            case events.Refunded():
                if fan in self._friends and not self._has_something(fan):
                    points_book.take_back(self._sql, self._drop, fan)
            case events.Served():
                if _called_by_boost(self._sql, self._drop, event):
                    kind = badges.SERVED_BY_BOOST
                    badges.award(self._sql, self._drop, [fan], kind, event.at)

    def _takes_part(self, fan: FanId, at_ms: int) -> None:
        came = self._friends.get(fan)
        if came is not None and not came.first_ms:
            came = self._friends[fan] = referrals.took_part(self._sql, self._drop, came, at_ms)
            if not self._when_paid:
                self._friend(came, at_ms)

    def _paid(self, fan: FanId, at_ms: int) -> None:
        came = self._friends.get(fan)
        if came is not None and not came.paid_ms:
            came = self._friends[fan] = referrals.paid(self._sql, self._drop, came, at_ms)
            if self._when_paid:
                self._friend(came, at_ms)

    def _know(self, names: Sequence[str]) -> None:
        found = game_fans.now_called(self._sql, self._drop, names)
        self._who |= found
        self._friends |= referrals.friends_among(self._sql, self._drop, found.values())

    def _friend(self, came: Referral, since_ms: int) -> None:
        if self._game.friends is not None:
            points_book.friend(self._sql, self._drop, self._game.friends, came, since_ms)

    def _has_something(self, fan: FanId) -> bool:
        """Has he an order that was not given back? Also one that he made as a guest."""
        guests = sa.select(GAME_FANS.c.fan).where(
            GAME_FANS.c.drop_id == self._drop, GAME_FANS.c.became == fan
        )
        asked = sa.select(ORDERS.c.hold).where(
            *(ORDERS.c.drop_id == self._drop, ORDERS.c.state.not_in([*GIVEN_BACK])),
            (ORDERS.c.fan == fan) | ORDERS.c.fan.in_(guests),
        )
        return self._sql.execute(asked.limit(1)).first() is not None

    def _adopted(self, event: events.Adopted) -> None:
        guest, person = FanId(event.guest), FanId(event.fan)
        becoming.becomes(self._sql, self._drop, guest, person)
        self._know([guest, person])

    def _over(self, event_ms: int) -> None:
        """Nothing gives points any more; who waited for nothing has that to show."""
        points_book.end(self._sql, self._drop, self._game, event_ms)
        badges.award(self._sql, self._drop, self._waited(), badges.WAITED, event_ms)
        over = sa.update(CREDITED).where(CREDITED.c.drop_id == self._drop)
        self._sql.execute(over.values(over=1))

    def _waited(self) -> Iterable[str]:
        """Who plays, was in line and got none."""
        here = (ENTRIES.c.drop_id == self._drop, GAME_FANS.c.drop_id == self._drop)
        stood = sa.select(ENTRIES.c.fan).join(GAME_FANS, GAME_FANS.c.fan == ENTRIES.c.fan)
        got = sa.select(ORDERS.c.fan).where(
            ORDERS.c.drop_id == self._drop, ORDERS.c.state.not_in([*GIVEN_BACK])
        )
        asked = stood.where(*here, GAME_FANS.c.became == "", ENTRIES.c.fan.not_in(got)).distinct()
        return list(self._sql.execute(asked).scalars())


def _called_by_boost(sql: Connection, drop: DropId, served: events.Served) -> bool:
    """Which lane called the offer that served him?"""
    last: events.Offered | None = None
    for event in reasons.events_of(sql, drop, FanId(served.fan)):
        of_it = isinstance(event, events.Offered) and event.entry == served.entry
        if of_it and event.seq < served.seq:
            assert isinstance(event, events.Offered)
            last = event
    return last is not None and last.call == 1


def _playing(sql: Connection) -> list[DropId]:
    asked = sa.select(CREDITED.c.drop_id).where(CREDITED.c.over == 0)
    return [DropId(drop) for drop in sql.execute(asked.order_by(CREDITED.c.drop_id)).scalars()]


def _read_to(sql: Connection, drop: DropId) -> int:
    asked = sa.select(CREDITED.c.seq).where(CREDITED.c.drop_id == drop)
    return int(sql.execute(asked).scalar_one())
