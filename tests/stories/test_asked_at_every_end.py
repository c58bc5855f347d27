"""Whoever began to pay is asked for, however the hold ends, also by its sale: no money is kept in
silence.

The provider never calls by itself. At the end of every story nothing is owed any more, and its own
book is that of the orders.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from dropengine import outcomes
from dropengine.payments.local import Do
from dropengine.payments.port import Charged
from dropengine.truth import keys
from tests.conftest import MakeSale
from tests.kit import freezing
from tests.kit.local_provider import local_pay, until_idle
from tests.kit.manifests import HOLD_MS, LOOKUP_MS, PAY_MS, item
from tests.kit.paid_sale import PaidSale, SaleClock
from tests.kit.sale import Sale


@pytest.fixture(params=[False, True], ids=["authorised", "captured at once"])
async def silent(
    sale: Sale, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[PaidSale]:
    book, clock = tmp_path / "book", SaleClock(sale)
    async with local_pay(
        book, clock=clock, silent=True, capture_at_once=request.param, busy_ms=20
    ) as local:
        yield PaidSale(sale, local, book)


async def quiet(story: PaidSale) -> None:
    """What is owed is done, and what comes of it, until all is done."""
    for _ in range(4):
        await until_idle(story.local)
        await story.work()


async def release(story: PaidSale, hold: str) -> None:
    await story.sale.release("ada", hold)


async def hard_stop(story: PaidSale, _: str) -> None:
    story.sale.now += max(HOLD_MS, PAY_MS)
    await story.sale.settle()
    story.sale.now += LOOKUP_MS
    await story.sale.settle()


async def unpaid(story: PaidSale, hold: str) -> None:
    """The provider's own word of a moment before, when nobody had paid yet."""
    story.sale.now += max(HOLD_MS, PAY_MS)
    await story.sale.settle()
    await story.sale.unpaid(hold)


async def cancel(story: PaidSale, _: str) -> None:
    await story.sale.creator("cancel")
    await story.sale.settle()


async def cancel_paused(story: PaidSale, hold: str) -> None:
    await story.sale.creator("pause")
    await cancel(story, hold)


async def cancel_closing(story: PaidSale, hold: str) -> None:
    await story.sale.creator("close")
    await cancel(story, hold)


async def cancel_frozen(story: PaidSale, hold: str) -> None:
    await story.sale.store.client.hset(keys.one(story.sale.drop, "drop"), "state", "frozen")
    await cancel(story, hold)


End = Callable[[PaidSale, str], Awaitable[None]]
ENDS: list[End] = [release, hard_stop, cancel, cancel_paused, cancel_closing]


async def ended(story: PaidSale, hold: str) -> bool:
    return (await story.sale.truth()).holds[hold].state in ("released", "expired", "cancelled")


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("do", ["pay", "twice", "delay", "late", "decline", None])
async def test_the_money_of_a_hold_that_ended_is_found_and_judged(
    silent: PaidSale, end: End, do: Do | None
) -> None:
    hold = await silent.begun("ada")
    if do is not None:
        await silent.choose(hold, do)
    await end(silent, hold)
    assert await ended(silent, hold)
    # What will be paid after the deadline cannot be stopped, and is waited for.
    await quiet(silent)
    silent.sale.now += 2 * HOLD_MS
    await quiet(silent)
    await silent.adds_up()


@pytest.mark.parametrize("do", ["pay", "late", None])
async def test_a_frozen_drop_that_is_cancelled_asks_too(silent: PaidSale, do: Do | None) -> None:
    hold = await silent.begun("ada")
    if do is not None:
        await silent.choose(hold, do)
    await cancel_frozen(silent, hold)
    assert await silent.duties() == {"cancel"}
    silent.sale.now += 2 * HOLD_MS
    await quiet(silent)
    assert await silent.duties() == set()
    assert await silent.money() == 0


async def test_a_claimed_offer_that_ends_while_it_is_paid_is_asked_for(silent: PaidSale) -> None:
    await silent.sale.called("ada")
    (hold,) = (await silent.sale.truth()).holds
    await silent.sale.pay("ada", hold)
    await silent.choose(hold, "pay")
    await release(silent, hold)
    await quiet(silent)
    await silent.adds_up()
    assert await silent.money() == 0


