"""What providers keep beside what the log says: where they agree, and what is done where not."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dropengine.payments import reconciliation
from dropengine.payments.duties import report
from dropengine.payments.port import Charged, Kept, Unknown
from dropengine.payments.reconciliation import Comparison, Difference, Then
from tests.kit.freezing import restore
from tests.kit.local_provider import an_intent, local_pay, page_of
from tests.kit.paid_sale import PaidSale, SaleClock
from tests.kit.sale import Sale


@pytest.fixture
async def counter(sale: Sale, tmp_path: Path) -> AsyncIterator[PaidSale]:
    book = tmp_path / "book"
    async with local_pay(book, clock=SaleClock(sale), busy_ms=20) as local:
        yield PaidSale(sale, local, book)


async def compared(counter: PaidSale) -> Comparison:
    kept = await counter.local.kept(0)
    assert not isinstance(kept, Unknown)
    sale = counter.sale
    at = {"local": kept}
    return await reconciliation.compare(
        sale.store, counter.providers, counter.intents, sale.drop, at
    )


async def bought(counter: PaidSale, fan: str) -> str:
    hold = await counter.begun(fan)
    await counter.told(hold, await counter.paid(hold))
    return hold


async def test_where_nothing_was_lost_both_say_the_same(counter: PaidSale) -> None:
    """Whatever stands in the outbox is the log's own affair."""
    await bought(counter, "ada")
    await counter.work()
    await bought(counter, "ben")
    refunded = await bought(counter, "cleo")
    await counter.sale.refund(refunded)
    found = await compared(counter)
    assert (found.agreeing, found.differences) == (3, [])
    assert found.duties["capture"] >= 1
    await counter.work()
    found = await compared(counter)
    assert (found.agreeing, found.differences, found.duties) == (2, [], {})


async def test_what_the_log_did_not_hear_of_is_told_once(counter: PaidSale) -> None:
    hold = await counter.begun("ada")
    paid = await counter.paid(hold)
    found = await compared(counter)
    row = Difference("p1", "is open, not paid", "local", paid, Then.TOLD)
    assert found.differences == [row]
    at = counter.providers
    for _ in range(2):
        assert (
            await reconciliation.tell(
                counter.sale.store, at, counter.intents, counter.sale.drop, found
            )
            == []
        )
    assert await counter.order(hold) == "capture_pending"
    assert (await compared(counter)).differences == []


async def test_what_is_for_no_hold_goes_back_once(counter: PaidSale) -> None:
    """A hold of that name was born again for somebody else."""
    await counter.sale.held("ada")
    lost = an_intent("p1", intent=f"{counter.sale.drop}.p1.lost", drop=counter.sale.drop)
    await counter.local.act(page_of(await counter.local.begin(lost)), "pay", 0)
    found = await compared(counter)
    (row,) = found.differences
    assert (row.payment, row.log, row.then) == ("p1", "knows no such payment", Then.BACK)
    assert row.paid is not None
    for _ in range(2):
        at = counter.providers
        assert await reconciliation.give_back(at, counter.sale.drop, found) == []
    assert await counter.at_provider(row.paid.charge) == "voided"
    assert (await compared(counter)).differences == []


async def test_an_order_that_nobody_keeps_the_money_of_is_a_persons(counter: PaidSale) -> None:
    await bought(counter, "ada")
    await counter.work()
    (charge,) = await counter.charges()
    await counter.local.refund(charge, 2400, "in the log that was lost")
    row = Difference("p1", "is an order, done", "", None, Then.PERSON)
    assert (await compared(counter)).differences == [row]


async def test_another_amount_than_was_told_is_corrected(counter: PaidSale) -> None:
    """The provider captured another amount, and the log lost the word of it."""
    hold = await bought(counter, "ada")
    await counter.work()
    (charge,) = await counter.charges()
    with sqlite3.connect(counter.book) as book:
        book.execute("UPDATE charges SET amount = 2000")
    book.close()
    found = await compared(counter)
    (row,) = found.differences
    assert (row.payment, row.log) == ("p1", "is an order over another amount")
    assert row.paid == Charged(charge, 2000, "EUR", captured=True, taken=2000)
    sale = counter.sale
    assert (
        await reconciliation.tell(sale.store, counter.providers, counter.intents, sale.drop, found)
        == []
    )
    assert (await sale.truth()).orders[hold].amount == 2000
    assert await counter.order(hold) == "capture_failed"


async def test_money_of_other_drops_is_not_looked_at(counter: PaidSale) -> None:
    other = an_intent("p1", drop="other")
    await counter.local.act(page_of(await counter.local.begin(other)), "pay", 0)
    assert (await compared(counter)).differences == []


async def test_a_stray_payment_of_a_restored_drop_waits(counter: PaidSale) -> None:
    """Also of a drop that was over, which still judges what comes late."""
    sale = counter.sale
    await counter.local.act(
        page_of(await counter.local.begin(an_intent("p9", drop=sale.drop))), "pay", 0
    )
    (stray,) = await kept_of(counter)
    await sale.creator("close")
    await sale.settle()
    await restore_one_that_is_over(sale)
    told = (sale.store, counter.providers, counter.local, counter.intents, sale.drop)
    answer = await report(*told, stray.payment, stray.paid)
    assert answer == Unknown("the drop was restored: it is compared with the provider first")
    assert await counter.at_provider(stray.paid.charge) == "authorized"
    await sale.creator("thaw", found=0)
    await report(*told, stray.payment, stray.paid)
    assert await counter.at_provider(stray.paid.charge) == "voided"


async def kept_of(counter: PaidSale) -> list[Kept]:
    kept = await counter.local.kept(0)
    assert not isinstance(kept, Unknown)
    return list(kept)


async def restore_one_that_is_over(sale: Sale) -> None:
    """`froze` without the state, as a restore leaves it."""
    was = (await sale.truth()).state
    await restore(sale)
    await sale.store.client.hset(sale.store.keys_of(sale.drop)[0], "state", was)
