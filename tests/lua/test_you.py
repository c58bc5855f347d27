"""Rows of `you`: a fan's whole state, places and all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from dropengine import outcomes, refusals
from dropengine.model import FanId
from dropengine.truth.replies import YouReply
from tests.conftest import MakeSale
from tests.kit.manifests import COOL_MS, HOLD_MS, LOOKUP_MS, PAY_MS, item
from tests.kit.sale import Sale

Lose = Callable[[Sale], Awaitable[str]]


async def test_a_stranger_has_nothing(sale: Sale) -> None:
    row = await sale.you("nobody")
    assert (row.record.seq, row.record.used) == (0, 0)
    assert (row.holds, row.entries, row.orders, row.ended) == ([], [], [], [])


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


async def lapsed_twice(sale: Sale) -> str:
    entry = await sale.called("ana")
    for _ in range(2):
        await sale.release("ana", (await sale.truth()).entries[entry].hold)
        sale.now += COOL_MS
        await sale.settle()
    return entry


async def left_the_line(sale: Sale) -> str:
    await sale.held("di", qty=3)
    entry = await sale.joined("ana")
    await sale.leave("ana", entry)
    return entry


async def bought_all_he_may(sale: Sale) -> str:
    hold = await sale.held("ana", qty=3)
    entry = await sale.joined("ana")
    await sale.succeeded(hold)
    return entry


each_loss = pytest.mark.parametrize(
    ("lose", "state"),
    [(lapsed_twice, "dormant"), (left_the_line, "left"), (bought_all_he_may, "removed")],
    ids=["lapses", "left", "limit"],
)


@each_loss
async def test_nobody_loses_a_place_without_a_reason(sale: Sale, lose: Lose, state: str) -> None:
    entry = await lose(sale)
    row = await sale.you("ana")
    assert row.entries == []
    ((name, record),) = row.ended
    assert (name, record.state) == (entry, state)


@each_loss
async def test_a_place_that_ended_is_told_until_the_drop_settles(
    make_sale: MakeSale, lose: Lose, state: str
) -> None:
    sale = await make_sale(item("pin", {"pin": 3}), item("cup", {"cup": 1}))
    await lose(sale)
    await sale.held("zoe", "cup")
    await sale.creator("close")
    assert [record.state for _, record in (await sale.you("ana")).ended] == [state]
    sale.now += HOLD_MS
    assert (await sale.settle()).state == "settled"
    assert (await sale.you("ana")).ended == []


async def test_a_place_that_ended_is_told_until_its_fan_joins_again(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}), item("cup", {"cup": 3}))
    await lapsed_twice(sale)
    # A press, or a join that is as good as one, is not a new place.
    await sale.held("ana", "cup")
    await sale.join("ana", "cup")
    assert len((await sale.you("ana")).ended) == 1
    await sale.held("di")
    again = await sale.joined("ana", "pin")
    row = await sale.you("ana")
    assert row.ended == []
    assert [name for name, _, _ in row.entries] == [again]


async def test_only_the_place_that_ended_last_is_told(sale: Sale) -> None:
    await left_the_line(sale)
    second = await sale.joined("ana")
    await sale.leave("ana", second)
    assert [name for name, _ in (await sale.you("ana")).ended] == [second]


async def test_a_place_that_was_served_ended_well(sale: Sale) -> None:
    entry = await sale.called("ana")
    await sale.succeeded((await sale.truth()).entries[entry].hold)
    row = await sale.you("ana")
    assert (row.entries, row.ended) == ([], [])


async def test_a_make_good_is_no_joining(make_sale: MakeSale) -> None:
    """The place that ended is still told beside the one that the shop gave."""
    sale = await make_sale(item("pin", {"pin": 1}), item("cup", {"cup": 1}))
    hold = await sale.held("ana", "cup")
    await sale.pay("ana", hold)
    ended = await lapsed_twice(sale)
    while (await sale.truth()).holds[hold].state != "expired":
        sale.now += PAY_MS
        await sale.settle()
    await sale.held("di", "cup")
    await sale.succeeded(hold)
    row = await sale.you("ana")
    assert [entry.made_good for _, entry, _ in row.entries] == [1]
    assert [name for name, _ in row.ended] == [ended]


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
    assert isinstance(await sale.succeeded(hold), outcomes.Paid)
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
    assert isinstance(await sale.succeeded(offer), outcomes.Paid)
    assert await sale.claim("ana", offer) == refusals.HoldExpired(state="sold")
    assert (await sale.you("ana")).holds == []
