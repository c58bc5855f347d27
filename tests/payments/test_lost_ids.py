"""What the provider calls a charge is found again, so that every duty can be done and no payment is
judged twice: from SQL's copy, from the log of an older layout, or by a lookup of our own intent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dropengine import outcomes
from dropengine.errors import DatabaseAway
from dropengine.model import DropId
from dropengine.payments import lost_ids
from dropengine.payments.duties import report
from dropengine.payments.port import Charged, Lookup, Unknown
from dropengine.truth import keys
from dropengine.truth.charge_ids import Ids
from tests.kit import older_layouts
from tests.kit.local_provider import local_pay, until_idle
from tests.kit.paid_sale import PaidSale, SaleClock
from tests.kit.sale import Sale


@pytest.fixture
async def counter(sale: Sale, tmp_path: Path) -> AsyncIterator[PaidSale]:
    book = tmp_path / "book"
    async with local_pay(book, clock=SaleClock(sale), busy_ms=20) as local:
        yield PaidSale(sale, local, book)


async def forget(counter: PaidSale) -> None:
    """The server of the truth knows no id any more."""
    await counter.sale.store.client.delete(keys.one(counter.sale.drop, "charge_ids"))


async def bought(counter: PaidSale, fan: str) -> tuple[str, Charged]:
    hold = await counter.begun(fan)
    paid = await counter.paid(hold)
    assert isinstance(await counter.told(hold, paid), outcomes.Paid)
    return hold, paid


async def tell(counter: PaidSale, hold: str, paid: Charged) -> object:
    """A webhook's word, as the door hands it on."""
    sale, payment = counter.sale, await counter.payment(hold)
    told = (counter.providers, counter.local, counter.intents, sale.drop, payment, paid)
    return await report(sale.store, *told)


async def test_a_duty_is_done_by_the_copy_in_sql(counter: PaidSale) -> None:
    hold, paid = await bought(counter, "ada")
    await counter.work()
    copy = await counter.sale.store.charge_ids.all(counter.sale.drop)
    await counter.sale.refund(hold)
    await forget(counter)
    asked: list[str] = []

    async def in_sql(drop: DropId) -> Ids:
        asked.append(drop)
        return copy

    counter.sale.store.charge_ids.in_sql = in_sql
    await counter.work()
    assert set(asked) == {counter.sale.drop}
    assert await counter.at_provider(paid.charge) == "refunded"
    assert await counter.sale.store.charge_ids.all(counter.sale.drop) == copy
    await counter.adds_up()


@pytest.mark.parametrize("sql", ["away", "none"])
async def test_without_it_the_provider_is_asked_by_our_own_intent(
    counter: PaidSale, sql: str
) -> None:
    async def away(drop: DropId) -> Ids:
        raise DatabaseAway(f"nobody can say of {drop}")

    if sql == "away":
        counter.sale.store.charge_ids.in_sql = away
    captured, paid = await bought(counter, "ada")
    await counter.work()
    given_back, back = await bought(counter, "ben")
    await counter.sale.refund(given_back)
    await counter.sale.refund(captured)
    await forget(counter)
    await counter.work()
    assert await counter.charges() == {paid.charge: "refunded", back.charge: "voided"}
    await counter.adds_up()


async def test_of_two_payments_for_one_hold_one_is_kept_and_one_goes_back(
    counter: PaidSale,
) -> None:
    hold = await counter.begun("ada")
    await counter.choose(hold, "delay", 10)
    first = await counter.paid(hold)
    assert isinstance(await counter.told(hold, first), outcomes.Paid)
    counter.sale.now += 10
    await until_idle(counter.local)
    (other,) = set(await counter.charges()) - {first.charge}
    second = Charged(other, first.amount, first.currency, captured=False)
    assert isinstance(await counter.told(hold, second), outcomes.Voided)
    await forget(counter)
    await counter.work()
    assert sorted((await counter.charges()).values()) == ["captured", "voided"]
    await counter.adds_up()


@pytest.mark.parametrize("lost", [True, False])
async def test_a_word_that_comes_again_is_known_again(counter: PaidSale, *, lost: bool) -> None:
    """Were it judged as a new one it would go back, and the pin be sold for nothing."""
    hold, paid = await bought(counter, "ada")
    log = await counter.sale.log()
    if lost:
        await forget(counter)
    again = await tell(counter, hold, paid)
    assert isinstance(again, outcomes.Paid)
    assert again.sold == [hold]
    assert await counter.sale.log() == log


async def test_what_went_back_long_ago_does_not_stop_the_sale(counter: PaidSale) -> None:
    """No lookup tells it any more, and nothing is asked about it either."""
    hold, gone = await bought(counter, "ada")
    await counter.work()
    await counter.sale.refund(hold)
    await counter.work()
    await forget(counter)
    other = await counter.begun("ben")
    paid = await counter.paid(other)
    assert isinstance(await tell(counter, other, paid), outcomes.Paid)
    assert await counter.sale.store.charge_ids.missing(counter.sale.drop) == {}
    # Told once more it is a second payment, and what is asked for was done already.
    assert isinstance(await tell(counter, hold, gone), outcomes.Voided)
    await counter.work()
    assert await counter.at_provider(gone.charge) == "refunded"
    assert await counter.at_provider(paid.charge) == "captured"


class Silent:
    """A provider that answers no lookup; all else is the real one's."""

    def __init__(self, counter: PaidSale) -> None:
        self._real = counter.local

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    async def lookup(self, _: str) -> Lookup:
        return Unknown("it is away")


async def test_while_nobody_can_say_duties_and_payments_wait(
    counter: PaidSale, caplog: pytest.LogCaptureFixture
) -> None:
    hold, paid = await bought(counter, "ada")
    other = await counter.begun("ben")
    new = await counter.paid(other)
    await forget(counter)
    honest = counter.local
    counter.local = Silent(counter)  # type: ignore[assignment]
    assert isinstance(await tell(counter, other, new), Unknown)
    assert isinstance(await tell(counter, hold, paid), Unknown)
    await counter.work()
    assert "capture" in await counter.duties()
    assert "the provider's ids of c1 are not found" in caplog.text
    counter.local = honest
    assert isinstance(await tell(counter, other, new), outcomes.Paid)
    await counter.work()
    assert set((await counter.charges()).values()) == {"captured"}
    await counter.adds_up()


async def test_what_an_older_layout_told_of_is_found_in_its_log(counter: PaidSale) -> None:
    hold, paid = await bought(counter, "ada")
    sale = counter.sale
    await as_before(sale, paid.charge)
    await sale.settle()
    other, new = await bought(counter, "ben")
    await forget(counter)
    assert set(await lost_ids.from_copy(sale.store, sale.drop)) == {"c2"}
    assert await sale.store.charge_ids.all(sale.drop) == {paid.charge: paid.charge}
    await counter.work()
    assert await counter.order(hold) == await counter.order(other) == "done"
    assert await counter.charges() == {paid.charge: "captured", new.charge: "captured"}


async def as_before(sale: Sale, charge: str) -> None:
    """An older engine told of this only charge, by the provider's id."""
    client = sale.store.client
    await older_layouts.lowered(client, sale.drop, 4)
    for name in ("log", "charges", "orders", "outbox"):
        await older_layouts.renamed(client, sale.drop, name, "c1", charge)
