"""Whoever asks SQL hears what was written, or that it is away; nothing is written by half."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import traceback
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from dropengine.config import Settings
from dropengine.errors import ConfigError, DatabaseAway
from dropengine.sql import database as database_module
from dropengine.sql import engine
from dropengine.sql.database import Database
from dropengine.sql.migrate import migrate
from dropengine.sql.schema import ledger
from dropengine.sql.schema.persons import PERSONS
from tests.kit.private_postgres import Postgres


def count_up(connection: Connection) -> None:
    """Reads, then writes: what two at once would do to each other without a lock."""
    seq = connection.execute(sa.select(ledger.CURSORS.c.seq).with_for_update()).scalar_one()
    connection.execute(sa.update(ledger.CURSORS).values(seq=seq + 1))


def begin(connection: Connection) -> None:
    connection.execute(sa.insert(ledger.CURSORS), {"drop_id": "pin", "seq": 0})


def seqs(connection: Connection) -> list[int]:
    return list(connection.execute(sa.select(ledger.CURSORS.c.seq)).scalars())


async def test_what_is_raised_undoes_the_whole_transaction(database: Database) -> None:
    def fails(connection: Connection) -> None:
        begin(connection)
        raise LookupError("on purpose")

    with pytest.raises(LookupError, match="on purpose"):
        await database.write(fails)
    assert await database.read(seqs) == []


async def test_a_mistake_of_ours_is_not_taken_for_a_server_away(database: Database) -> None:
    await database.write(begin)
    with pytest.raises(sa.exc.IntegrityError):
        await database.write(begin)


async def test_a_fault_that_a_log_may_repeat_tells_nothing_of_what_was_to_be_written(
    database: Database,
) -> None:
    def twice(connection: Connection) -> None:
        for normal in ("n1", "n2"):
            row = {"id": "p1", "key": b"k" * 16, "normal": normal, "address": "ana@example.org"}
            connection.execute(sa.insert(PERSONS).values(row | {"created_ms": 1}))

    with pytest.raises(sa.exc.IntegrityError) as caught:
        await database.write(twice)
    whole = "".join(traceback.format_exception(caught.value))
    assert "INSERT INTO persons" in whole
    assert "ana@" not in whole


async def test_two_processes_that_read_and_write_lose_nothing(
    sql_settings: Settings, database: Database
) -> None:
    await database.write(begin)
    other = Database(sql_settings)
    await asyncio.gather(*(one.write(count_up) for one in (database, other) for _ in range(25)))
    assert await database.read(seqs) == [50]
    await other.close()


async def test_a_write_is_on_disk_before_it_is_answered(tmp_path: Path) -> None:
    """SQLite's own words; FULL is 2."""
    settings = Settings(data_dir=tmp_path)
    migrate(settings)
    one = Database(settings)

    def pragmas(connection: Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    assert await one.read(pragmas) == ["wal", 2, 1, engine.BUSY_MS]
    await one.close()


def test_what_was_deleted_is_wiped_once_nobody_reads(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    migrate(settings)
    one = engine.connect(settings)
    with one.connect() as plain:
        raw = plain.connection.dbapi_connection
        assert raw is not None
        answer = raw.execute("SELECT name FROM sqlite_schema")
        answer.fetchone()
    assert not engine.wipe(one)
    answer.close()
    assert engine.wipe(one)
    one.dispose()


async def test_a_lock_that_another_holds_is_a_server_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(engine.PRAGMAS, "busy_timeout", "10")
    settings = Settings(data_dir=tmp_path)
    migrate(settings)
    one = Database(settings)
    other = sqlite3.connect(engine.path(settings), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(
        DatabaseAway, match=rf"SQL is away: {tmp_path}/shop.sqlite: database is locked"
    ):
        await one.write(begin)
    other.execute("ROLLBACK")
    other.close()
    await one.write(begin)
    await one.close()


async def test_a_file_that_is_no_database_is_a_server_away(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    engine.path(settings).write_bytes(b"once upon a time" * 100)
    with pytest.raises(DatabaseAway, match="not a database"):
        migrate(settings)


async def test_a_server_that_was_stopped_is_away_and_comes_back(
    tmp_path: Path, postgres: Postgres
) -> None:
    settings = Settings(data_dir=tmp_path, database_url=postgres.database())
    migrate(settings)
    one = Database(settings)
    await one.write(begin)
    postgres.stop()
    with pytest.raises(DatabaseAway, match="SQL is away: "):
        await one.write(count_up)
    with pytest.raises(DatabaseAway, match="SQL is away: "):
        migrate(settings)
    postgres.start()
    await one.write(count_up)
    assert await one.read(seqs) == [1]
    await one.close()


async def test_who_waits_behind_a_server_that_hangs_hears_so(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "ANSWER_S", 0.05)
    go = threading.Event()
    with pytest.raises(DatabaseAway, match="no answer"):
        await database.read(lambda _: go.wait())
    with pytest.raises(DatabaseAway, match="no answer"):
        await database.write(begin)
    go.set()
    monkeypatch.setattr(database_module, "ANSWER_S", 10.0)
    # What was given up before it began was never done.
    assert await database.read(seqs) == []


async def test_only_so_many_wait(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "WAITING_MAX", 3)
    go = threading.Event()
    waiting = [asyncio.ensure_future(database.read(lambda _: go.wait())) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(DatabaseAway, match="too much waits"):
        await database.read(lambda _: None)
    go.set()
    await asyncio.gather(*waiting)


def test_a_missing_driver_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    settings = Settings(data_dir=tmp_path, database_url="postgresql://nowhere/shop")
    with pytest.raises(ConfigError, match=r"dropengine\[postgres\]"):
        engine.connect(settings)


def test_a_server_that_nobody_can_reach_tells_no_password(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    address = f"postgresql://maker:qqshed@/shop?host={tmp_path}"
    with pytest.raises(DatabaseAway) as caught:
        migrate(msgspec.structs.replace(settings, database_url=address))
    assert "qqshed" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("postgres://maker:qq%40shed@127.0.0.1:1/shop", "127.0.0.1:1/shop"),
        ("postgresql://maker@[::1]:1/shop", "[::1]:1/shop"),
        ("postgresql:///shop?host=/nowhere", "/shop?host=/nowhere"),
        (None, "shop.sqlite"),
    ],
)
async def test_whoever_hears_that_sql_is_away_hears_where_it_should_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str | None, place: str
) -> None:
    settings = Settings(data_dir=tmp_path, database_url=address)
    if address is None:
        engine.path(settings).mkdir()
    one = Database(settings)
    with pytest.raises(DatabaseAway) as caught:
        migrate(settings)
    faults = [str(caught.value)]
    monkeypatch.setattr(database_module, "ANSWER_S", 0.0)
    with pytest.raises(DatabaseAway) as caught:
        await one.read(seqs)
    faults.append(str(caught.value))
    monkeypatch.setattr(database_module, "WAITING_MAX", 0)
    with pytest.raises(DatabaseAway) as caught:
        await one.read(seqs)
    faults.append(str(caught.value))
    await one.close()
    for fault in faults:
        assert fault.startswith("SQL is away: ")
        assert f"{place}: " in fault
        assert "maker" not in fault
        assert "shed" not in fault
