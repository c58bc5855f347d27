"""How both engines are spoken to: SQLite by sqlite3, PostgreSQL by psycopg 3, both synchronously.

A fault names the statement and nothing that was to be written or looked for: faults end in logs.

SQLite gets transactions that mean what they say: one that writes takes the lock as it begins, for
one that reads first and then writes would fail at once, whatever the time it may wait.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event, exc

from dropengine import server_address
from dropengine.config import Settings
from dropengine.errors import ConfigError, DatabaseAway

FILE = "shop.sqlite"
"""In the data directory, where no other database is named."""
BUSY_MS = 4_000
"""A writer waits this long for the one before it."""
CONNECT_S = 3
"""PostgreSQL that does not answer for this long is away."""
UNHEARD_S = 10
"""A connection over which nothing has come back for this long is cut, where nobody tells."""
PRAGMAS = {
    "journal_mode": "WAL",
    # What a person was told is done, and log rows that stand nowhere else, survive a power cut.
    "synchronous": "FULL",
    # What somebody had erased is overwritten, not only let go.
    "secure_delete": "ON",
}

OUR_MISTAKES = (exc.IntegrityError, exc.ProgrammingError, exc.DataError, exc.NotSupportedError)
"""Faults of what was asked for, not of the server: whoever asked hears them as they are."""


def path(settings: Settings) -> Path:
    """Where SQLite keeps everything."""
    return settings.data_dir / FILE


def place(settings: Settings) -> str:
    """Where SQL is, for people: a file, or an address without who asks."""
    if settings.database_url is None:
        return str(path(settings))
    return server_address.shown(settings.database_url)


def connect(settings: Settings, *, foreign_keys: bool = True, busy_ms: int = BUSY_MS) -> Engine:
    """An engine with one connection, opened when it is first used.

    foreign_keys: SQLite's, which a revision must be able to do without. busy_ms: how long SQLite
    waits for another writer.
    """
    if settings.database_url is not None:
        one = _postgres(settings.database_url)
    else:
        pragmas = PRAGMAS | {"foreign_keys": "ON" if foreign_keys else "OFF"}
        # First: the others may have to wait too.
        one = _sqlite(path(settings), {"busy_timeout": str(busy_ms), **pragmas})
    return one.execution_options(place=place(settings))


def away(one: Engine, why: str) -> DatabaseAway:
    """What whoever asks hears. why: ends with a full stop."""
    return DatabaseAway(f"SQL is away: {one.get_execution_options()['place']}: {why}")


def _postgres(address: str) -> Engine:
    try:
        import psycopg  # noqa: F401
    except ImportError as fault:
        remedy = "install it with `pip install 'dropengine[postgres]'`"
        raise ConfigError([f"database_url: the driver of PostgreSQL is missing: {remedy}"]) from (
            fault
        )
    url = sa.make_url(address).set(drivername="postgresql+psycopg")
    return sa.create_engine(
        url,
        pool_size=1,
        max_overflow=0,
        hide_parameters=True,
        # A server that was started again is found so before a transaction, not in it.
        pool_pre_ping=True,
        connect_args={
            "application_name": "dropengine",
            "connect_timeout": CONNECT_S,
            "tcp_user_timeout": UNHEARD_S * 1000,
            "keepalives_idle": UNHEARD_S // 2,
            "keepalives_interval": 1,
            "keepalives_count": UNHEARD_S // 2,
        },
    )


def _sqlite(file: Path, pragmas: dict[str, str]) -> Engine:
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(file)),
        pool_size=1,
        max_overflow=0,
        hide_parameters=True,
    )

    @event.listens_for(engine, "do_connect")
    def keep_private(*_: Any) -> None:
        # SQLite would make it for everybody to read. Its companions take after it.
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))

    @event.listens_for(engine, "connect")
    def prepare(raw: Any, _: object) -> None:
        # Transactions are begun by us alone.
        raw.isolation_level = None
        for name, value in pragmas.items():
            raw.execute(f"PRAGMA {name} = {value}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def transaction(engine: Engine, *, writes: bool) -> Iterator[Connection]:
    """One transaction: committed at the end, undone by whatever is raised. Raises DatabaseAway."""
    with _told(engine), engine.connect() as plain:
        connection = plain.execution_options(writes=writes)
        with connection.begin():
            yield connection


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """One moment, for as long as somebody reads it; nobody who writes waits for that. Raises
    DatabaseAway."""
    with _told(engine), engine.connect() as plain:
        connection = plain.execution_options(writes=False)
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


def wipe(engine: Engine) -> bool:
    """Take out of SQLite's files what was deleted: the journal still has it, until all of it is
    written into the database and begun anew. False where a reader needs it yet, were it an answer
    of this very connection that nobody read to its end. PostgreSQL does so in its own time."""
    if engine.dialect.name != "sqlite":
        return True
    with _told(engine), engine.connect() as plain:
        raw = plain.connection.dbapi_connection
        assert raw is not None, "a connection was opened just now"
        try:
            ((busy, _, _),) = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.OperationalError as fault:
            if fault.sqlite_errorcode not in (sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_BUSY):
                raise
            return False
        return not busy


@contextmanager
def _told(one: Engine) -> Iterator[None]:
    """Whatever is wrong with the server of SQL is one fault with a sentence."""
    try:
        yield
    except OUR_MISTAKES:
        raise
    except exc.DBAPIError as fault:
        raise away(one, _line(fault)) from fault
    except OSError as fault:
        raise away(one, f"{fault.strerror}.") from fault


def _line(fault: exc.DBAPIError) -> str:
    """What the driver says, on one line; psycopg tells no password."""
    return " ".join(str(fault.orig).split()).rstrip(".") + "."
