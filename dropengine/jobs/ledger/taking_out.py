"""Takes out of one drop's truth what nobody can ask for any more.

Rows of the log leave when the books have them on disk, byte for byte: from then on theirs is the
only copy. Holds that came to nothing, and what is remembered of the keys of holds, leave a day
after they ended. What stays is decided by the scripts; whoever dies in the middle leaves nothing
that another could not go on with.
"""

from __future__ import annotations

import functools
import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy import Connection

from dropengine.errors import DatabaseAway
from dropengine.model import DropId
from dropengine.sql import log_rows
from dropengine.sql.database import Database
from dropengine.truth.replies import Different, PartOut, RowsOut
from dropengine.truth.store import Store
from dropengine.truth.stored_log import Row

log = logging.getLogger(__name__)

EVENTS_MOST = 1_000
"""That one script looks at, and the rest of a row."""
ROWS_READ = 64
"""Rows of a log that are read at once."""
CHARGES_MOST = 1_000
"""A drop with more payments that bought nothing keeps its holds."""

GoesOn = Callable[[], Awaitable[bool]]
"""May the next script run? Asked right before each, behind whatever was read of the books: a backup
that begins later than that has the same in its copy of them."""


class TakingOut:
    """One drop at a time. Every method says whether it came to its end, and raises DatabaseAway and
    Unavailable."""

    def __init__(self, store: Store, database: Database, goes_on: GoesOn) -> None:
        self._store = store
        self._past = store.past
        self._database = database
        self._goes_on = goes_on

    async def rows(self, drop: DropId, cursor: int, kept: int) -> bool:
        """Rows of the log, which the books have up to `cursor`, but for the newest events."""
        seq, _ = await self._store.stands(drop)
        after, until = 0, min(cursor, seq - max(kept, 1))
        while after < until and (found := await self._past.rows(drop, after, ROWS_READ)):
            for rows in _together([row for row in found if row.last <= until and _leaves(row)]):
                read = functools.partial(_said, drop=drop, rows=rows)
                sha = hashlib.sha1(await self._database.read(read), usedforsecurity=False)
                if not await self._goes_on():
                    return False
                numbers = [row.last for row in rows]
                reply = await self._past.take_rows(drop, numbers, sha.hexdigest())
                if isinstance(reply, Different):
                    log.error("%s: its log and its books differ up to %d", drop, numbers[-1])
                if not isinstance(reply, RowsOut):
                    return True
            after = found[-1].last
        return True

    async def answers(self, drop: DropId) -> bool:
        """What is remembered of the keys of holds."""
        return await self._by_parts(functools.partial(self._past.take_answers, drop))

    async def holds(self, drop: DropId) -> bool:
        """Holds that came to nothing."""
        charges = await self._past.charges_for_nothing(drop)
        if len(charges) > CHARGES_MOST:
            return True
        return await self._by_parts(functools.partial(self._past.take_holds, drop, charges))

    async def _by_parts(self, take: Callable[[str], Awaitable[object]]) -> bool:
        cursor = "0"
        while await self._goes_on():
            match await take(cursor):
                case PartOut(cursor=further) if further != "0":
                    cursor = further
                case _:
                    # The last part; or not now, and the next look begins anew.
                    return True
        return False


def _leaves(row: Row) -> bool:
    """A row with a creator's command stays."""
    return not any(b'"revision":' in text for text in row.texts)


def _together(rows: Sequence[Row]) -> list[list[Row]]:
    """As many as one script looks at."""
    groups: list[list[Row]] = []
    events = EVENTS_MOST
    for row in rows:
        if events >= EVENTS_MOST:
            groups.append([])
            events = 0
        groups[-1].append(row)
        events += len(row.texts)
    return groups


def _said(sql: Connection, drop: str, rows: Sequence[Row]) -> bytes:
    """What these rows say by the books, one text after the other. Raises DatabaseAway where that
    may not be on disk."""
    if not log_rows.on_disk(sql):
        raise DatabaseAway("SQL acknowledges what is not on its disk: rows of logs stay.")
    return b"".join(
        text for row in rows for text in log_rows.page(sql, drop, row.first - 1, row.last)
    )
