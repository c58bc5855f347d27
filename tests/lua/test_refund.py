"""Rows of `refund`."""

from __future__ import annotations

from dropengine import events, outcomes, refusals
from tests.conftest import MakeSale
from tests.kit.manifests import item
from tests.kit.sale import Sale


async def test_a_refunded_unit_comes_back_with_its_serial(sale: Sale) -> None:
    first, second = await sale.bought("ana", qty=2), await sale.bought("bo")
    assert await sale.refund(first) == outcomes.Refunded(first, 7)
    truth = await sale.truth()
    assert truth.orders[first].state == "refund_pending"
    assert truth.returned == {"pin/00000001": 0, "pin/00000002": 0}
    assert await sale.counts() == (2, 0, 1, 0)
    again = await sale.bought("cy")
    truth = await sale.truth()
    assert truth.orders[again].serials == [1]
    assert truth.orders[second].serials == [3]


async def test_a_capture_that_did_not_happen_yet_is_not_asked_for(sale: Sale) -> None:
    order = await sale.bought("ana")
    await sale.refund(order)
    assert list((await sale.truth()).outbox) == [f"refund:c-{order}"]


async def test_refunding_again_moves_nothing(sale: Sale) -> None:
    order = await sale.bought("ana")
    first = await sale.refund(order)
    assert await sale.refund(order) == first
    assert await sale.counts() == (3, 0, 0, 0)


async def test_a_refunded_unit_goes_to_the_line(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    order = await sale.bought("ana")
    await sale.joined("bo")
    await sale.refund(order)
    assert (await sale.words())[-2:] == ["refunded", "offered"]


async def test_a_refund_makes_room_in_the_limit(make_sale: MakeSale) -> None:
    sale = await make_sale(limit=1)
    order = await sale.bought("ana")
    entry = await sale.joined("ana")
    assert (await sale.truth()).entries[entry].ready == [0]
    await sale.refund(order)
    assert (await sale.words())[-3:] == ["refunded", "limit_freed", "offered"]


async def test_an_order_of_a_settled_drop_can_be_refunded(sale: Sale) -> None:
    order = await sale.bought("ana")
    await sale.creator("close")
    await sale.settle()
    assert isinstance(await sale.refund(order), outcomes.Refunded)
    refunded = (await sale.log())[-1]
    assert isinstance(refunded, events.Refunded)
    assert refunded.by == "mia"


async def test_a_hold_that_was_not_paid_is_no_order(sale: Sale) -> None:
    hold = await sale.held("ana")
    assert await sale.refund(hold) == refusals.NotFound()
    assert await sale.refund("h999") == refusals.NotFound()
