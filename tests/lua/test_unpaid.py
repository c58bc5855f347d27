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
    assert await sale.unpaid(hold) == refusals.HoldExpired(state="paid")


async def test_a_payment_that_its_provider_ends_early_leaves_its_hold_to_be_paid_anew(
    sale: Sale,
) -> None:
    hold = await sale.held("ana")
    await sale.pay("ana", hold)
    assert await sale.unpaid("p1") == outcomes.Unpaid("p1", 6)
    truth = await sale.truth()
    assert (truth.holds[hold].state, truth.payments["p1"].state) == ("active", "ended")
    assert truth.outbox == {}
    assert isinstance(await sale.pay("ana", hold), outcomes.Paying)
    assert (await sale.payment("p2")).holds == [hold]


async def test_of_two_holds_the_one_whose_deadline_is_over_ends(sale: Sale) -> None:
    first = await sale.held("ana")
    sale.now += HOLD_MS // 2
    second = await sale.held("ana", qty=2)
    await sale.pay("ana", first, second)
    sale.now += HOLD_MS // 2
    await sale.settle()
    assert (await sale.words())[-1] == "asked"
    await sale.unpaid("p1")
    truth = await sale.truth()
    assert [truth.holds[hold].state for hold in (first, second)] == ["expired", "active"]
    assert truth.due[f"h:{second}"] == truth.holds[second].deadline_ms


async def test_an_unknown_payment_is_not_found(sale: Sale) -> None:
    assert await sale.unpaid("h999") == refusals.NotFound()
    assert await sale.unpaid("p1") == refusals.NotFound()
