"""Rows of `extend` inside `press`."""

from __future__ import annotations

from dropengine import outcomes, refusals
from tests.conftest import MakeSale
from tests.kit.manifests import EXTEND_MS, HOLD_MS, item
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
