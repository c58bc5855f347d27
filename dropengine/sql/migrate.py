"""Brings a shop's tables to the layout of this version: once, by the supervisor.

Whoever brings them there holds the database meanwhile, so that two who try at once do it one after
the other. Everybody else only looks whether it has been done.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection

from dropengine.config import Settings
from dropengine.errors import DatabaseAway
from dropengine.sql import engine
from dropengine.sql.schema import REVISION

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x64726F70
"""PostgreSQL's lock of whoever migrates. Within the transaction: a session's would live on in a
pool."""


def migrate(settings: Settings, wait_ms: int = engine.BUSY_MS) -> None:
    """Make the tables, or bring them up to date. Harmless to repeat.

    wait_ms: for whoever holds the database. Raises DatabaseAway, also when a newer version has been
    here.
    """
    one = engine.connect(settings, foreign_keys=False, busy_ms=wait_ms)
    try:
        with engine.transaction(one, writes=True) as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.text(f"SET LOCAL lock_timeout = {wait_ms}"))
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
            found = revision(connection)
            if found != REVISION:
                upgrade(connection, found)
    finally:
        one.dispose()


def revision(connection: Connection) -> str | None:
    """The layout that the tables have now; None: there are none."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def fitting(found: str | None) -> None:
    """Raises DatabaseAway with a sentence unless this version can work with that layout."""
    if found == REVISION:
        return
    if found is not None and found > REVISION:
        raise DatabaseAway(
            f"SQL has the layout {found} of a newer version of Drop Engine, and this one knows "
            f"layouts up to {REVISION}: run the newer version here too."
        )
    raise DatabaseAway("SQL has not been brought to the layout of this version yet.")


def upgrade(connection: Connection, found: str | None, to: str = "head") -> None:
    """Bring the tables from the layout that was found to a later one, in the transaction of whoever
    asks."""
    if found is not None and found > REVISION:
        fitting(found)
    # Only a shop that is new, or was upgraded, needs the library.
    from alembic import command
    from alembic.config import Config

    setup = Config()
    # The path may hold what a file of settings would take for an instruction.
    setup.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    setup.attributes["connection"] = connection
    command.upgrade(setup, to)
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        assert not broken, f"a revision left rows that point nowhere: {broken[:3]}"
