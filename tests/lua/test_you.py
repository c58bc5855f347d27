"""Rows of `you`: a fan's whole state, places and all."""

from __future__ import annotations

from dropengine.model import FanId
from dropengine.truth.replies import YouReply
from tests.conftest import MakeSale
from tests.kit.manifests import HOLD_MS, item
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
