"""The provider's book: SQLite in WAL mode, shared by all workers, one transaction a change."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from dropengine import errors

T = TypeVar("T")

SCHEMA = 1
"""The number of the book's layout. A book with a higher one is refused."""

LAYOUT = """
CREATE TABLE intents (
    id TEXT PRIMARY KEY, terms BLOB NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL,
    declined INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY, intent TEXT NOT NULL REFERENCES intents, key TEXT NOT NULL,
    do TEXT NOT NULL, due_ms INTEGER NOT NULL, done INTEGER NOT NULL DEFAULT 0,
    UNIQUE (intent, key)
);
CREATE INDEX attempts_due ON attempts (due_ms) WHERE done = 0;
CREATE TABLE charges (
    id TEXT PRIMARY KEY, intent TEXT NOT NULL REFERENCES intents, amount INTEGER NOT NULL,
    currency TEXT NOT NULL, state TEXT NOT NULL, refunded INTEGER NOT NULL DEFAULT 0,
    at_ms INTEGER NOT NULL
);
CREATE INDEX charges_intent ON charges (intent);
CREATE TABLE answers (key TEXT PRIMARY KEY, asked TEXT NOT NULL);
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY, body BLOB NOT NULL, made_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX deliveries_due ON deliveries (due_ms);
"""
ADDED = """
CREATE TABLE IF NOT EXISTS cancellations (intent TEXT PRIMARY KEY, at_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS attempt_cards (attempt INTEGER PRIMARY KEY, card TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS charge_cards (charge TEXT PRIMARY KEY, card TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS captures (charge TEXT PRIMARY KEY, amount INTEGER NOT NULL);
CREATE VIEW IF NOT EXISTS kept AS
    SELECT charges.rowid AS nth, intent, at_ms, id, charges.amount AS amount, currency, state, card,
    coalesce(captures.amount, charges.amount) AS taken, refunded
    FROM charges LEFT JOIN charge_cards ON charge_cards.charge = id
    LEFT JOIN captures ON captures.charge = id WHERE state IN ('authorized', 'captured');
"""
"""What came later and leaves the tables before it alone: a book without it gets it when it is
opened, and a version that does not know of it may go on with the book. `captures`: of charges of
which only a part was captured."""


class Tx(NamedTuple):
    """One transaction. now_ms: the provider's clock, the same for all of it."""

    book: sqlite3.Connection
    now_ms: int

    def sql(self, text: str, *values: object) -> sqlite3.Cursor:
        return self.book.execute(text, values)

    def many(self, text: str, rows: Sequence[Sequence[object]]) -> None:
        self.book.executemany(text, rows)

    def row(self, text: str, *values: object) -> tuple[Any, ...] | None:
        """The first row, or None."""
        found: tuple[Any, ...] | None = self.sql(text, *values).fetchone()
        return found


class Book:
    """The file at `path`, opened at the first transaction, made private to its owner.

    busy_ms: how long to wait for a process that is writing.
    """

    def __init__(self, path: Path, clock: Callable[[], int], busy_ms: int) -> None:
        self._path = path
        self._clock = clock
        self._busy_ms = busy_ms
        # SQLite blocks, so it has a thread; only one: a connection does one thing at a time.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="localpay")
        self._connection: sqlite3.Connection | None = None

    async def transact(self, work: Callable[[Tx], T]) -> T:
        """Run `work` as one transaction that is on disk when this returns.

        Raises errors.Unavailable when the book is busy for too long, or its disk is full or gone.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, work)

    async def close(self) -> None:
        """Give the file back; the object is done."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._shut)
        self._thread.shutdown()

    def _run(self, work: Callable[[Tx], T]) -> T:
        try:
            if self._connection is None:
                self._connection = _opened(self._path, self._busy_ms)
            with _transaction(self._connection):
                return work(Tx(self._connection, self._clock()))
        except (sqlite3.OperationalError, OSError) as error:
            raise errors.Unavailable(f"the test provider's book cannot be used: {error}") from error

    def _shut(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@contextlib.contextmanager
def _transaction(book: sqlite3.Connection) -> Iterator[None]:
    # IMMEDIATE: who reads in order to write must not find out later that another was first.
    book.execute("BEGIN IMMEDIATE")
    try:
        yield
        book.execute("COMMIT")
    finally:
        if book.in_transaction:
            book.execute("ROLLBACK")


def _opened(path: Path, busy_ms: int) -> sqlite3.Connection:
    """The book, made if missing. Raises errors.DropEngineError when a newer version wrote it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    lock_path = path.with_name(path.name + ".lock")
    # Going over to WAL is refused at once, not waited for, while another process does the same.
    with open(os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o600)) as lock:  # noqa: PTH123 -- a mode
        fcntl.flock(lock, fcntl.LOCK_EX)
        book = sqlite3.connect(path, timeout=busy_ms / 1000, isolation_level=None)
        try:
            book.execute("PRAGMA journal_mode = WAL")
            # Each commit is on disk before it is answered.
            book.execute("PRAGMA synchronous = FULL")
            book.execute("PRAGMA foreign_keys = ON")
            (schema,) = book.execute("PRAGMA user_version").fetchone()
            if schema > SCHEMA:
                raise errors.DropEngineError(
                    f"{path.name} was written by a newer version: its layout is {schema}, "
                    f"this one knows {SCHEMA}"
                )
            if schema == 0:
                # One script, so that a process that dies half-way leaves an empty book.
                script = f"BEGIN IMMEDIATE; {LAYOUT} PRAGMA user_version = {SCHEMA}; COMMIT;"
                book.executescript(script)
            book.executescript(ADDED)
        except BaseException:
            book.close()
            raise
    return book
