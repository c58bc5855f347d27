"""Rows of `leave` inside `press`."""

from __future__ import annotations

from dropengine import outcomes, refusals
from tests.conftest import MakeSale
from tests.kit.manifests import item
from tests.kit.sale import Sale


async def test_who_leaves_lets_everybody_behind_move_up(sale: Sale) -> None:
    await sale.held("di", qty=3)
    first = await sale.joined("ana")
    await sale.joined("bo")
    outcome = await sale.leave("ana", first)
    assert isinstance(outcome, outcomes.Left)
    assert outcome.entry.state == "left"
    (entry,) = (await sale.you("bo")).entries
    assert [(line.place, line.r) for line in entry[2]] == [(1, 1)]


async def test_leaving_again_changes_nothing(sale: Sale) -> None:
    await sale.held("di", qty=3)
    entry = await sale.joined("ana")
    first = await sale.leave("ana", entry)
    again = await sale.leave("ana", entry)
    assert isinstance(first, outcomes.Left)
    assert again == outcomes.Left(entry, first.entry, first.seq, first.seq)


async def test_leaving_gives_an_offer_to_the_next(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    hold = await sale.held("di")
    first, second = await sale.joined("ana"), await sale.joined("bo")
    await sale.release("di", hold)
    await sale.leave("ana", first)
    assert (await sale.words())[-3:] == ["declined", "left", "offered"]
    assert (await sale.truth()).entries[second].state == "offered"


async def test_leaving_keeps_what_was_claimed(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    hold = await sale.held("di")
    entry = await sale.joined("ana")
    await sale.release("di", hold)
    offer = (await sale.truth()).entries[entry].hold
    await sale.claim("ana", offer)
    await sale.leave("ana", entry)
    assert (await sale.truth()).holds[offer].state == "active"
    assert isinstance(await sale.succeeded(offer), outcomes.Paid)
    assert "served" not in await sale.words()


async def test_a_place_can_be_left_when_the_drop_has_settled(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    await sale.bought("ana")
    entry = await sale.joined("bo")
    await sale.creator("close")
    assert (await sale.settle()).state == "settled"
    assert isinstance(await sale.leave("bo", entry), outcomes.Left)
    assert (await sale.words())[-2:] == ["settled", "left"]


async def test_an_entry_with_another_fate_cannot_leave(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    hold = await sale.held("di")
    entry = await sale.joined("ana")
    await sale.release("di", hold)
    await sale.succeeded((await sale.truth()).entries[entry].hold)
    assert (await sale.truth()).entries[entry].state == "served"
    assert await sale.leave("ana", entry) == refusals.NotFound()


async def test_another_fan_does_not_find_the_entry(sale: Sale) -> None:
    await sale.held("di", qty=3)
    entry = await sale.joined("ana")
    assert await sale.leave("bo", entry) == refusals.NotFound()
    assert await sale.leave("bo", "e999") == refusals.NotFound()


async def test_a_cancelled_drop_has_no_line_to_leave(sale: Sale) -> None:
    await sale.held("di", qty=3)
    entry = await sale.joined("ana")
    await sale.creator("cancel")
    assert await sale.leave("ana", entry) == refusals.Cancelled()