async def test_nobody_can_pay_any_more_what_was_given_back(silent: PaidSale) -> None:
    hold = await silent.begun("ada")
    await release(silent, hold)
    assert await silent.duties() == {"cancel"}
    await quiet(silent)
    assert await silent.duties() == set()
    # The payer's page was still open.
    await silent.choose(hold, "pay")
    assert await silent.charges() == {}
    await silent.adds_up()


async def test_a_hold_that_nobody_began_to_pay_leaves_nothing_to_ask(silent: PaidSale) -> None:
    hold = await silent.sale.held("ada")
    await release(silent, hold)
    assert await silent.duties() == set()


async def test_who_asked_while_the_hold_stood_does_not_answer_for_its_end(
    silent: PaidSale,
) -> None:
    """The answer of a slow worker comes after the hold was given back and paid."""
    hold = await silent.begun("ada")
    silent.sale.now += max(HOLD_MS, PAY_MS)
    await silent.sale.settle()
    assert not isinstance(await silent.sale.discharge("cancel:p1"), outcomes.Discharged)
    await silent.choose(hold, "pay")
    await release(silent, hold)
    await silent.sale.unpaid(hold)
    assert await silent.duties() == {"cancel"}
    await quiet(silent)
    await silent.adds_up()


@pytest.mark.parametrize("do", ["pay", "late", None])
async def test_a_hold_that_other_money_bought_is_asked_for_its_own(
    silent: PaidSale, do: Do | None
) -> None:
    first = await silent.begun("ada")
    await silent.choose(first, "late")
    await unpaid(silent, first)
    second = await silent.begun("ada")
    if do is not None:
        await silent.choose(second, do)
    silent.sale.now += 2_000
    paid = await silent.local.lookup(await silent.intent(first))
    assert isinstance(await silent.told(first, paid), outcomes.Paid)  # type: ignore[arg-type]
    silent.sale.now += 2 * HOLD_MS
    await quiet(silent)
    await silent.adds_up()
    assert (await silent.sale.truth()).orders.keys() == {second}


async def nothing_more(_: PaidSale, __: str) -> None:
    """The order stands."""


async def capture_refused(story: PaidSale, hold: str) -> None:
    """The payer's bank took the first one back."""
    charge = (await story.sale.truth()).orders[hold].charge
    ids = await story.sale.store.charge_ids.of(story.sale.drop, [charge])
    await story.local.void(ids[charge], "the bank")
    await story.sale.discharge(f"capture:{await story.payment(hold)}", "failed")


async def refund(story: PaidSale, hold: str) -> None:
    await story.sale.refund(hold)


async def froze_and_thawed(story: PaidSale, hold: str) -> None:
    await freezing.restore(story.sale)
    await story.sale.creator("thaw", found=0)


async def closed(story: PaidSale, _: str) -> None:
    await story.sale.creator("close")
    await story.sale.settle()


AFTER_A_SALE: list[End] = [
    nothing_more,
    capture_refused,
    refund,
    cancel,
    froze_and_thawed,
    closed,
]


async def first_told(story: PaidSale, hold: str) -> None:
    """The first of its payments is the one that the webhook tells of, once it is there."""
    found = await story.local.lookup(await story.intent(hold))
    assert isinstance(found, Charged)
    assert isinstance(await story.told(hold, found), outcomes.Paid)


async def told_twice(story: PaidSale, hold: str) -> None:
    await first_told(story, hold)
    found = await story.local.lookup(await story.intent(hold))
    assert isinstance(found, Charged)
    await story.told(hold, found)


async def looked_up(story: PaidSale, hold: str) -> None:
    """No webhook at all: the sale comes by the question at the deadline."""
    story.sale.now = (await story.sale.truth()).holds[hold].deadline_ms
    await story.sale.settle()
    await story.work()


SALES: list[End] = [first_told, told_twice, looked_up]


@pytest.mark.parametrize("then", AFTER_A_SALE)
@pytest.mark.parametrize("bought", SALES)
async def test_a_second_payment_of_what_was_bought_is_found_and_goes_back(
    silent: PaidSale, bought: End, then: End
) -> None:
    await paid_again(silent, ["delay"], bought, then)


