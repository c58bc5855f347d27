"""Tells accounts of alarms by mail: once each, then every hour while it lasts.

One web process does it for all while it has the lease. What was told stands in SQL, so whoever
comes after it tells nothing twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from sqlalchemy import Connection, delete, insert, select, update

from dropengine.config import Settings, public_url
from dropengine.doors.studio.desks import Desks
from dropengine.jobs.lease import Lease
from dropengine.mail import makers_letters, outbox
from dropengine.people import account_mails, makers, passkeys
from dropengine.people.one_after_another import change
from dropengine.sql.database import Database
from dropengine.sql.schema.mails import TOLD_ALARMS
from dropengine.studio_wire import AlarmView
from dropengine.truth.store import Store

EVERY_S = 10.0
LEASE_MS = 30_000
LASTS_MS = 15_000
"""What is over by then calls nobody: a server that starts again, a worker that was replaced."""
GONE_MS = 300_000
"""An alarm that was not seen for so long has ended; the same one later is another."""
HOUR_MS = 3_600_000


class AlarmLetters:
    """A job of every web process. now_ms: the time."""

    name = "alarm-letters"
    every_s = EVERY_S

    def __init__(
        self,
        store: Store,
        database: Database,
        settings: Settings,
        desks: Desks,
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._database = database
        self._desks = desks
        self._origin = passkeys.by_name(public_url(settings))
        self._now_ms = now_ms
        self._lease = Lease(store, self.name, LEASE_MS)
        self._quiet = False
        """Nothing is known that could have ended."""

    async def round(self) -> None:
        """Raises DatabaseAway, and Unavailable: the next round tells it."""
        await self._lease.keep()
        if not self._lease.held:
            self._quiet = False
            return
        found = self._desks.alarms.now(self._desks.siblings)
        if found or not self._quiet:
            now_ms = self._now_ms()
            known = await change(self._database, lambda sql: self._note(sql, found, now_ms))
            self._quiet = not found and not known

    def _note(self, sql: Connection, found: Sequence[AlarmView], now_ms: int) -> int:
        """Write down what there is, and who is to be told of it; how many are known still."""
        sql.execute(delete(TOLD_ALARMS).where(TOLD_ALARMS.c.seen_ms <= now_ms - GONE_MS))
        for one in {(alarm.kind, alarm.drop): alarm for alarm in found}.values():
            here = (TOLD_ALARMS.c.kind == one.kind, TOLD_ALARMS.c.drop_id == one.drop)
            row = sql.execute(select(TOLD_ALARMS).where(*here)).first()
            if row is None:
                fresh = {"kind": one.kind, "drop_id": one.drop, "began_ms": now_ms}
                sql.execute(insert(TOLD_ALARMS).values(fresh | {"seen_ms": now_ms, "told_ms": 0}))
                continue
            seen = {"seen_ms": now_ms}
            if now_ms - row.began_ms >= LASTS_MS and now_ms - row.told_ms >= HOUR_MS:
                self._write(sql, one, row.began_ms, now_ms)
                seen["told_ms"] = now_ms
            sql.execute(update(TOLD_ALARMS).where(*here).values(seen))
        return len(sql.execute(select(TOLD_ALARMS.c.kind)).all())

    def _write(self, sql: Connection, alarm: AlarmView, began_ms: int, now_ms: int) -> None:
        maker = ""
        if alarm.drop:
            maker = makers.owners_of(sql, [alarm.drop]).get(alarm.drop, "")
        hours = (now_ms - began_ms) // HOUR_MS
        for one in account_mails.who_hears(sql, maker):
            letter = makers_letters.alarm(alarm, one, began_ms, hours, self._origin, now_ms)
            outbox.put(sql, letter)
