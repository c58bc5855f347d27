"""Every minute: money that a drop did not hear of is judged, and what is amiss is shown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dropengine.doors.metrics import of_money
from dropengine.doors.prometheus import Sample
from dropengine.jobs import reconciling
from dropengine.jobs.reconciling import Amiss, Reconciling
from dropengine.payments.configured import Configured
from dropengine.payments.local import LocalPay
from dropengine.payments.port import Kept, Unknown
from tests.kit.local_provider import an_intent, local_pay, page_of
from tests.kit.paid_sale import PaidSale, SaleClock
from tests.kit.sale import Sale


@pytest.fixture
async def counter(sale: Sale, tmp_path: Path) -> AsyncIterator[PaidSale]:
    await sale.store.house.enlist(sale.drop, sale.now)
    async with local_pay(tmp_path / "book", clock=SaleClock(sale), busy_ms=20) as local:
        yield PaidSale(sale, local, tmp_path / "book")


def job(counter: PaidSale) -> Reconciling:
    sale = counter.sale
    return Reconciling(
        sale.store, counter.providers, counter.intents, clock_ms=lambda: counter.sale.now
    )


async def test_what_was_paid_and_never_told_becomes_an_order(counter: PaidSale) -> None:
    hold = await counter.begun("ada")
    await counter.paid(hold)
    work = job(counter)
    await work.round()
    assert await counter.order(hold) == "capture_pending"
    await work.round()
    assert work.differences == {counter.sale.drop: 0}
    assert await reconciling.shown(counter.sale.store, counter.sale.drop) == []


async def test_what_was_paid_for_nothing_of_ours_goes_back(counter: PaidSale) -> None:
    lost = an_intent("p9", drop=counter.sale.drop)
    await counter.local.act(page_of(await counter.local.begin(lost)), "pay", 0)
    (charge,) = await counter.charges()
    await job(counter).round()
    assert await counter.at_provider(charge) == "voided"


async def test_an_order_without_its_money_is_shown_after_two_rounds_and_to_every_worker(
    counter: PaidSale,
) -> None:
    hold = await counter.begun("ada")
    await counter.told(hold, await counter.paid(hold))
    await counter.work()
    (charge,) = await counter.charges()
    await counter.local.refund(charge, 2400, "at the provider's desk")
    sale, work = counter.sale, job(counter)
    await work.round()
    assert await reconciling.shown(sale.store, sale.drop) == []
    await work.round()
    row = Amiss("p1", "is an order, done", "", "", 0, sale.now)
    assert await reconciling.shown(sale.store, sale.drop) == [row]
    label = (("drop", sale.drop),)
    assert [*of_money(work)] == [Sample("dropengine_money_differences", 1, label)]
    await sale.refund(hold)
    await sale.end_duty("refund:p1:1", "by_hand")
    await work.round()
    assert await reconciling.shown(sale.store, sale.drop) == []
    assert [*of_money(work)] == [Sample("dropengine_money_differences", 0, label)]


async def test_a_part_that_went_back_unasked_is_shown_too(counter: PaidSale) -> None:
    hold = await counter.begun("ada")
    await counter.told(hold, await counter.paid(hold))
    await counter.work()
    (charge,) = await counter.charges()
    await counter.local.refund(charge, 1000, "at the provider's desk")
    work = job(counter)
    await work.round()
    await work.round()
    (row,) = await reconciling.shown(counter.sale.store, counter.sale.drop)
    assert (row.payment, row.log, row.charge) == ("p1", "keeps 2400 of it, not 1400", charge)


async def test_what_somebody_gave_back_by_hand_is_his_word(counter: PaidSale) -> None:
    hold = await counter.begun("ada")
    await counter.told(hold, await counter.paid(hold))
    await counter.work()
    await counter.sale.refund(hold)
    await counter.sale.end_duty("refund:p1:1", "by_hand")
    work = job(counter)
    await work.round()
    await work.round()
    assert work.differences == {counter.sale.drop: 0}


class Silent(LocalPay):
    """It does not say what was paid."""

    async def kept(self, since_ms: int) -> list[Kept] | Unknown:
        return Unknown(f"nothing since {since_ms}")


async def test_of_a_provider_that_says_nothing_nothing_is_known(counter: PaidSale) -> None:
    hold = await counter.begun("ada")
    await counter.told(hold, await counter.paid(hold))
    await counter.work()
    silent = Silent(counter.book, b"another", "http://127.0.0.1:9", clock=SaleClock(counter.sale))
    sale = counter.sale
    shop = Configured({"local": silent}, "local")
    work = Reconciling(sale.store, shop, counter.intents, clock_ms=lambda: sale.now)
    await work.round()
    await work.round()
    assert work.differences == {counter.sale.drop: 0}
    await silent.close()


async def test_one_worker_does_it(counter: PaidSale) -> None:
    hold = await counter.begun("ada")
    one, two = job(counter), job(counter)
    await one.round()
    await counter.paid(hold)
    await two.round()
    assert hold not in (await counter.sale.truth()).orders
    await one.round()
    assert await counter.order(hold) == "capture_pending"
