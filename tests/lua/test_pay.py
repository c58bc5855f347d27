"""Rows of `pay` inside `press`."""

from __future__ import annotations

import pytest

from dropengine import outcomes, refusals
from dropengine.log.referee import judge
from tests.conftest import MakeSale
from tests.kit.manifests import HOLD_MS, LOOKUP_MS, OFFER_MS, PAY_MS, item
from tests.kit.sale import Sale


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
