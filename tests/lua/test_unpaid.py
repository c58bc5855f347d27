"""Rows of `unpaid`."""

from __future__ import annotations

from dropengine import outcomes, refusals
from tests.kit.manifests import HOLD_MS
from tests.kit.sale import Sale


async def test_a_hold_that_nobody_paid_ends_before_the_hard_stop(sale: Sale) -> None:
    hold = await sale.held("ana")
    await sale.pay("ana", hold)
    sale.now += HOLD_MS
    await sale.settle()
    assert await sale.unpaid(hold) == outcomes.Unpaid("p1", 8)
    assert await sale.counts() == (3, 0, 0, 0)


async def test_its_unit_goes_to_the_line(sale: Sale) -> None:
    hold = await sale.held("ana", qty=3)
    await sale.pay("ana", hold)
    await sale.joined("bo")
    sale.now += HOLD_MS
    await sale.settle()
    await sale.unpaid(hold)
    assert (await sale.words())[-2:] == ["expired", "offered"]


async def test_what_was_paid_meanwhile_stays_sold(sale: Sale) -> None:
    hold = await sale.held("ana")
    await sale.pay("ana", hold)
    sale.now += HOLD_MS
    await sale.settle()
    await sale.succeeded(hold)
    assert await sale.unpaid(hold) == refusals.HoldExpired(state="sold")


async def test_a_hold_before_its_deadline_is_not_asked_about(sale: Sale) -> None:
    hold = await sale.held("ana")
    await sale.pay("ana", hold)
    assert await sale.unpaid(hold) == refusals.NotFound()
    assert await sale.unpaid("h999") == refusals.NotFound()
