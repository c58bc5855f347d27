"""Rows of `pay` inside `press`."""

from __future__ import annotations

import pytest

from dropengine import outcomes, refusals
from dropengine.log.referee import judge
from dropengine.truth.store import Store
from tests.conftest import MakeSale
from tests.kit.manifests import HOLD_MS, LOOKUP_MS, OFFER_MS, PAY_MS, item
from tests.kit.sale import Sale
from tests.kit.sale_by_ways import HAND_MS, UNTIL_MS, by_ways


async def test_paying_leaves_time_to_finish_it(sale: Sale) -> None:
    hold = await sale.held("ana")
    sale.now += HOLD_MS - 1
    outcome = await sale.pay("ana", hold)
    assert isinstance(outcome, outcomes.Paying)
    assert (outcome.holds[0][1].state, outcome.holds[0][1].began) == ("paying", 1)
    assert outcome.holds[0][1].deadline_ms == sale.now + PAY_MS


async def test_paying_early_shortens_nothing(sale: Sale) -> None:
    hold = await sale.held("ana")
    outcome = await sale.pay("ana", hold)
    assert isinstance(outcome, outcomes.Paying)
    assert outcome.holds[0][1].deadline_ms == sale.now + HOLD_MS


async def test_pressing_pay_again_stretches_nothing(sale: Sale) -> None:
    hold = await sale.held("ana")
    first = await sale.pay("ana", hold)
    sale.now += HOLD_MS - 1
    again = await sale.pay("ana", hold)
    assert isinstance(first, outcomes.Paying)
    assert again == outcomes.Paying("p1", first.payment, first.holds, first.seq, first.seq)


async def test_what_is_being_paid_answers_a_press_from_a_second_tab(sale: Sale) -> None:
    hold = await sale.held("ana")
    await sale.pay("ana", hold)
    assert await sale.held("ana") == hold
    assert await sale.counts() == (2, 1, 0, 0)


