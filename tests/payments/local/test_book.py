"""The book: what it survives, who may read it, and which versions can go on with it."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from pathlib import Path

import pytest

from dropengine import errors
from dropengine.payments.local import LocalPay, book
from dropengine.payments.port import Charged, Nothing, Unpayable
from tests.kit.local_provider import an_intent, chosen, local_pay, notices, rows, until_idle
from tests.kit.webhook_receiver import Clock, WebhookReceiver


async def test_the_book_goes_on_where_it_was(
    path: Path, shop: WebhookReceiver, shop_url: str, clock: Clock
) -> None:
    async with local_pay(path, shop_url, clock) as pay:
        address = await pay.begin(an_intent())
        await chosen(pay, "delay", 50, payment="p2")
        await chosen(pay, "pay")
    clock.pass_ms(50)
    async with local_pay(path, shop_url, clock) as pay:
        assert await pay.begin(an_intent()) == address
        await until_idle(pay)
        assert {notice.payment for notice in notices(pay, shop)} == {"p1", "p2"}


async def test_many_workers_open_a_new_book_at_once(path: Path) -> None:
    books = [book.Book(path, Clock(), busy_ms=5_000) for _ in range(12)]
    counts = await asyncio.gather(
        *(one.transact(lambda tx: tx.row("SELECT count(*) FROM intents")) for one in books)
    )
    assert counts == [(0,)] * 12
    for one in books:
        await one.close()


async def test_the_book_is_nobody_elses_business(pay: LocalPay, path: Path) -> None:
    await pay.begin(an_intent())
    for file in path.parent.glob("localpay.sqlite*"):
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file.name


async def test_a_book_of_a_newer_version_is_refused_with_a_sentence(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {book.SCHEMA + 1}")
    connection.close()
    async with local_pay(path) as pay:
        with pytest.raises(errors.DropEngineError, match="written by a newer version"):
            await pay.begin(an_intent())


async def test_a_book_from_before_cancelling_goes_on_and_its_version_can_still_read_it(
    path: Path, clock: Clock
) -> None:
    async with local_pay(path, clock=clock) as pay:
        await chosen(pay, "pay", payment="p1")
        await chosen(pay, "delay", 50, payment="p2")
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE cancellations")
    connection.close()
    before = rows(path, "SELECT sql FROM sqlite_master")
    async with local_pay(path, clock=clock) as pay:
        assert isinstance(await pay.lookup("eclipse.p1"), Charged)
        assert await pay.cancel("eclipse.p2") == Unpayable()
        clock.pass_ms(50)
        assert await pay.lookup("eclipse.p2") == Nothing()
    assert rows(path, "PRAGMA user_version") == [(1,)]
    others = "SELECT sql FROM sqlite_master WHERE tbl_name != 'cancellations'"
    assert rows(path, others) == before
