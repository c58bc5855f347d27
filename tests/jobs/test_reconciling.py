"""Every minute: money that a drop did not hear of is judged, and what is amiss is shown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from dropengine.config import Settings
from dropengine.doors.metrics import of_money
from dropengine.doors.prometheus import Sample
from dropengine.jobs import reconciling
from dropengine.jobs.reconciling import Amiss, Reconciling
from dropengine.payments.configured import Configured
from dropengine.payments.fees import Fees
from dropengine.payments.local import LocalPay
from dropengine.payments.port import Kept, Unknown
from dropengine.sql.database import Database
from dropengine.sql.schema.fees import FEES
from tests.kit.laid_tables import lay
from tests.kit.local_provider import an_intent, local_pay, page_of
from tests.kit.paid_sale import PaidSale, SaleClock
from tests.kit.sale import Sale


@pytest.fixture
async def counter(sale: Sale, tmp_path: Path) -> AsyncIterator[PaidSale]:
    await sale.store.house.enlist(sale.drop, sale.now)
    async with local_pay(tmp_path / "book", clock=SaleClock(sale), busy_ms=20) as local:
        yield PaidSale(sale, local, tmp_path / "book")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    settings = Settings(data_dir=tmp_path)
    lay(settings)
    one = Database(settings)
    yield one
    await one.close()


@pytest.fixture
def fees(database: Database) -> Fees:
    return Fees(database)


def job(counter: PaidSale, fees: Fees) -> Reconciling:
    sale = counter.sale
    return Reconciling(
        sale.store, counter.providers, counter.intents, fees, clock_ms=lambda: counter.sale.now
    )


async def test_what_was_paid_and_never_told_becomes_an_order(counter: PaidSale, fees: Fees) -> None:
    hold = await counter.begun("ada")
    await counter.paid(hold)
    work = job(counter, fees)
    await work.round()
    assert await counter.order(hold) == "capture_pending"
    await work.round()
    assert work.differences == {counter.sale.drop: 0}
    assert await reconciling.shown(counter.sale.store, counter.sale.drop) == []


async def test_what_was_paid_for_nothing_of_ours_goes_back(counter: PaidSale, fees: Fees) -> None:
    lost = an_intent("p9", drop=counter.sale.drop)
    await counter.local.act(page_of(await counter.local.begin(lost)), "pay", 0)
    (charge,) = await counter.charges()
    await job(counter, fees).round()
    assert await counter.at_provider(charge) == "voided"


async def test_an_order_without_its_money_is_shown_after_two_rounds_and_to_every_worker(
    counter: PaidSale, fees: Fees
) -> None:
    hold = await counter.begun("ada")
    await counter.told(hold, await counter.paid(hold))
    await counter.work()
    (charge,) = await counter.charges()
    await counter.local.refund(charge, 2400, "at the provider's desk")
    sale, work = counter.sale, job(counter, fees)
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


async def test_a_part_that_went_back_unasked_is_shown_too(counter: PaidSale, fees: Fees) -> None:
    hold = await counter.begun("ada")
    await counter.told(hold, await counter.paid(hold))
    await counter.work()
    (charge,) = await counter.charges()
    await counter.local.refund(charge, 1000, "at the provider's desk")
    work = job(counter, fees)
    await work.round()
    await work.round()
    (row,) = await reconciling.shown(counter.sale.store, counter.sale.drop)
    assert (row.payment, row.log, row.charge) == ("p1", "keeps 2400 of it, not 1400", charge)


async def test_what_somebody_gave_back_by_hand_is_his_word(counter: PaidSale, fees: Fees) -> None:
    hold = await counter.begun("ada")
    await counter.told(hold, await counter.paid(hold))
    await counter.work()
    await counter.sale.refund(hold)
    await counter.sale.end_duty("refund:p1:1", "by_hand")
    work = job(counter, fees)
    await work.round()
    await work.round()
    assert work.differences == {counter.sale.drop: 0}


class Silent(LocalPay):
    """It does not say what was paid."""

    async def kept(self, since_ms: int) -> list[Kept] | Unknown:
        return Unknown(f"nothing since {since_ms}")


async def test_of_a_provider_that_says_nothing_nothing_is_known(
    counter: PaidSale, fees: Fees
) -> None:
    hold = await counter.begun("ada")
    await counter.told(hold, await counter.paid(hold))
    await counter.work()
    silent = Silent(counter.book, b"another", "http://127.0.0.1:9", clock=SaleClock(counter.sale))
    sale = counter.sale
    shop = Configured({"local": silent}, "local")
    work = Reconciling(sale.store, shop, counter.intents, fees, clock_ms=lambda: sale.now)
    await work.round()
    await work.round()
    assert work.differences == {counter.sale.drop: 0}
    await silent.close()


async def test_one_worker_does_it(counter: PaidSale, fees: Fees) -> None:
    hold = await counter.begun("ada")
    one, two = job(counter, fees), job(counter, fees)
    await one.round()
    await counter.paid(hold)
    await two.round()
    assert hold not in (await counter.sale.truth()).orders
    await one.round()
    assert await counter.order(hold) == "capture_pending"


class Dear(LocalPay):
    """It keeps a fee of what it captured."""

    async def kept(self, since_ms: int) -> list[Kept] | Unknown:
        found = await super().kept(since_ms)
        if isinstance(found, Unknown):
            return found
        replaced = msgspec.structs.replace
        return [replaced(one, paid=replaced(one.paid, fee=one.paid.taken // 100)) for one in found]


async def test_what_a_provider_keeps_for_itself_is_noted_once_it_tells(
    counter: PaidSale, fees: Fees, database: Database
) -> None:
    hold = await counter.begun("ada")
    await counter.told(hold, await counter.paid(hold))
    sale = counter.sale
    dear = Dear(counter.book, b"another", "http://127.0.0.1:9", clock=SaleClock(sale))
    shop = Configured({"local": dear}, "local")
    work = Reconciling(sale.store, shop, counter.intents, fees, clock_ms=lambda: sale.now)
    await work.round()
    asked = sa.select(FEES.c.payment, FEES.c.provider, FEES.c.fee)
    assert await database.read(lambda sql: sql.execute(asked).all()) == []
    await counter.work()
    await work.round()
    await work.round()
    assert await database.read(lambda sql: sql.execute(asked).all()) == [("p1", "local", 24)]
    await dear.close()


async def test_money_is_reconciled_where_sql_is_away(counter: PaidSale, tmp_path: Path) -> None:
    hold = await counter.begun("ada")
    await counter.paid(hold)
    nowhere = Database(Settings(data_dir=tmp_path / "nowhere"))
    sale = counter.sale
    dear = Dear(counter.book, b"another", "http://127.0.0.1:9", clock=SaleClock(sale))
    shop = Configured({"local": dear}, "local")
    fees = Fees(nowhere)
    work = Reconciling(sale.store, shop, counter.intents, fees, clock_ms=lambda: sale.now)
    await work.round()
    await counter.work()
    await work.round()
    assert await counter.order(hold) == "done"
    await dear.close()
    await nowhere.close()
