"""Rows of `sealed`: the list that chance orders, as a worker reads it."""

from __future__ import annotations

from dropengine import refusals
from dropengine.truth.replies import Sealed
from tests.conftest import MakeSale
from tests.kit.sale import SECRET


async def test_the_list_is_read_in_parts_in_the_order_of_the_joins(make_sale: MakeSale) -> None:
    sale = await make_sale(mode="draw", tickets_most=2)
    await sale.entered("ada", "ben", "cy", tickets=2)
    await sale.leave("ben", "e2")
    first = await sale.store.sealed(sale.drop, 1, 2)
    assert isinstance(first, Sealed)
    assert (first.state, first.sealed_ms, first.entries, first.next) == ("lobby", 0, 2, 3)
    rest = await sale.store.sealed(sale.drop, first.next, 2)
    assert isinstance(rest, Sealed)
    assert rest.next == 0
    told = [(name, entry.tickets) for name, entry in first.rows + rest.rows]
    assert told == [("e1", 2), ("e3", 2)]


async def test_it_says_how_far_the_order_has_come(make_sale: MakeSale) -> None:
    sale = await make_sale(mode="lobby")
    await sale.entered("ada", "ben")
    await sale.creator("seal")
    await sale.in_order(start=False)
    told = await sale.store.sealed(sale.drop)
    assert isinstance(told, Sealed)
    assert (told.state, told.sealed_ms, told.placed) == ("ordering", sale.now, 2)
    assert (told.root, told.revealed) == ((await sale.sealed()).root.hex(), SECRET.hex())


async def test_a_drop_without_a_list_has_none(make_sale: MakeSale) -> None:
    sale = await make_sale()
    assert await sale.store.sealed(sale.drop) == refusals.NotFound()
