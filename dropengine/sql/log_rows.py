"""Rows of logs as the books have them: read in the place of those that were taken out of the
truth."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy import Connection

from dropengine.config import Settings
from dropengine.errors import DatabaseAway
from dropengine.model import DropId
from dropengine.sql import engine
from dropengine.sql.database import Database, Work
from dropengine.sql.schema.ledger import ROWS

PAGE = 2_000
"""Texts that are read at once."""
FULL = 2
"""SQLite: a commit is on disk before it is answered."""


class Reads(Protocol):
    """How SQL is asked: it is kept open, or opened for each question. See `Database`."""

    async def read(self, work: Work[Any]) -> Any: ...

    async def write(self, work: Work[Any]) -> Any: ...


class LogRows:
    """`texts` is what `Store.in_the_books` asks."""

    def __init__(self, database: Reads) -> None:
        self._database = database

    async def texts(self, drop: DropId, after: int, until: int) -> AsyncIterator[bytes]:
        """The texts of the events with after < seq <= until; fewer where the books have fewer.
        Raises DatabaseAway."""
        while after < until:
            found = await self._database.read(
                lambda sql, after=after: page(sql, drop, after, until)  # type: ignore[misc]
            )
            for text in found:
                yield text
            after += len(found)
            if len(found) < PAGE:
                return


class LogRowsOf:
    """The same for who reads once: SQL is opened for each reading, if there is one to be read."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def texts(self, drop: DropId, after: int, until: int) -> AsyncIterator[bytes]:
        """See `LogRows.texts`."""
        if self._settings.database_url is None and not engine.path(self._settings).exists():
            raise DatabaseAway(
                f"SQL is away: a part of this log stands in it, and {self._settings.data_dir} has "
                f"none. Name the data_dir or the database_url of the shop."
            )
        database = Database(self._settings)
        try:
            async for text in LogRows(database).texts(drop, after, until):
                yield text
        finally:
            await database.close()


def page(sql: Connection, drop: str, after: int, until: int) -> Sequence[bytes]:
    """The first of these texts, as far as they follow on each other."""
    asked = (
        sa.select(ROWS.c.seq, ROWS.c.line)
        .where(ROWS.c.drop_id == drop, ROWS.c.seq > after, ROWS.c.seq <= until)
        .order_by(ROWS.c.seq)
        .limit(PAGE)
    )
    rows = sql.execute(asked).all()
    return [row.line for number, row in enumerate(rows, after + 1) if row.seq == number]


def on_disk(sql: Connection) -> bool:
    """Is what SQL has acknowledged on its disk?"""
    if sql.dialect.name == "sqlite":
        return int(sql.exec_driver_sql("PRAGMA synchronous").scalar() or 0) >= FULL
    asked = "SELECT current_setting('fsync'), current_setting('synchronous_commit')"
    fsync, commits = sql.exec_driver_sql(asked).one()
    return bool(fsync == "on" and commits != "off")