@pytest.mark.parametrize("bought", SALES)
@pytest.mark.parametrize("more", [["late"], ["delay", "late", "delay"]])
async def test_however_often_it_is_paid_again_all_of_it_goes_back(
    silent: PaidSale, more: list[Do], bought: End
) -> None:
    await paid_again(silent, more, bought, nothing_more)


async def paid_again(story: PaidSale, more: list[Do], bought: End, then: End) -> None:
    """The others arrive after the sale, and are told by nobody."""
    hold = await story.begun("ada")
    for do in more:
        await story.choose(hold, do, HOLD_MS)
    await story.choose(hold, "pay")
    await bought(story, hold)
    assert hold in (await story.sale.truth()).orders
    story.sale.now += 2 * HOLD_MS
    await until_idle(story.local)
    await then(story, hold)
    await quiet(story)
    await story.adds_up()
    # What was still on its way when it was asked about is stopped; the rest has arrived.
    assert len(await story.charges()) >= 2 - (bought is looked_up)


@pytest.mark.parametrize("then", AFTER_A_SALE)
async def test_what_was_bought_is_closed_at_the_provider_before_it_is_paid_again(
    silent: PaidSale, then: End
) -> None:
    hold = await silent.begun("ada")
    await silent.choose(hold, "delay", 60_000)
    await silent.choose(hold, "pay")
    await first_told(silent, hold)
    await then(silent, hold)
    await quiet(silent)
    silent.sale.now += 60_000
    await silent.choose(hold, "pay")
    await quiet(silent)
    assert len(await silent.charges()) == 1
    await silent.adds_up()


@pytest.mark.parametrize("more", [0, 1, 3])
async def test_a_late_payment_that_bought_leaves_no_later_one_unasked(
    silent: PaidSale, more: int
) -> None:
    hold = await silent.begun("ada")
    for nth in range(1 + more):
        await silent.choose(hold, "late", LOOKUP_MS + (1 + nth) * 1_000)
    await hard_stop(silent, hold)
    silent.sale.now += 1_000 + HOLD_MS
    await first_or_only(silent, hold)
    silent.sale.now += HOLD_MS
    await quiet(silent)
    await silent.adds_up()
    assert len(await silent.charges()) == 1 + more


async def first_or_only(story: PaidSale, hold: str) -> None:
    """The webhook of the first is all that comes."""
    found = await story.local.lookup(await story.intent(hold))
    assert isinstance(found, Charged)
    assert isinstance(await story.told(hold, found), outcomes.Paid)


async def test_a_provider_that_is_away_is_asked_about_a_sale_until_it_answers(
    silent: PaidSale,
) -> None:
    hold = await silent.begun("ada")
    await silent.choose(hold, "delay", HOLD_MS)
    await silent.choose(hold, "pay")
    await first_told(silent, hold)
    locker = sqlite3.connect(silent.book, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    await silent.work()
    locker.execute("ROLLBACK")
    locker.close()
    assert "cancel" in await silent.duties()
    silent.sale.now += HOLD_MS
    await until_idle(silent.local)
    # The shop that asked is gone; what is owed is all that the next one knows.
    again = PaidSale(
        Sale(silent.sale.store, silent.sale.drop, silent.sale.now), silent.local, silent.book
    )
    await quiet(again)
    await again.adds_up()
    assert sorted((await again.charges()).values()) in (
        ["captured", "refunded"],
        ["captured", "voided"],
    )


@pytest.mark.parametrize("asked", [False, True])
async def test_what_costs_nothing_is_closed_alone_where_it_was_asked_about(
    make_sale: MakeSale, asked: bool
) -> None:
    sale = await make_sale(item("pin", {"pin": 1}, price=0))
    hold = await sale.held("ada")
    await sale.pay("ada", hold)
    if asked:
        sale.now += max(HOLD_MS, PAY_MS)
        await sale.settle()
    assert isinstance(await sale.succeeded(hold), outcomes.Paid)
    assert set((await sale.truth()).outbox) == ({"cancel:p1"} if asked else set())
    await sale.discharge("cancel:p1")
    assert (await sale.truth()).outbox == {}
