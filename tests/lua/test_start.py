"""Rows of `start`, and of the first round that it begins."""

from __future__ import annotations

from dropengine import events, outcomes
from dropengine.truth.replies import NotPlaced, NotSealed, Started, ViewReply
from tests.conftest import MakeSale
from tests.kit.manifests import FIRST_OFFER_MS, OFFER_MS, item
from tests.kit.sale import SECRET


async def test_the_first_of_the_order_are_called_as_many_as_there_are_units(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(item("pin", {"pin": 2}), mode="lobby")
    await sale.entered("ada", "ben", "cy")
    await sale.creator("seal")
    right = await sale.in_order(size=2)
    offers = [e for e in await sale.log() if isinstance(e, events.Offered)]
    assert [(e.entry, e.n) for e in offers] == [(right[0], 1), (right[1], 2)]
    assert {e.deadline for e in offers} == {sale.now + FIRST_OFFER_MS}
    assert (await sale.log())[-1] == events.Allotted(len(await sale.log()), sale.now, 2)
    # Later ones come behind, under the number of their entry.
    joined = await sale.join("di")
    assert isinstance(joined, outcomes.Joined)
    assert (joined.id, joined.entry.n) == ("e4", 4)


async def test_an_alternate_has_the_usual_window(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}), mode="draw")
    await sale.entered("ada", "ben")
    await sale.creator("seal")
    await sale.in_order()
    first = next(e for e in await sale.log() if isinstance(e, events.Offered))
    await sale.release(first.fan, first.hold)
    second = [e for e in await sale.log() if isinstance(e, events.Offered)][-1]
    assert second.deadline == sale.now + OFFER_MS
    # Every screen is told how far the calls have come (D10).
    view = await sale.store.view(sale.drop, 0, 0, clock_ms=sale.now)
    assert isinstance(view, ViewReply)
    told = view.entering
    assert (told.entries, told.placed, told.won, told.called) == (2, 2, 1, 2)
    assert (told.root, told.revealed) == ((await sale.sealed()).root.hex(), SECRET.hex())


async def test_nothing_is_decided_before_the_first_round_is_over(make_sale: MakeSale) -> None:
    """64 offers a script: whoever presses meanwhile finds the line served to the end."""
    sale = await make_sale(item("pin", {"pin": 150}), mode="collect")
    await sale.entered(*(f"f{n}" for n in range(200)))
    await sale.creator("seal")
    await sale.in_order(start=False)
    assert isinstance(await sale.store.start(sale.drop, clock_ms=sale.now), Started)
    sale.now += 5
    await sale.hold("late")
    words = await sale.words()
    assert words.count("offered") == 150
    assert words[-1] == "allotted"
    offers = [e for e in await sale.log() if isinstance(e, events.Offered)]
    assert [e.n for e in offers] == list(range(1, 151))
    assert {e.deadline - e.at for e in offers} == {FIRST_OFFER_MS}


async def test_units_that_nobody_in_the_list_wants_are_anybodys(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 3}), mode="lobby")
    await sale.entered("ada")
    await sale.creator("seal")
    await sale.in_order()
    assert isinstance(await sale.hold("di"), outcomes.Held)


async def test_an_empty_list_opens_the_drop_at_once(make_sale: MakeSale) -> None:
    sale = await make_sale(mode="lobby")
    await sale.creator("seal")
    assert isinstance(await sale.store.start(sale.drop, clock_ms=sale.now), Started)
    assert await sale.words() == ["published", "lobby_opened", "sealed", "opened", "allotted"]
    assert isinstance(await sale.hold("di"), outcomes.Held)


async def test_it_opens_with_the_whole_list_and_once(make_sale: MakeSale) -> None:
    sale = await make_sale(mode="lobby")
    assert await sale.store.start(sale.drop, clock_ms=sale.now) == NotSealed("lobby")
    await sale.entered("ada")
    await sale.creator("seal")
    assert await sale.store.start(sale.drop, clock_ms=sale.now) == NotPlaced(1)
    await sale.in_order()
    told = await sale.log()
    assert isinstance(await sale.store.start(sale.drop, clock_ms=sale.now), Started)
    assert await sale.log() == told


async def test_a_rush_is_started_by_nobody(make_sale: MakeSale) -> None:
    sale = await make_sale()
    assert await sale.store.start(sale.drop, clock_ms=sale.now) == NotSealed("live")
