"""Changes of people happen one after another, whichever engine keeps them.

SQLite lets one write at a time anyway. PostgreSQL would let two owners put each other out at once,
both seeing that another is left. Creators are few: nobody waits for this.
"""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import Connection, func, select

from dropengine.sql.database import Database, Work

T = TypeVar("T")

LOCK = 0x70656F70
"""PostgreSQL's lock of whoever changes people, until the end of his transaction."""


async def change(database: Database, work: Work[T]) -> T:
    """Read and write as if alone. Raises DatabaseAway."""

    def alone(sql: Connection) -> T:
        if sql.dialect.name == "postgresql":
            sql.execute(select(func.pg_advisory_xact_lock(LOCK)))
        return work(sql)

    return await database.write(alone)
