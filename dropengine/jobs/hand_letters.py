"""Looks after payments by hand: frees the places of those that are over, reminds who has a day
left, and tells makers once a day what is open.

One web process does it while it has the lease. A letter has one name for what it tells of, so two
tell nothing twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from dropengine.config import Settings, public_url
from dropengine.jobs.lease import Lease
from dropengine.mail import hand_letters, outbox
from dropengine.mail.hand_letters import DAY_MS
from dropengine.model import DropId, PaymentRecord
from dropengine.payments.hands import bills, charges, places
from dropengine.payments.hands.one_open import OneOpen
from dropengine.payments.hands.places import Place
from dropengine.people import account_mails, makers, passkeys, persons
from dropengine.sql.database import Database
from dropengine.sql.schema.persons import PERSONS
from dropengine.truth.store import Store

EVERY_S: Final = 60.0
LEASE_MS: Final = 90_000


class HandLetters:
    """A job of every web process. now_ms: the time."""

    name = "hand-letters"
    every_s = EVERY_S

    def __init__(
        self,
        store: Store,
        database: Database,
        settings: Settings,
        hands: OneOpen,
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._store = store
        self._database = database
        self._hands = hands
        self._origin = public_url(settings)
        self._studio = passkeys.by_name(self._origin)
        self._language = settings.language
        self._now_ms = now_ms
        self._lease = Lease(store, self.name, LEASE_MS)
        self._day = 0

    async def round(self) -> None:
        """Raises DatabaseAway and Unavailable: the next round does it."""
        await self._lease.renew()
        if not self._lease.held:
            return
        now_ms = self._now_ms()
        for place in await self._database.read(places.every):
            found = await self._hands.look(place)
            if found is not None and found[1] is not None:
                await self._remind(place, found[0], found[1], now_ms)
        day = now_ms // DAY_MS
        if day != self._day:
            await self._database.write(lambda sql: self._tell(sql, now_ms))
            self._day = day

    async def _remind(self, place: Place, payment: str, record: PaymentRecord, now_ms: int) -> None:
        left_ms = record.deadline_ms - now_ms
        if not 0 < left_ms <= DAY_MS:
            return
        shown = await self._store.show(place.drop)
        if shown is None:
            return
        drop = shown.manifest

        def write(sql: Connection) -> None:
            found = [bill for bill in bills.of_payment(sql, place.drop, payment) if bill.open]
            known = sql.execute(
                sa.select(PERSONS.c.id).where(PERSONS.c.normal == place.person)
            ).scalar()
            person = None if known is None else persons.by_id(sql, known)
            if person is None or not found:
                return
            bill = found[-1]
            letter = hand_letters.reminder(
                person,
                drop,
                payment,
                bill.reference,
                bill.missing,
                record.deadline_ms,
                self._origin,
                now_ms,
                self._language,
            )
            outbox.put(sql, letter)

        await self._database.write(write)

    def _tell(self, sql: Connection, now_ms: int) -> None:
        """What each maker has open, and forget whose bar is over."""
        places.lift_bars(sql, now_ms)
        drops = sorted({*bills.open_drops(sql), *charges.owing_drops(sql)})
        of: dict[str, list[tuple[str, int, int]]] = {}
        for drop, maker in makers.owners_of(sql, [*drops]).items():
            opened = sum(bill.open for bill in bills.of_drop(sql, DropId(drop)))
            of.setdefault(maker, []).append((drop, opened, len(charges.owed(sql, drop))))
        for maker, rows in of.items():
            for one in account_mails.who_hears(sql, maker):
                letter = hand_letters.daily(one, maker, sorted(rows), now_ms, self._studio)
                outbox.put(sql, letter)
