"""Books beside a server of a test, in SQLite, kept and leant on when the test says so."""

from __future__ import annotations

import functools
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa
from sqlalchemy import Connection

from dropengine.config import Settings
from dropengine.jobs.ledger import books
from dropengine.jobs.ledger.taking_out import TakingOut
from dropengine.model import DropId
from dropengine.sql.database import Database
from dropengine.sql.log_rows import LogRows
from dropengine.sql.schema.ledger import CURSORS, ROWS
from dropengine.truth.store import Store
from tests.kit.laid_tables import lay


class KeptBooks:
    """The store reads its logs here too from now on."""

    def __init__(self, store: Store) -> None:
        self._folder = TemporaryDirectory(prefix="books-")
        self._store = store
        self._settings = Settings(data_dir=Path(self._folder.name))
        lay(self._settings)
        self._database = Database(self._settings)
        store.in_the_books = LogRows(self._database).texts

    async def close(self) -> None:
        await self._database.close()
        self._folder.cleanup()

    async def catch_up(self, drop: DropId) -> int:
        """Enter what has happened; where the books end now."""
        cursor = await self.cursor(drop)
        seq, _ = await self._store.stands(drop)
        while cursor < seq:
            found = await self._store.stretch(drop, cursor, books.STRETCH)
            enter = functools.partial(books.enter, drop=drop, after=cursor, lines=found)
            cursor = await self._database.write(enter)
        return cursor

    async def cursor(self, drop: DropId) -> int:
        return (await self._database.read(books.cursors)).get(drop, 0)

    async def take_rows(self, drop: DropId, kept: int) -> int:
        """Rows that the books have leave the log, but for the newest events; how many events."""
        cursor = await self.catch_up(drop)
        before = await self._rows(drop)
        assert await TakingOut(self._store, self._database, _at_once).rows(drop, cursor, kept)
        return before - await self._rows(drop)

    async def _rows(self, drop: DropId) -> int:
        return sum(len(row.texts) for row in await self._store.past.rows(drop, 0, 1_000_000))

    async def forget(self, drop: DropId, after: int) -> None:
        """They are those of an earlier moment again."""
        await self._database.write(lambda sql: _forget(sql, drop, after))


async def _at_once() -> bool:
    return True


def _forget(sql: Connection, drop: str, after: int) -> None:
    sql.execute(sa.delete(ROWS).where(ROWS.c.drop_id == drop, ROWS.c.seq > after))
    sql.execute(sa.update(CURSORS).where(CURSORS.c.drop_id == drop).values(seq=after))
    books.rebuild(sql, drop)
