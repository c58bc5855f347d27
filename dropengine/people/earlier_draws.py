"""In how many earlier draws whoever enters one went away empty: what his tickets are counted by."""

from __future__ import annotations

import time

from sqlalchemy import Connection

from dropengine.model import DropId
from dropengine.people import draw_losses, makers, persons
from dropengine.sql.database import Database


class EarlierDraws:
    """One for a process."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def losses(self, drop: DropId, session: str) -> int:
        """Of the person whose session this is, with the maker of this drop; nobody has none. Raises
        DatabaseAway."""
        now_ms = time.time_ns() // 1_000_000
        found: int = await self._database.read(lambda sql: _losses(sql, drop, session, now_ms))
        return found


def _losses(sql: Connection, drop: DropId, session: str, now_ms: int) -> int:
    known = persons.of_session(sql, session, now_ms)
    maker = makers.owners_of(sql, [drop]).get(drop)
    return 0 if known is None or maker is None else draw_losses.losses(sql, maker, *known)
