"""Rows of `you`: a fan's whole state, places and all."""

from __future__ import annotations

import pytest

from dropengine import outcomes, refusals
from dropengine.model import FanId
from dropengine.truth.replies import YouReply
from tests.conftest import MakeSale
from tests.kit.manifests import HOLD_MS, LOOKUP_MS, item
from tests.kit.sale import Sale


async def test_a_stranger_has_nothing(sale: Sale) -> None:
    row = await sale.you("nobody")
    assert (row.record.seq, row.record.used) == (0, 0)
    assert (row.holds, row.entries, row.orders) == ([], [], [])


async def test_a_fan_sees_holds_entries_and_orders(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 3}), item("cup", {"cup": 1}), limit=9)
    order = await sale.bought("ana")
    hold = await sale.held("ana", qty=2)
    await sale.held("bo", "cup")
    entry = await sale.joined("ana", "cup")
    row = await sale.you("ana")
    assert [name for name, _ in row.holds] == [hold]
    assert [name for name, _ in row.orders] == [order]
    assert [name for name, _, _ in row.entries] == [entry]
    assert row.record.used == 3


async def test_nobody_loses_a_hold_without_a_reason(sale: Sale) -> None:
    hold = await sale.held("ana")
    sale.now += HOLD_MS
    ((name, record),) = (await sale.you("ana")).holds
    assert (name, record.state) == (hold, "expired")


async def test_a_place_counts_those_ahead_whose_fate_is_open(make_sale: MakeSale) -> None:
    sale = await make_sale(item("cup", {"hill": 1, "port": 1}))
    await sale.held("x", "hill")
    await sale.held("y", "port")
    await sale.joined("ana", "hill")
    await sale.joined("bo", "port")
    await sale.joined("cy", "port", "hill")
    ((_, _, lines),) = (await sale.you("cy")).entries
    assert [(line.pool, line.place, line.buying) for line in lines] == [
        ("port", 2, 0),
        ("hill", 2, 0),
    ]


async def test_those_who_buy_still_stand_ahead(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    hold = await sale.held("x")
    await sale.joined("ana")
    await sale.joined("bo")
    await sale.release("x", hold)
    ((_, _, (line,)),) = (await sale.you("bo")).entries
    assert (line.place, line.buying) == (2, 1)


async def test_many_fans_are_read_at_once_and_in_order(sale: Sale) -> None:
    await sale.held("bo")
    fans = [FanId(name) for name in ("ana", "bo", "cy")]
    reply = await sale.store.you(sale.drop, fans, clock_ms=sale.now)
    assert isinstance(reply, YouReply)
    assert [row.fan for row in reply.rows] == ["ana", "bo", "cy"]
    assert [len(row.holds) for row in reply.rows] == [0, 1, 0]


async def rescued(sale: Sale, fan: str) -> str:
    """A hold that lapsed while its payment was on the way, which got its unit after all."""
    hold = await sale.held(fan)
    await sale.pay(fan, hold)
    sale.now += HOLD_MS + LOOKUP_MS
    await sale.settle()
    sale.now += LOOKUP_MS
    await sale.settle()
    assert isinstance(await sale.succeeded(hold), outcomes.Rescued)
    return hold


async def test_what_was_rescued_is_an_order_and_no_hold_that_ended(sale: Sale) -> None:
    hold = await rescued(sale, "ana")
    row = await sale.you("ana")
    assert row.holds == []
    assert [name for name, _ in row.orders] == [hold]
    # Refunded it is no loss of a hold either.
    await sale.refund(hold)
    row = await sale.you("ana")
    assert row.holds == []


async def test_a_loss_after_a_rescue_and_a_loss_before_it_are_told(sale: Sale) -> None:
    hold = await sale.held("ana")
    await sale.release("ana", hold)
    ((name, _),) = (await sale.you("ana")).holds
    assert name == hold
    order = await rescued(sale, "ana")
    assert (await sale.you("ana")).holds == []
    later = await sale.held("ana")
    await sale.release("ana", later)
    ((name, record),) = (await sale.you("ana")).holds
    assert (name, record.state) == (later, "released")
    assert [name for name, _ in (await sale.you("ana")).orders] == [order]


async def test_a_payment_that_came_too_late_leaves_its_hold_ended(sale: Sale) -> None:
    hold = await sale.held("ana")
    await sale.pay("ana", hold)
    sale.now += HOLD_MS + LOOKUP_MS
    await sale.settle()
    sale.now += LOOKUP_MS
    await sale.settle()
    for fan in ("bo", "cy", "di"):
        await sale.held(fan)
    assert isinstance(await sale.succeeded(hold), outcomes.Voided)
    ((name, record),) = (await sale.you("ana")).holds
    assert (name, record.state) == (hold, "expired")


@pytest.mark.parametrize("verb", ["pay", "release", "extend"])
async def test_whoever_reaches_for_what_was_rescued_is_told_that_it_is_sold(
    sale: Sale, verb: str
) -> None:
    hold = await rescued(sale, "ana")
    assert await getattr(sale, verb)("ana", hold) == refusals.HoldExpired(state="sold")


async def test_the_press_of_what_was_rescued_is_answered_with_what_it_became(sale: Sale) -> None:
    first = await sale.hold("ana", key="k-mine")
    assert isinstance(first, outcomes.Held)
    await sale.pay("ana", first.id)
    sale.now += HOLD_MS + LOOKUP_MS
    await sale.settle()
    sale.now += LOOKUP_MS
    await sale.settle()
    expired = await sale.hold("ana", key="k-mine")
    assert isinstance(expired, outcomes.Held)
    assert expired.hold.state == "expired"
    await sale.succeeded(first.id)
    again = await sale.hold("ana", key="k-mine")
    assert isinstance(again, outcomes.Held)
    assert (again.id, again.hold.state) == (first.id, "sold")
    # The record keeps how the hold itself ended.
    assert (await sale.truth()).holds[first.id].state == "expired"


async def test_an_offer_that_was_rescued_is_told_as_sold_when_it_is_claimed(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    hold = await sale.held("bo")
    await sale.joined("ana")
    await sale.release("bo", hold)
    ((offer, _),) = (await sale.you("ana")).holds
    await sale.claim("ana", offer)
    await sale.pay("ana", offer)
    sale.now += HOLD_MS + LOOKUP_MS
    await sale.settle()
    sale.now += LOOKUP_MS
    await sale.settle()
    assert isinstance(await sale.succeeded(offer), outcomes.Rescued)
    assert await sale.claim("ana", offer) == refusals.HoldExpired(state="sold")
    assert (await sale.you("ana")).holds == []
