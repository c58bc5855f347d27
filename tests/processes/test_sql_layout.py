"""A shop has its tables before anybody needs them, and sells without them where SQL is away."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from dropengine.config import Settings
from dropengine.errors import DatabaseAway
from dropengine.processes import first_link, sql_layout
from dropengine.processes.sql_layout import SqlLayout
from dropengine.sql import engine
from dropengine.sql.database import Database
from dropengine.sql.migrate import LOCK, migrate
from tests.kit import small_shop
from tests.kit.private_postgres import Postgres
from tests.kit.web_process import LONG_S

SERVE = """
import sys
from pathlib import Path
from dropengine.processes import supervisor
from tests.kit.small_shop import settings, APP
sys.exit(supervisor.run(settings(Path(sys.argv[1])), factory=APP))
"""


async def test_a_shop_that_is_open_has_its_tables(folder: Path) -> None:
    shop = small_shop.shop(folder)
    await asyncio.to_thread(shop.start)
    assert engine.path(small_shop.settings(folder)).exists()
    database = Database(small_shop.settings(folder))
    assert await database.read(lambda _: 1) == 1
    await database.close()
    await asyncio.to_thread(shop.stop)


async def test_a_shop_opens_without_sql_and_makes_its_tables_when_it_is_back(
    tmp_path: Path,
    postgres: Postgres,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(sql_layout, "AGAIN_S", 0.05)
    settings = Settings(data_dir=tmp_path, database_url=postgres.database())
    layout = SqlLayout(settings)
    postgres.stop()
    await layout.bring()
    assert "Sales go on without it" in caplog.text
    keeping = asyncio.ensure_future(layout.keep())
    await asyncio.to_thread(postgres.start)
    await asyncio.wait_for(layout.done.wait(), 60)
    keeping.cancel()
    database = Database(settings)
    assert await database.read(lambda _: 1) == 1
    await database.close()


@pytest.mark.parametrize(
    ("made", "lock"),
    [(False, "BEGIN IMMEDIATE"), (True, "BEGIN IMMEDIATE"), (False, "BEGIN EXCLUSIVE")],
)
async def test_a_start_does_not_wait_for_who_holds_the_file(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    made: bool,
    lock: str,
) -> None:
    monkeypatch.setattr(sql_layout, "AGAIN_S", 0.05)
    settings = Settings(data_dir=tmp_path)
    if made:
        migrate(settings)
    with contextlib.closing(sqlite3.connect(engine.path(settings), isolation_level=None)) as other:
        other.execute(lock)
        layout = SqlLayout(settings)
        async with asyncio.timeout(LONG_S):
            await layout.bring()
        assert not layout.done.is_set()
        (told,) = caplog.messages
        assert "shop.sqlite" in told
        assert "Sales go on without it" in told
        # Whoever needs it hears so.
        database = Database(settings)
        if not made:
            with pytest.raises(DatabaseAway):
                await database.read(lambda _: 1)
        keeping = asyncio.ensure_future(layout.keep())
        other.execute("ROLLBACK")
    await asyncio.wait_for(layout.done.wait(), LONG_S)
    assert await database.read(lambda _: 1) == 1
    keeping.cancel()
    await database.close()


@pytest.mark.parametrize("how", ["locked", "frozen"])
async def test_a_start_does_not_wait_for_a_server_that_hangs(
    tmp_path: Path,
    postgres: Postgres,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    monkeypatch.setattr(sql_layout, "AGAIN_S", 0.05)
    settings = Settings(data_dir=tmp_path, database_url=postgres.database())
    one = engine.connect(settings)
    layout = SqlLayout(settings)
    with contextlib.ExitStack() as hung:
        if how == "locked":
            connection = hung.enter_context(engine.transaction(one, writes=True))
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        else:
            assert postgres.process is not None
            postgres.process.send_signal(signal.SIGSTOP)
            hung.callback(postgres.process.send_signal, signal.SIGCONT)
        async with asyncio.timeout(LONG_S):
            await layout.bring()
        assert not layout.done.is_set()
        assert "Sales go on without it" in caplog.text
        keeping = asyncio.ensure_future(layout.keep())
    await asyncio.wait_for(layout.done.wait(), LONG_S)
    keeping.cancel()
    one.dispose()


def test_the_first_link_is_told_as_soon_as_there_is_sql_to_keep_it(folder: Path) -> None:
    file = engine.path(small_shop.settings(folder))
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with subprocess.Popen(
            [sys.executable, "-c", SERVE, os.fspath(folder)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=small_shop.ROOT,
        ) as serving:
            assert serving.stdout is not None
            assert serving.stdout.readline().startswith("Serving on ")
            other.execute("ROLLBACK")
            assert "Nobody has an account yet" in serving.stdout.readline()
            serving.terminate()
            assert serving.wait(LONG_S) == 0


def test_nobody_is_invited_into_tables_of_a_newer_version(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(data_dir=tmp_path)
    migrate(settings)
    assert first_link.invitation(settings, "http://shop")
    one = engine.connect(settings)
    with engine.transaction(one, writes=True) as sql:
        sql.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        before = sql.exec_driver_sql("SELECT count(*) FROM links").scalar()
    assert not first_link.invitation(settings, "http://shop")
    assert "newer version" in caplog.text
    with engine.transaction(one, writes=False) as sql:
        assert sql.exec_driver_sql("SELECT count(*) FROM links").scalar() == before
    one.dispose()
