"""How the provider's word travels: again and again until the shop took it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from dropengine.payments.local import LocalPay, book, webhook_deliveries
from dropengine.payments.port import Charged
from tests.kit.local_provider import chosen, local_pay, notices, rows, until_idle
from tests.kit.webhook_receiver import Clock, WebhookReceiver


async def test_a_webhook_comes_again_until_it_is_taken_and_waits_as_long_as_it_is_told(
    pay: LocalPay, shop: WebhookReceiver, clock: Clock
) -> None:
    shop.answers.extend([(503, "7"), (500, "")])
    await chosen(pay, "pay")
    await until_idle(pay)
    assert len(shop.taken) == 1
    clock.pass_ms(6_999)
    await until_idle(pay)
    assert len(shop.taken) == 1
    clock.pass_ms(1)
    await until_idle(pay)
    assert len(shop.taken) == 2
    clock.pass_ms(1_000)
    await until_idle(pay)
    clock.pass_ms(webhook_deliveries.KEEP_MS)
    await until_idle(pay)
    assert len(shop.taken) == 3
    # Signed anew each time: all of them are believed at their time.
    assert len({dict(delivery.headers)[b"drop-pay-timestamp"] for delivery in shop.taken}) == 3


async def test_no_wish_of_the_shop_makes_a_webhook_wait_for_ever(
    pay: LocalPay, shop: WebhookReceiver, clock: Clock
) -> None:
    shop.answers.extend([(503, "99999"), (503, "soon"), (503, "9" * 4000)])
    await chosen(pay, "pay")
    for taken in range(1, 5):
        await until_idle(pay)
        assert len(shop.taken) == taken
        clock.pass_ms(webhook_deliveries.BACKOFF_MS_MAX)


async def test_the_wait_between_tries_grows_and_stays_bounded(
    pay: LocalPay, shop: WebhookReceiver, clock: Clock
) -> None:
    shop.answers.extend([(500, "")] * 12)
    await chosen(pay, "pay")
    waits = []
    for _ in range(12):
        await until_idle(pay)
        before, seen = clock.ms, len(shop.taken)
        while len(shop.taken) == seen:
            clock.pass_ms(webhook_deliveries.BACKOFF_MS)
            await until_idle(pay)
        waits.append(clock.ms - before)
    assert waits[:3] == [250, 500, 1_000]
    assert waits == sorted(waits)
    assert waits[-1] == webhook_deliveries.BACKOFF_MS_MAX


async def test_a_shop_that_does_not_listen_hears_it_later(
    path: Path, shop: WebhookReceiver, shop_url: str, clock: Clock
) -> None:
    async with local_pay(path, "http://127.0.0.1:1", clock) as pay:
        await chosen(pay, "pay")
        await until_idle(pay)
    clock.pass_ms(webhook_deliveries.BACKOFF_MS)
    async with local_pay(path, shop_url, clock) as pay:
        await until_idle(pay)
    assert len(shop.taken) == 1


async def test_a_webhook_that_nobody_takes_for_three_days_is_given_up_but_lookup_still_tells(
    path: Path, clock: Clock
) -> None:
    async with local_pay(path, clock=clock) as pay:
        await chosen(pay, "pay")
        clock.pass_ms(webhook_deliveries.KEEP_MS)
        await until_idle(pay)
        assert rows(path, "SELECT count(*) FROM deliveries") == [(0,)]
        assert isinstance(await pay.lookup("eclipse.p1"), Charged)


async def test_two_workers_never_bring_the_same_webhook_at_once(
    path: Path, shop: WebhookReceiver, shop_url: str, clock: Clock
) -> None:
    async with (
        local_pay(path, shop_url, clock) as one,
        local_pay(path, shop_url, clock) as two,
    ):
        for number in range(1, 61):
            await chosen(one, "pay", payment=f"h{number}")
        await asyncio.gather(until_idle(one), until_idle(two))
        told = [notice.payment for notice in notices(one, shop)]
        assert sorted(told) == sorted({f"h{number}" for number in range(1, 61)})


async def test_a_worker_that_dies_with_a_webhook_in_hand_leaves_it_to_another(
    path: Path, shop: WebhookReceiver, shop_url: str, clock: Clock
) -> None:
    async with local_pay(path, shop_url, clock) as pay:
        await chosen(pay, "pay")
    dying = book.Book(path, clock, busy_ms=1_000)
    assert len(await dying.transact(webhook_deliveries.take)) == 1
    await dying.close()
    async with local_pay(path, shop_url, clock) as pay:
        await until_idle(pay)
        assert shop.taken == []
        clock.pass_ms(webhook_deliveries.LEASE_MS)
        await until_idle(pay)
        assert len(shop.taken) == 1