async def test_paying_an_offer_claims_it_first(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    hold = await sale.held("ana")
    entry = await sale.joined("bo")
    await sale.release("ana", hold)
    offer = (await sale.truth()).entries[entry].hold
    outcome = await sale.pay("bo", offer)
    assert isinstance(outcome, outcomes.Paying)
    assert (outcome.holds[0][1].claimed, outcome.holds[0][1].began) == (1, 1)
    assert (await sale.words())[-3:] == ["claimed", "payment_begun", "paying"]


async def test_the_time_to_pay_counts_from_the_claim(make_sale: MakeSale) -> None:
    """Not from the offer, which may be far older than a hold gets."""
    sale = await make_sale(item("pin", {"pin": 1}))
    hold = await sale.held("ana")
    entry = await sale.joined("bo")
    await sale.release("ana", hold)
    offer = (await sale.truth()).entries[entry].hold
    sale.now += OFFER_MS - 1
    await sale.claim("bo", offer)
    sale.now += HOLD_MS - 1
    outcome = await sale.pay("bo", offer)
    assert isinstance(outcome, outcomes.Paying)
    assert outcome.holds[0][1].deadline_ms == sale.now + PAY_MS


async def test_a_silent_payment_is_asked_about_before_it_expires(sale: Sale) -> None:
    hold = await sale.held("ana")
    await sale.pay("ana", hold)
    sale.now += HOLD_MS
    await sale.settle()
    truth = await sale.truth()
    assert truth.holds[hold].looked == truth.due[f"h:{hold}"] == sale.now + LOOKUP_MS
    assert truth.holds[hold].deadline_ms == sale.now
    assert truth.payments["p1"].looked == truth.holds[hold].looked
    assert truth.outbox["cancel:p1"].hold == hold
    assert (await sale.words())[-1] == "asked"
    assert await sale.counts() == (2, 1, 0, 0)


@pytest.mark.parametrize("gap_ms", [1, LOOKUP_MS - 1, LOOKUP_MS, LOOKUP_MS + 1, 7 * LOOKUP_MS])
async def test_it_is_asked_about_for_the_whole_time_however_late_the_first_question_is(
    sale: Sale, gap_ms: int
) -> None:
    hold = await sale.held("ana")
    await sale.pay("ana", hold)
    sale.now += HOLD_MS + gap_ms
    await sale.settle()
    sale.now += LOOKUP_MS - 1
    assert isinstance(await sale.succeeded(hold), outcomes.Paid)
    assert judge([line async for line in sale.store.log(sale.drop)]).violations == []


async def test_a_hard_stop_is_over_exactly_then_after_a_gap_too(sale: Sale) -> None:
    hold = await sale.held("ana")
    await sale.pay("ana", hold)
    sale.now += HOLD_MS + 3 * LOOKUP_MS
    await sale.settle()
    sale.now += LOOKUP_MS
    await sale.settle()
    assert await sale.counts() == (3, 0, 0, 0)


async def test_the_hard_stop_ends_a_silent_payment(sale: Sale) -> None:
    hold = await sale.held("ana")
    await sale.pay("ana", hold)
    sale.now += HOLD_MS
    await sale.settle()
    sale.now += LOOKUP_MS
    assert await sale.pay("ana", hold) == refusals.HoldExpired(state="expired")
    assert await sale.counts() == (3, 0, 0, 0)


async def test_a_hold_that_is_over_cannot_be_paid(sale: Sale) -> None:
    hold = await sale.held("ana")
    sale.now += HOLD_MS
    assert await sale.pay("ana", hold) == refusals.HoldExpired(state="expired")
    sold = await sale.bought("bo")
    assert await sale.pay("bo", sold) == refusals.HoldExpired(state="sold")


async def test_another_fan_does_not_find_the_hold(sale: Sale) -> None:
    hold = await sale.held("ana")
    assert await sale.pay("bo", hold) == refusals.NotFound()


async def test_a_hold_may_be_paid_while_the_drop_is_paused(sale: Sale) -> None:
    hold = await sale.held("ana")
    await sale.creator("pause")
    assert isinstance(await sale.pay("ana", hold), outcomes.Paying)


async def test_a_cancelled_drop_takes_no_payment(sale: Sale) -> None:
    hold = await sale.held("ana")
    await sale.creator("cancel")
    assert await sale.pay("ana", hold) == refusals.Cancelled()


async def test_several_holds_are_one_payment(sale: Sale) -> None:
    first, second = await sale.held("ana"), await sale.held("ana", qty=2)
    outcome = await sale.pay("ana", second, first)
    assert isinstance(outcome, outcomes.Paying)
    payment = outcome.payment
    assert (payment.holds, payment.amount, payment.state) == ([second, first], 7200, "open")
    assert [name for name, _ in outcome.holds] == [second, first]
    assert (await sale.words())[-3:] == ["payment_begun", "paying", "paying"]
    again = await sale.pay("ana", first, second)
    assert isinstance(again, outcomes.Paying)
    assert (again.id, again.payment) == ("p1", payment)


async def test_a_hold_is_in_one_open_payment(sale: Sale) -> None:
    """PAYING_ALREADY."""
    first, second = await sale.held("ana"), await sale.held("ana", qty=2)
    await sale.pay("ana", first)
    before = await sale.truth()
    assert await sale.pay("ana", first, second) == refusals.Paying("p1")
    assert await sale.truth() == before


async def test_all_or_none_of_them_is_found(sale: Sale) -> None:
    hold = await sale.held("ana")
    assert await sale.pay("ana", hold, hold) == refusals.NotFound()
    assert await sale.pay("ana", hold, "h9") == refusals.NotFound()
    assert (await sale.truth()).payments == {}


async def test_a_way_adds_its_amount_and_takes_off_what_it_says(store: Store, drop: str) -> None:
    sale = await by_ways(store, drop)
    hold = await sale.held("ana", qty=2)
    missing = await sale.pay("ana", hold)
    assert isinstance(missing, refusals.BadMessage)
    assert await sale.pay("ana", hold, way="boat") == refusals.NotFound()
    await sale.pay("ana", hold, way="post")
    assert (await sale.payment()).amount == 2 * 2400 + 690
    await sale.unpaid("p1")
    await sale.pay("ana", hold, way="stall")
    assert (await sale.payment("p2")).amount == 2 * 2200
    assert await sale.succeeded("p2") == outcomes.Paid("p2", 10, [hold], 4400)


async def test_by_hand_has_its_hours_and_a_share_of_each_pool(store: Store, drop: str) -> None:
    """HAND_FULL."""
    sale = await by_ways(store, drop)
    await sale.pay("ana", await sale.held("ana"), way="post", provider="by_hand")
    assert (await sale.payment()).deadline_ms == sale.now + HAND_MS
    assert (await sale.truth()).pools["pin"].hand == 1
    hold = await sale.held("bo")
    assert await sale.pay("bo", hold, way="post", provider="by_hand") == refusals.HandFull(0)
    await sale.unpaid("p1")
    truth = await sale.truth()
    assert truth.pools["pin"].hand == 0
    # Nobody has the hours of a payment by hand without one.
    assert truth.holds["h1"].deadline_ms == sale.now + 2 * HOLD_MS + PAY_MS
    assert isinstance(await sale.pay("bo", hold, way="post", provider="by_hand"), outcomes.Paying)


async def test_cash_is_paid_where_it_is_picked_up(store: Store, drop: str) -> None:
    sale = await by_ways(store, drop)
    hold = await sale.held("ana")
    assert await sale.pay("ana", hold, way="post", provider="cash") == refusals.NotFound()
    await sale.pay("ana", hold, way="stall", provider="cash")
    assert (await sale.payment()).deadline_ms == UNTIL_MS


async def test_a_drop_without_payments_by_hand_takes_none(store: Store, drop: str) -> None:
    sale = await by_ways(store, drop, hand_ms=0)
    hold = await sale.held("ana")
    assert await sale.pay("ana", hold, way="post", provider="by_hand") == refusals.NotFound()


async def test_with_its_last_hold_a_payment_has_ended(sale: Sale) -> None:
    first, second = await sale.held("ana"), await sale.held("ana", qty=2)
    await sale.pay("ana", first, second)
    await sale.release("ana", first)
    assert (await sale.payment()).state == "open"
    await sale.release("ana", second)
    assert (await sale.payment()).state == "ended"
    assert set((await sale.truth()).outbox) == {"cancel:p1"}
