"""Keeps that a person has one payment by hand open at a maker, and ends places whose payment is
over.

A row in SQL stands before the script is asked: two drops of one maker know nothing of each other.
What became of a payment is read where it is kept, so a place that was left behind frees itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

from sqlalchemy import Connection

from dropengine import refusals
from dropengine.errors import DatabaseAway, Unavailable
from dropengine.model import DropId, FanId, HoldId, HoldState, PaymentRecord, PaymentState
from dropengine.payments.hands import places
from dropengine.payments.hands.places import BARRED_MS, Place
from dropengine.people.one_after_another import change
from dropengine.sql.database import Database
from dropengine.truth.replies import YouReply
from dropengine.truth.store import Store

ASKED_MS: Final = 60_000
"""A script has answered by then: whose place bears no payment later has none, or one that he did
not hear of."""
WORDS: Final = ("by_hand", "cash")

T = TypeVar("T")


class OneOpen:
    """What `Hub.hands` asks. clock: ms since 1970."""

    def __init__(
        self,
        store: Store,
        database: Database,
        *,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._store = store
        self._database = database
        self._clock = clock

    async def take(self, drop: DropId, fan: FanId, key: str) -> refusals.Refusal | None:
        """See `live.paying.Hands`."""
        now_ms = self._clock()
        found = await self._changed(lambda sql: places.take(sql, drop, fan, key, now_ms))
        if isinstance(found, Place) and await self.look(found) is None:
            found = await self._changed(lambda sql: places.take(sql, drop, fan, key, now_ms))
        if isinstance(found, Place):
            return refusals.HandOpen(found.payment, found.drop)
        return None if found is None else refusals.HandBarred(found)

    async def began(self, drop: DropId, fan: FanId, key: str, payment: str) -> None:
        await self._changed(lambda sql: places.began(sql, drop, fan, key, payment))

    async def free(self, drop: DropId, fan: FanId, key: str) -> None:
        await self._changed(lambda sql: places.free(sql, drop, fan, key))

    async def look(self, place: Place) -> tuple[str, PaymentRecord | None] | None:
        """The payment that a place is for, if it is known yet; None once it is over: then the place
        is free, and who let it lapse is barred. Raises Unavailable."""
        payment = place.payment
        if not payment:
            if self._clock() - place.at_ms < ASKED_MS:
                return "", None
            payment = await self._begun(place)
        record = await self._store.payment(place.drop, payment) if payment else None
        if record is not None and record.state == PaymentState.OPEN:
            if not place.payment:
                await self.began(place.drop, place.fan, place.key, payment)
            return payment, record
        lapsed = record is not None and await self._lapsed(place.drop, record)
        until_ms = 0 if record is None else record.deadline_ms + BARRED_MS

        def ended(sql: Connection) -> None:
            places.free(sql, place.drop, place.fan, place.key)
            if lapsed:
                places.bar(sql, place.person, until_ms)

        await self._changed(ended)
        return None

    async def _begun(self, place: Place) -> str:
        """The payment that a fan has open by hand, though nobody noted it; ''."""
        found = await self._store.you(place.drop, [place.fan])
        if not isinstance(found, YouReply):
            return ""
        return next(
            (
                name
                for row in found.rows
                for name, one in row.payments
                if one.state == PaymentState.OPEN and one.provider in WORDS
            ),
            "",
        )

    async def _lapsed(self, drop: DropId, record: PaymentRecord) -> bool:
        """Did its time pass, without a word of its fan and without money?"""
        if record.state != PaymentState.ENDED or record.leaving or record.judged:
            return False
        held = [await self._store.hold(drop, HoldId(hold)) for hold in record.holds]
        return any(one is not None and one.state == HoldState.EXPIRED for one in held)

    async def _changed(self, work: Callable[[Connection], T]) -> T:
        try:
            return await change(self._database, work)
        except DatabaseAway as away:
            raise Unavailable(str(away)) from away
