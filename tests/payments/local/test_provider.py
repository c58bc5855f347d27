"""The local provider: its task, and what it answers while its book cannot be used."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from dropengine import errors
from dropengine.payments.local import LocalPay
from dropengine.payments.port import Charged, Unknown
from tests.kit.local_provider import an_intent, chosen, local_pay, notices
from tests.kit.webhook_receiver import Clock, WebhookReceiver


async def test_the_task_brings_a_webhook_as_soon_as_somebody_paid(
    pay: LocalPay, shop: WebhookReceiver
) -> None:
    running = asyncio.create_task(pay.run())
    async with asyncio.timeout(30):
        for hold in ("p1", "p2"):
            shop.came.clear()
            await chosen(pay, "pay", payment=hold)
            await shop.came.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert {notice.payment for notice in notices(pay, shop)} == {"p1", "p2"}


async def test_the_task_outlives_a_book_that_cannot_be_used(
    path: Path, shop: WebhookReceiver, shop_url: str, clock: Clock
) -> None:
    async with local_pay(path, shop_url, clock, busy_ms=1) as pay:
        await chosen(pay, "pay")
        locker = sqlite3.connect(path, isolation_level=None)
        locker.execute("BEGIN IMMEDIATE")
        with pytest.raises(errors.Unavailable):
            await pay.step()
        running = asyncio.create_task(pay.run())
        locker.execute("ROLLBACK")
        locker.close()
        async with asyncio.timeout(30):
            await shop.came.wait()
        running.cancel()
        await asyncio.wait([running])


async def test_a_book_that_is_busy_makes_every_answer_unknown_and_decides_nothing(
    path: Path,
) -> None:
    async with local_pay(path, busy_ms=1) as pay:
        page = await chosen(pay, "pay")
        paid = await pay.lookup("eclipse.p1")
        assert isinstance(paid, Charged)
        locker = sqlite3.connect(path, isolation_level=None)
        locker.execute("BEGIN IMMEDIATE")
        assert isinstance(await pay.lookup("eclipse.p1"), Unknown)
        assert isinstance(await pay.capture(paid.charge, 2400, "k1"), Unknown)
        assert isinstance(await pay.void(paid.charge, "k2"), Unknown)
        assert isinstance(await pay.refund(paid.charge, 1, "k3"), Unknown)
        assert isinstance(await pay.cancel("eclipse.p1"), Unknown)
        assert isinstance(await pay.cancel("eclipse.p2"), Unknown)
        for call in (pay.begin(an_intent()), pay.bill(page), pay.act(page, "pay")):
            with pytest.raises(errors.Unavailable):
                await call
        locker.execute("ROLLBACK")
        locker.close()
        assert await pay.lookup("eclipse.p1") == paid
        await chosen(pay, "pay", payment="p2")
        assert isinstance(await pay.lookup("eclipse.p2"), Charged)
