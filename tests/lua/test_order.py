"""Rows of `order`: the sealed list gets its arrivals, part by part."""

from __future__ import annotations

import pytest

from dropengine import events, refusals
from dropengine.truth.replies import NotRevealed, NotSealed, OtherOrder, OtherRoot, Placed
from tests.conftest import MakeSale
from tests.kit.sale import SECRET, Sale

IDS = ["e3", "e1", "e4", "e2"]


async def sealed_sale(make_sale: MakeSale, *, revealed: bool = True) -> tuple[Sale, str]:
    """Four entries, and the root of their list."""
    sale = await make_sale(mode="lobby")
    await sale.entered("ada", "ben", "cy", "di")
    await sale.creator("seal")
    root = (await sale.sealed()).root.hex()
    await sale.store.root(sale.drop, root, clock_ms=sale.now)
    if revealed:
        await sale.store.reveal(sale.drop, SECRET.hex(), clock_ms=sale.now)
    return sale, root


async def order(sale: Sale, root: str, first: int, ids: list[str]) -> object:
    return await sale.store.order(sale.drop, root, first, ids, clock_ms=sale.now)


async def test_each_part_is_given_out_once_and_the_next_is_named(make_sale: MakeSale) -> None:
    sale, root = await sealed_sale(make_sale)
    for _ in range(2):
        assert await order(sale, root, 1, IDS[:2]) == Placed(3, 4)
    assert await order(sale, root, 4, IDS[3:]) == Placed(3, 4)
    assert await order(sale, root, 3, IDS[2:]) == Placed(5, 4)
    told = [(e.n, e.ids) for e in await sale.log() if isinstance(e, events.Ordered)]
    assert told == [(1, ["e3", "e1"]), (3, ["e4", "e2"])]


async def test_who_has_an_arrival_stands_in_line_and_is_told(make_sale: MakeSale) -> None:
    sale, root = await sealed_sale(make_sale)
    await order(sale, root, 1, IDS[:1])
    ((name, entry, (place,)),) = (await sale.you("cy")).entries
    assert (name, entry.n, place.place) == ("e3", 1, 1)
    ((name, entry, places),) = (await sale.you("ada")).entries
    assert (name, entry.n, places) == ("e1", 0, [])
    truth = await sale.truth()
    assert truth.fans["cy"].seq == truth.seq
    assert truth.places == truth.ready
    assert len(truth.places) == 1


@pytest.mark.parametrize(
    ("ids", "wrong"),
    [(["e3", "e3"], "e3"), (["e9"], "e9"), (["e1", "e5"], "e5"), (["nobody"], "nobody")],
)
async def test_who_is_not_in_the_list_or_stands_there_twice_gets_no_arrival(
    make_sale: MakeSale, ids: list[str], wrong: str
) -> None:
    sale, root = await sealed_sale(make_sale)
    before = await sale.truth()
    assert await order(sale, root, 1, ids) == OtherOrder(wrong)
    assert await sale.truth() == before


async def test_an_arrival_is_nobody_elses(make_sale: MakeSale) -> None:
    sale, root = await sealed_sale(make_sale)
    await order(sale, root, 1, IDS[:2])
    assert await order(sale, root, 2, ["e4"]) == OtherOrder("e4")
    assert await order(sale, root, 3, ["e1"]) == OtherOrder("e1")


async def test_it_is_the_order_of_this_list_by_what_was_revealed(make_sale: MakeSale) -> None:
    sale, root = await sealed_sale(make_sale, revealed=False)
    assert await order(sale, root, 1, IDS) == NotRevealed()
    assert await order(sale, "00" * 32, 1, IDS) == OtherRoot(root)


async def test_a_drop_that_orders_nothing_gives_out_no_arrivals(make_sale: MakeSale) -> None:
    sale = await make_sale(mode="lobby")
    assert await order(sale, "00" * 32, 1, IDS) == NotSealed("lobby")


@pytest.mark.parametrize("ids", [[], ["e1"] * 501])
async def test_there_are_some_and_not_too_many(make_sale: MakeSale, ids: list[str]) -> None:
    sale, root = await sealed_sale(make_sale)
    assert isinstance(await order(sale, root, 1, ids), refusals.BadMessage)
    assert isinstance(await order(sale, root, 0, IDS), refusals.BadMessage)
