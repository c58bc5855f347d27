"""The books are complete and right whatever happens to who keeps them, and no sale waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
from collections.abc import AsyncIterator
from itertools import count, takewhile
from pathlib import Path
from random import Random

import httpx2
import pytest

from dropengine import outcomes
from dropengine.config import Settings
from dropengine.jobs.ledger import books
from dropengine.log import replay
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.sql import engine
from dropengine.sql.database import Database
from dropengine.truth.store import Store
from tests.kit import short_folder
from tests.kit.books_of import Books, agree, books_of
from tests.kit.manifests import item, manifest
from tests.kit.private_postgres import Postgres
from tests.kit.rows import EVERY
from tests.kit.sale import Sale

KILLS = 20 if EVERY else 5
AWAY_SALES = 5_000 if EVERY else 500
"""Sales in a row while SQL is away; the many take half a minute."""
PATRONS = 40
LONG_S = 240


folder = short_folder.folder


@pytest.fixture
def settings(folder: Path, sql_settings: Settings) -> Settings:
    return Settings(
        local_pay=True,
        data_dir=folder,
        database_url=sql_settings.database_url,
        port=0,
        disk_free_mib_min=16,
        maxmemory_mib=256,
        log_level="error",
    )


@pytest.fixture
async def shop(settings: Settings) -> AsyncIterator[SupervisorProcess]:
    one = SupervisorProcess(settings)
    await asyncio.to_thread(one.start)
    yield one
    await asyncio.to_thread(one.stop)


class Crowd:
    """People who hold, give back, pay and are refunded, as fast as the shop lets them."""

    def __init__(self, store: Store) -> None:
        self.sale = Sale(store, "pin", now=0)
        self.sold = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._leaving = False

    async def open(self) -> None:
        # Its fans and keys are always the same ones: behind another crowd a repeated key would open
        # the same drop, and presses be refused as other commands under keys that were used.
        before = await self.sale.store.stands(self.sale.drop)
        assert before == (0, ""), "another crowd was here"
        await self.sale.publish(manifest("pin", item("pin", {"pin": 60_000}), limit=10))
        await self.sale.creator("open")
        self._tasks = [asyncio.create_task(self._act(n)) for n in range(PATRONS)]

    async def _act(self, number: int) -> None:
        random = Random(number)
        turns = takewhile(lambda _: not self._leaving, count())
        for turn in turns:
            hold = await self.sale.held(f"fan{number}-{turn}")
            match random.randrange(4):
                case 0:
                    await self.sale.release(f"fan{number}-{turn}", hold)
                case 1:
                    await self.sale.join(f"fan{number}-{turn}")
                case _:
                    await self.sale.pay(f"fan{number}-{turn}", hold)
                    assert isinstance(await self.sale.succeeded(hold), outcomes.Paid)
                    self.sold += 1

    async def sells(self, more: int) -> None:
        """Until so many more were sold."""
        wanted = self.sold + more
        async with asyncio.timeout(LONG_S):
            while self.sold < wanted:
                await self._failed()
                await asyncio.sleep(0.01)

    async def _failed(self) -> None:
        for one in self._tasks:
            if one.done():
                await one

    async def leave(self) -> None:
        """When each has done what he was about. Harmless to repeat; a fault of theirs is raised."""
        self._leaving = True
        tasks, self._tasks = self._tasks, []
        await asyncio.gather(*tasks)


@pytest.fixture
async def crowd(shop: SupervisorProcess) -> AsyncIterator[Crowd]:
    store = Store.connect(shop.running.redis_url)
    one = Crowd(store)
    await one.open()
    yield one
    await one.leave()
    await store.close()


@pytest.fixture
async def reader(shop: SupervisorProcess, settings: Settings) -> AsyncIterator[Database]:
    """Somebody else who looks into the books."""
    one = Database(settings)
    yield one
    await one.close()


async def entered(reader: Database, more_than: int) -> int:
    """Until the books hold more events than that; how many."""
    async with asyncio.timeout(LONG_S):
        while (at := (await reader.read(books.cursors)).get("pin", 0)) <= more_than:  # noqa: ASYNC110
            await asyncio.sleep(0.005)  # nobody tells
    return at


def rebuilt(settings: Settings) -> tuple[Books, Books]:
    """The books as they are, and as they are made anew, at one moment."""
    one = engine.connect(settings)
    with engine.transaction(one, writes=True) as connection:
        before = books_of(connection, "pin")
        books.rebuild(connection, "pin")
        after = books_of(connection, "pin")
    one.dispose()
    return before, after


async def complete(crowd: Crowd, reader: Database, settings: Settings) -> None:
    """The crowd goes, the books catch up; then they are the log, and what replay makes of it."""
    await crowd.leave()
    seq, _ = await crowd.sale.store.stands(crowd.sale.drop)
    await entered(reader, seq - 1)
    # What is owed goes on being done meanwhile.
    held, anew = await asyncio.to_thread(rebuilt, settings)
    while len(held["ledger_rows"]) != len(anew["ledger_rows"]):
        held, anew = await asyncio.to_thread(rebuilt, settings)
    log = [text async for text in crowd.sale.store.log(crowd.sale.drop)][: len(held["ledger_rows"])]
    assert [row["seq"] for row in held["ledger_rows"]] == [*range(1, len(log) + 1)]
    assert [row["line"] for row in held["ledger_rows"]] == log
    agree(held, replay.fold_lines(log))
    assert anew == held


async def test_who_keeps_the_books_is_killed_again_and_again_and_nothing_is_missing_or_doubled(
    shop: SupervisorProcess, crowd: Crowd, reader: Database, settings: Settings
) -> None:
    at, killed = 0, set[int]()
    while len(killed) < KILLS:
        # It has a backlog by now, and is killed in the middle of it.
        await crowd.sells(100)
        at = await entered(reader, at)
        pid = shop.running.ledger_pid
        assert pid is not None
        if pid not in killed:
            killed.add(pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    await complete(crowd, reader, settings)


async def test_how_far_the_books_are_behind_is_told(
    shop: SupervisorProcess, crowd: Crowd, reader: Database
) -> None:
    await crowd.sells(10)
    await crowd.leave()
    told = ""
    async with asyncio.timeout(LONG_S), httpx2.AsyncClient(trust_env=False) as http:
        while "dropengine_ledger_behind_events 0\n" not in told:
            told = (await http.get(f"{shop.running.url}/metrics")).text
    assert "dropengine_ledger_lag_seconds 0\n" in told
    keeper, (seller, *_) = shop.running.ledger_pid, shop.running.worker_pids
    assert keeper is not None
    # Where both want the machine, who sells has it.
    assert os.getpriority(os.PRIO_PROCESS, keeper) > os.getpriority(os.PRIO_PROCESS, seller)
    # What the crowd left behind goes on by itself, and is entered as well.
    seq, _ = await crowd.sale.store.stands(crowd.sale.drop)
    assert await entered(reader, seq - 1) >= seq


async def test_sales_go_on_while_sql_is_away_and_the_books_catch_up(
    crowd: Crowd,
    reader: Database,
    settings: Settings,
    request: pytest.FixtureRequest,
) -> None:
    await entered(reader, 0)
    if settings.database_url is not None:
        postgres: Postgres = request.getfixturevalue("postgres")
        await asyncio.to_thread(postgres.stop)
        await crowd.sells(AWAY_SALES)
        await asyncio.to_thread(postgres.start)
    else:
        file = engine.path(settings)
        other = sqlite3.connect(file, isolation_level=None, timeout=LONG_S)
        other.execute("BEGIN IMMEDIATE")
        before = (await reader.read(books.cursors))["pin"]
        await crowd.sells(AWAY_SALES)
        assert (await reader.read(books.cursors))["pin"] == before
        other.execute("ROLLBACK")
        other.close()
    await crowd.sells(100)
    await complete(crowd, reader, settings)
