"""Takes drops that have long been over out of the server of the truth, as a whole.

First SQL has all that is told of them, then they leave in one script. Whoever dies in between
leaves a drop that is where it was.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from dropengine.config import Settings
from dropengine.errors import DatabaseAway, Unavailable
from dropengine.jobs.lease import Lease
from dropengine.jobs.ledger import books
from dropengine.jobs.settle import FINAL
from dropengine.model import DropId, FanId
from dropengine.sql import charge_ids, log_rows
from dropengine.sql.archive import ANYBODY
from dropengine.sql.database import Database
from dropengine.sql.schema.archive import ARCHIVED, FANS
from dropengine.sql.schema.ledger import DROPS
from dropengine.truth import repair, replies
from dropengine.truth.replies import BEYOND, ViewReply, YouReply
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

EVERY_S = 600.0
LEASE_MS = 60_000
FANS_AT_ONCE = 256
"""Behind every move and every letter: none of them is told."""
STAYS_MS = 3_600_000
"""Who was brought back for something has so long until it is done."""

_pack = msgspec.msgpack.Encoder().encode


class Archiving:
    """One look at every drop that is over. now_ms: the time."""

    name = "archiving"

    def __init__(
        self,
        store: Store,
        database: Database,
        settings: Settings,
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.every_s = min(EVERY_S, float(settings.archive_s or EVERY_S))
        self._after_ms = settings.archive_s * 1000
        self._store = store
        self._database = database
        self._now_ms = now_ms
        self._lease = Lease(store, self.name, LEASE_MS)

    async def round(self) -> None:
        """Raises DatabaseAway and Unavailable: the next look goes on."""
        await self._lease.renew()
        if not self._after_ms or not self._lease.held:
            return
        old = await self._database.read(self._old)
        for drop in await self._store.drops():
            if drop not in old:
                continue
            try:
                await self._leave(drop, old[drop])
            except (DatabaseAway, Unavailable):
                raise
            except Exception:
                # One drop that cannot leave does not keep the others here.
                log.exception("%s cannot be archived", drop)

    def _old(self, sql: Connection) -> dict[str, int]:
        """Drop -> where its books end, of those that were quiet for long. Raises DatabaseAway where
        what SQL says may not be on its disk."""
        if not log_rows.on_disk(sql):
            raise DatabaseAway("SQL acknowledges what is not on its disk: no drop is archived.")
        now_ms = self._now_ms()
        quiet = sa.select(DROPS.c.drop_id).where(
            DROPS.c.state.in_(sorted(FINAL)), DROPS.c.last_ms <= now_ms - self._after_ms
        )
        back = sa.select(ARCHIVED.c.drop_id).where(ARCHIVED.c.back_ms > now_ms - STAYS_MS)
        found = set(sql.execute(quiet).scalars()) - set(sql.execute(back).scalars())
        ends = books.cursors(sql)
        return {drop: ends.get(drop, 0) for drop in found}

    async def _leave(self, drop: DropId, seq: int) -> None:
        store = self._store
        # The last that was due, like somebody's cooling, made no event and nobody has looked since.
        await store.settle(drop)
        stands, state = await store.stands(drop)
        if not stands and await store.is_archived(drop):
            # It left, and whoever took it out did not come to this.
            listed_ms = await store.house.listed_ms(drop)
            await store.house.list_archived(drop, listed_ms)
            if not await store.is_archived(drop):
                # It was on its way back: what is owed is looked for in the index.
                await store.house.list_back(drop, listed_ms)
        if stands != seq or state not in FINAL or not await self._agrees(drop):
            return
        kept = await self._kept(drop, seq)
        if kept is None:
            return
        row, fans = kept
        ids = await self._store.charge_ids.all(drop)
        await self._database.write(lambda sql: _write(sql, drop, row, fans, ids))
        # Behind what is in SQL now: a backup that begins later has it in its copy.
        if await store.house.backed_up() or not await store.past.archive(drop, seq):
            return
        await store.house.list_archived(drop, int(row["listed_ms"]))
        log.info("%s left the server of the truth with %d events and %d fans", drop, seq, len(fans))

    async def _agrees(self, drop: DropId) -> bool:
        """Does the log make just what is there? Only then can it be brought back."""
        found = await repair.audit(self._store, drop)
        if found is not None and (missing := await self._store.charge_ids.missing(drop)):
            log.error("%s is not archived: %d ids of its charges are missing", drop, len(missing))
            return False
        if found is None or found.agrees:
            return found is not None
        log.error("%s is not archived: its log and its records differ, see `drop audit`", drop)
        return False

    async def _kept(
        self, drop: DropId, seq: int
    ) -> tuple[dict[str, Any], list[tuple[str, bytes]]] | None:
        """The row of the drop, and those of its fans; None when it is none that can leave."""
        store = self._store
        shown = await store.records(drop, "drop", list(replies.SHOWN))
        view = await store.view(drop, BEYOND, BEYOND)
        at, _, not_told = await store.copies.fields(drop)
        if not isinstance(view, ViewReply) or view.seq != seq or at != seq:
            return None
        row = {
            "drop_id": drop,
            "seq": seq,
            "listed_ms": await store.house.listed_ms(drop),
            "archived_ms": self._now_ms(),
            "back_ms": 0,
            "standing": await store.standing_orders(drop),
            "shown": _pack(shown),
            "view": _pack(view),
            "not_told": _pack(not_told),
            "answers": _pack(await store.copies.answers(drop)),
        }
        return row, await self._fans(drop)

    async def _fans(self, drop: DropId) -> list[tuple[str, bytes]]:
        """(fan, state) of everybody who has one, and of who has none."""
        fans = [FanId(ANYBODY), *await self._store.copies.fans(drop)]
        found: list[tuple[str, bytes]] = []
        for at in range(0, len(fans), FANS_AT_ONCE):
            reply = await self._store.you(drop, fans[at : at + FANS_AT_ONCE])
            assert isinstance(reply, YouReply), f"{drop} went away while it was read"
            found += [(row.fan, _pack(row)) for row in reply.rows]
        return found


def _write(
    sql: Connection,
    drop: str,
    row: dict[str, Any],
    fans: Sequence[tuple[str, bytes]],
    ids: Mapping[str, str],
) -> None:
    charge_ids.copy(sql, drop, ids)
    for table in (ARCHIVED, FANS):
        sql.execute(sa.delete(table).where(table.c.drop_id == drop))
    sql.execute(sa.insert(ARCHIVED), row)
    sql.execute(sa.insert(FANS), [{"drop_id": drop, "fan": fan, "you": you} for fan, you in fans])
