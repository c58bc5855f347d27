"""Rows of `extend` inside `press`."""

from __future__ import annotations

from dropengine import outcomes, refusals
from dropengine.log.referee import judge
from tests.conftest import MakeSale
from tests.kit.manifests import EXTEND_MS, HOLD_MS, LOOKUP_MS, item
from tests.kit.sale import Sale


async def test_a_hold_gets_more_time(sale: Sale) -> None:
    hold = await sale.held("ana")
    outcome = await sale.extend("ana", hold)
    assert isinstance(outcome, outcomes.Extended)
    assert outcome.hold.deadline_ms == sale.now + HOLD_MS + EXTEND_MS
    sale.now += HOLD_MS + EXTEND_MS - 1
    assert (await sale.settle()).seq == outcome.seq


async def test_a_hold_gets_more_time_once(sale: Sale) -> None:
    hold = await sale.held("ana")
    first = await sale.extend("ana", hold)
    assert isinstance(first, outcomes.Extended)
    again = await sale.extend("ana", hold)
    assert again == outcomes.Extended(hold, first.hold, first.seq, first.seq)


async def test_a_hold_that_is_over_gets_no_more_time(sale: Sale) -> None:
    hold = await sale.held("ana")
    sale.now += HOLD_MS
    assert await sale.extend("ana", hold) == refusals.HoldExpired(state="expired")


async def test_a_hold_whose_payment_is_asked_about_answers_as_one_that_was_extended(
    sale: Sale,
) -> None:
    hold = await sale.held("ana")
    await sale.pay("ana", hold)
    sale.now += HOLD_MS
    before = (await sale.settle()).seq
    sale.now += LOOKUP_MS - 1
    answer = await sale.extend("ana", hold)
    assert isinstance(answer, outcomes.Extended)
    assert (answer.seq, answer.hold.extended) == (before, 0)
    assert answer.hold.deadline_ms == sale.now - LOOKUP_MS + 1
    assert answer.hold.looked == sale.now + 1
    assert await sale.counts() == (2, 1, 0, 0)
    sale.now += 1
    assert (await sale.you("ana")).record.holds == []


async def test_nothing_paid_ends_a_hold_that_is_asked_about_at_once(sale: Sale) -> None:
    hold = await sale.held("ana")
    await sale.pay("ana", hold)
    sale.now += HOLD_MS
    await sale.settle()
    await sale.extend("ana", hold)
    assert isinstance(await sale.unpaid(hold), outcomes.Unpaid)
    assert judge([line async for line in sale.store.log(sale.drop)]).violations == []


async def test_a_hold_that_was_extended_before_is_asked_about_as_long(sale: Sale) -> None:
    hold = await sale.held("ana")
    await sale.pay("ana", hold)
    await sale.extend("ana", hold)
    sale.now += HOLD_MS + EXTEND_MS
    await sale.settle()
    answer = await sale.extend("ana", hold)
    assert isinstance(answer, outcomes.Extended)
    assert (answer.hold.deadline_ms, answer.hold.looked) == (sale.now, sale.now + LOOKUP_MS)


async def test_an_offer_is_claimed_not_extended(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    hold = await sale.held("ana")
    entry = await sale.joined("bo")
    await sale.release("ana", hold)
    offer = (await sale.truth()).entries[entry].hold
    assert await sale.extend("bo", offer) == refusals.NotFound()
    await sale.claim("bo", offer)
    assert isinstance(await sale.extend("bo", offer), outcomes.Extended)


async def test_another_fan_does_not_find_the_hold(sale: Sale) -> None:
    hold = await sale.held("ana")
    assert await sale.extend("bo", hold) == refusals.NotFound()


async def test_a_cancelled_drop_gives_no_time(sale: Sale) -> None:
    hold = await sale.held("ana")
    await sale.creator("cancel")
    assert await sale.extend("ana", hold) == refusals.Cancelled()
